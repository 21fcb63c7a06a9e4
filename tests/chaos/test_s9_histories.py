"""S9: histories drawn by Hypothesis, of numbers that come and go and of edits against syncs, break no invariant."""

import pytest

from tests.chaos.machines import EditMachine, Machine, SyncMachine, play
from tests.chaos.rows import FULL, report
from tests.chaos.theatres import Theatre, theatre_of

pytestmark = pytest.mark.timeout(1800)
EXAMPLES, STEPS = (300, 20) if FULL else (6, 10)
theatre = theatre_of()


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
