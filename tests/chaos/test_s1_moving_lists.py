"""S1: a list that is sorted by anything, and moves while it is read, makes no number disappear that is still held."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pytest_django import Settings

from phone_numbers.models import Event
from providers.simulator import Simulator
from tests.chaos.mutants import MUTANTS
from tests.chaos.rows import FULL, report
from tests.chaos.sweeps import Clock, Movement, Presence, Stage, Verdict, minutes
from tests.simulators import TODAY

ORDERS = ("newest first", "oldest first", "at random")
SWEEPS = 200 if FULL else 7
NAIVE_SWEEPS = 30 if FULL else 4
NUMBERS, RESERVE = 400, 120
STILL_EVERY = 5
"""Each so many sweeps nothing moves: only such a list can show everything."""

pytestmark = pytest.mark.timeout(900)


@dataclass
class Tally:
    verdicts: list[Verdict] = field(default_factory=list)
    came: int = 0
    hidden_after_still: int = 0
    lingering_after_still: int = 0
    released: int = 0

    @property
    def wrong_sweeps(self) -> int:
        return sum(bool(verdict.wrong) for verdict in self.verdicts)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def moving(db: None, settings: Settings) -> Iterator[Simulator]:
    with Simulator(numbers=NUMBERS + RESERVE, today=TODAY) as simulator:
        settings.SIMULATOR_URL = simulator.root
        settings.LEASE_SECONDS = 3_600  # A heartbeat cannot write while the test's own transaction is open.
        yield simulator


def play(simulator: Simulator, clock: Clock, order: str, sweeps: int) -> Tally:
    chance = random.Random(order)
    stage = Stage(simulator, clock, hold_minimum=NUMBERS, hold_percent=100)
    stage.world.newest_first = order == "newest first"
    movement = Movement(stage, chance, anywhere=order == "at random")
    for digits in chance.sample(sorted(stage.held()), RESERVE):
        stage.remove(digits)
        movement.away.append(digits)
    stage.sweep()
    tally = Tally()
    for rank in range(sweeps):
        clock.move(minutes(chance.choice((2, 8, 12, 30, 60 * 24 * 6))))
        still = rank % STILL_EVERY == STILL_EVERY - 1
        verdict = stage.sweep(movement.schedule(0 if still else chance.randint(1, 20)))
        tally.verdicts.append(verdict)
        tally.came += len(movement.came)
        tally.hidden_after_still += len(verdict.hidden) if still else 0
        tally.lingering_after_still += len(verdict.lingering) if still else 0
    released = Event.objects.filter(number__account=stage.account, kind=Event.Kind.PRESENCE, after=Presence.RELEASED)
    tally.released = released.count()
    return tally


@pytest.mark.parametrize("order", ORDERS)
def test_s1_moving_lists(moving: Simulator, clock: Clock, order: str) -> None:
    tally = play(moving, clock, order, SWEEPS)
    asked = [verdict.asked for verdict in tally.verdicts]
    wrong = tally.wrong_sweeps
    report("S1", f"{order}: sweeps with a number wrongly absent", f"{wrong} of {SWEEPS}", "0", holds=not wrong)
    mean = sum(asked) / SWEEPS
    figure = f"{mean:.1f} (most {max(asked)})"
    report("S1", f"{order}: single numbers asked for, a sweep", figure, "≤ 12", holds=mean <= 12)
    hidden, came = tally.hidden_after_still, tally.came
    what = f"{order}: new, but not shown after the next still list"
    report("S1", what, f"{hidden} of {came:,}", "0", holds=came > 0 and not hidden)
    lingering = tally.lingering_after_still
    figure = f"{lingering} ({tally.released} came to be released)"
    holds = not lingering and (tally.released > 0 or not FULL)
    report("S1", f"{order}: gone, but shown as present after it", figure, "0", holds=holds)


@pytest.mark.parametrize("order", ORDERS if FULL else ORDERS[1:2])
def test_s1_bites_who_trusts_lists(moving: Simulator, clock: Clock, order: str) -> None:
    with MUTANTS["single-pass release"]():
        tally = play(moving, clock, order, NAIVE_SWEEPS)
    share = tally.wrong_sweeps / NAIVE_SWEEPS
    what = f"{order}: the same with an engine that trusts lists"
    report("S1", what, f"{share:.0%} of sweeps wrong", "≥ 20 %", holds=share >= 0.2)
