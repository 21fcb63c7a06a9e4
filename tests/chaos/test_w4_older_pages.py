"""W4: a page that was read before an edit never takes the edit's place, in whatever order the two are stored."""

import random
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest

from phone_numbers.models import Change, Event, PhoneNumber, SyncRun
from phone_numbers.services.runs import request_sync
from providers.simulator import Simulator
from tests.chaos.desk import Desk
from tests.chaos.mutants import MUTANTS
from tests.chaos.processes import Installation, wait_until_dead
from tests.chaos.rows import FULL, report, report_bite
from tests.chaos.theatres import NUMBERS, Pages, Theatre, theatre_of
from tests.phone_numbers.jobs import ask, sync, work, work_to_the_end

EDITS = 500 if FULL else 30
AT_ONCE = 10
"""Edits into one sync."""
TRIALS = 20 if FULL else 2
DRIFTED = "theirs, then asked"
KINDS = ("edit", "edit", "edit", "not applied yet", DRIFTED, DRIFTED, "edit, then theirs", "theirs, then edit")
CAUGHT = ("stale overwrite", "clobber pending")
LIST = r"DEMO0001/Number/\?"
PAGES = 3


class OnTheWay(Theatre):
    """Something can happen while a page is on its way, and after it was stored."""

    def __init__(self, *args: Any) -> None:
        self.steps: dict[tuple[int, str], list[Callable[[], object]]] = {}
        super().__init__(*args)

    def listing(self, list_numbers: Callable[[], Pages]) -> Callable[[], Pages]:
        def listed() -> Pages:
            with closing(list_numbers()) as pages:
                for rank, page in enumerate(pages):
                    self.play(rank, "read")
                    yield page
                    self.play(rank, "stored")

        return listed

    def play(self, rank: int, moment: str) -> None:
        for step in self.steps.pop((rank, moment), ()):
            step()


class Interleaving:
    """A few edits at drawn moments of one sync."""

    def __init__(self, theatre: OnTheWay, chance: random.Random, turn: int) -> None:
        self.theatre, self.turn = theatre, turn
        self.world = theatre.stage.world
        self.allowed: dict[str, set[str]] = {}
        """Of each edited number, what the cache may show after the sync."""
        for rank in chance.sample(range(NUMBERS), AT_ONCE):
            digits, kind = self.world.at(rank).digits, chance.choice(KINDS)
            moment = (chance.randrange(PAGES), chance.choice(("read", "stored")))
            theatre.steps.setdefault(moment, []).append(self.step(digits, kind))
            if kind == DRIFTED:
                self.change_elsewhere(digits, f"Theirs {turn}")

    def step(self, digits: str, kind: str) -> Callable[[], None]:
        return lambda: self.act(digits, kind)

    def act(self, digits: str, kind: str) -> None:
        number = PhoneNumber.objects.get(remote_id=digits)
        ours, theirs = f"Ours {self.turn}", f"Theirs {self.turn}"
        change = ask(number, self.theatre.user, alias=ours)
        self.allowed[digits] = {number.alias} if kind in (DRIFTED, "not applied yet") else {ours}
        if kind == "theirs, then edit":
            self.change_elsewhere(digits, theirs)
            self.allowed[digits] = {theirs}
        if kind == "not applied yet":
            self.theatre.simulator.fault("error", method="POST", path=digits, status=502)
        if kind != DRIFTED:
            work(change)
        if kind == "edit, then theirs":
            self.change_elsewhere(digits, theirs)
            self.allowed[digits].add(theirs)

    def change_elsewhere(self, digits: str, alias: str) -> None:
        self.theatre.simulator.world.change(self.world, digits, alias=alias)

    def stale(self) -> int:
        """Numbers that show something older than what was known of them, or that is told as somebody else's doing."""
        sync(self.theatre.stage.account)
        self.theatre.simulator.faults.clear()
        cached = dict(PhoneNumber.objects.filter(remote_id__in=self.allowed).values_list("remote_id", "alias"))
        wrong = {digits for digits, allowed in self.allowed.items() if cached[digits] not in allowed}
        told = Event.objects.filter(kind=Event.Kind.DRIFT, field="alias", after=f"Ours {self.turn}")
        wrong |= {*told.values_list("number__remote_id", flat=True)}
        for change in Change.objects.filter(state__in=Change.LIVE):
            work_to_the_end(change)
        return len(wrong)


theatre = theatre_of(OnTheWay)


def interleave(theatre: OnTheWay, edits: int) -> tuple[int, int]:
    """How many of so many edits met a sync, and how many were overwritten by older data."""
    chance = random.Random(4)
    met = stale = 0
    for turn in range(edits // AT_ONCE):
        interleaving = Interleaving(theatre, chance, turn)
        stale += interleaving.stale()
        met += len(interleaving.allowed)
    return met, stale


@pytest.mark.timeout(240)
def test_w4_edits_outlast_older_pages(theatre: OnTheWay) -> None:
    met, stale = interleave(theatre, EDITS)
    report("W4", "edits drawn into syncs", met, f"{EDITS}", holds=met == EDITS)
    report("W4", "overwritten by older data", stale, "0", holds=not stale)


@pytest.mark.parametrize("bug", CAUGHT if FULL else CAUGHT[1:])
def test_w4_catches(theatre: OnTheWay, bug: str) -> None:
    with MUTANTS[bug](), suppress(AssertionError):
        _, stale = interleave(theatre, 60)
    report_bite("W4", bug, f"{stale} of 60 overwritten" if stale else "")


def edit_behind_a_page(installation: Installation, simulator: Simulator, trials: int, **broken: str) -> tuple[int, int]:
    """A worker syncs, another one edits while the page is on its way. How often they met, and what was overwritten."""
    desk = Desk(installation, simulator)
    workers = installation.workers()
    met = stale = 0
    for turn, number in enumerate(desk.numbers[:trials]):
        change = ask(number, desk.user, alias=f"Ours {turn}")
        is_read, is_edited = threading.Event(), threading.Event()

        def keep_back(_: object, read: threading.Event = is_read, edited: threading.Event = is_edited) -> None:
            read.set()
            edited.wait(20)

        simulator.fault("kept_back", path=LIST, action=keep_back)
        run = request_sync(desk.account, trigger=SyncRun.Trigger.PERSON)
        syncing = workers.start("run_sync", pk=run.pk, **broken)
        assert is_read.wait(20)
        wait_until_dead(workers.start("apply_change", pk=change.pk))
        met += Change.objects.get(pk=change.pk).state == Change.State.CONFIRMED
        is_edited.set()
        wait_until_dead(syncing)
        stale += PhoneNumber.objects.get(pk=number.pk).alias != f"Ours {turn}"
    return met, stale


@pytest.mark.processes
@pytest.mark.timeout(240)
def test_w4_edits_outlast_older_pages_of_other_processes(install: Callable[..., Installation]) -> None:
    with Simulator(40) as simulator:
        installation = install("sqlite")
        installation.simulator = simulator
        met, stale = edit_behind_a_page(installation, simulator, TRIALS)
    report("W4", "edits of one process behind pages of another", f"{met}/{TRIALS}", "all", holds=met == TRIALS)
    report("W4", "overwritten by older pages", stale, "0", holds=not stale)
