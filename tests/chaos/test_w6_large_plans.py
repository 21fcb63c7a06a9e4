"""W6: a plan of a thousand numbers, among errors and with its worker killed twice, ends, and does each number once."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from phone_numbers.models import Change, ChangeSet, PhoneNumber
from phone_numbers.services import change_crews
from phone_numbers.services.change_sets import resume_change_set
from providers.simulator import Simulator
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.desk import ENDS, Desk, let_leases_lapse, misrecorded, together
from tests.chaos.processes import Installation, holds_within, is_alive, kill, wait_until_dead
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.jobs import plan, start
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

NUMBERS = 1000 if FULL else 60
GONE, ERRORS, SILENT = 2, 5, 1
"""Of a hundred numbers: not there any more, answered with an error (every other one applied), not answered at all."""
KILLS = 2 if FULL else 1
LEASE_SECONDS = 3
HASTE = 40
MOST_SECONDS = 90
ALIAS = "Planned"
STEPS = (
    *("before_intent", "after_intent", "after_claim", "after_get", "before_send", "after_send", "after_yes"),
    *("after_read_back", "after_confirm", "after_audit"),
)
STEPPED = 120 if FULL else 60
"""Numbers of the plan whose crews are killed at every step, one after the other."""
CAUGHT = ("claims without comparing",)
simulator = simulator_of(max(NUMBERS, STEPPED) + 20)


class Bulk:
    """A plan for all but a few numbers of an account, and an operator who lets it go on when it pauses."""

    def __init__(self, installation: Installation, simulator: Simulator, size: int = NUMBERS) -> None:
        self.desk = Desk(installation, simulator)
        self.numbers = self.desk.numbers[:size]
        self.plan: ChangeSet = start(plan(self.numbers, self.desk.user, alias=ALIAS), self.desk.user)
        self.workers = installation.workers(LEASE_SECONDS=LEASE_SECONDS)
        self.pauses = 0

    def spoil(self) -> None:
        """Spread over the whole plan."""
        for rank, number in enumerate(self.numbers):
            path = rf"/Number/{number.remote_id}/"
            place = rank * 37 % 100
            if place < GONE:
                self.desk.simulator.world.remove(self.desk.world, number.remote_id)
            elif place < GONE + ERRORS:
                self.desk.simulator.fault("error", method="POST", path=path, status=500, after=rank % 2 == 0)
            elif place < GONE + ERRORS + SILENT:
                self.desk.simulator.fault("latency", method="POST", path=path, seconds=1.2, after=rank % 2 == 0)

    def work(self, *, until_written: int = 0, **order: Any) -> None:
        """A worker, until it is killed when the provider has so many, or until all is over."""
        pid = self.workers.start("work_plans_for_ever", seconds=0.05, hastened=HASTE, **order)

        def is_far_enough() -> bool:
            self.let_go_on()
            return self.written() >= until_written if until_written else not self.open()

        assert holds_within(is_far_enough, MOST_SECONDS), self.states()
        assert is_alive(pid)
        kill(pid)
        wait_until_dead(pid)

    def work_until(self, place: str) -> None:
        """A worker, until it is killed at this place; nobody waits for its lease to end."""
        pid = self.workers.start("work_plans_for_ever", seconds=0.05, hastened=HASTE, crash_at=place)
        wait_until_dead(pid)
        let_leases_lapse()

    def let_go_on(self) -> None:
        """As an operator who looked at it does."""
        if paused := ChangeSet.objects.filter(pk=self.plan.pk, state=ChangeSet.State.PAUSED).first():
            resume_change_set(paused, user=self.desk.user)
            self.pauses += 1

    def written(self) -> int:
        return len(self.desk.applied())

    def open(self) -> int:
        return self.plan.changes.exclude(state__in=ENDS).count()

    def states(self) -> dict[str, int]:
        return dict(Counter(self.plan.changes.order_by().values_list("state", flat=True)))

    def differing(self) -> int:
        """Changes that tell something else than the provider's journal."""
        applied = {digits for digits, _ in self.desk.applied()}
        changes = self.plan.changes.select_related("number")
        return sum(
            (change.state == Change.State.CONFIRMED) != (change.number.remote_id in applied) for change in changes
        )

    def sent_after_the_end(self) -> int:
        """Writes to numbers whose change was over."""
        ends = dict(self.plan.changes.exclude(finished_at=None).values_list("number__remote_id", "finished_at"))
        calls = self.desk.calls()
        return sum(
            call.method == "POST" and call.at > ends[digits].timestamp() for digits in ends for call in calls[digits]
        )


