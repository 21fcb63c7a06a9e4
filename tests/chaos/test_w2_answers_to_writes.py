"""W2: whatever is answered to a write, an edit ends as the provider has it, and is sent again only after a look."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from phone_numbers.models import Change
from providers.simulator import Simulator
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.desk import Desk, carry_on
from tests.chaos.haste import hastened
from tests.chaos.mutants import MUTANTS
from tests.chaos.processes import Installation
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.jobs import ask

pytestmark = [pytest.mark.timeout(240)]

HASTE = 20 if FULL else 40
"""So many times shorter the waits between two readings are; what is slow below is slow in that measure."""
WAYS: dict[str, dict[str, Any]] = {
    "applied, then reset": {"kind": "reset", "after": True},
    "applied, then silence": {"kind": "latency", "after": True, "seconds": 1.5},
    "500, applied": {"kind": "error", "status": 500, "after": True},
    "502, not applied": {"kind": "error", "status": 502},
    "yes, shown late": {"kind": "applied_late", "seconds": 10 / HASTE},
    "500, shown late": {"kind": "applied_late", "seconds": 30 / HASTE, "status": 500, "after": True},
    "yes, never applied": {"kind": "not_applied"},
}
ENDS = {"yes, never applied": Change.State.MISMATCH}
"""All others end confirmed."""
EDITS = 100 if FULL else 2 * len(WAYS)
ALIAS = "Asked for"
LEASE_SECONDS = 4
"""A call may take a quarter of it."""
CAUGHT = {
    "timeout is failure": ("applied, then reset", "falsely failed"),
    "retry without reading": ("applied, then reset", "sent without a look"),
    "no reading back": ("yes, never applied", "falsely confirmed"),
}
"""Each bug, the way that shows it, and as what."""
BUGS = {**MUTANTS, **CHANGE_MUTANTS}


@pytest.fixture
def simulator(settings: Settings) -> Iterator[Simulator]:
    settings.LEASE_SECONDS = LEASE_SECONDS
    with Simulator(EDITS + 20) as started:
        yield started


def edit_all(installation: Installation, simulator: Simulator, count: int, *only: str) -> Counter[str]:
    """So many edits in every way by turns; what is wrong with them, and how many ended as they should."""
    names = only or tuple(WAYS)
    desk = Desk(installation, simulator)
    found: Counter[str] = Counter()
    ways: dict[int, str] = {}
    for rank, number in enumerate(desk.numbers[:count]):
        way = names[rank % len(names)]
        simulator.fault(method="POST", path=rf"/Number/{number.remote_id}/", **WAYS[way])
        ways[ask(number, desk.user, alias=ALIAS).pk] = way

    def judge(change: Change) -> None:
        if wrong := desk.is_wrong(change):
            found[wrong] += 1

    with hastened(HASTE):
        carry_on(list(ways), 60, judge)
    for change in Change.objects.filter(pk__in=ways):
        found["ended as it should"] += change.state == ENDS.get(ways[change.pk], Change.State.CONFIRMED)
    found["sent without a look"], found["applied twice"] = desk.sent_unread(), desk.doubled()
    return found


def test_w2_edits_end_as_the_provider_has_them(install: Callable[..., Installation], simulator: Simulator) -> None:
    found = edit_all(install("sqlite"), simulator, EDITS)
    right = found["ended as it should"]
    report("W2", f"{len(WAYS)} ways by turns, ended as they should", f"{right}/{EDITS}", "all", holds=right == EDITS)
    for what in ("falsely failed", "falsely confirmed", "sent without a look", "applied twice"):
        report("W2", what, found[what], "0", holds=not found[what])


@pytest.mark.parametrize("bug", CAUGHT)
def test_w2_catches(install: Callable[..., Installation], simulator: Simulator, bug: str) -> None:
    way, what = CAUGHT[bug]
    with BUGS[bug]():
        found = edit_all(install("sqlite"), simulator, 3, way)
    report_bite("W2", bug, f"{found[what]} of 3 {what}" if found[what] else "")
