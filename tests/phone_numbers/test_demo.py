"""The demo: made once, only where it is wanted, beside whatever else there is."""

from collections import Counter

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account
from phone_numbers.roles import grant_roles
from phone_numbers.services.demo import retire_demo
from phone_numbers.services.runs import due_account_runs
from providers.registry import PROVIDERS
from providers.simulator import Simulator
from tests.phone_numbers.jobs import sync

pytestmark = pytest.mark.django_db

DIVISIONS = {
    "Plivo main": "Northwind East",
    "Twilio main": "Northwind East",
    "Fone Dynamics trades": "Northwind Electrical",
}


def seed() -> None:
    call_command("seed_demo", verbosity=0)


def test_it_makes_two_accounts_of_each_provider_and_they_work(simulator: Simulator, settings: Settings) -> None:
    settings.SIMULATOR_URL = simulator.root
    seed()
    accounts = list(Account.objects.filter(is_demo=True))
    assert Counter(account.provider for account in accounts) == dict.fromkeys(PROVIDERS, 2)
    for account in accounts:
        run = sync(account)
        assert (run.state, run.numbers_seen) == ("complete", account.numbers.count())
    assert len({account.remote_id for account in accounts}) == 8


@pytest.mark.parametrize(("name", "division"), DIVISIONS.items())
def test_it_shows_divisions(simulator: Simulator, settings: Settings, name: str, division: str) -> None:
    settings.SIMULATOR_URL = simulator.root
    seed()
    account = Account.objects.get(name=name)
    sync(account)
    assert account.subaccounts.filter(name=division).exists()


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
    Account.objects.create(name="Plivo main", provider="plivo", credentials=Sealed.seal({"auth_id": "real"}))
    seed()
    account = Account.objects.get(name="Plivo main")
    assert (account.is_demo, account.credentials.open()) == (False, {"auth_id": "real"})


def test_it_knows_its_accounts_by_another_name() -> None:
    seed()
    Account.objects.filter(name="Plivo main").update(name="Plivo demo")
    seed()
    assert Account.objects.filter(name__startswith="Plivo").count() == 2


def test_it_survives_credentials_it_cannot_read() -> None:
    seed()
    Account.objects.update(credentials=Sealed("of another key"))
    seed()
    assert Account.objects.count() == 8


def test_it_refuses_where_the_demo_is_off(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="switched off"):
        seed()
    assert not Account.objects.exists()


def test_it_makes_no_user_in_production(settings: Settings) -> None:
    settings.PRODUCTION = True
    seed()
    assert (Account.objects.count(), User.objects.count()) == (8, 0)


def test_it_lets_nobody_in_by_the_known_password_once_it_is_off() -> None:
    seed()
    retire_demo()
    assert authenticate(username="demo", password="demo") is None
    seed()
    assert authenticate(username="demo", password="demo") is not None


def test_it_leaves_a_demo_user_alone_who_has_a_password_of_their_own() -> None:
    seed()
    user = User.objects.get(username="demo")
    user.set_password("something else entirely")
    user.save()
    retire_demo()
    assert authenticate(username="demo", password="something else entirely") == user


def test_it_syncs_no_demo_account_once_it_is_off(settings: Settings) -> None:
    seed()
    settings.DEMO = False
    assert due_account_runs(timezone.now()) == []
    settings.DEMO = True
    assert len(due_account_runs(timezone.now())) == 8
