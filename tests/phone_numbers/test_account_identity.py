"""Whose account it is: one account at a provider is connected once, and credentials never open another one."""

from contextlib import closing
from types import SimpleNamespace

import pytest

from phone_numbers.models import Account, PhoneNumber, SyncRun
from phone_numbers.services.accounts import check_identity
from phone_numbers.services.accounts import test_connection as check_connection
from providers import simulator as demo
from providers.errors import MalformedResponse
from providers.registry import open_provider
from providers.simulator import Simulator
from tests.phone_numbers.jobs import make_account, sync


def test_it_connects_an_account_once(account: Account) -> None:
    sync(account)
    again = make_account(name="The same again")
    run = sync(again)
    assert (run.state, run.error_slug, again.health) == (SyncRun.State.FAILED, "wrong_account", "wrong_account")
    assert not PhoneNumber.objects.filter(account=again).exists()


def test_it_says_so_when_the_connection_is_tried(account: Account) -> None:
    sync(account)
    report = check_connection(make_account(name="The same again"))
    assert (report.ok, "is connected already" in report.sentence) == (False, True)


def test_it_tells_a_property_from_its_account(simulator: Simulator) -> None:
    signed_in = {"account_sid": demo.FONE_DYNAMICS_ACCOUNT_SID, "token": demo.FONE_DYNAMICS_TOKEN}
    hosts = {"api": f"{simulator.root}/fone_dynamics/api"}
    with closing(open_provider("fone_dynamics", signed_in, base_urls=hosts)) as whole:
        part = next(iter(whole.list_subaccounts())).id
        account_id = whole.whoami()
    with closing(open_provider("fone_dynamics", {**signed_in, "property_sid": part}, base_urls=hosts)) as provider:
        assert provider.whoami() == f"{account_id}/{part}"


def test_it_takes_no_account_id_that_is_too_long_to_keep(account: Account) -> None:
    answer = SimpleNamespace(whoami=lambda: "M" * 81)
    with pytest.raises(MalformedResponse, match="by more than 80 characters"):
        check_identity(account, answer)
