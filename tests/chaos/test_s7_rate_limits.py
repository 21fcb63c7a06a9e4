"""S7: a provider that says “slow down” to every third call, in every way there is, is obeyed, and read to the end.

The clock is played: only calls to sleep move it. A day's wait is not sat out: a call waits 120 seconds at most, and the
whole account is silent so long; should that not be enough, the run ends and the schedule asks again.
"""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

import pytest
import time_machine
from django.db import transaction
from pytest_django import Settings

from phone_numbers.models import SyncRun
from phone_numbers.services import connections
from providers import limits
from providers.contract import Rate
from providers.limits import Limiter, MemoryWindow
from providers.plivo import Plivo
from providers.registry import open_provider
from providers.simulator import Simulator
from providers.simulator.request_log import LoggedRequest
from tests.chaos.rows import FULL, report
from tests.phone_numbers.jobs import make_account, presences, sync
from tests.simulators import TODAY

NUMBERS = 200
RATE = Rate(requests=8, seconds=1.0)
KINDS = ("3", "date", "0", None, "soon", "86400")
SHARE = 1 - (1 - 0.3) ** (1 / len(KINDS))
"""Of the calls that reach a fault, so that three of ten meet one."""
LONGEST_SECONDS, BACKOFF_SECONDS = 120.0, 4.0
MOST_RUNS = 4
SEEDS = range(1, 11) if FULL else range(1, 3)


class PlayedTime:
    """Stands still but for sleeping. The limiter takes its `monotonic` and `sleep` for those of `time`."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller, self._lock = traveller, threading.Lock()
        self.waits: list[float] = []
        """Of single calls, for another try."""

    def monotonic(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._traveller.shift(seconds)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.sleep(seconds)


class PlayedLimiter(Limiter):
    """Sleeps in played time only, whatever it is given to sleep with."""

    def __init__(self, played: PlayedTime) -> None:
        super().__init__(MemoryWindow(RATE))
        self._played = played

    def wait(self, longest: float, **_: object) -> float:
        return super().wait(longest, sleep=self._played.sleep)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedTime]:
    with time_machine.travel(dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC), tick=False) as traveller:
        played = PlayedTime(traveller)
        monkeypatch.setattr(limits, "time", played)
        limiter = PlayedLimiter(played)
        monkeypatch.setattr(connections, "shared_limiter", lambda *_: limiter)
        monkeypatch.setattr(connections, "open_provider", lambda *a, **k: open_provider(*a, **k, sleep=played.wait))
        yield played


def asked_seconds(answer: LoggedRequest) -> float:
    """How long the answer asked us to wait, as far as anybody waits."""
    hint = answer.retry_after
    if hint.isdigit():
        return min(float(hint), LONGEST_SECONDS)
    return max(parsedate_to_datetime(hint).timestamp() - answer.answered_at, 0.0) if hint.endswith("GMT") else 0.0


def early_calls(answers: list[LoggedRequest], *, alone: bool) -> int:
    """Calls made before the moment that an answer named: the same one again, or any later one of the account.

    The latter only where calls are made one by one: others may be under way while played time leaps.
    """
    early = 0
    for rank, refusal in enumerate(answers):
        if refusal.status == 429 and (seconds := asked_seconds(refusal)):
            until = refusal.answered_at + seconds - 0.001
            early += sum(
                call.at < until and (call.target == refusal.target or (alone and call.at > refusal.answered_at))
                for call in answers[rank + 1 :]
            )
    return early


def most_in_a_window(answers: list[LoggedRequest]) -> int:
    calls = sorted(call.at for call in answers)
    return max(sum(at <= other < at + RATE.seconds for other in calls) for at in calls)


@dataclass
class Tally:
    runs: int = 0
    complete: bool = False
    early: int = 0
    most: int = 0
    refused: int = 0
    calls: int = 0


def read_to_the_end(settings: Settings, played: PlayedTime, seed: int, in_flight: int) -> Tally:
    """Sync after sync, as scheduled, until one is complete."""
    with Simulator(numbers=NUMBERS, seed=seed, today=TODAY) as simulator, transaction.atomic():
        settings.SIMULATOR_URL = simulator.root
        account = make_account()
        for kind in KINDS:
            simulator.fault("rate_limited", retry_after=kind, seconds=7, probability=SHARE, times=0)
        tally = Tally()
        while tally.runs < MOST_RUNS and not tally.complete:
            played.sleep(account.sync_interval_seconds)
            tally.complete = sync(account).state == SyncRun.State.COMPLETE
            tally.runs += 1
        tally.complete = tally.complete and presences(account) == {"present": NUMBERS}
        transaction.set_rollback(True)
    answers = list(simulator.requests.kept)
    tally.early, tally.most = early_calls(answers, alone=in_flight == 1), most_in_a_window(answers)
    tally.refused, tally.calls = simulator.requests.by_status[429], len(answers)
    return tally


@pytest.mark.parametrize("in_flight", [1, 8])
def test_s7_rate_limits(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, played: PlayedTime, in_flight: int
) -> None:
    monkeypatch.setattr(Plivo, "capabilities", replace(Plivo.capabilities, max_in_flight=in_flight))
    tallies = [read_to_the_end(settings, played, seed, in_flight) for seed in SEEDS]
    refused, calls = sum(tally.refused for tally in tallies), sum(tally.calls for tally in tallies)
    runs = max(tally.runs for tally in tallies)
    complete = all(tally.complete for tally in tallies)
    figure = f"{runs} ({refused:,} of {calls:,} calls refused)"
    report("S7", f"{in_flight} in flight: runs until all was read, at most", figure, f"≤ {MOST_RUNS}", holds=complete)
    early = sum(tally.early for tally in tallies)
    report(
        "S7",
        f"{in_flight} in flight: calls before the moment that was named",
        early,
        "0",
        holds=refused > 0 and not early,
    )
    if in_flight == 1:  # Else played time leaps between a call's leaving and its arrival.
        most = max(tally.most for tally in tallies)
        report(
            "S7",
            f"{in_flight} in flight: calls in any one second, at most",
            most,
            f"≤ {RATE.requests}",
            holds=most <= RATE.requests,
        )
    longest = max(played.waits)
    bar = f"≤ {LONGEST_SECONDS:.0f} s + {BACKOFF_SECONDS:.0f} s back-off"
    holds = longest <= LONGEST_SECONDS + BACKOFF_SECONDS
    report("S7", f"{in_flight} in flight: one wait, at most", f"{longest:.1f} s", bar, holds=holds)
