"""Q5: two schedules at once, which is one too many: every moment of an account is synced once."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from phone_numbers.models import Account, SyncRun
from providers.simulator import Simulator
from tests.chaos.processes import Installation, holds_within, ticking, wait_for
from tests.chaos.rows import FULL, report
from tests.chaos.worlds import stuck
from tests.servers import Server
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.timeout(240)]

NAMES = ("Plivo main", "Plivo logistics", "Twilio East", "Fone Dynamics dental")
ROUNDS = 5 if FULL else 2
MOST_BROKEN_ROUNDS = 10
"""The broken schedule is late only where it looks at a moment before the other one took it."""
SETTINGS = {"CELERY_BEAT_SCHEDULE": ticking(0.5)}
simulator = simulator_of(40)


def syncs_done() -> int:
    """Whatever they were for."""
    return sum(SyncRun.objects.values_list("attempt", flat=True))


def let_moments_come(accounts: list[Account], rounds: int) -> list[int]:
    """How many syncs each round of moments made."""
    done = []
    for _ in range(rounds):
        before = syncs_done()
        Account.objects.update(next_sync_at=timezone.now())
        wait_for(lambda before=before: syncs_done() >= before + len(accounts), 20)
        holds_within(lambda before=before: syncs_done() > before + len(accounts), 1.2)
        wait_for(lambda: not stuck(accounts), 20)  # or it would stand for the next moment too
        done.append(syncs_done() - before)
    return done


def report_syncs(done: list[int], how: str) -> None:
    good, slots = sum(each == len(NAMES) for each in done) * len(NAMES), len(done) * len(NAMES)
    report("Q5", f"moments synced once, {how}", f"{good}/{slots}", "all", holds=good == slots)


def test_q5_two_tickers_start_one_sync(install: Callable[..., Installation], simulator: Simulator) -> None:
    installation = install("sqlite")
    accounts = installation.add_accounts(*NAMES, is_paused=False, sync_interval_seconds=3600)
    workers = installation.workers()
    for _ in range(2):
        workers.start("tick_for_ever", seconds=0.05)
    wait_for(lambda: syncs_done() >= len(accounts) and not stuck(accounts), 20)
    report_syncs(let_moments_come(accounts, ROUNDS), "two tickers")


@pytest.mark.full
def test_q5_two_beats_start_one_sync(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    installation = install("postgresql", broker[1])
    accounts = installation.add_accounts(*NAMES, is_paused=False, sync_interval_seconds=3600)
    installation.start_services("worker", "syncs", "beat", "beat", **SETTINGS)
    wait_for(lambda: syncs_done() >= len(accounts) and not stuck(accounts), 20)
    report_syncs(let_moments_come(accounts, ROUNDS), "two beats")


@pytest.mark.full
def test_q5_notices_moments_that_are_not_taken(install: Callable[..., Installation], simulator: Simulator) -> None:
    installation = install("sqlite")
    accounts = installation.add_accounts(*NAMES, is_paused=False, sync_interval_seconds=3600)
    workers = installation.workers()
    workers.start("tick_for_ever", seconds=0.05)
    wait_for(lambda: syncs_done() >= len(accounts) and not stuck(accounts), 20)
    workers.start("tick_for_ever", seconds=0.05, broken="no_slot")
    caught = any(let_moments_come(accounts, 1) != [len(accounts)] for _ in range(MOST_BROKEN_ROUNDS))
    report("Q5", "with moments that are not taken", "caught" if caught else "NOT caught", "caught", holds=caught)
