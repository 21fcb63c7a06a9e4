"""W9: a plan stops by itself when the credentials are refused, or when too much goes wrong."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from phone_numbers.models import ChangeSet
from phone_numbers.services.change_crews import work_for_account
from providers.simulator import Simulator
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.desk import Desk
from tests.chaos.processes import Installation
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.jobs import ONE, plan, start
from tests.simulators import simulator_of

pytestmark = [pytest.mark.timeout(240)]

NUMBERS = 80
LATENCY_SECONDS = 0.02
"""Long enough for all hands to have a call under way."""
REFUSED_FROM = range(7, 77, 7) if FULL else (28,)
"""The call from which on the provider refuses."""
MOST_AFTER_REFUSAL, MOST_AFTER_ERRORS = 3, 20
REFUSALS, ERRORS = (401, 403), (400, 500)
BEGIN = 5
"""The write from which on three of ten fail."""
simulator = simulator_of(NUMBERS + 10)


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a plan did after the provider had answered with the first error."""

    is_paused: bool
    calls: int
    writes: int
    later: int
    """Calls when its crew was rung for again."""


def carry_out(installation: Installation, simulator: Simulator, script: Callable[[Simulator], None]) -> Stopped:
    """With as many hands as the account has."""
    desk = Desk(installation, simulator)
    change_set = start(plan(desk.numbers[:NUMBERS], desk.user, alias=installation.directory.name), desk.user)
    simulator.latency_seconds = LATENCY_SECONDS
    script(simulator)
    work_for_account(desk.account.pk)
    calls = list(simulator.requests.kept)
    work_for_account(desk.account.pk)
    simulator.faults.clear()
    simulator.latency_seconds = 0
    change_set.refresh_from_db()
    further = [call for call in calls if call.at > min(each.answered_at for each in calls if each.status >= 400)]
    return Stopped(
        is_paused=change_set.state == ChangeSet.State.PAUSED,
        calls=len(further),
        writes=sum(call.method == "POST" for call in further),
        later=len(simulator.requests.kept) - len(calls),
    )


def refusing(status: int, nth: int) -> Callable[[Simulator], None]:
    return lambda it: it.fault("error", status=status, path=ONE, nth=nth, times=0) and None


def failing(status: int) -> Callable[[Simulator], None]:
    """Three of ten writes."""

    def script(simulator: Simulator) -> None:
        for nth in range(BEGIN, NUMBERS):
            if (nth - BEGIN) % 10 in (0, 3, 6):
                simulator.fault("error", status=status, method="POST", path=ONE, nth=nth)

    return script


def report_stops(what: str, found: list[Stopped]) -> None:
    paused, later = sum(each.is_paused for each in found), sum(each.later for each in found)
    report("W9", f"{what}: paused", f"{paused}/{len(found)}", "all", holds=paused == len(found))
    report("W9", f"{what}: calls when rung for again", later, "0", holds=not later)


def test_w9_refused_credentials_stop_a_plan(install: Callable[..., Installation], simulator: Simulator) -> None:
    scripts = [refusing(REFUSALS[rank % 2], nth) for rank, nth in enumerate(REFUSED_FROM)]
    found = [carry_out(install("sqlite"), simulator, script) for script in scripts]
    report_stops("401 or 403", found)
    most = max(each.calls for each in found)
    what = "401 or 403: calls after its answer, at most"
    report("W9", what, most, f"<= {MOST_AFTER_REFUSAL}", holds=most <= MOST_AFTER_REFUSAL)


def test_w9_many_errors_stop_a_plan(install: Callable[..., Installation], simulator: Simulator) -> None:
    found = [carry_out(install("sqlite"), simulator, failing(status)) for status in ERRORS]
    report_stops("three of ten fail", found)
    most = max(each.writes for each in found)
    what = "three of ten fail: writes after the first, at most"
    report("W9", what, most, f"<= {MOST_AFTER_ERRORS}", holds=most <= MOST_AFTER_ERRORS)


CAUGHT = {"no breaker": failing(400), "refused credentials are used again": refusing(401, 28)}


@pytest.mark.parametrize(("bug", "script"), CAUGHT.items())
def test_w9_catches(
    install: Callable[..., Installation], simulator: Simulator, bug: str, script: Callable[[Simulator], None]
) -> None:
    with CHANGE_MUTANTS[bug]():
        found = carry_out(install("sqlite"), simulator, script)
    report_bite("W9", bug, "" if found.is_paused else f"not paused, {found.calls} further calls")
