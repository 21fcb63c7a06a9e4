"""Old runs are deleted, but for those that something still hangs on."""

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings

from phone_numbers.models import Account, Event, HeldNumber, SyncRun
from phone_numbers.services import pruning
from phone_numbers.services.pruning import prune_runs
from phone_numbers.tasks import tick
from tests.phone_numbers.jobs import make_account
from tests.phone_numbers.rows import make_event, make_number


@pytest.fixture
def account(db: None, settings: Settings) -> Account:
    settings.SYNC_RUNS_KEPT = 2
    return make_account(next_sync_at=timezone.now() + dt.timedelta(seconds=200))


def run(account: Account, state: str = "complete", **columns: object) -> SyncRun:
    return SyncRun.objects.create(account=account, state=state, **columns)


def kept() -> list[SyncRun]:
    return list(SyncRun.objects.order_by("pk"))


def test_it_keeps_the_newest(account: Account) -> None:
    runs = [run(account, detail="A remark of every run.") for _ in range(5)]
    assert prune_runs() == 3
    assert kept() == runs[3:]


@pytest.mark.parametrize(
    "ended",
    [
        {"state": "failed", "error_slug": "unavailable"},
        {"state": "partial"},
        {"state": "lost"},
        {"state": "held"},
        {"state": "held", "decision": "dismissed"},
        {"numbers_changed": 1},
    ],
)
def test_it_forgets_what_is_old_however_it_ended(account: Account, ended: dict[str, object]) -> None:
    run(account, **ended)
    newer = [run(account) for _ in range(2)]
    assert prune_runs() == 1
    assert kept() == newer


def test_it_keeps_a_hold_that_waits_for_a_person(account: Account) -> None:
    held = run(account, "held")
    newer = [run(account, "failed") for _ in range(2)]
    assert prune_runs() == 0
    assert kept() == [held, *newer]


def test_it_keeps_what_is_not_over(account: Account) -> None:
    queued = run(account, "queued")
    newer = [run(account) for _ in range(2)]
    assert prune_runs() == 0
    assert kept() == [queued, *newer]


def test_it_keeps_who_accepted_the_absences_that_history_tells_of(account: Account) -> None:
    held = run(account, "held", decision="accepted")
    accepting = run(account, accepts=held)
    make_event(make_number(account), Event.Kind.PRESENCE, run=accepting)
    newer = [run(account) for _ in range(2)]
    assert prune_runs() == 0
    assert kept() == [held, accepting, *newer]


def test_it_keeps_what_an_event_hangs_on(account: Account) -> None:
    told = run(account)
    event = make_event(make_number(account), Event.Kind.PRESENCE, run=told)
    for _ in range(3):
        run(account)
    assert prune_runs() == 1
    event.refresh_from_db()
    assert event.run == told


def test_it_keeps_the_newest_whole_one_however_old(account: Account) -> None:
    """An undecided hold before it must not come up again."""
    whole = [run(account) for _ in range(2)]
    newer = [run(account, "failed") for _ in range(2)]
    assert prune_runs() == 1
    assert kept() == [whole[1], *newer]


def test_it_prunes_each_account_on_its_own(account: Account) -> None:
    other = make_account("Other")
    for each in (account, other, account, other):
        run(each)
    assert prune_runs() == 0


def test_it_prunes_a_batch_at_a_time(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    for _ in range(9):
        run(account)
    assert [prune_runs() for _ in range(4)] == [3, 3, 1, 0]


def test_it_touches_no_number(account: Account) -> None:
    held = run(account, "held")
    HeldNumber.objects.create(run=held, number=make_number(account))
    for _ in range(4):
        run(account)
    prune_runs()
    assert (HeldNumber.objects.count(), account.numbers.count()) == (0, 1)


def test_a_tick_prunes(account: Account) -> None:
    for _ in range(5):
        run(account)
    tick()
    assert SyncRun.objects.count() == 2
