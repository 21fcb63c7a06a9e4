"""An account whose provider fails again and again: spared ever longer, asked again, well by itself."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from phone_numbers.models import Account, SyncRun
from phone_numbers.services import circuits, runs
from phone_numbers.services.accounts import set_credentials
from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, Simulator
from tests.phone_numbers.jobs import LIST, make_account, sync

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def fail(account: Account, times: int, asked_seconds: float = 0.0) -> Account:
    for _ in range(times):
        circuits.note_failure(account.pk, NOON, asked_seconds)
    account.refresh_from_db()
    return account


@pytest.fixture
def other(db: None) -> Account:
    return make_account("Other", next_sync_at=NOON)


@pytest.mark.parametrize(("times", "minutes"), [(1, 0), (2, 0), (3, 5), (4, 10), (5, 20), (6, 40), (7, 60), (30, 60)])
def test_it_spares_a_failing_provider_ever_longer(other: Account, times: int, minutes: int) -> None:
    until = circuits.spared_until(fail(other, times), NOON)
    assert until == (NOON + minutes * MINUTE if minutes else None)


def test_it_waits_as_long_as_the_provider_asked(other: Account) -> None:
    assert circuits.spared_until(fail(other, 1, asked_seconds=90), NOON) == NOON + dt.timedelta(seconds=90)
    assert circuits.spared_until(fail(other, 2, asked_seconds=1e9), NOON) == NOON + dt.timedelta(hours=1)


def test_it_forgets_failures_after_a_success(other: Account) -> None:
    fail(other, 5)
    circuits.note_success(other.pk, by=NOON)
    assert circuits.spared_until(fail(other, 2), NOON) is None


def test_it_spares_nobody_for_ever_when_the_clock_was_put_back(other: Account) -> None:
    assert circuits.spared_until(fail(other, 3), NOON - dt.timedelta(hours=2)) is None


def test_it_starts_one_run_when_the_wait_is_over(other: Account) -> None:
    fail(other, 3)
    assert runs.due_account_runs(NOON + 4 * MINUTE) == []
    assert len(runs.due_account_runs(NOON + 5 * MINUTE)) == 1
    assert runs.due_account_runs(NOON + 5 * MINUTE) == []


def test_it_starts_none_before_whatever_the_schedule_says(other: Account) -> None:
    fail(other, 3)
    Account.objects.update(next_sync_at=NOON)
    assert runs.due_account_runs(NOON + MINUTE) == []


@pytest.mark.usefixtures("no_waiting")
def test_it_says_why_and_until_when(account: Account, simulator: Simulator) -> None:
    simulator.fault("error", status=503, path=LIST, times=0)
    details = [(sync(account), account.health_detail)[1] for _ in range(3)]
    assert ["“Sync now” asks at once" in detail for detail in details] == [False, False, True]
    assert "It failed 3 times in a row, and is asked again at " in details[2]


@pytest.mark.usefixtures("no_waiting")
def test_it_comes_back_no_sooner_than_the_provider_asked(account: Account, simulator: Simulator) -> None:
    simulator.fault("rate_limited", retry_after="90", path=LIST, times=0)
    sync(account)
    assert account.retry_at > timezone.now() + dt.timedelta(seconds=80)
    assert runs.due_account_runs(timezone.now() + MINUTE) == []


@pytest.mark.usefixtures("no_waiting")
def test_it_is_well_again_by_itself(account: Account, simulator: Simulator) -> None:
    simulator.fault("error", status=503, path=LIST, times=12)
    for _ in range(3):
        sync(account)
    (pk,) = runs.due_account_runs(account.retry_at)
    assert SyncRun.objects.get(pk=pk).slot == account.retry_at
    sync(account)
    assert (account.health, account.health_detail, account.failures_in_row, account.retry_at) == ("ok", "", 0, None)


@pytest.mark.parametrize("kind", ["total_zero", "duplicate_page"])
def test_it_counts_no_list_that_only_a_person_or_time_can_settle(
    synced: Account, simulator: Simulator, kind: str
) -> None:
    simulator.fault(kind, path=rf"{LIST}.*offset={0 if kind == 'total_zero' else 20}", times=0)
    sync(synced)
    assert synced.failures_in_row == 0


def test_it_counts_no_refused_credentials(synced: Account, simulator: Simulator) -> None:
    simulator.fault("revoked", times=0)
    for _ in range(3):
        sync(synced)
    assert (synced.health, synced.failures_in_row, synced.retry_at) == ("auth_failed", 0, None)


def test_it_asks_at_once_with_new_credentials(other: Account) -> None:
    for _ in range(3):
        circuits.note_failure(other.pk, timezone.now())
    other.refresh_from_db()
    set_credentials(other, {"auth_id": PLIVO_AUTH_ID, "auth_token": PLIVO_AUTH_TOKEN})
    assert len(runs.due_account_runs(timezone.now())) == 1


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("refusal", [{"kind": "error", "status": 503, "path": LIST, "times": 12}, {"kind": "revoked"}])
def test_it_goes_back_to_its_interval_once_a_person_s_sync_ends_the_trouble(
    account: Account, simulator: Simulator, refusal: dict[str, Any]
) -> None:
    Account.objects.update(sync_interval_seconds=60)
    simulator.fault(**refusal)
    for _ in range(3):
        sync(account)
    sync(account)
    assert account.health == "ok"
    assert account.next_sync_at <= timezone.now() + account.interval


def test_it_lets_edits_through_when_only_the_list_makes_no_sense(account: Account, simulator: Simulator) -> None:
    simulator.fault("html", path=LIST, times=0)
    for _ in range(3):
        sync(account)
    assert (account.health, account.failures_in_row, account.retry_at) == ("failing", 3, None)
    assert account.next_sync_at > timezone.now() + 4 * MINUTE
    assert "It failed 3 times in a row" in account.health_detail
