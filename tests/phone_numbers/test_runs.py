"""Runs as rows: asked for once however often, held by one worker, taken back from lost ones."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from phone_numbers.models import Account, Pulse, SyncRun
from phone_numbers.services import runs
from phone_numbers.services.accounts import set_credentials
from phone_numbers.services.connections import open_account
from phone_numbers.services.leases import RING_AGAIN, LeaseLost
from phone_numbers.services.listing import Listing
from phone_numbers.services.reading import keep_numbers
from phone_numbers.services.sync import run_sync
from providers.simulator import PLIVO_AUTH_ID, Simulator
from tests.phone_numbers.jobs import at_once, make_account

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
LONG = dt.timedelta(hours=1)


@pytest.fixture
def account(db: None) -> Account:
    return make_account(next_sync_at=NOON, sync_interval_seconds=300)


def ask(account: Account) -> SyncRun:
    return runs.request_sync(account, trigger=SyncRun.Trigger.PERSON)


def test_it_queues_a_run(account: Account, operator: User) -> None:
    run = runs.request_sync(account, trigger=SyncRun.Trigger.PERSON, user=operator)
    assert (run.state, run.requested_by, run.is_live) == (SyncRun.State.QUEUED, operator, True)


def test_it_gives_the_live_run_to_whoever_asks_again(account: Account) -> None:
    assert ask(account) == ask(account)


def test_it_queues_another_when_the_last_is_over(account: Account) -> None:
    first = ask(account)
    lease = runs.claim_run(first.pk)
    lease.finish(SyncRun.State.COMPLETE, Account.Health.OK)
    assert ask(account) != first


@pytest.mark.django_db(transaction=True)
def test_it_makes_one_run_of_many_requests_at_once(account: Account) -> None:
    found = at_once(8, lambda: ask(account).pk)
    assert (len(set(found)), SyncRun.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_it_lets_one_worker_claim_a_run(account: Account) -> None:
    run = ask(account)
    found = at_once(8, lambda: runs.claim_run(run.pk) is not None)
    assert found.count(True) == 1


@pytest.mark.django_db(transaction=True)
def test_it_starts_one_run_for_two_schedules(account: Account) -> None:
    found = at_once(4, lambda: runs.due_account_runs(NOON))
    assert sum(map(len, found)) == 1


def test_it_starts_one_run_for_a_schedule_that_comes_late(account: Account) -> None:
    late = Account.objects.get()
    first = runs.start_slot(account, NOON)
    runs.claim_run(first.pk).finish(SyncRun.State.COMPLETE, Account.Health.OK)
    assert runs.start_slot(late, NOON) is None


def test_it_starts_a_run_when_an_account_is_due(account: Account) -> None:
    (pk,) = runs.due_account_runs(NOON)
    run = SyncRun.objects.get()
    assert (run.pk, run.slot, run.trigger) == (pk, NOON, SyncRun.Trigger.SCHEDULE)


def test_it_starts_no_run_before_its_time(account: Account) -> None:
    assert runs.due_account_runs(NOON - dt.timedelta(seconds=1)) == []


def test_it_starts_no_run_for_a_paused_account(account: Account) -> None:
    Account.objects.update(is_paused=True)
    assert runs.due_account_runs(NOON) == []


@pytest.mark.parametrize(("late", "next_at"), [(0, 300), (299, 300), (300, 600), (1000, 1200)])
def test_it_skips_the_moments_it_missed(account: Account, late: int, next_at: int) -> None:
    runs.due_account_runs(NOON + dt.timedelta(seconds=late))
    account.refresh_from_db()
    assert account.next_sync_at == NOON + dt.timedelta(seconds=next_at)


def test_it_starts_no_second_run_beside_a_live_one(account: Account) -> None:
    ask(account)
    assert runs.due_account_runs(NOON) == []
    account.refresh_from_db()
    assert account.next_sync_at > NOON


def test_it_counts_the_tries_of_a_run(account: Account) -> None:
    lease = runs.claim_run(ask(account).pk)
    assert (lease.run.state, lease.run.attempt, lease.run.started_seq > 0) == (SyncRun.State.RUNNING, 1, True)


def test_it_claims_no_run_that_is_held(account: Account) -> None:
    run = ask(account)
    runs.claim_run(run.pk)
    assert runs.claim_run(run.pk) is None


def test_it_leaves_a_run_to_a_worker_that_is_alive(account: Account) -> None:
    runs.claim_run(ask(account).pk)
    assert runs.reap_runs(timezone.now()) == []


def test_it_queues_the_run_of_a_lost_worker_again(account: Account) -> None:
    run = ask(account)
    lease = runs.claim_run(run.pk)
    assert runs.reap_runs(timezone.now() + LONG) == [run.pk]
    with pytest.raises(LeaseLost):
        lease.renew()


def test_it_gives_a_run_up_that_loses_every_worker(account: Account) -> None:
    run = ask(account)
    for _ in range(runs.MAX_ATTEMPTS):
        runs.claim_run(run.pk)
        runs.reap_runs(timezone.now() + LONG)
    run.refresh_from_db()
    account.refresh_from_db()
    assert (run.state, run.error_slug, run.is_live) == (SyncRun.State.LOST, "lost", False)
    assert (account.health, run.detail in account.health_detail) == (Account.Health.FAILING, True)


def test_it_rings_again_for_a_run_nobody_picked_up(account: Account) -> None:
    run = ask(account)
    now = timezone.now()
    assert runs.reap_runs(now) == []
    assert runs.reap_runs(now + RING_AGAIN) == [run.pk]
    assert runs.reap_runs(now + RING_AGAIN) == []


def test_it_counts_afresh_after_a_lost_worker(account: Account) -> None:
    run = ask(account)
    runs.claim_run(run.pk).renew(pages_read=7, numbers_seen=140, numbers_total=200)
    runs.reap_runs(timezone.now() + LONG)
    lease = runs.claim_run(run.pk)
    assert (lease.run.attempt, lease.run.pages_read, lease.run.numbers_total) == (2, 0, None)


def test_it_stops_renewing_for_a_worker_that_stands_still(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = runs.claim_run(ask(account).pk)
    lease.stay_alive()
    now = runs.time.monotonic()
    monkeypatch.setattr(runs.time, "monotonic", lambda: now + runs.LONGEST_STANDSTILL_SECONDS + 1)
    with pytest.raises(LeaseLost):
        lease.stay_alive()


def test_it_shows_that_somebody_works_for_syncs_while_it_syncs(account: Account) -> None:
    runs.claim_run(ask(account).pk).stay_alive()
    assert Pulse.silence("syncs", timezone.now()) < dt.timedelta(seconds=5)


def test_it_takes_the_length_of_a_lease_from_the_settings(account: Account, settings: Settings) -> None:
    settings.LEASE_SECONDS = 7
    lease = runs.claim_run(ask(account).pk)
    assert lease.run.lease_expires_at - lease.run.started_at == dt.timedelta(seconds=7)


@pytest.mark.parametrize("ahead", [dt.timedelta(hours=2), dt.timedelta(days=1)])
def test_it_starts_a_run_though_the_clock_was_put_back(account: Account, ahead: dt.timedelta) -> None:
    Account.objects.update(next_sync_at=NOON + ahead)
    assert len(runs.due_account_runs(NOON)) == 1
    account.refresh_from_db()
    assert account.next_sync_at == NOON + account.interval


def test_it_takes_back_a_run_though_the_clock_was_put_back(account: Account) -> None:
    run = ask(account)
    runs.claim_run(run.pk)
    assert runs.reap_runs(timezone.now() - dt.timedelta(hours=2)) == [run.pk]


def test_it_starts_the_others_when_one_account_cannot(account: Account) -> None:
    Account.objects.update(sync_interval_seconds=0)
    other = make_account(name="Other", next_sync_at=NOON)
    assert [SyncRun.objects.get(pk=pk).account for pk in runs.due_account_runs(NOON)] == [other]


@pytest.mark.parametrize("health", [Account.Health.AUTH_FAILED, Account.Health.WRONG_ACCOUNT])
def test_it_seldom_tries_refused_credentials(account: Account, health: str) -> None:
    runs.claim_run(ask(account).pk).finish(SyncRun.State.FAILED, health)
    account.refresh_from_db()
    assert account.next_sync_at > timezone.now() + dt.timedelta(minutes=59)


@pytest.mark.django_db(transaction=True)
def test_it_queues_a_run_though_the_live_one_ends_meanwhile(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(account)
    real = runs.live_run

    def end_after_look(of: Account) -> SyncRun | None:
        """The look that comes too early to see it, then one that comes too late."""
        monkeypatch.setattr(runs, "live_run", lambda _: end(of))

    def end(of: Account) -> SyncRun | None:
        SyncRun.objects.filter(pk=first.pk).update(state=SyncRun.State.COMPLETE)
        return real(of)

    monkeypatch.setattr(runs, "live_run", end_after_look)
    assert ask(account).pk > first.pk


def test_it_renews_for_a_worker_that_makes_requests(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of campaigns, a request or two each, before the first number is stored."""
    lease = runs.claim_run(ask(account).pk)
    now = runs.time.monotonic()
    monkeypatch.setattr(runs.time, "monotonic", lambda: now + runs.LONGEST_STANDSTILL_SECONDS + 1)
    lease.stay_alive(requests=1)
    monkeypatch.setattr(runs.time, "monotonic", lambda: now + 2 * runs.LONGEST_STANDSTILL_SECONDS + 2)
    with pytest.raises(LeaseLost):
        lease.stay_alive(requests=1)


