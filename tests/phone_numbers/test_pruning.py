"""Old runs that found everything as it was are deleted; whatever has something to tell is kept."""

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
    "told",
    [
        {"state": "failed"},
        {"state": "partial"},
        {"state": "held"},
        {"state": "lost"},
        {"error_slug": "unavailable"},
        {"decision": "dismissed"},
        *({f"numbers_{name}": 1} for name in pruning.TELLING),
    ],
)
def test_it_keeps_what_has_something_to_tell(account: Account, told: dict[str, object]) -> None:
    telling = run(account, **told)
    newer = [run(account) for _ in range(2)]
    assert prune_runs() == 0
    assert kept() == [telling, *newer]


def test_it_keeps_what_accepted_absences(account: Account) -> None:
    held = run(account, "held", decision="accepted")
    accepting = run(account, accepts=held)
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
    for _ in range(3):
        run(account, "failed")
    assert prune_runs() == 1
    assert whole[1] in kept()


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
    assert (HeldNumber.objects.count(), account.numbers.count()) == (1, 1)


def test_a_tick_prunes(account: Account) -> None:
    for _ in range(5):
        run(account)
    tick()
    assert SyncRun.objects.count() == 2
