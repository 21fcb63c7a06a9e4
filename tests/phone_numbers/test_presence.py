"""The ladder a number leaves by: a rung at a time, each by its own "not found", and back at one sighting."""

import datetime as dt
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone

from phone_numbers.models import Account, Event, PhoneNumber, Sequence, SyncRun
from phone_numbers.services import presence, runs
from phone_numbers.services.absences import turn_of
from phone_numbers.services.connections import open_account
from phone_numbers.services.listing import SeenNumbers
from phone_numbers.services.presence import Tally, check_absent, check_number
from phone_numbers.services.runs import Lease
from phone_numbers.services.sync import run_sync
from providers.errors import MalformedResponse, ProviderError, Unavailable, WrongAccount
from providers.simulator import Simulator
from providers.simulator.world import World
from tests.phone_numbers.jobs import LIST, ONE, events, make_account, sync
from tests.phone_numbers.rows import make_number

RECLAIM = dt.timedelta(days=5)
SECOND = dt.timedelta(seconds=1)
RUNGS = ["present", "unconfirmed", "missing", "released"]


@pytest.fixture
def gone(number: PhoneNumber, simulator: Simulator) -> PhoneNumber:
    """One that is at the provider no more."""
    simulator.world.remove(simulator.world.account(), number.remote_id)
    return number


def put(number: PhoneNumber, rung: str, since: dt.timedelta) -> None:
    """It has been on this rung for so long."""
    PhoneNumber.objects.filter(pk=number.pk).update(presence=rung, presence_since=timezone.now() - since)


def after_sync(number: PhoneNumber) -> str:
    sync(number.account)
    number.refresh_from_db()
    return number.presence


def lease_of(account: Account) -> Lease:
    lease = runs.claim_run(runs.request_sync(account, trigger="person").pk)
    assert lease
    return lease


@pytest.mark.parametrize(
    ("rung", "since", "then"),
    [
        ("present", dt.timedelta(0), "unconfirmed"),
        ("unconfirmed", dt.timedelta(minutes=9), "unconfirmed"),
        ("unconfirmed", dt.timedelta(minutes=10), "missing"),
        ("missing", RECLAIM - dt.timedelta(minutes=1), "missing"),
        ("missing", RECLAIM, "released"),
        ("released", RECLAIM, "released"),
    ],
)
def test_it_goes_a_rung_down_when_it_is_time(gone: PhoneNumber, rung: str, since: dt.timedelta, then: str) -> None:
    put(gone, rung, since)
    assert after_sync(gone) == then


def test_it_remembers_since_when_it_is_where_it_is(gone: PhoneNumber, simulator: Simulator) -> None:
    """The next step, and the days in which it can be got back, are counted from there."""
    put(gone, "unconfirmed", RECLAIM)
    began = timezone.now()
    assert after_sync(gone) == "missing"
    assert gone.presence_since >= began
    simulator.world.add(simulator.world.account(), gone.remote_id)
    put(gone, "missing", RECLAIM)
    assert after_sync(gone) == "present"
    assert gone.presence_since >= began


def test_it_tells_each_step_once(gone: PhoneNumber) -> None:
    for rung in RUNGS:
        put(gone, rung, RECLAIM)
        sync(gone.account)
    steps = Event.objects.filter(number=gone).order_by("pk")
    assert [(step.kind, step.before, step.after) for step in steps] == [("presence", *step) for step in pairwise(RUNGS)]
    assert all(step.detail and step.run_id for step in steps)


def test_it_counts_the_steps_of_a_run(gone: PhoneNumber) -> None:
    counts = []
    for rung in RUNGS:
        put(gone, rung, RECLAIM)
        run = sync(gone.account)
        counts.append((run.numbers_absent, run.numbers_unconfirmed, run.numbers_missing, run.numbers_released))
    assert counts == [(1, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0)]


@pytest.mark.parametrize("rung", RUNGS[1:])
def test_it_comes_back_when_it_is_listed(number: PhoneNumber, rung: str) -> None:
    put(number, rung, dt.timedelta(0))
    run = sync(number.account)
    number.refresh_from_db()
    assert (number.presence, run.numbers_returned, events(number)) == ("present", 1, ["presence"])


@pytest.mark.parametrize("rung", ["unconfirmed", "missing"])
def test_it_comes_back_when_it_is_found_on_its_own(number: PhoneNumber, rung: str) -> None:
    put(number, rung, RECLAIM)
    lease, tally = lease_of(number.account), Tally()
    with open_account(number.account) as provider:
        check_number(provider, lease, number.pk, tally)
    number.refresh_from_db()
    assert (number.presence, tally.returned, events(number)) == ("present", 1, ["presence"])


