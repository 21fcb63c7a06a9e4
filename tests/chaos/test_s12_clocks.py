"""S12: clocks that jump, two hours back or a day ahead, in the middle of syncs and edits."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from phone_numbers.models import Account, Change, PhoneNumber, SyncRun
from phone_numbers.services.runs import request_sync
from phone_numbers.services.sync import run_sync
from providers.simulator import Fault, Simulator
from tests.chaos.processes import Installation, Workers, holds_within, kill, wait_for
from tests.chaos.rows import report
from tests.chaos.worlds import Shaker, stuck
from tests.phone_numbers.jobs import ask
from tests.roles import make_user
from tests.servers import unavailable
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.full, pytest.mark.timeout(240)]

LEASE_SECONDS = 8
MOST_SECONDS = 20
LIST_SECONDS, EDIT_SECONDS = 4.0, 1.0
JUMPS = [("-2h", "sqlite"), ("+1d", "postgresql")]
LISTS = {
    "Plivo main": r"DEMO0001/Number/\?",
    "Plivo logistics": r"DEMO0002/Number/\?",
}
EDITED = {"Twilio main": "POST", "SignalWire main": "PUT"}
"""Of each pair, the second one's worker is killed when the clock jumps."""
simulator = simulator_of(40)


class Clock:
    """The clock of an installation's processes."""

    def __init__(self, directory: Path) -> None:
        found = importlib.util.find_spec("libfaketime")
        if found is None or found.origin is None or sys.platform != "linux":
            unavailable("A clock that jumps", "install libfaketime")
        self.path = directory / "clock"
        self.jump("+0")
        library = Path(found.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, distance: str) -> None:
        draft = self.path.with_suffix(".new")
        draft.write_text(distance)
        draft.rename(self.path)


class Midst:
    """Two syncs and two edits under way, each at a call that takes its time.

    And one more edit is over: of a number whose old values are on a page that is still on its way.
    """

    def __init__(self, installation: Installation, simulator: Simulator, user: User) -> None:
        self.installation, self.simulator, self.user = installation, simulator, user
        installation.add_accounts(*LISTS, *EDITED)
        self.accounts = {account.name: account for account in installation.accounts}
        for account in installation.accounts:
            run_sync(request_sync(account, trigger=SyncRun.Trigger.PERSON).pk)
        self.shakers = [Shaker(simulator, self.accounts[name]) for name in LISTS]
        self.changes: list[Change] = []
        self.runs: list[SyncRun] = []
        self.faults: list[Fault] = []

    def begin(self, workers: Workers) -> list[int]:
        """The workers, when all are in the midst of it."""
        pids = []
        for shaker, (name, path) in zip(self.shakers, LISTS.items(), strict=True):
            shaker.shake()
            self.slow_down(path=path, seconds=LIST_SECONDS)
            self.runs.append(request_sync(Account.objects.get(name=name), trigger=SyncRun.Trigger.PERSON))
            pids.append(workers.start("run_sync", pk=self.runs[-1].pk))
        self.wait_for_faults()
        over = self.ask(self.edited("Plivo main"))
        workers.start("apply_change", pk=over.pk)
        wait_for(lambda: not self.unsettled(), LIST_SECONDS)
        for name, verb in EDITED.items():
            number = self.edited(name)
            self.slow_down(method=verb, path=number.remote_id, seconds=EDIT_SECONDS)
            pids.append(workers.start("apply_change", pk=self.ask(number).pk))
        self.wait_for_faults()
        return pids

    def slow_down(self, **where: Any) -> None:
        self.faults.append(self.simulator.fault("latency", after=True, **where))

    def wait_for_faults(self) -> None:
        wait_for(lambda: all(fault.struck for fault in self.faults), 10, lambda: self.faults)

    def edited(self, name: str) -> PhoneNumber:
        return self.accounts[name].numbers.order_by("pk")[3]

    def ask(self, number: PhoneNumber) -> Change:
        self.changes.append(ask(number, self.user, alias="Mine"))
        return self.changes[-1]

    def unsettled(self) -> list[Change]:
        return list(Change.objects.filter(pk__in=[each.pk for each in self.changes], state__in=Change.LIVE))

    def is_over(self) -> bool:
        return not stuck(self.installation.accounts) and not self.unsettled()

    def spoiled(self) -> list[Change]:
        """Edits that did not end well, or not just once, or that the cache has forgotten."""
        sent = [entry.number for entry in self.simulator.world.journal if entry.after == {"alias": "Mine"}]
        return [
            change
            for change in Change.objects.filter(pk__in=[each.pk for each in self.changes]).select_related("number")
            if change.state != Change.State.CONFIRMED
            or change.number.alias != "Mine"
            or sent.count(change.number.e164.removeprefix("+")) != 1
        ]


def jump_in_the_midst(installation: Installation, simulator: Simulator, distance: str, **order: Any) -> Midst:
    midst = Midst(installation, simulator, make_user("operator", username="olga"))
    clock = Clock(installation.directory)
    workers = installation.workers(clock.environment, LEASE_SECONDS=LEASE_SECONDS)
    pids = midst.begin(workers)
    clock.jump(distance)
    kill(pids[1], pids[3])
    for _ in range(2):
        workers.start("tick_for_ever", seconds=0.3, **order)
    return midst


@pytest.mark.parametrize(("distance", "kind"), JUMPS)
def test_s12_clocks_may_jump(
    distance: str, kind: str, install: Callable[..., Installation], simulator: Simulator
) -> None:
    midst = jump_in_the_midst(install(kind), simulator, distance)
    over = holds_within(midst.is_over, MOST_SECONDS)
    wrong = [digits for shaker in midst.shakers for digits in shaker.wrongly_absent()]
    when = f"{distance} on {kind}"
    report("S12", f"2 syncs, 3 edits over in {MOST_SECONDS} s, {when}", over, "all", holds=over)
    report("S12", f"wrongly missing or released, {when}", len(wrong), "0", holds=not wrong)
    stale = midst.spoiled()
    report("S12", f"edits lost, doubled or overwritten, {when}", len(stale), "0", holds=not stale)


def test_s12_notices_that_far_futures_are_believed(install: Callable[..., Installation], simulator: Simulator) -> None:
    midst = jump_in_the_midst(install("sqlite"), simulator, "-2h", broken="no_clock_rule")
    caught = not holds_within(midst.is_over, LEASE_SECONDS + 3)
    report(
        "S12", "with the rule for clocks put back removed", "caught" if caught else "NOT caught", "caught", holds=caught
    )
