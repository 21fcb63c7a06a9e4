"""Q3: the processes of a worker are killed: the one that has the job, then all of them."""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from dashboard.management.commands.up import celery_command, worker_command
from phone_numbers.models import Change, SyncRun
from phone_numbers.services.runs import request_sync
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from tests.chaos.edits import Edits
from tests.chaos.processes import Installation, holds_within, kill, ticking, wait_for
from tests.chaos.rows import report
from tests.chaos.worlds import Shaker
from tests.dashboard.processes import Started
from tests.servers import Server
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.full, pytest.mark.timeout(240)]

LEASE_SECONDS = 5
MARGIN_SECONDS = 5
"""For the tick, which comes every second here."""
START_SECONDS = 10
SETTINGS: dict[str, Any] = {
    "LEASE_SECONDS": LEASE_SECONDS,
    "CELERY_BEAT_SCHEDULE": ticking(1.0),
}
LIST = r"DEMO0001/Number/\?"
EMBEDDED = {
    "worker": [sys.executable, *worker_command("celery")],
    "syncs": [sys.executable, *worker_command("syncs")],
    "beat": [sys.executable, *celery_command("beat", "--pidfile=")],
}
simulator = simulator_of(60)


class Job:
    """A sync and an edit, asked for before there are workers, and under way whenever one is killed."""

    def __init__(self, installation: Installation, simulator: Simulator) -> None:
        self.installation, self.simulator = installation, simulator
        account, other = installation.add_accounts("Plivo main", "Twilio main")
        self.edits = Edits(other, simulator)
        self.shaker = Shaker(simulator, account)
        run_sync(request_sync(account, trigger=SyncRun.Trigger.PERSON).pk)
        account.refresh_from_db()
        self.shaker.shake()
        self.run = request_sync(account, trigger=SyncRun.Trigger.PERSON)
        self.change = self.edits.ask()
        self.slow_down()
        SyncRun.objects.filter(pk=self.run.pk).update(lease_expires_at=timezone.now())  # for the next tick

    def slow_down(self) -> None:
        """The next list takes a while, and so does the answer to an edit that has been applied."""
        self.faults = [self.simulator.fault("latency", path=LIST, seconds=2)]
        if not self.edits.effects():
            self.faults.append(self.simulator.fault("latency", method="POST", seconds=1, after=True))

    def wait_until_under_way(self) -> None:
        wait_for(lambda: all(fault.struck for fault in self.faults), 60, lambda: self.faults)

    def attempt(self) -> int:
        return SyncRun.objects.get(pk=self.run.pk).attempt

    def is_over(self) -> bool:
        live = Change.objects.filter(pk=self.change.pk, state__in=Change.LIVE)
        return not live.exists() and SyncRun.objects.get(pk=self.run.pk).state == SyncRun.State.COMPLETE


def pool_of(parent: Started) -> list[int]:
    return [pid for pid in parent.family() if pid != parent.process.pid]


def report_job(job: Job, how: str) -> None:
    over = holds_within(job.is_over, 60)
    wrong = job.shaker.lost() + job.shaker.told_twice()
    report("Q3", f"sync and edit done, {how}", over, "yes", holds=over)
    report("Q3", f"numbers lost or told twice, {how}", len(wrong), "0", holds=not wrong)
    bad = job.edits.doubled() + job.edits.lost()
    report("Q3", f"edits lost or doubled, {how}", bad, "0", holds=not bad)


def report_resumed(job: Job, attempt: int, what: str, since: float, extra: float = 0.0) -> None:
    """`extra`: what new workers may take to start."""
    most = LEASE_SECONDS + MARGIN_SECONDS + extra
    wait_for(lambda: job.attempt() >= attempt, most + 20)
    seconds = time.monotonic() - since
    report("Q3", f"resumed after {what}", f"{seconds:.1f} s", f"<= {most:.0f} s", holds=seconds <= most)


def test_q3_killed_pools_lose_nothing(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    installation = install("postgresql", broker[1])
    job = Job(installation, simulator)
    workers = installation.start_services("worker", "syncs", "beat", **SETTINGS)[:2]
    job.wait_until_under_way()
    job.slow_down()
    killed_at = time.monotonic()
    kill(*pool_of(workers[0]), *pool_of(workers[1]))
    report_resumed(job, 2, "its pool was killed", killed_at)
    job.wait_until_under_way()
    killed_at = time.monotonic()
    for worker in workers:
        os.killpg(worker.process.pid, signal.SIGKILL)
    installation.start_services("worker", "syncs", **SETTINGS)
    report_resumed(job, 3, "the whole worker was killed", killed_at, START_SECONDS)
    report_job(job, "prefork")


def test_q3_the_folder_broker_loses_nothing(install: Callable[..., Installation], simulator: Simulator) -> None:
    """The embedded mode: workers of threads, whose messages are files."""
    installation = install("sqlite", "filesystem://")
    job = Job(installation, simulator)
    started = {name: installation.start(name, words, **SETTINGS) for name, words in EMBEDDED.items()}
    job.wait_until_under_way()
    killed_at = time.monotonic()
    for name in ("worker", "syncs"):
        os.killpg(started[name].process.pid, signal.SIGKILL)
        started[name].process.wait()
        installation.start(name, EMBEDDED[name], **SETTINGS)
    report_resumed(job, 2, "an embedded worker was killed", killed_at, START_SECONDS)
    report_job(job, "embedded")


def test_q3_notices_that_nobody_looks_after_lost_runs(
    install: Callable[..., Installation], simulator: Simulator
) -> None:
    installation = install("sqlite", "filesystem://")
    job = Job(installation, simulator)
    started = {name: installation.start(name, words, **SETTINGS) for name, words in EMBEDDED.items()}
    job.wait_until_under_way()
    for name in ("worker", "syncs"):
        os.killpg(started[name].process.pid, signal.SIGKILL)
        installation.start(name, EMBEDDED[name], **SETTINGS, BREAKAGE="no_reaper")
    caught = not holds_within(lambda: job.attempt() > 1, LEASE_SECONDS + MARGIN_SECONDS)
    report("Q3", "with the reaper removed", "caught" if caught else "NOT caught", "caught", holds=caught)
