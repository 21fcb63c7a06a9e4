"""S9: histories drawn by Hypothesis, of numbers that come and go and of edits against syncs, break no invariant."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from providers.simulator import Simulator
from tests.chaos.machines import NUMBERS, EditMachine, Machine, SyncMachine, Theatre, play
from tests.chaos.rows import FULL, report
from tests.chaos.sweeps import Clock
from tests.simulators import TODAY

pytestmark = pytest.mark.timeout(1800)
EXAMPLES, STEPS = (300, 20) if FULL else (6, 10)


@pytest.fixture
def theatre(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
    with Simulator(numbers=NUMBERS, today=TODAY) as simulator:
        settings.SIMULATOR_URL = simulator.root
        settings.LEASE_SECONDS = 3_600  # A heartbeat cannot write while the test's own transaction is open.
        yield Theatre(simulator, Clock(monkeypatch), monkeypatch)


@pytest.mark.lane2
@pytest.mark.parametrize("machine", [SyncMachine, EditMachine])
def test_s9_histories(theatre: Theatre, machine: type[Machine]) -> None:
    violation = ""
    try:
        play(machine, theatre, examples=EXAMPLES, steps=STEPS)
    except AssertionError as error:
        violation = str(error).partition("\n")[0]
        if not FULL:
            raise
    what = f"{machine.__name__}: {EXAMPLES} histories of {STEPS} steps"
    report("S9", what, violation or "0 violations", "0", holds=not violation)