def test_it_goes_one_rung_in_a_run_however_often_its_worker_was_lost(gone: PhoneNumber) -> None:
    lease = lease_of(gone.account)
    with open_account(gone.account) as provider:
        for _ in range(2):
            check_number(provider, lease, gone.pk, Tally())
            PhoneNumber.objects.filter(pk=gone.pk).update(presence_since=timezone.now() - RECLAIM)
    gone.refresh_from_db()
    assert gone.presence == "unconfirmed"


def test_it_is_not_asked_for_while_it_can_be_got_back(gone: PhoneNumber, simulator: Simulator) -> None:
    put(gone, "missing", RECLAIM - dt.timedelta(minutes=1))
    simulator.fault("error", path=ONE, times=0)
    assert sync(gone.account).detail == ""


def test_it_is_never_asked_for_once_it_is_released(gone: PhoneNumber, simulator: Simulator) -> None:
    put(gone, "released", 10 * RECLAIM)
    simulator.fault("error", path=ONE, times=0)
    assert sync(gone.account).detail == ""


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("rung", RUNGS[:3])
@pytest.mark.parametrize("kind", ["error", "html", "rate_limited", "reset", "json_text"])
def test_it_stays_where_it_is_when_it_cannot_be_asked_for(
    gone: PhoneNumber, simulator: Simulator, rung: str, kind: str
) -> None:
    put(gone, rung, RECLAIM)
    simulator.fault(kind, path=ONE, times=0)
    run = sync(gone.account)
    gone.refresh_from_db()
    assert (gone.presence, events(gone)) == (rung, [])
    assert run.detail == "Absent numbers that could not be asked for, and stay as they were: 1."


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("rung", RUNGS[:3])
@pytest.mark.parametrize("kind", ["duplicate_page", "html", "cut_short", "row_added"])
def test_it_stays_where_it_is_in_a_list_that_is_not_certified(
    gone: PhoneNumber, simulator: Simulator, rung: str, kind: str
) -> None:
    put(gone, rung, RECLAIM)
    first_or_second = 0 if kind == "row_added" else 19  # Later pages are read side by side.
    simulator.fault(kind, path=rf"{LIST}.*offset={first_or_second}", times=0)
    assert after_sync(gone) == rung
    assert events(gone) == []


def test_it_stays_where_it_is_in_a_held_run(gone: PhoneNumber, simulator: Simulator) -> None:
    put(gone, "unconfirmed", RECLAIM)
    world = simulator.world.account()
    for digits in [world.at(rank).digits for rank in range(4)]:
        simulator.world.remove(world, digits)
    assert after_sync(gone) == "unconfirmed"


def test_it_gives_a_day_where_no_time_is_documented(account: Account) -> None:
    with open_account(account) as provider:
        assert presence.reclaim_of(provider) == RECLAIM
        provider.capabilities = type(provider.capabilities)(page_size=1, rate=provider.capabilities.rate)
        assert presence.reclaim_of(provider) == dt.timedelta(days=1)


