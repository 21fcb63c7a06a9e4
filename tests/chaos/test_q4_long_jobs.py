"""Q4: a job that lasts longer than the broker waits for an acknowledgement, with three workers who are offered it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from phone_numbers.models import SyncRun
from phone_numbers.services.runs import request_sync
from providers.simulator import Simulator
from tests.chaos.processes import Installation, wait_for
from tests.chaos.rows import report
from tests.chaos.worlds import stuck
from tests.dashboard.processes import Started
from tests.servers import Server
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.full, pytest.mark.timeout(240)]

WORKERS = 3
LEASE_SECONDS = 5
STARTED = re.compile(r"task_started.*numbers\.sync_account")
ENDED = re.compile(r"task_succeeded|task_failed")
BEGINNING = r"DEMO0002/Number/\?.*offset=0\b"
"""A sync reads the list once, from its first page on."""
simulator = simulator_of(60)


def offers_and_effects(
    installation: Installation, simulator: Simulator, seconds: float, patience: int, **chaos: Any
) -> tuple[int, int]:
    """How often workers got the message of one long sync, and how often the provider saw its list begun.

    The provider counts a request as it comes, and nobody is at work any more when its count is taken.
    """
    chaos = {"LEASE_SECONDS": LEASE_SECONDS, **chaos}
    chaos["CELERY_BROKER_TRANSPORT_OPTIONS"] = {"visibility_timeout": patience, "unacked_restore_interval": 1}
    workers = [
        installation.start_service("syncs", "--hostname", f"{number}@here", "--concurrency", "2", **chaos)
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.wait_for_text("ready.")
    (account,) = installation.add_accounts("Plivo logistics")
    begun = simulator.fault("latency", path=BEGINNING, seconds=seconds)
    run = request_sync(account, trigger=SyncRun.Trigger.PERSON)
    installation.send("numbers.sync_account", run.pk)
    wait_for(lambda: not stuck([account]), seconds + 20)
    wait_for(lambda: 0 < count_lines(workers, STARTED) == count_lines(workers, ENDED), seconds + 20)
    return count_lines(workers, STARTED), begun.seen


def count_lines(workers: list[Started], line: re.Pattern[str]) -> int:
    return sum(len(line.findall(worker.text)) for worker in workers)


def test_q4_long_jobs_are_done_once(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    installation = install("postgresql", broker[1])
    offers, effects = offers_and_effects(installation, simulator, seconds=22, patience=5)
    report("Q4", "messages of a 22 s job, 5 s patience", offers, ">= 2", holds=offers >= 2)
    report("Q4", "times it was done", effects, "1", holds=effects == 1)


def test_q4_notices_that_runs_are_not_claimed(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    installation = install("postgresql", broker[1])
    _, effects = offers_and_effects(installation, simulator, seconds=8, patience=2, BREAKAGE="no_claim")
    caught = effects > 1
    report("Q4", "with the claim removed", "caught" if caught else "NOT caught", "caught", holds=caught)
