"""Moving every account's credentials to a new key, and knowing when the old one can go."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from phone_numbers.encryption import Sealed, UnreadableSecret
from phone_numbers.models import Account

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def fifty_accounts(settings):
    settings.CREDENTIALS_KEYS = [OLD]
    for position in range(50):
        secrets = {"auth_token": f"token-{position}"}
        Account.objects.create(name=f"account {position}", provider="plivo", credentials=Sealed.seal(secrets))
    settings.CREDENTIALS_KEYS = [NEW, OLD]


def run(*arguments):
    out = StringIO()
    call_command("rotate_credentials", *arguments, stdout=out)
    return out.getvalue()


def opened():
    return [account.credentials.open()["auth_token"] for account in Account.objects.order_by("pk")]


def test_it_moves_fifty_secrets_to_the_new_key(fifty_accounts, settings):
    assert "50 re-encrypted" in run()
    settings.CREDENTIALS_KEYS = [NEW]
    assert opened() == [f"token-{position}" for position in range(50)]


def test_it_finishes_what_an_interrupted_run_began(fifty_accounts):
    for account in Account.objects.all()[:20]:
        Account.objects.filter(pk=account.pk).update(credentials=account.credentials.rotated())
    report = run()
    assert "20 under the first key already" in report
    assert "30 re-encrypted" in report


def test_it_changes_nothing_the_second_time(fifty_accounts):
    run()
    before = list(Account.objects.values_list("credentials", flat=True))
    run()
    assert list(Account.objects.values_list("credentials", flat=True)) == before


def test_check_fails_while_an_older_key_is_needed_and_writes_nothing(fifty_accounts, settings):
    with pytest.raises(CommandError, match="account 7,"):
        run("--check")
    settings.CREDENTIALS_KEYS = [OLD]
    assert len(opened()) == 50


def test_check_passes_when_the_old_key_can_go(fifty_accounts):
    run()
    assert "0 still need an older key" in run("--check")


def test_it_names_the_unreadable_account_and_still_rotates_the_others(fifty_accounts, settings):
    Account.objects.filter(name="account 3").update(
        credentials=Sealed(Fernet(Fernet.generate_key()).encrypt(b"{}").decode())
    )
    with pytest.raises(CommandError, match="account 3"):
        run()
    settings.CREDENTIALS_KEYS = [NEW]
    assert sum(account.credentials.is_current for account in Account.objects.all()) == 49


def test_it_leaves_credentials_alone_that_were_replaced_meanwhile(fifty_accounts, settings, monkeypatch):
    replacement = Sealed.seal({"auth_token": "typed by a person"})
    rotated = Sealed.rotated

    def rotated_too_late(sealed):
        Account.objects.filter(name="account 3").update(credentials=replacement)
        return rotated(sealed)

    monkeypatch.setattr(Sealed, "rotated", rotated_too_late)
    with pytest.raises(CommandError, match=r"account 3\."):
        run()
    assert Account.objects.get(name="account 3").credentials.open() == {"auth_token": "typed by a person"}


def test_it_ignores_accounts_without_credentials():
    Account.objects.create(name="demo", provider="plivo")
    assert "0 re-encrypted" in run()


def test_a_secret_under_a_lost_key_says_so(fifty_accounts, settings):
    settings.CREDENTIALS_KEYS = [NEW]
    with pytest.raises(UnreadableSecret, match="no longer has"):
        Account.objects.first().credentials.open()


def test_a_sealed_value_prints_nothing():
    sealed = Sealed.seal({"auth_token": "canary"})
    assert repr(sealed) == str(sealed) == f"{sealed}" == "<Sealed>"
