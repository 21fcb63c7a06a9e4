"""S9, too: each of twelve bugs, seeded into the engine, is caught by the checks of a row."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from tests.chaos import (
    test_w2_answers_to_writes,
    test_w3_two_operators,
    test_w4_older_pages,
    test_w5_one_form,
    test_w6_large_plans,
    test_w7_changed_since,
    test_w9_plans_that_stop,
    test_w10_undoing,
)
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.lists import listed
from tests.chaos.machines import EditMachine, Machine, SyncMachine, play
from tests.chaos.mutants import MUTANTS, Unused, swapped
from tests.chaos.rows import FULL, report
from tests.chaos.test_s4_snapshots import SNAPSHOTS, show
from tests.chaos.test_s5_thresholds import POINTS, misjudged
from tests.chaos.theatres import theatre_of

pytestmark = pytest.mark.timeout(600)
EXAMPLES, STEPS = 100, 15
theatre = theatre_of()
Check = Callable[[pytest.FixtureRequest, Settings], None]


def by_histories(machine: type[Machine]) -> Check:
    return lambda request, _: play(machine, request.getfixturevalue("theatre"), examples=EXAMPLES, steps=STEPS)


def by_thresholds(_: pytest.FixtureRequest, settings: Settings) -> None:
    assert not misjudged(settings, POINTS[:2]), "S5: held at the limit"


def by_snapshots(_: pytest.FixtureRequest, settings: Settings) -> None:
    arrange, reasons = SNAPSHOTS["another account's credentials"]
    with listed("plivo", settings) as it:
        run, _moved = show(it, arrange)
        assert run.error_slug in reasons, f"S4: {run.state} {run.error_slug} instead of {reasons}"


CAUGHT: dict[str, Check] = {
    "single-pass release": by_histories(SyncMachine),
    "release after a partial run": by_histories(SyncMachine),
    "clobber pending": by_histories(EditMachine),
    "stale overwrite": by_histories(EditMachine),
    "resume and absence": by_histories(SyncMachine),
    "timeout is failure": by_histories(EditMachine),
    "retry without reading": by_histories(EditMachine),
    "no fence": by_histories(SyncMachine),
    "wall-clock ordering": by_histories(EditMachine),
    "no whoami": by_snapshots,
    "threshold off by one": by_thresholds,
    "confirmed edits are sent again": by_histories(EditMachine),
}
FEW = (
    "single-pass release",
    "stale overwrite",
    "no fence",
    "no whoami",
    "threshold off by one",
    "confirmed edits are sent again",
)


@pytest.mark.lane2
@pytest.mark.parametrize("name", list(CAUGHT) if FULL else FEW)
def test_s9_catches(db: None, request: pytest.FixtureRequest, settings: Settings, name: str) -> None:
    caught = ""
    with MUTANTS[name]():
        try:
            CAUGHT[name](request, settings)
        except AssertionError as error:
            caught = str(error).partition("\n")[0]
    report("S9", f"seeded bug: {name}", caught or "not caught", "caught", holds=bool(caught))


def test_s9_names_a_way_to_catch_every_seeded_bug() -> None:
    assert CAUGHT.keys() == MUTANTS.keys()
    assert len(CAUGHT) == 12


def test_w_rows_name_a_way_to_catch_every_seeded_bug() -> None:
    rows = (test_w2_answers_to_writes, test_w3_two_operators, test_w4_older_pages, test_w5_one_form)
    more = (test_w6_large_plans, test_w7_changed_since, test_w9_plans_that_stop, test_w10_undoing)
    caught = {bug for row in (*rows, *more) for bug in row.CAUGHT}
    assert caught >= CHANGE_MUTANTS.keys()
    assert caught <= CHANGE_MUTANTS.keys() | MUTANTS.keys()


def test_s9_knows_a_seeded_bug_that_nobody_meets() -> None:
    with pytest.raises(Unused), swapped((Machine, "digits"), by=lambda *_: ""):
        pass


def test_s9_knows_a_seeded_bug_without_a_place() -> None:
    with pytest.raises(AttributeError), swapped((Machine, "moved elsewhere"), by=lambda *_: ""):
        pass
