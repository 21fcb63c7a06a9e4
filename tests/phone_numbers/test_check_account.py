"""`manage.py check_account`: what credentials open, in sentences, against every simulated provider."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account
from phone_numbers.services.demo import seed_demo
from providers.registry import PROVIDERS
from providers.simulator import SIGNALWIRE_NUMBERS_TOKEN, Simulator
from tests.phone_numbers.jobs import sync

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(simulator: Simulator, settings: Settings) -> None:
    settings.SIMULATOR_URL = simulator.root
    seed_demo()


def report(name: str) -> str:
    written = io.StringIO()
    call_command("check_account", name, stdout=written)
    return written.getvalue()


def change_credentials(account: Account, **changed: str) -> None:
    account.credentials = Sealed.seal({**account.credentials.open(), **changed})
    account.save()


@pytest.mark.parametrize("kind", PROVIDERS)
def test_it_tells_who_it_is_how_many_numbers_there_are_and_shows_some(simulator: Simulator, kind: str) -> None:
    account = Account.objects.filter(provider=kind).latest("name")
    lines = report(account.name).splitlines()
    assert lines[0].split() == ["Account", simulator.world.account(kind).id]
    assert lines[1].split() == ["Numbers", "45"]
    held = {f"+{number.digits}" for number in simulator.world.account(kind)}
    assert {line.split()[0] for line in lines[2:7]} <= held
    assert "Not open" not in " ".join(lines)
    assert lines[-1] == "The account can be read."


def test_it_counts_what_can_be_routed_to() -> None:
    assert "Applications  27\nSubaccounts   3\n" in report("Plivo main")


def test_it_says_what_a_provider_does_not_have() -> None:
    assert "Applications  Fone Dynamics has no applications." in report("Fone Dynamics trades")


def test_it_names_the_scopes_a_token_lacks() -> None:
    change_credentials(Account.objects.get(name="SignalWire main"), api_token=SIGNALWIRE_NUMBERS_TOKEN)
    said = report("SignalWire main")
    assert "Applications  This API token lacks a scope to list applications: Voice, Messaging or Fax." in said
    assert "Not open      This API token lacks the scope Messaging, so the 10DLC status of numbers is unknown." in said
    assert "Numbers       45" in said


@pytest.mark.parametrize(
    ("name", "changed", "sentence"),
    [
        ("Plivo main", {"auth_token": "wrong"}, r"Plivo refused the credentials \(401\)"),
        ("Twilio main", {"secret": "wrong"}, r"Twilio refused the credentials \(401\)"),
        ("SignalWire main", {"api_token": "wrong"}, r"SignalWire refused the credentials \(401\)"),
        ("Fone Dynamics trades", {"token": "wrong"}, r"Fone Dynamics refused the credentials \(401\)"),
    ],
)
def test_it_fails_when_the_credentials_are_refused(name: str, changed: dict[str, Any], sentence: str) -> None:
    change_credentials(Account.objects.get(name=name), **changed)
    with pytest.raises(CommandError, match=sentence) as failed:
        report(name)
    assert failed.value.returncode == 1
    assert "wrong" not in str(failed.value)


def test_it_fails_for_credentials_of_another_account() -> None:
    Account.objects.filter(name="Plivo main").update(remote_id="MASOMEBODYELSE000000")
    with pytest.raises(CommandError, match="open account MANUMBERDESKDEMO0001, but Plivo main is MASOMEBODYELSE"):
        report("Plivo main")


def test_it_fails_when_the_numbers_cannot_be_listed(simulator: Simulator) -> None:
    simulator.fault("html", path="/Number/", times=0)
    with pytest.raises(CommandError, match="not JSON"):
        report("Plivo main")


def test_it_names_the_accounts_there_are() -> None:
    Account.objects.exclude(name__startswith="Plivo").delete()
    with pytest.raises(CommandError, match=r"no account called “Plivo”\. There are: Plivo logistics, Plivo main\."):
        report("Plivo")


def test_it_says_when_there_is_no_account() -> None:
    Account.objects.all().delete()
    with pytest.raises(CommandError, match="There is none yet"):
        report("Plivo")


def test_a_sync_says_what_the_credentials_do_not_open(simulator: Simulator) -> None:
    account = Account.objects.get(name="SignalWire main")
    change_credentials(account, api_token=SIGNALWIRE_NUMBERS_TOKEN)
    run = sync(account)
    assert (run.state, account.health) == ("complete", "ok")
    assert "lacks a scope to list applications" in account.health_detail
    assert "lacks the scope Messaging" in account.health_detail
