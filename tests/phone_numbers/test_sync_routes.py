"""What numbers can be routed to is read beside them: a list that is closed, broken or too short takes nothing away."""

import itertools

import pytest
from pytest_django import Settings

from phone_numbers.models import Account, SyncRun
from phone_numbers.services import runs
from phone_numbers.services.connections import open_account
from phone_numbers.services.leases import LeaseLost
from phone_numbers.services.routes import read_list
from providers.contract import RemoteApplication
from providers.simulator import Simulator
from tests.phone_numbers.jobs import demo_account, sync
from tests.phone_numbers.rows import make_application


def routes(account: Account) -> list[tuple[str, str, bool]]:
    applications = account.applications.order_by("pk").values_list("kind", "remote_id", "is_present")
    return [
        *applications,
        *(("subaccount", *row) for row in account.subaccounts.values_list("remote_id", "is_present")),
    ]


@pytest.mark.parametrize("path", ["/Application/", "/Zentrunk/", "/Subaccount/"])
@pytest.mark.parametrize(
    ("kind", "status"), [("error", 403), ("error", 404), ("error", 500), ("total_zero", 0), ("html", 0)]
)
@pytest.mark.usefixtures("no_waiting")
def test_it_takes_no_route_for_gone_that_is_only_not_listed(
    synced: Account, simulator: Simulator, path: str, kind: str, status: int
) -> None:
    before = routes(synced)
    simulator.fault(kind, path=path, times=0, status=status)
    assert sync(synced).state == SyncRun.State.COMPLETE
    assert routes(synced) == before


@pytest.mark.parametrize("path", ["/Application/", "/Subaccount/"])
def test_it_never_takes_for_gone_what_a_broken_list_lacks(synced: Account, simulator: Simulator, path: str) -> None:
    """However often it breaks; one that is whole and empty is believed the third time."""
    before = routes(synced)
    simulator.fault("html", path=path, times=0)
    for _ in range(4):
        sync(synced)
    assert routes(synced) == before


@pytest.mark.parametrize(("path", "title"), [("/Application/", "applications"), ("/Subaccount/", "subaccounts")])
def test_it_says_which_list_is_closed_and_reads_the_numbers(
    account: Account, simulator: Simulator, path: str, title: str
) -> None:
    simulator.fault("error", status=403, path=path, times=0)
    run = sync(account)
    assert (run.state, account.health, account.numbers.count()) == (SyncRun.State.COMPLETE, Account.Health.OK, 45)
    assert run.detail.startswith(
        f"The {title} could not be listed, and what is known of them stays: Plivo does not let"
    )


def test_it_stops_when_the_credentials_are_refused_at_the_applications(synced: Account, simulator: Simulator) -> None:
    simulator.fault("error", status=401, path="/Application/", times=0)
    assert sync(synced).state == SyncRun.State.FAILED
    assert synced.health == Account.Health.AUTH_FAILED


@pytest.mark.parametrize(
    ("path", "field", "title"),
    [("/Application/", "app_id", "applications"), ("/Subaccount/", "auth_id", "subaccounts")],
)
def test_it_takes_no_two_long_ids_for_one(
    synced: Account, simulator: Simulator, path: str, field: str, title: str
) -> None:
    before = routes(synced)
    simulator.fault("wrong_type", path=path, field=field, value="1" * 101, times=0)
    run = sync(synced)
    assert f"The {title} could not be listed" in run.detail
    assert "an id of more than 100 characters" in run.detail
    assert (run.state, routes(synced)) == (SyncRun.State.COMPLETE, before)


def test_it_keeps_an_id_of_a_hundred_characters_whole(synced: Account, simulator: Simulator) -> None:
    simulator.fault("wrong_type", path="/Application/", field="app_id", value="1" * 100, times=0)
    sync(synced)
    assert ("application", "1" * 100, True) in routes(synced)


def test_it_does_not_believe_that_most_applications_are_gone(synced: Account, simulator: Simulator) -> None:
    for index in range(4):
        make_application(synced, f"10{index}")
    run = sync(synced)
    assert "lacks 4 of" in run.detail
    assert not synced.applications.filter(is_present=False).exists()


@pytest.mark.parametrize("kind", ["Application", "Subaccount"])
def test_it_believes_at_last_that_the_last_one_is_gone(synced: Account, simulator: Simulator, kind: str) -> None:
    rows = synced.applications.filter(kind="application") if kind == "Application" else synced.subaccounts.all()
    before = rows.count()
    simulator.fault("total_zero", path=f"/{kind}/", times=0)
    offered = [(sync(synced), rows.filter(is_present=True).count())[1] for _ in range(3)]
    assert offered == [before, before, 0]


def test_it_counts_misses_in_a_row_only(synced: Account, simulator: Simulator) -> None:
    fault = simulator.fault("total_zero", path="/Application/", times=2)
    for _ in range(3):
        sync(synced)
    simulator.fault("total_zero", path="/Application/", times=2)
    for _ in range(2):
        sync(synced)
    assert fault.struck == 2
    assert not synced.applications.filter(is_present=False).exists()


def test_it_offers_again_what_is_listed_again(synced: Account, simulator: Simulator) -> None:
    simulator.fault("total_zero", path="/Application/", times=3)
    for _ in range(4):
        sync(synced)
    assert not synced.applications.exclude(is_present=True, misses=0).exists()


@pytest.mark.parametrize(("path", "kind"), [("/v1/Trunks", "trunk"), ("/v1/Services", "messaging_service")])
def test_it_keeps_what_a_closed_product_of_twilio_would_list(
    db: None, simulator: Simulator, settings: Settings, path: str, kind: str
) -> None:
    settings.SIMULATOR_URL = simulator.root
    account = demo_account("twilio")
    sync(account)
    before = account.applications.filter(kind=kind, is_present=True).count()
    simulator.fault("error", status=403, path=path, times=0)
    for _ in range(4):
        sync(account)
    assert account.applications.filter(kind=kind, is_present=True).count() == before > 0


def test_it_holds_its_lease_through_a_long_list_of_routes(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.request_sync(account, trigger=SyncRun.Trigger.PERSON)
    lease = runs.claim_run(run.pk)
    SyncRun.objects.update(lease_token=None)
    monkeypatch.setattr("phone_numbers.services.runs.REPORT_SECONDS", 0.0)
    with open_account(account) as provider, pytest.raises(LeaseLost):
        read_list(lease, "applications", provider.list_applications())


def test_it_stops_at_a_list_without_an_end(account: Account) -> None:
    lease = runs.claim_run(runs.request_sync(account, trigger=SyncRun.Trigger.PERSON).pk)
    found, problem = read_list(lease, "applications", itertools.repeat(RemoteApplication(id="1")))
    assert "did not end after 100,000 rows" in problem
    assert len(found) == 100_001
