"""Q10: a worker's memory over two thousand small jobs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from dashboard.management.commands.up import worker_command
from providers.simulator import Simulator
from tests.chaos.edits import Edits
from tests.chaos.processes import Installation, wait_for
from tests.chaos.rows import report
from tests.servers import Server
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.full, pytest.mark.timeout(400)]

JOBS = 2000
WARM_UP = 300
EDITS = 50
MOST_MEGABYTES = 20
THREADS = [sys.executable, *worker_command("celery")]
"""The embedded mode's worker: its threads are never replaced, as a pool's processes are."""
simulator = simulator_of(2 * EDITS + 20)


def megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def growth(installation: Installation, simulator: Simulator, jobs: int, **chaos: Any) -> float:
    """Megabytes, from the end of the warm-up to the end of so many jobs."""
    edits = Edits(installation.add_accounts("Plivo main")[0], simulator)
    worker = installation.start("threads", THREADS, **chaos)
    worker.wait_for_text("ready.")
    sizes = []
    with redis.Redis.from_url(installation.broker_url) as queue:
        for part in (WARM_UP, jobs):
            pks = [edits.ask().pk for _ in range(EDITS)] + [0] * (part - EDITS)
            assert installation.send("numbers.apply_change", *pks)
            wait_for(lambda: not queue.llen("celery") and not edits.live(), 180)
            sizes.append(megabytes(worker.process.pid))
    assert edits.lost() == 0
    return sizes[1] - sizes[0]


def test_q10_memory_stays_flat(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    grown = growth(install("postgresql", broker[1]), simulator, JOBS)
    good = grown <= MOST_MEGABYTES
    report("Q10", f"growth over {JOBS:,} jobs", f"{grown:.1f} MB", f"<= {MOST_MEGABYTES} MB", holds=good)


def test_q10_notices_a_leak(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    """Of 100 kB a job."""
    caught = growth(install("postgresql", broker[1]), simulator, JOBS // 4, BREAKAGE="leak") > MOST_MEGABYTES
    report("Q10", "with a leak", "caught" if caught else "NOT caught", "caught", holds=caught)
