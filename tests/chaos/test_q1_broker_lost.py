"""Q1: the broker is killed with a hundred jobs in it, and keeps nothing."""

import signal
import time
from collections.abc import Callable

import pytest

from providers.simulator import Simulator
from tests.chaos.edits import Edits
from tests.chaos.processes import Installation, holds_within, ticking, wait_for
from tests.chaos.rows import report
from tests.servers import Server
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.full, pytest.mark.timeout(240)]

JOBS = 100
MOST_SECONDS = 45
SOON = ticking(1.0)
FORGETFUL = pytest.mark.parametrize("broker", [()], indirect=True, ids=["without-persistence"])
simulator = simulator_of(150, latency_seconds=0.02)


def lose_jobs(installation: Installation, simulator: Simulator, server: Server) -> Edits:
    """A hundred edits are queued, some are done, and the broker starts again empty."""
    edits = Edits(installation.add_accounts("Plivo main")[0], simulator)
    for change in [edits.ask() for _ in range(JOBS)]:
        assert installation.send("numbers.apply_change", change.pk)
    wait_for(lambda: edits.confirmed() >= 3, 30, edits.states)
    server.stop(signal.SIGKILL)
    time.sleep(1)
    server.start()
    return edits


@FORGETFUL
def test_q1_lost_jobs_are_found(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    server, url = broker
    installation = install("postgresql", url)
    installation.start_services("worker", "beat")
    edits = lose_jobs(installation, simulator, server)
    began, left = time.monotonic(), edits.live()
    holds_within(lambda: not edits.live(), MOST_SECONDS + 10)
    seconds = time.monotonic() - began
    report("Q1", "jobs in the broker when it was lost", left, ">= 50", holds=left >= 50)
    report("Q1", "edits done at last", f"{edits.confirmed()}/{JOBS}", "all", holds=edits.confirmed() == JOBS)
    report("Q1", "after", f"{seconds:.0f} s", f"<= {MOST_SECONDS} s", holds=seconds <= MOST_SECONDS)
    report("Q1", "effects doubled at the provider", edits.doubled(), "0", holds=not edits.doubled())


@FORGETFUL
def test_q1_notices_that_nobody_looks_after_lost_jobs(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    server, url = broker
    installation = install("postgresql", url)
    installation.start_services("worker", "beat", BREAKAGE="no_reaper", CELERY_BEAT_SCHEDULE=SOON)
    edits = lose_jobs(installation, simulator, server)
    caught = not holds_within(lambda: not edits.live(), 8)
    report("Q1", "with the reaper removed", "caught" if caught else "NOT caught", "caught", holds=caught)