def test_it_asks_for_so_many_in_a_run_and_says_so(synced: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MOST_ASKED", 2)
    absent = list(synced.numbers.values_list("pk", flat=True)[:5])
    with open_account(synced) as provider:
        tally = check_absent(provider, lease_of(synced), absent, SeenNumbers())
        assert provider.http.stats.requests == 2
    assert tally.remarks() == ["Absent numbers left for the next sync: 3."]


@pytest.mark.parametrize("accounts", [1, 2, 3, 5, 34])
@pytest.mark.parametrize("absent", [4, 5, 12])
def test_it_gives_everyone_a_turn(accounts: int, absent: int) -> None:
    """Runs of several accounts take turns, so that each has every second one, or every third …"""
    mine = range(0, 100 * accounts, accounts)
    asked = {pk for run in mine for pk in turn_of(SyncRun(pk=run), list(range(absent)), 2)}
    assert asked == set(range(absent))


@pytest.mark.usefixtures("no_waiting")
def test_it_does_not_wait_long_for_a_silent_provider(synced: Account, simulator: Simulator) -> None:
    simulator.fault("error", status=503, path=ONE, times=0)
    absent = list(synced.numbers.values_list("pk", flat=True)[:8])
    with open_account(synced) as provider:
        tally = check_absent(provider, lease_of(synced), absent, SeenNumbers())
        assert provider.http.stats.requests == presence.PATIENCE * provider.http.limits.attempts
    assert tally.unasked == 8


def test_it_counts_steps_though_the_credentials_are_refused_after_them(synced: Account, simulator: Simulator) -> None:
    world = simulator.world.account()
    for digits in [world.at(rank).digits for rank in (0, 1)]:
        simulator.world.remove(world, digits)
    simulator.fault("revoked", path=ONE, nth=2, times=0)
    run = sync(synced)
    assert (run.state, run.numbers_absent, run.numbers_unconfirmed) == ("failed", 2, 1)


def test_it_looks_at_the_numbers_of_its_account_only(db: None) -> None:
    numbers = [make_number(make_account(name), presence="missing", presence_since=timezone.now()) for name in "ab"]
    assert list(presence.due_below(numbers[0].account_id, -SECOND)) == [numbers[0].pk]


def test_it_misses_no_number_of_another_account(synced: Account) -> None:
    make_number(make_account("Another"))
    run = sync(synced)
    assert (run.state, run.numbers_absent) == ("complete", 0)


def test_it_stops_when_a_number_turns_out_to_be_another_accounts(number: PhoneNumber, simulator: Simulator) -> None:
    simulator.fault("wrong_account", path=ONE)
    with open_account(number.account) as provider, pytest.raises(WrongAccount):
        check_absent(provider, lease_of(number.account), [number.pk], SeenNumbers())


def answers(*errors: ProviderError | None) -> tuple[int, int]:
    """How many of so many numbers were asked for, and how many could not be."""
    left = list(errors)

    def ask(_: int) -> None:
        if error := left.pop(0):
            raise error

    unasked = presence.ask_each(range(len(errors)), ask)
    return len(errors) - len(left), unasked


def test_it_goes_on_while_the_provider_answers_now_and_then() -> None:
    silence = Unavailable("Nobody there.")
    assert answers(silence, silence, None, silence, silence, None, silence) == (7, 5)
    assert answers(silence, silence, silence, None, None) == (3, 5)


def test_it_takes_no_answer_it_does_not_understand_for_silence() -> None:
    assert answers(*[MalformedResponse("What?")] * 5) == (5, 5)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_gone", [True, False])
def test_it_believes_no_answer_that_an_edit_came_before(
    number: PhoneNumber, simulator: Simulator, *, is_gone: bool
) -> None:
    """The number is asked for, and before its answer is stored an edit of it is sent: the answer may be older."""
    world = simulator.world.account()
    simulator.world.change(world, number.remote_id, alias="Older")
    if is_gone:
        simulator.world.remove(world, number.remote_id)

    def edit(_: World) -> None:
        PhoneNumber.objects.filter(pk=number.pk).update(edited_seq=Sequence.next())
        connection.close()

    simulator.fault("act", path=ONE, action=edit)
    with open_account(number.account) as provider:
        check_absent(provider, lease_of(number.account), [number.pk], SeenNumbers())
    after = PhoneNumber.objects.get(pk=number.pk)
    assert (after.presence, after.alias, events(number)) == ("present", number.alias, [])


def test_it_asks_for_nothing_further_down_that_is_listed(synced: Account, simulator: Simulator) -> None:
    """Listed, and not stored because it is being edited."""
    number = synced.numbers.earliest("pk")
    put(number, "unconfirmed", RECLAIM)
    seen = SeenNumbers()
    seen.add(number.pk)
    with open_account(synced) as provider:
        check_absent(provider, lease_of(synced), [], seen)
        assert provider.http.stats.requests == 0


def test_it_counts_the_steps_of_all_tries_of_a_run(gone: PhoneNumber, simulator: Simulator) -> None:
    world = simulator.world.account()
    simulator.world.remove(world, world.at(0).digits)
    lease = lease_of(gone.account)
    with open_account(gone.account) as provider:
        check_absent(provider, lease, [gone.pk], SeenNumbers())
    runs.reap_runs(timezone.now() + dt.timedelta(hours=1))
    run_sync(lease.run.pk)
    run = SyncRun.objects.get(pk=lease.run.pk)
    assert (run.attempt, run.numbers_absent, run.numbers_unconfirmed) == (2, 1, 2)


def test_it_counts_what_else_a_number_says_that_is_asked_for(number: PhoneNumber, simulator: Simulator) -> None:
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Changed since")
    tally = Tally()
    with open_account(number.account) as provider:
        check_number(provider, lease_of(number.account), number.pk, tally)
    assert (tally.changed, tally.returned) == (1, 0)
