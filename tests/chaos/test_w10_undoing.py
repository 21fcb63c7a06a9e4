"""W10: undoing a plan brings back what it changed, and nothing that somebody else changed since."""

from collections.abc import Callable

import pytest

from phone_numbers.models import ChangeSet, PhoneNumber
from providers.simulator import Simulator
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.desk import Desk
from tests.chaos.processes import Installation
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.jobs import carry_out, plan, start, states
from tests.simulators import simulator_of

pytestmark = [pytest.mark.lane2, pytest.mark.timeout(240)]

NUMBERS, OTHERS = (100, 10) if FULL else (20, 2)
CAUGHT = ("a third value is overwritten",)
ALIAS, THEIRS = "Planned", "Theirs"
simulator = simulator_of(NUMBERS + 10)


def undo_all(installation: Installation, simulator: Simulator, count: int = NUMBERS) -> dict[str, int]:
    """A plan is carried out and undone in the page, and somebody else changes a few of its numbers in between."""
    desk = Desk(installation, simulator)
    numbers, others = desk.numbers[:count], desk.numbers[: count : NUMBERS // OTHERS]
    done = carry_out(start(plan(numbers, desk.user, alias=ALIAS), desk.user))
    assert states(done) == {"confirmed": count}
    desk.browser().post(f"/changes/plans/{done.pk}/undo/")
    undoing = start(ChangeSet.objects.get(follows=done), desk.user)
    for number in others:
        desk.change_elsewhere(number, THEIRS)
    found = states(carry_out(undoing))
    before = {number.pk: THEIRS if number in others else number.alias for number in numbers}
    return {
        "restored": found.get("confirmed", 0),
        "conflict": found.get("conflict", 0),
        "other values than there were": sum(desk.alias_of(number) != before[number.pk] for number in numbers),
        "otherwise in the list": sum(shown(number) != before[number.pk] for number in numbers),
    }


def shown(number: PhoneNumber) -> str:
    return PhoneNumber.objects.get(pk=number.pk).alias


def test_w10_undoing_spares_what_others_did(install: Callable[..., Installation], simulator: Simulator) -> None:
    found = undo_all(install("sqlite"), simulator)
    for what, wished in (("restored", NUMBERS - OTHERS), ("conflict", OTHERS)):
        report("W10", f"of {NUMBERS} undone: {what}", found[what], f"{wished}", holds=found[what] == wished)
    for what in ("other values than there were", "otherwise in the list"):
        report("W10", what, found[what], "0", holds=not found[what])


@pytest.mark.parametrize("bug", CAUGHT)
def test_w10_catches(install: Callable[..., Installation], simulator: Simulator, bug: str) -> None:
    with CHANGE_MUTANTS[bug]():
        wrong = undo_all(install("sqlite"), simulator, 20)["other values than there were"]
    report_bite("W10", bug, (wrong and f"{wrong} overwritten") or "")
