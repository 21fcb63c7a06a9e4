"""Whatever goes wrong while an account is read, no number's presence changes and the run says what happened."""

import threading
import time
from unittest.mock import Mock

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account, PhoneNumber, SyncRun
from phone_numbers.services import runs
from phone_numbers.services import sync as engine
from phone_numbers.services.accounts import test_connection as check_connection
from phone_numbers.services.connections import open_account, shared_limiter
from phone_numbers.services.leases import LeaseLost, heartbeat
from phone_numbers.services.listing import Listing
from phone_numbers.services.reading import keep_numbers
from phone_numbers.services.sync import run_sync
from providers.contract import RemoteNumber
from providers.errors import MalformedResponse
from providers.paging import Page
from providers.plivo import Plivo
from providers.simulator import PLIVO_AUTH_ID, Simulator
from tests.phone_numbers.jobs import LIST, ONE, make_account, number_of, presences, sync

BROKEN = {
    "error": {"status": 503},
    "error_page": {"status": 502},
    "reset": {},
    "html": {},
    "invalid_json": {},
    "cut_short": {},
    "cut_without_length": {},
    "garbled": {},
    "broken_gzip": {},
    "gzip_bomb": {},
    "oversized": {},
    "no_body": {},
    "json_text": {"value": "maintenance"},
    "redirect": {},
    "looping_link": {},
    "foreign_link": {},
    "duplicate_row": {},
    "empty_page": {},
    "wrong_type": {"field": "number", "value": 17},
    "missing_field": {"field": "number"},
    "wrong_account": {},
    "revoked": {},
    "rate_limited": {},
}

SECOND_PAGE = rf"{LIST}.*offset=19"


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.usefixtures("no_waiting")
def test_it_changes_nobodys_presence_when_a_page_is_broken(synced: Account, simulator: Simulator, kind: str) -> None:
    world = simulator.world.account()
    simulator.world.remove(world, world.at(2).digits)
    simulator.fault(kind, path=SECOND_PAGE, times=0, **BROKEN[kind])
    run = sync(synced)
    assert run.state in {SyncRun.State.PARTIAL, SyncRun.State.FAILED}
    assert run.detail
    assert run.error_slug
    assert presences(synced) == {"present": 45}


@pytest.mark.usefixtures("no_waiting")
def test_it_keeps_the_pages_before_the_broken_one(account: Account, simulator: Simulator) -> None:
    simulator.fault("error", status=503, path=SECOND_PAGE, times=0)
    run = sync(account)
    assert (run.state, run.numbers_new, account.numbers.count()) == (SyncRun.State.PARTIAL, 20, 20)
    assert (account.health, account.fresh_at) == (Account.Health.FAILING, None)


@pytest.mark.usefixtures("no_waiting")
def test_it_begins_anew_after_a_broken_page(account: Account, simulator: Simulator) -> None:
    simulator.fault("error", status=503, path=SECOND_PAGE, times=4)
    sync(account)
    run = sync(account)
    assert (run.state, run.pages_read, run.numbers_seen, account.numbers.count()) == ("complete", 3, 45, 45)


def test_it_minds_no_field_it_does_not_know(synced: Account, simulator: Simulator) -> None:
    simulator.fault("extra_field", path=LIST, times=0, value="new")
    assert sync(synced).state == SyncRun.State.COMPLETE


def test_it_takes_a_number_that_came_twice_as_it_came_last(number: PhoneNumber, simulator: Simulator) -> None:
    """The first page comes again as the second one, after its first number was changed."""
    world = simulator.world.account()
    first = world.at(0).digits
    simulator.fault("act", path=rf"{LIST}.*offset=0", action=lambda it: it.change(world, first, alias="Later"))
    simulator.fault("duplicate_page", path=SECOND_PAGE)
    run = sync(number.account)
    assert (run.state, number_of(first).alias) == (SyncRun.State.PARTIAL, "Later")
    assert "(20 numbers came twice)" in run.detail


def test_it_completes_after_a_page_that_failed_once(
    account: Account, simulator: Simulator, no_waiting: list[float]
) -> None:
    simulator.fault("error", status=503, path=SECOND_PAGE)
    run = sync(account)
    assert (run.state, run.retries, len(no_waiting)) == (SyncRun.State.COMPLETE, 1, 1)


