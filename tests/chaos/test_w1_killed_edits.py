"""W1: wherever the process is killed that takes an edit in or carries it out, it is done once, and told once."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from phone_numbers.models import Change, PhoneNumber
from providers.simulator import Simulator
from tests.chaos.desk import Desk, let_leases_lapse, misrecorded
from tests.chaos.processes import Installation, holds_within, kill, wait_for, wait_until_dead
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.jobs import ask
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.timeout(240)]

ASKING = ("before_intent", "after_intent")
ANSWERING = "while the provider answers"
PLACES = (
    *ASKING,
    *("after_claim", "after_get", ANSWERING, "after_send", "after_yes", "after_refusal", "after_read_back"),
    *("after_confirm", "after_audit"),
)
"""More than the eight that are wished for."""
LEFT_LIVE = len(PLACES) - 2
"""Before the first place there is no edit yet, and after the last one it is over."""
BEFORE_SENDING = "before_send"
"""Apart: nobody can know that nothing was sent, so the old value must be seen for long before it is."""
ROUNDS = {"sqlite": 5, "postgresql": 2} if FULL else {"sqlite": 1}
LEASE_SECONDS = 4
MOST_SECONDS = 30.0
ALIAS = "Killed for"
simulator = simulator_of(90)


class Killing:
    """Edits, each by a process of its own that is killed on the way."""

    def __init__(self, installation: Installation, simulator: Simulator) -> None:
        self.desk = Desk(installation, simulator)
        self.workers = installation.workers(LEASE_SECONDS=LEASE_SECONDS)
        self.numbers = iter(self.desk.numbers)
        self.edited: list[PhoneNumber] = []
        self.pids: dict[str, int] = {}

    def kill_at(self, places: tuple[str, ...]) -> None:
        """An edit for each place, all at once."""
        pids = [self.start(next(self.numbers), place) for place in places]
        wait_until_dead(*pids)

    def start(self, number: PhoneNumber, place: str) -> int:
        self.edited.append(number)
        if place in ASKING:
            return self.workers.start("ask_for_edit", crash_at=place, **self.form(number))
        change = ask(number, self.desk.user, self.key(number), alias=ALIAS)
        written = {"method": "POST", "path": rf"/Number/{number.remote_id}/"}
        if place == ANSWERING:
            self.desk.simulator.fault("kept_back", action=lambda _: self.kill_worker_of(number), **written)
        elif place == "after_refusal":
            self.desk.simulator.fault("error", status=503, after=True, **written)
        pid = self.workers.start("apply_change", pk=change.pk, crash_at=place)
        self.pids[number.remote_id] = pid
        return pid

    def kill_worker_of(self, number: PhoneNumber) -> None:
        wait_for(lambda: number.remote_id in self.pids, 10)
        kill(self.pids[number.remote_id])

    def key(self, number: PhoneNumber) -> str:
        return f"form-{number.pk}"

    def form(self, number: PhoneNumber) -> dict[str, Any]:
        return {"pk": number.pk, "user_id": self.desk.user.pk, "alias": ALIAS, "key": self.key(number)}

    def send_forms_again(self) -> None:
        """Whoever saw no answer sends the same form once more; those who got one do not."""
        for number in self.edited:
            change = Change.objects.filter(number=number).first()
            if change is None or change.attempt == 0:
                ask(number, self.desk.user, self.key(number), alias=ALIAS)

    def all(self) -> list[Change]:
        return list(Change.objects.filter(number__in=self.edited).select_related("number"))

    def live(self) -> list[Change]:
        return [change for change in self.all() if change.is_live]

    def lost(self) -> int:
        """Asked for, and not both confirmed and in force."""
        done = [change for change in self.all() if change.state == Change.State.CONFIRMED]
        return len(self.edited) - sum(self.desk.alias_of(change.number) == ALIAS for change in done)

    def wrong(self) -> dict[str, int]:
        return {
            "lost": self.lost(),
            "doubled": self.desk.doubled(),
            "with a step told twice or never": misrecorded(self.all()),
        }


@pytest.mark.parametrize(("kind", "rounds"), ROUNDS.items())
def test_w1_killed_edits_are_done_once(
    kind: str, rounds: int, install: Callable[..., Installation], simulator: Simulator
) -> None:
    killing = Killing(install(kind), simulator)
    for _ in range(rounds):
        killing.kill_at(PLACES)
    if not FULL:
        let_leases_lapse()
    began, left, count = time.monotonic(), len(killing.live()), len(PLACES) * rounds
    killing.send_forms_again()
    ticks = killing.workers.start("tick_for_ever", seconds=0.2)
    holds_within(lambda: not killing.live(), MOST_SECONDS + 10)
    seconds, over = time.monotonic() - began, count - len(killing.live())
    few = LEFT_LIVE * rounds
    report("W1", f"of {count} killed, in the middle of it, on {kind}", left, f">= {few}", holds=left >= few)
    report("W1", f"edits that ended, on {kind}", f"{over}/{count}", "all", holds=over == count)
    report("W1", f"the last of them after, on {kind}", f"{seconds:.1f} s", "<= 30 s", holds=seconds <= MOST_SECONDS)
    for what, found in killing.wrong().items():
        report("W1", f"edits {what}, on {kind}", found, "0", holds=not found)
    kill(ticks)
    killing.kill_at((BEFORE_SENDING,) * rounds)
    let_leases_lapse()
    killing.workers.start("tick_for_ever", seconds=0.1, hastened=40)
    holds_within(lambda: not killing.live(), MOST_SECONDS)
    wrong = sum(killing.wrong().values())
    what = f"of {rounds} killed before sending, lost or doubled, on {kind}"
    report("W1", what, wrong, "0", holds=not wrong)


@pytest.mark.full
def test_w1_notices_that_what_was_sent_is_sent_again(
    install: Callable[..., Installation], simulator: Simulator
) -> None:
    killing = Killing(install("sqlite"), simulator)
    killing.kill_at(("after_send", ANSWERING))
    killing.workers.start("tick_for_ever", seconds=0.2, broken="blind_resume")
    holds_within(lambda: not killing.live(), LEASE_SECONDS + 15)
    doubled = killing.desk.doubled()
    report_bite("W1", "sent again without looking", (doubled and f"{doubled} doubled") or "")


@pytest.mark.full
def test_w1_notices_that_nobody_looks_after_lost_edits(
    install: Callable[..., Installation], simulator: Simulator
) -> None:
    killing = Killing(install("sqlite"), simulator)
    killing.kill_at(("after_intent", "after_claim"))
    killing.workers.start("tick_for_ever", seconds=0.2, broken="no_reaper")
    ended = holds_within(lambda: len(killing.live()) < 2, LEASE_SECONDS + 2)
    report_bite("W1", "nobody looks after lost edits", "" if ended else "2 did not end")