def test_it_queues_no_second_run_for_a_moment(account: Account) -> None:
    """A schedule that comes late, when the run of that moment is over."""
    first = runs.request_sync(account, trigger=SyncRun.Trigger.SCHEDULE, slot=NOON)
    runs.claim_run(first.pk).finish(SyncRun.State.COMPLETE, Account.Health.OK)
    assert runs.request_sync(account, trigger=SyncRun.Trigger.SCHEDULE, slot=NOON) == first


def test_it_leaves_refused_credentials_in_peace_however_short_the_interval(account: Account) -> None:
    Account.objects.update(sync_interval_seconds=60, next_sync_at=NOON + runs.PAUSE_AFTER_REFUSAL)
    assert runs.due_account_runs(NOON) == []


def test_it_gives_no_run_up_whose_worker_shows_up_in_time(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ask(account)
    runs.claim_run(run.pk)
    SyncRun.objects.update(attempt=runs.MAX_ATTEMPTS, lease_expires_at=NOON)
    right = runs.give_up

    def too_late(*args: Any) -> None:
        SyncRun.objects.update(lease_expires_at=timezone.now() + RING_AGAIN)
        right(*args)

    monkeypatch.setattr(runs, "give_up", too_late)
    runs.reap_runs(timezone.now())
    run.refresh_from_db()
    account.refresh_from_db()
    assert (run.state, account.health) == (SyncRun.State.RUNNING, Account.Health.NEW)


def test_it_takes_no_word_of_a_run_that_was_given_up(account: Account) -> None:
    """Its last worker was only slow, and still knows its token."""
    run = ask(account)
    SyncRun.objects.update(attempt=runs.MAX_ATTEMPTS - 1)
    lease = runs.claim_run(run.pk)
    runs.reap_runs(timezone.now() + LONG)
    with pytest.raises(LeaseLost):
        lease.finish(SyncRun.State.COMPLETE, Account.Health.OK)
    run.refresh_from_db()
    assert run.state == SyncRun.State.LOST


def test_it_commits_nothing_once_its_run_was_taken(account: Account) -> None:
    lease = runs.claim_run(ask(account).pk)
    runs.reap_runs(timezone.now() + LONG)
    with pytest.raises(LeaseLost), lease.transaction():
        Account.objects.update(name="Written too late")
    account.refresh_from_db()
    assert account.name == "Plivo demo"


@pytest.mark.parametrize(
    ("state", "health", "then"),
    [
        (SyncRun.State.COMPLETE, Account.Health.OK, Account.Health.OK),
        (SyncRun.State.FAILED, Account.Health.AUTH_FAILED, Account.Health.NEW),
        (SyncRun.State.FAILED, Account.Health.WRONG_ACCOUNT, Account.Health.NEW),
    ],
)
def test_it_tries_credentials_at_once_that_were_entered_while_a_sync_with_the_old_ones_ran(
    account: Account, state: str, health: str, then: str
) -> None:
    """If those were refused, that says nothing of the new ones."""
    lease = runs.claim_run(ask(account).pk)
    set_credentials(account, {"auth_id": PLIVO_AUTH_ID, "auth_token": "another"})
    runs.due_account_runs(timezone.now())
    lease.finish(state, health)
    account.refresh_from_db()
    assert account.health == then
    assert len(runs.due_account_runs(timezone.now())) == 1


def test_it_adds_up_what_all_tries_of_a_run_did(account: Account, simulator: Simulator, settings: Settings) -> None:
    """The first one's worker is lost at the second page."""
    settings.SIMULATOR_URL = simulator.root
    run = ask(account)
    lease, listing = runs.claim_run(run.pk), Listing()
    with open_account(account) as provider:
        page = next(iter(provider.list_numbers()))
        listing.add_page(page)
        keep_numbers(lease, listing, page.rows)
    runs.reap_runs(timezone.now() + LONG)
    run_sync(run.pk)
    run.refresh_from_db()
    assert (run.attempt, run.pages_read, run.numbers_seen, run.numbers_new) == (2, 3, 45, 45)
