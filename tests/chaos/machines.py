"""Drawn histories of an account, played against the real engine: the rules of Hypothesis' machines, and the judge.

A whole sweep is one rule, with what happens between its pages drawn along; after each step the invariants are checked
against the simulated provider. What an operator does between two pages happens in the syncing thread, as a page is
handed over; what others do at the provider happens as it is answered.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from phone_numbers.models import Change, Event, PhoneNumber, SyncRun
from phone_numbers.services import changes, holds, runs
from phone_numbers.services.change_requests import ChangeRefused, StaleBase
from phone_numbers.services.sync import run_sync
from providers.simulator import Fault
from tests.chaos.sweeps import WORSE, minutes
from tests.chaos.theatres import NUMBERS, Theatre
from tests.phone_numbers.jobs import LIST, ONE, ask, sync

Presence, State = PhoneNumber.Presence, Change.State
PAGES = 4
WAITS = (1.0, 11.0, 90.0, 60.0 * 24 * 6, -120.0)
"""Minutes; the last one puts the clock back."""
BREAKS = ("error", "reset", "html", "cut_short", "empty_page", "duplicate_row", "revoked")
ANSWERS = ("", "", "reset", "reset after", "error after", "error", "rate_limited", "not_applied")
ranks = st.integers(0, NUMBERS - 1)
few = st.sampled_from((0, 7, 18, 19, 38, 44))
"""Few, so that edits and what others do meet; on all pages, and where two of them join."""
places = st.integers(0, PAGES - 1)


class Machine(RuleBasedStateMachine):
    """A history of the theatre's account. Everything it wrote into the database is gone after it."""

    theatre: Theatre

    def __init__(self) -> None:
        super().__init__()
        self.theatre.set_up()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.simulator, self.clock = self.theatre.simulator, self.theatre.clock
        self.stage, self.user = self.theatre.stage, self.theatre.user
        self.account, self.world = self.stage.account, self.stage.world
        self.count = 0
        self.removed: list[str] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def digits(self, rank: int) -> str:
        return self.world.at(rank % len(self.world)).digits

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def number(self, digits: str) -> PhoneNumber | None:
        return PhoneNumber.objects.filter(account=self.account, remote_id=digits).first()

    @rule(wait=st.sampled_from(WAITS))
    def time_goes_by(self, wait: float) -> None:
        self.clock.move(minutes(wait))