def test_it_waits_as_long_as_it_is_asked_to(account: Account, simulator: Simulator, no_waiting: list[float]) -> None:
    simulator.fault("rate_limited", retry_after="86400", path=LIST)
    run = sync(account)
    assert run.state == SyncRun.State.COMPLETE
    assert no_waiting[0] >= 120


@pytest.mark.parametrize("kind", ["empty_page", "total_zero"])
def test_it_believes_no_empty_list(synced: Account, simulator: Simulator, kind: str) -> None:
    simulator.fault(kind, path=LIST, times=0)
    run = sync(synced)
    assert run.state in {SyncRun.State.HELD, SyncRun.State.PARTIAL, SyncRun.State.FAILED}
    assert presences(synced) == {"present": 45}


def test_it_holds_an_empty_list(synced: Account, simulator: Simulator) -> None:
    simulator.fault("total_zero", path=LIST, times=0)
    run = sync(synced)
    assert (run.state, synced.health) == (SyncRun.State.HELD, Account.Health.HELD)
    assert run.detail == (
        "The provider listed no number at all, but 45 are known. Nothing was changed; a person should look."
    )


def test_it_holds_a_list_that_lacks_too_many(synced: Account, simulator: Simulator) -> None:
    world = simulator.world.account()
    for digits in [world.at(rank).digits for rank in range(4)]:
        simulator.world.remove(world, digits)
    run = sync(synced)
    assert (run.state, run.numbers_unconfirmed) == (SyncRun.State.HELD, 0)
    assert presences(synced) == {"present": 45}


@pytest.mark.parametrize("kind", ["row_removed", "row_added", "duplicate_page"])
def test_it_certifies_no_list_that_moved(synced: Account, simulator: Simulator, kind: str) -> None:
    """Not even a number is called unconfirmed that really left: the list might as well have missed it."""
    world = simulator.world.account()
    simulator.world.remove(world, world.at(30).digits)
    simulator.fault(kind, path=SECOND_PAGE if kind == "duplicate_page" else rf"{LIST}.*offset=0")
    run = sync(synced)
    assert (run.state, run.error_slug) == (SyncRun.State.PARTIAL, "moving_list")
    assert set(presences(synced)) == {"present"}


def test_it_is_well_again_after_the_next_list(synced: Account, simulator: Simulator) -> None:
    simulator.fault("total_zero", path=LIST)
    sync(synced)
    assert sync(synced).state == SyncRun.State.COMPLETE
    assert (synced.health, synced.health_detail) == (Account.Health.OK, "")


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("kind", ["error", "html", "rate_limited", "reset"])
def test_it_leaves_a_number_present_that_cannot_be_asked_for(synced: Account, simulator: Simulator, kind: str) -> None:
    world = simulator.world.account()
    simulator.world.remove(world, world.at(2).digits)
    simulator.fault(kind, path=ONE, times=0)
    run = sync(synced)
    assert (run.state, run.numbers_unconfirmed) == (SyncRun.State.COMPLETE, 0)
    assert run.detail == "Absent numbers that could not be asked for, and stay as they were: 1."
    assert presences(synced) == {"present": 45}


def test_it_stores_nothing_of_another_account(account: Account, simulator: Simulator) -> None:
    Account.objects.filter(pk=account.pk).update(remote_id="MASOMEBODYELSE000001")
    run = sync(account)
    assert (run.state, run.error_slug, account.numbers.count()) == (SyncRun.State.FAILED, "wrong_account", 0)
    assert (account.health, account.remote_id) == (Account.Health.WRONG_ACCOUNT, "MASOMEBODYELSE000001")


@pytest.mark.parametrize("path", [rf"{LIST}.*offset=0", SECOND_PAGE])
def test_it_stores_nothing_of_a_page_with_another_accounts_numbers(
    account: Account, simulator: Simulator, path: str
) -> None:
    simulator.fault("wrong_account", path=path, times=0)
    run = sync(account)
    assert (run.state, account.numbers.count(), account.health) == ("failed", 0, Account.Health.WRONG_ACCOUNT)


