"""Fixtures for the tests of the Django app."""

from functools import partial

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from phone_numbers.models import Account, PhoneNumber
from phone_numbers.services import connections
from providers.registry import open_provider
from providers.simulator import Simulator
from tests.phone_numbers.jobs import make_account, sync
from tests.roles import make_user


@pytest.fixture
def account(db: None, simulator: Simulator, settings: Settings) -> Account:
    """A simulated account that was never read."""
    settings.SIMULATOR_URL = simulator.root
    return make_account()


@pytest.fixture
def synced(account: Account) -> Account:
    """The same, read once."""
    sync(account)
    return account


@pytest.fixture
def number(synced: Account) -> PhoneNumber:
    """One that has an alias and an application."""
    return synced.numbers.filter(voice_kind="application").exclude(alias="").earliest("pk")


@pytest.fixture
def numbers(synced: Account) -> list[PhoneNumber]:
    """All that have an alias."""
    return list(synced.numbers.exclude(alias="").order_by("pk"))


@pytest.fixture
def operator(db: None) -> User:
    return make_user("operator", username="olga")


@pytest.fixture
def signed_in(client: Client, operator: User) -> Client:
    """The operator's browser."""
    client.force_login(operator)
    return client


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The HTTP client does not sleep; how long it would have is listed."""
    waits: list[float] = []
    monkeypatch.setattr(connections, "open_provider", partial(open_provider, sleep=waits.append))
    return waits