class SyncMachine(Machine):
    """Numbers come and go between pages, pages fail, workers lose their run, people decide about held runs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = PhoneNumber.objects.count()
        self.events = Event.objects.count()
        self.not_found: dict[str, int] = {}

    @rule(
        moves=st.lists(st.tuples(places, st.sampled_from(("come", "go", "go", "back", "edit")), ranks), max_size=4),
        fails=st.none() | st.tuples(places, st.sampled_from(BREAKS)),
        taken=st.none() | places,
    )
    def sweep(self, moves: list[tuple[int, str, int]], fails: tuple[int, str] | None, taken: int | None) -> None:
        self.simulator.requests.clear()
        before, there = self.stage.presences(), self.stage.held()
        run = runs.request_sync(self.account, trigger=SyncRun.Trigger.PERSON)
        fault = self.arrange(moves, fails)
        snapshots: list[Any] = []
        if taken is not None:
            self.theatre.between.setdefault(taken, []).append(lambda: snapshots.append(self.take_over(run)))
        run_sync(run.pk)
        self.simulator.faults.clear()
        self.theatre.between.clear()
        run.refresh_from_db()
        if fault and fault.struck and taken is None:
            assert run.state != SyncRun.State.COMPLETE, "I3: a listing that broke off is taken for a whole one"
        self.judge(run, before, there, still=not moves and not fails)
        assert not snapshots or snapshots == [self.snapshot()], "I9: a worker wrote after its run was taken from it"

    def arrange(self, moves: list[tuple[int, str, int]], fails: tuple[int, str] | None) -> Fault | None:
        steps: dict[int, list[tuple[str, int]]] = {}
        for page, kind, rank in moves:
            steps.setdefault(page, []).append((kind, rank))
        answered = iter(range(1_000))

        def act(_: object) -> None:
            for kind, rank in steps.get(next(answered), ()):
                self.move(kind, rank)

        fault = self.simulator.fault(fails[1], path=LIST, nth=fails[0] + 1, times=0, status=503) if fails else None
        self.simulator.fault("act", path=LIST, times=0, action=act)
        return fault

    def move(self, kind: str, rank: int) -> None:
        """At the provider, by somebody else. No number comes back in the sweep it left in."""
        if kind == "come" or (kind == "back" and not self.removed):
            self.stage.add()
        elif kind == "back":
            self.stage.add(self.removed.pop(rank % len(self.removed)))
        elif kind == "edit":
            self.simulator.world.change(self.world, self.digits(rank), alias=self.name("P"))
        elif len(self.world) > NUMBERS // 2:
            self.stage.remove(self.digits(rank))

    def take_over(self, run: SyncRun) -> Any:
        """Its worker stood still for too long: another one does the whole run."""
        SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.QUEUED, lease_token=None)
        run_sync(run.pk)
        return self.snapshot()

    def snapshot(self) -> Any:
        return (
            list(PhoneNumber.objects.order_by("pk").values()),
            list(SyncRun.objects.order_by("pk").values()),
            Event.objects.count(),
        )

    @rule(rank=ranks)
    def leave(self, rank: int) -> None:
        if len(self.world) > NUMBERS // 2:
            digits = self.digits(rank)
            self.stage.remove(digits)
            self.removed.append(digits)

    @rule(accept=st.booleans())
    def decide(self, accept: bool) -> None:
        self.account.refresh_from_db()
        held = runs.open_hold(self.account)
        if held and accept:
            holds.accept_absences(held, count=held.held_numbers.count(), user=self.user)
        elif held:
            holds.dismiss_absences(held, user=self.user)

    def judge(self, run: SyncRun, before: dict[str, str], there: set[str], *, still: bool) -> None:
        after, held = self.stage.presences(), self.stage.held()
        worse = {one for one in after if WORSE[after[one]] > WORSE[before.get(one, "present")]}
        assert not worse & there & held, "I1: a number the provider holds is believed to be gone"
        self.count_not_found()
        for one, presence in after.items():
            if presence == Presence.PRESENT:
                self.not_found.pop(one, None)
            assert self.not_found.get(one, 0) >= min(WORSE[presence], 2), "I2: not found too few times for this"
        assert not run.is_live, "a run is left running"
        if run.state != SyncRun.State.COMPLETE:
            assert not worse, "I3: a run without a whole listing changed somebody's presence"
        rows, events = PhoneNumber.objects.count(), Event.objects.count()
        assert (rows >= self.rows, events >= self.events) == (True, True), "I4: something was deleted"
        self.rows, self.events = rows, events
        if still and run.state == SyncRun.State.COMPLETE:
            assert run.numbers_seen == len(held), "a whole listing has not seen all"
            self.compare()
        elif still:
            gone = [one for one, presence in before.items() if presence == Presence.PRESENT and one not in there]
            assert run.state == SyncRun.State.HELD, "nothing moved and nothing failed, but the listing is not whole"
            assert gone, "held, but nothing is gone"

    def compare(self) -> None:
        shown = {number.remote_id: number.alias for number in self.account.numbers.filter(presence=Presence.PRESENT)}
        assert shown == {number.digits: number.alias or "" for number in self.world}, "the cache is not the provider's"

    def count_not_found(self) -> None:
        for request in self.simulator.requests.kept:
            if request.status == 404 and re.search(ONE, request.target):
                digits = request.target.rstrip("/").rpartition("/")[2]
                self.not_found[digits] = self.not_found.get(digits, 0) + 1


class EditMachine(Machine):
    """Edits against syncs, and against what others do at the provider; messages come twice, and answers get lost."""

    def __init__(self) -> None:
        super().__init__()
        self.began = len(self.simulator.world.journal)
        self.asked: list[int] = []
        self.shown_since: dict[str, set[str]] = {}
        """Of a number with a confirmed edit: what its alias has been at the provider since."""
        self.pending: dict[str, str] = {}
        """Of a number with an edit under way that was not sent yet: what the cache showed when it was asked for."""

    @rule(rank=few)
    def ask(self, rank: int) -> None:
        number = self.number(self.digits(rank))
        if number is None:
            return
        with suppress(StaleBase, ChangeRefused):
            change = ask(number, self.user, alias=self.name("E"))
            self.asked.append(change.pk)
            self.pending[number.remote_id] = number.alias

    @rule(rank=few, answer=st.sampled_from(ANSWERS))
    def push(self, rank: int, answer: str) -> None:
        """A worker is rung for a change, sometimes for one that is over."""
        if not self.asked:
            return
        recent = self.asked[-3:]
        change = Change.objects.select_related("number").get(pk=recent[rank % len(recent)])
        digits, was = change.number.remote_id, change.state
        self.simulator.requests.clear()
        if answer:
            kind, _, after = answer.partition(" ")
            self.simulator.fault(kind, method="POST", path=digits, after=bool(after), status=503)
        Change.objects.filter(pk=change.pk).update(next_attempt_at=None)
        changes.apply_change(change.pk)
        self.simulator.faults.clear()
        change.refresh_from_db()
        self.judge_push(change, digits, was)

    def judge_push(self, change: Change, digits: str, was: str) -> None:
        held, desired = self.world.find(digits), change.desired["alias"]
        alias = held.alias if held else None
        calls = [request.method for request in self.simulator.requests.kept if digits in request.target]
        if was not in Change.LIVE:
            assert (change.state, calls.count("POST")) == (was, 0), "I6: something was sent for a change that is over"
        for before, call in zip(["", *calls], calls, strict=False):
            assert call != "POST" or before == "GET", "I6: sent without reading first"
        journal = self.simulator.world.journal.entries[self.began :]
        written = [entry for entry in journal if entry.number == digits and (entry.after or {}).get("alias") == desired]
        assert sum(entry.before != entry.after for entry in written) <= 1, "I6: applied twice"
        if was in Change.LIVE and change.state == State.CONFIRMED:
            assert alias == desired, "I7: confirmed, but the provider shows something else"
            self.shown_since[digits] = {desired}
        if was in Change.LIVE and change.state == State.FAILED:
            assert alias != desired, "I7: failed, but it was applied"
        if change.state != State.PENDING:
            self.pending.pop(digits, None)
        if not change.is_live:
            ends = Event.objects.filter(change=change, kind=change.state).count()
            assert ends == 1, f"I13: {ends} lines of history for the end of one change"

    @rule(rank=few)
    def edit_elsewhere(self, rank: int) -> None:
        digits, alias = self.digits(rank), self.name("P")
        self.simulator.world.change(self.world, digits, alias=alias)
        if digits in self.shown_since:
            self.shown_since[digits].add(alias)

    @rule(
        steps=st.lists(
            st.tuples(places, st.sampled_from(("ask and push", "push", "elsewhere", "clock back")), few), max_size=4
        )
    )
    def sweep(self, steps: list[tuple[int, str, int]]) -> None:
        """What happens between two pages happens in the syncing thread."""
        for page, kind, rank in steps:
            self.theatre.between.setdefault(page, []).append(self.step(kind, rank))
        run = sync(self.account)
        self.theatre.between.clear()
        assert not run.is_live, "a run is left running"
        self.judge_cache()

    def step(self, kind: str, rank: int) -> Callable[[], object]:
        def ask_and_push() -> None:
            self.ask(rank)
            self.push(len(self.asked[-3:]) - 1, "")

        return {
            "ask and push": ask_and_push,
            "push": lambda: self.push(rank, ""),
            "elsewhere": lambda: self.edit_elsewhere(rank),
            "clock back": lambda: self.clock.move(minutes(-120)),
        }[kind]

    def judge_cache(self) -> None:
        cached = dict(self.account.numbers.values_list("remote_id", "alias"))
        for digits, aliases in self.shown_since.items():
            assert cached[digits] in aliases, "I8: older data in the place of a confirmed edit"
        for digits, alias in self.pending.items():
            assert cached[digits] == alias, "I8: a number with an edit under way was overwritten"
        ours = Change.objects.filter(state=State.CONFIRMED).values_list("desired__alias", flat=True)
        drift = Event.objects.filter(kind=Event.Kind.DRIFT, field="alias", after__in=list(ours))
        assert not drift.exists(), "our own edit is told as drift"

    def teardown(self) -> None:
        try:
            self.settle_all()
        finally:
            super().teardown()

    def settle_all(self) -> None:
        """I5: with a provider that answers, every change ends."""
        for _ in range(40):
            live = list(Change.objects.filter(pk__in=self.asked, state__in=Change.LIVE).values_list("pk", flat=True))
            if not live:
                return
            for pk in live:
                Change.objects.filter(pk=pk).update(next_attempt_at=None)
                changes.apply_change(pk)
        raise AssertionError("I5: a change does not end")


def play(machine: type[Machine], theatre: Theatre, *, examples: int, steps: int) -> None:
    """Raises AssertionError for the first history that breaks an invariant, as short as it can be told."""
    drawn = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    staged = type(machine.__name__, (machine,), {"theatre": theatre})
    try:
        run_state_machine_as_test(staged, settings=drawn)
    except Flaky as error:  # Threads do not take turns alike in every run of one history.
        raise AssertionError(f"an invariant broke in one of two runs of a history: {error}") from error