def test_w6_a_large_plan_ends(install: Callable[..., Installation], simulator: Simulator) -> None:
    bulk = Bulk(install("sqlite"), simulator)
    bulk.spoil()
    for turn in range(1, KILLS + 1):
        bulk.work(until_written=NUMBERS * turn // (KILLS + 1))
        if not FULL:
            let_leases_lapse()
    interrupted = PhoneNumber.objects.filter(changes__state__in=Change.LIVE).count()
    bulk.work()
    states, over = bulk.states(), NUMBERS - bulk.open()
    report("W6", "numbers under way when it was last killed", interrupted, ">= 1", holds=interrupted > 0)
    report("W6", "changes that ended", f"{over:,}/{NUMBERS:,}", "all", holds=over == NUMBERS)
    gone = NUMBERS * GONE // 100
    right = states == {"confirmed": NUMBERS - gone, "failed": gone}
    told = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    report("W6", "how they ended", told, f"{gone} failed: not there", holds=right)
    figures = {
        "confirmed ones sent again": bulk.sent_after_the_end(),
        "applied twice": bulk.desk.doubled(),
        "otherwise than the provider's journal": bulk.differing(),
        "histories with a step twice or never": misrecorded(bulk.plan.changes.all()),
    }
    for what, found in figures.items():
        report("W6", what, found, "0", holds=not found)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"] if FULL else ["sqlite"])
def test_w6_a_plan_outlasts_kills_at_every_step(
    kind: str, install: Callable[..., Installation], simulator: Simulator
) -> None:
    bulk = Bulk(install(kind), simulator, STEPPED)
    for rank, place in enumerate(STEPS):
        bulk.work_until(place)
        if rank == len(STEPS) // 2:  # A number whose worker dies eight times before anything is sent is given up.
            bulk.work(until_written=STEPPED // 2)
    left = bulk.open()
    bulk.work()
    confirmed = bulk.states().get("confirmed", 0)
    wrong = bulk.desk.doubled() + bulk.differing() + misrecorded(bulk.plan.changes.all())
    report("W6", f"left when killed at {len(STEPS)} steps, on {kind}", left, ">= 1", holds=left > 0)
    report("W6", f"confirmed after that, on {kind}", f"{confirmed}/{STEPPED}", "all", holds=confirmed == STEPPED)
    report("W6", f"doubled, or told twice or never, on {kind}", wrong, "0", holds=not wrong)


@pytest.mark.full
def test_w6_notices_a_crew_that_begins_anew(install: Callable[..., Installation], simulator: Simulator) -> None:
    bulk = Bulk(install("sqlite"), simulator, 60)
    bulk.work(until_written=30)
    bulk.work(broken="resumes_from_the_start")
    again = bulk.sent_after_the_end() or bulk.desk.doubled()
    report_bite("W6", "what was confirmed is sent again", (again and f"{again} sent again") or "")


def work_with_two_crews(installation: Installation, simulator: Simulator) -> int:
    """How often a number was written to more than once."""
    bulk = Bulk(installation, simulator, 40)
    simulator.latency_seconds = 0.02
    together(lambda _: change_crews.work_for_account(bulk.desk.account.pk, hands=2), range(2), 2)
    return bulk.desk.doubled()


def test_w6_two_crews_do_each_number_once(install: Callable[..., Installation], simulator: Simulator) -> None:
    doubled = work_with_two_crews(install("sqlite"), simulator)
    report("W6", "two workers rung for one account: applied twice", doubled, "0", holds=not doubled)


@pytest.mark.parametrize("bug", CAUGHT)
def test_w6_catches(install: Callable[..., Installation], simulator: Simulator, bug: str) -> None:
    with CHANGE_MUTANTS[bug]():
        doubled = work_with_two_crews(install("sqlite"), simulator)
    report_bite("W6", bug, (doubled and f"{doubled} applied twice") or "")