def test_it_stops_at_once_when_the_credentials_are_refused(synced: Account, simulator: Simulator) -> None:
    simulator.fault("revoked", times=0)
    run = sync(synced)
    assert (run.state, run.requests, run.error_slug) == (SyncRun.State.FAILED, 1, "authentication_failed")
    assert (synced.health, synced.health_detail) == (Account.Health.AUTH_FAILED, run.detail)


@pytest.mark.parametrize("status", [401, 403])
def test_it_stops_when_the_credentials_are_refused_midway(synced: Account, simulator: Simulator, status: int) -> None:
    fault = simulator.fault("error", status=status, path=SECOND_PAGE, times=0)
    run = sync(synced)
    assert (run.state, run.retries, run.numbers_seen) == (SyncRun.State.FAILED, 0, 20)
    assert (fault.struck, synced.health, presences(synced)) == (1, Account.Health.AUTH_FAILED, {"present": 45})


@pytest.mark.usefixtures("no_waiting")
def test_it_says_when_the_provider_cannot_be_reached(account: Account, settings: Settings) -> None:
    settings.SIMULATOR_URL = "http://127.0.0.1:1"
    run = sync(account)
    assert (run.state, run.error_slug, account.health) == (
        SyncRun.State.FAILED,
        "unavailable",
        Account.Health.FAILING,
    )
    assert "cannot be reached" in account.health_detail


