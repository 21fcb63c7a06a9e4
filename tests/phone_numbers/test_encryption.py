"""Credentials at rest: unreadable without a key, replaceable, never printed."""

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection
from pytest_django import Settings

from phone_numbers.encryption import Sealed, UnreadableSecret
from phone_numbers.models import Account
from phone_numbers.services.accounts import set_credentials
from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN
from tests.phone_numbers.jobs import make_account

SECRETS = {"auth_id": PLIVO_AUTH_ID, "auth_token": PLIVO_AUTH_TOKEN}


def test_it_opens_what_it_sealed() -> None:
    assert Sealed.seal(SECRETS).open() == SECRETS


def test_it_opens_nothing_when_nothing_is_stored() -> None:
    assert (Sealed("").open(), bool(Sealed(""))) == ({}, False)


def test_it_never_prints_a_secret() -> None:
    sealed = Sealed.seal(SECRETS)
    assert PLIVO_AUTH_TOKEN not in f"{sealed!r} {sealed} {sealed.token}"


def test_it_opens_with_any_of_the_keys(settings: Settings) -> None:
    sealed = Sealed.seal(SECRETS)
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIALS_KEYS]
    assert sealed.open() == SECRETS


def test_it_moves_to_the_first_key(settings: Settings) -> None:
    sealed = Sealed.seal(SECRETS)
    new = Fernet.generate_key().decode()
    settings.CREDENTIALS_KEYS = [new, *settings.CREDENTIALS_KEYS]
    moved = sealed.rotated()
    settings.CREDENTIALS_KEYS = [new]
    assert moved.open() == SECRETS


def test_it_says_when_no_key_fits(settings: Settings) -> None:
    sealed = Sealed.seal(SECRETS)
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(UnreadableSecret):
        sealed.open()


def test_it_says_when_what_is_stored_is_broken() -> None:
    with pytest.raises(UnreadableSecret):
        Sealed("not a token").open()


@pytest.mark.django_db
def test_it_keeps_no_secret_in_the_database() -> None:
    make_account()
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM numbers_account")
        (stored,) = cursor.fetchone()
    assert stored
    assert PLIVO_AUTH_TOKEN not in stored


@pytest.mark.django_db
def test_it_keeps_no_secret_in_an_export() -> None:
    make_account()
    assert PLIVO_AUTH_TOKEN not in serializers.serialize("json", Account.objects.all())


@pytest.mark.django_db
def test_it_replaces_credentials_and_syncs_soon() -> None:
    account = make_account()
    account.next_sync_at = account.created_at.replace(year=2099)
    account.save()
    set_credentials(account, {"auth_id": "MAAAAAAAAAAAAAAAAAAA", "auth_token": "another"})
    account.refresh_from_db()
    assert account.credentials.open() == {"auth_id": "MAAAAAAAAAAAAAAAAAAA", "auth_token": "another"}
    assert account.next_sync_at.year < 2099


@pytest.mark.django_db
@pytest.mark.parametrize(
    "credentials", [{}, {"auth_id": "SAOFASUBACCOUNT00001", "auth_token": "t"}, {"auth_id": PLIVO_AUTH_ID}]
)
def test_it_refuses_what_cannot_be_credentials(credentials: dict[str, str]) -> None:
    account = make_account()
    with pytest.raises(ValueError, match="as the provider gives it"):
        set_credentials(account, credentials)
    account.refresh_from_db()
    assert account.credentials.open() == SECRETS
