"""Q9: a worker that exists and does nothing is noticed by the health page."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.processes import Installation, ticking, wait_for
from tests.chaos.rows import report
from tests.servers import Server

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.full, pytest.mark.timeout(240)]

INTERVAL_SECONDS = 1.0
INTERVALS = 3
SETTINGS: dict[str, Any] = {
    "WORKER_SILENCE_SECONDS": INTERVALS * INTERVAL_SECONDS,
    "CELERY_BEAT_SCHEDULE": ticking(INTERVAL_SECONDS),
}


def test_q9_a_worker_that_stands_still_is_noticed(
    install: Callable[..., Installation], broker: tuple[Server, str]
) -> None:
    installation = install("postgresql", broker[1])
    worker, _ = installation.start_services("worker", "beat", **SETTINGS)
    web = installation.start_web(**SETTINGS)
    wait_for(lambda: web.parts()["worker"] == "ok", 20, web.parts)
    os.killpg(worker.process.pid, signal.SIGSTOP)
    seconds = wait_for(lambda: web.parts()["worker"] != "ok", 30, web.parts)
    most = INTERVALS * INTERVAL_SECONDS + 0.5
    bar = f"<= {INTERVALS} intervals (+ 0.5 s)"
    report("Q9", "health is red after", f"{seconds / INTERVAL_SECONDS:.1f} intervals", bar, holds=seconds <= most)
    os.killpg(worker.process.pid, signal.SIGCONT)
    seconds = wait_for(lambda: web.parts()["worker"] == "ok", 30, web.parts)
    report("Q9", "and green again, once it goes on, after", f"{seconds:.1f} s", "<= 15 s", holds=seconds <= 15)