def test_it_says_when_no_key_opens_the_credentials(account: Account, settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    run = sync(account)
    assert (run.state, account.health) == (SyncRun.State.FAILED, Account.Health.AUTH_FAILED)
    assert run.detail == "These credentials were saved with a key this server no longer has. Enter them again."


def test_it_says_when_there_are_no_credentials(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(credentials=Sealed(""))
    assert sync(account).detail == "No credentials are stored for this account yet."


def test_it_says_when_the_provider_is_unknown(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(provider="carrier pigeon")
    assert sync(account).detail == "This server knows no provider called “carrier pigeon”."


def test_it_writes_nothing_once_its_run_was_taken(account: Account) -> None:
    lease = runs.claim_run(runs.request_sync(account, trigger="person").pk)
    with open_account(account) as provider:
        page = next(iter(provider.list_numbers()))
    SyncRun.objects.update(lease_expires_at=timezone.now())
    runs.reap_runs(timezone.now())
    with pytest.raises(LeaseLost):
        keep_numbers(lease, Listing(), page.rows)
    assert not PhoneNumber.objects.exists()


def test_it_ends_quietly_once_its_run_was_taken(account: Account, simulator: Simulator) -> None:
    """The run changes hands while the second page is on its way."""
    run = runs.request_sync(account, trigger="person")
    lease = runs.claim_run(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.QUEUED, lease_token=None)
    run_sync(run.pk)
    with pytest.raises(LeaseLost):
        lease.finish(SyncRun.State.FAILED, Account.Health.FAILING)
    run.refresh_from_db()
    assert (run.state, run.attempt) == (SyncRun.State.COMPLETE, 2)


@pytest.mark.django_db(transaction=True)
def test_it_keeps_its_lease_through_a_long_wait(account: Account, simulator: Simulator, settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.6
    simulator.fault("latency", seconds=2, path=SECOND_PAGE)
    run = runs.request_sync(account, trigger="person")
    worker = threading.Thread(target=run_sync_apart, args=(run.pk,))
    worker.start()
    time.sleep(1.6)
    assert runs.reap_runs(timezone.now()) == []
    worker.join()
    run.refresh_from_db()
    assert (run.state, run.attempt) == (SyncRun.State.COMPLETE, 1)


def run_sync_apart(run_id: int) -> None:
    run_sync(run_id)
    connection.close()


def test_it_tests_a_connection(account: Account) -> None:
    report = check_connection(account)
    assert (report.ok, report.remote_id, report.count) == (True, PLIVO_AUTH_ID, 45)
    assert report.sentence == f"The credentials open account {PLIVO_AUTH_ID}, which holds 45 numbers."


@pytest.mark.parametrize("kind", ["revoked", "html", "error", "reset", "invalid_json"])
def test_it_says_why_a_connection_does_not_work(account: Account, simulator: Simulator, kind: str) -> None:
    simulator.fault(kind, times=0)
    report = check_connection(account)
    assert not report.ok
    assert report.sentence.endswith(".")


def test_it_stores_a_hostile_number_on_any_database(account: Account, simulator: Simulator) -> None:
    """PostgreSQL refuses NUL characters, texts longer than their column, amounts larger than theirs."""
    world = simulator.world.account()
    digits = world.at(0).digits
    simulator.world.change(world, digits, alias="a\0b" * 400, carrier="c" * 4000, monthly_rate="99999999999999")
    assert sync(account).state == SyncRun.State.COMPLETE
    stored = number_of(digits)
    assert (len(stored.alias), len(stored.carrier), stored.monthly_rate) == (255, 120, None)


def test_it_limits_real_accounts_only(account: Account) -> None:
    real = make_account("Real", is_demo=False)
    assert shared_limiter(account, Plivo.capabilities.rate) is None
    assert shared_limiter(real, Plivo.capabilities.rate) is not None


@pytest.mark.parametrize("totals", [(45, None), (None, 45)])
def test_it_doubts_a_list_whose_total_only_some_pages_tell(totals: tuple[int | None, int | None]) -> None:
    listing = Listing()
    for total in totals:
        listing.add_page(Page(rows=(), total=total))
    assert "no total" in listing.doubt()
    assert "45" in listing.doubt()


@pytest.mark.parametrize(("repeated", "words"), [(1, "1 number came twice"), (1200, "1,200 numbers came twice")])
def test_it_says_how_many_numbers_came_twice(repeated: int, words: str) -> None:
    assert f"({words})" in Listing(repeated=repeated).doubt()


def test_it_doubts_a_list_whose_pages_do_not_join() -> None:
    listing = Listing()
    listing.add_page(Page(rows=()))
    listing.add_page(Page(rows=(), moved=True))
    assert listing.doubt().startswith("The list moved while it was read, so it may have missed some.")


@pytest.mark.parametrize(("total", "most"), [(45, 1_049), (None, 2_000_000)])
def test_it_ends_a_list_that_has_no_end(total: int | None, most: int) -> None:
    page = Page.of([RemoteNumber(id="1", e164="+14155550100")], total)
    listing = Listing(rows=most - 1)
    listing.add_page(page)
    with pytest.raises(MalformedResponse, match="did not end"):
        listing.add_page(page)


def test_it_takes_no_number_with_an_id_that_is_too_long_to_keep() -> None:
    page = Page.of([RemoteNumber(id="1" * 101, e164="+14155550100")])
    with pytest.raises(MalformedResponse, match="id of more than 100 characters"):
        Listing().add_page(page)


def test_it_says_when_its_own_database_is_in_trouble(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "read_numbers", Mock(side_effect=OperationalError("database is locked")))
    with pytest.raises(OperationalError):
        sync(account)
    assert account.runs.get().detail.startswith("Numberdesk's own database was away, locked or out of room;")


def test_it_says_when_the_fault_is_our_own_and_recovers(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(engine, "read_numbers", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sync(account)
    run = account.runs.get()
    account.refresh_from_db()
    assert (run.state, run.error_slug, account.health) == ("failed", "internal_error", Account.Health.FAILING)
    assert run.detail == "Numberdesk itself failed (ZeroDivisionError); the log of the worker says more."
    assert sync(account).state == SyncRun.State.COMPLETE


def test_it_says_what_the_credentials_do_not_open(synced: Account, simulator: Simulator) -> None:
    simulator.fault("error", status=403, path="/Zentrunk/", times=0)
    run = sync(synced)
    assert (run.state, run.detail) == (
        "complete",
        "These credentials do not open Plivo's SIP trunks: they are not listed.",
    )


def test_it_holds_its_lease_though_the_database_was_away_for_a_moment(settings: Settings) -> None:
    settings.LEASE_SECONDS = 0.06
    errors = [OperationalError("database is locked")]
    renewed = threading.Event()

    def renew() -> None:
        if errors:
            raise errors.pop()
        renewed.set()

    with heartbeat(renew):
        assert renewed.wait(20)
