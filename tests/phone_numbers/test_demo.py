"""The demo: made once, only where it is wanted, beside whatever else there is."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account
from phone_numbers.roles import grant_roles
from providers.simulator import Simulator
from tests.phone_numbers.jobs import sync

pytestmark = pytest.mark.django_db


def seed() -> None:
    call_command("seed_demo", verbosity=0)


def test_it_makes_an_account_that_works(simulator: Simulator, settings: Settings) -> None:
    settings.SIMULATOR_URL = simulator.root
    seed()
    assert sync(Account.objects.get(is_demo=True)).numbers_seen == 45


def test_it_makes_a_user_who_may_edit() -> None:
    grant_roles()
    seed()
    user = authenticate(username="demo", password="demo")
    assert user is not None
    assert user.has_perm("numbers.change_phonenumber")
    assert not user.is_staff


def test_it_touches_nothing_when_run_again() -> None:
    seed()
    User.objects.get(username="demo").set_password("changed")
    Account.objects.update(is_paused=True)
    before = list(Account.objects.values()), list(User.objects.values())
    seed()
    assert (list(Account.objects.values()), list(User.objects.values())) == before


def test_it_leaves_an_account_of_the_same_name_alone() -> None:
    Account.objects.create(name="Plivo demo", provider="plivo", credentials=Sealed.seal({"auth_id": "real"}))
    seed()
    account = Account.objects.get()
    assert (account.is_demo, account.credentials.open()) == (False, {"auth_id": "real"})


def test_it_refuses_where_the_demo_is_off(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="switched off"):
        seed()
    assert not Account.objects.exists()


def test_it_makes_no_user_in_production(settings: Settings) -> None:
    settings.PRODUCTION = True
    seed()
    assert (Account.objects.count(), User.objects.count()) == (1, 0)
