"""S3: whatever statement or request a sync is killed at, the next one finishes by itself and nothing is lost."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from phone_numbers.models import Account, SyncRun
from phone_numbers.services.runs import request_sync
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from tests.chaos.processes import Installation, holds_within, kill, wait_for, wait_until_dead
from tests.chaos.rows import FULL, report
from tests.chaos.worlds import Shaker, stuck
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.timeout(240)]

NAMES = ("Plivo main", "Plivo logistics", "Twilio main", "SignalWire main", "Fone Dynamics trades")
"""One worker each is killed in every round."""
ROUNDS = 5 if FULL else 1
LEASE_SECONDS = 1
MOST_SECONDS = 30.0
CLAIMED = 8
"""So many statements, and the worker has the run. Before that a message was lost, which is another row's business."""
simulator = simulator_of(60)


class Round:
    """All accounts change, are synced, and lose their worker at different points."""

    def __init__(self, installation: Installation, shakers: list[Shaker], **chaos: Any) -> None:
        self.installation, self.shakers = installation, shakers
        self.workers = installation.workers(LEASE_SECONDS=LEASE_SECONDS, **chaos)
        self.wrongly_absent: list[str] = []
        self.interrupted = 0

    def shake(self) -> list[SyncRun]:
        for shaker in self.shakers:
            shaker.shake()
        accounts = Account.objects.filter(pk__in=[shaker.account.pk for shaker in self.shakers])
        return [request_sync(account, trigger=SyncRun.Trigger.PERSON) for account in accounts.order_by("pk")]

    def kill(self, runs: list[SyncRun], points: list[dict[str, Any]]) -> None:
        pids = [
            self.workers.start("run_sync", pk=run.pk, killed=point) for run, point in zip(runs, points, strict=True)
        ]
        for run, pid, point in zip(runs, pids, points, strict=True):
            if not point:
                holds_within(lambda pk=run.pk: SyncRun.objects.get(pk=pk).attempt, 5)
                time.sleep(random.uniform(0, 0.1))
                kill(pid)
        wait_until_dead(*pids)
        self.interrupted += SyncRun.objects.filter(pk__in=[run.pk for run in runs], state__in=SyncRun.LIVE).count()
        self.look()

    def look(self) -> None:
        self.wrongly_absent += [digits for shaker in self.shakers for digits in shaker.wrongly_absent()]


def counted_sync(run: SyncRun, simulator: Simulator) -> tuple[int, int]:
    """How many statements and requests an undisturbed sync takes."""
    statements = 0

    def count(execute: Callable[..., Any], *rest: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*rest)

    simulator.requests.clear()
    with connection.execute_wrapper(count):
        run_sync(run.pk)
    return statements, simulator.requests.by_status.total()


def points_of(rounds: int, counts: list[tuple[int, int]]) -> list[list[dict[str, Any]]]:
    """For every round a point for each account, spread over its whole sync: statements, requests, and any moment."""
    drawn = random.Random(rounds)
    points = []
    for turn in range(rounds):
        part = (turn + drawn.random()) / rounds
        row: list[dict[str, Any]] = []
        for place, (statements, requests) in enumerate(counts):
            kind = (turn + place) % 5
            if kind < 2:
                row.append({"statement": CLAIMED + int(part * (statements - CLAIMED)), "after": kind == 1})
            elif kind < 4:
                row.append({"request": 1 + int(part * requests), "after": kind == 3})
            else:
                row.append({})
        points.append(row)
    return points


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"] if FULL else ["sqlite"])
def test_s3_killed_syncs_are_finished_by_others(
    kind: str, install: Callable[..., Installation], simulator: Simulator
) -> None:
    installation = install(kind)
    accounts = installation.add_accounts(*NAMES)
    shakers = [Shaker(simulator, account) for account in accounts]
    rounds = Round(installation, shakers)
    for run in rounds.shake():
        run_sync(run.pk)
    counts = [counted_sync(run, simulator) for run in rounds.shake()]
    installation.workers(LEASE_SECONDS=LEASE_SECONDS).start("tick_for_ever", seconds=0.2)
    lost, doubled, finished, slowest = [], [], 0, 0.0
    for points in points_of(ROUNDS, counts):
        runs = rounds.shake()
        rounds.kill(runs, points)
        slowest = max(slowest, wait_for(lambda: not stuck(accounts), MOST_SECONDS, lambda: stuck(accounts)))
        states = SyncRun.objects.filter(pk__in=[run.pk for run in runs])
        finished += states.filter(state=SyncRun.State.COMPLETE).count()
        rounds.look()
        lost += [digits for shaker in shakers for digits in shaker.lost()]
        doubled += [alias for shaker in shakers for alias in shaker.told_twice()]
    on, killed, wrong = f"on {kind}", ROUNDS * len(NAMES), rounds.wrongly_absent
    few = killed * 0.6
    report(
        "S3",
        f"of {killed} killed, in the middle of it, {on}",
        rounds.interrupted,
        f">= {few:.0f}",
        holds=rounds.interrupted >= few,
    )
    report("S3", f"killed syncs finished unattended, {on}", f"{finished}/{killed}", "all", holds=finished == killed)
    report("S3", f"slowest of them, {on}", f"{slowest:.1f} s", f"<= {MOST_SECONDS:.0f} s", holds=slowest <= 30)
    report("S3", f"numbers lost or stale, {on}", len(lost), "0", holds=not lost)
    report("S3", f"wrongly missing or released, {on}", len(wrong), "0", holds=not wrong)
    report("S3", f"events told twice or never, {on}", len(doubled), "0", holds=not doubled)


@pytest.mark.full
def test_s3_notices_that_nobody_looks_after_lost_runs(
    install: Callable[..., Installation], simulator: Simulator
) -> None:
    """Without the reaper a killed run stays where it is."""
    installation = install("sqlite")
    (account,) = installation.add_accounts(NAMES[0])
    rounds = Round(installation, [Shaker(simulator, account)])
    rounds.kill(rounds.shake(), [{"request": 3}])
    rounds.workers.start("tick_for_ever", seconds=0.2, broken="no_reaper")
    caught = not holds_within(lambda: not stuck([account]), LEASE_SECONDS + 1.5)
    report("S3", "with the reaper removed", "caught" if caught else "NOT caught", "caught", holds=caught)
