"""S11: of many who start an account's sync one runs, and a worker that wakes up too late commits nothing."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from phone_numbers.models import Account, SyncRun
from phone_numbers.services.runs import request_sync
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from tests.chaos.processes import Installation, Workers, holds_within, kill, wait_for, wait_until_dead
from tests.chaos.rows import FULL, report
from tests.chaos.worlds import Shaker, everything_committed, stuck
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.timeout(240)]

STARTS = 30 if FULL else 8
"""At once, from threads of as many PROCESSES."""
PROCESSES = 6 if FULL else 4
TRIALS = 30 if FULL else 3
ZOMBIE_ROUNDS = 2 if FULL else 1
LEASE_SECONDS = 1
PATIENCE_SECONDS = 10
"""For starts on a busy machine."""
LISTINGS = {
    "Plivo main": r"DEMO0001/Number/\?",
    "Plivo logistics": r"DEMO0002/Number/\?",
    "Twilio main": r"0001/IncomingPhoneNumbers\.json",
    "Twilio East": r"0002/IncomingPhoneNumbers\.json",
    "SignalWire main": r"/relay/rest/phone_numbers\?",
}
"""The accounts whose workers stand still, and the paths of their lists."""
simulator = simulator_of(60)


def start_together(workers: Workers, simulator: Simulator, account: Account, **order: Any) -> None:
    """Whoever runs waits at its list until all have asked."""
    everyone_asked = threading.Event()
    simulator.fault("act", path=LISTINGS[account.name], action=lambda _: everyone_asked.wait(2 * PATIENCE_SECONDS))
    asked = workers.log.parent / f"asked-{uuid.uuid4().hex}"
    order = {"pk": account.pk, "at": time.time() + 0.2, "threads": STARTS // PROCESSES, "asked": str(asked), **order}
    pids = [workers.start("start_syncs", **order) for _ in range(PROCESSES)]
    holds_within(lambda: asked.exists() and asked.stat().st_size == STARTS, PATIENCE_SECONDS)
    everyone_asked.set()
    wait_until_dead(*pids)


def runs_done(account: Account) -> int:
    """How often a worker did a sync of it, whether or not the row tells."""
    return sum(SyncRun.objects.filter(account=account).values_list("attempt", flat=True))


def trials_with_one_run(installation: Installation, simulator: Simulator, trials: int, **order: Any) -> int:
    (account,) = installation.add_accounts("Plivo main")
    workers = installation.workers()
    good = 0
    for _ in range(trials):
        before = runs_done(account)
        start_together(workers, simulator, account, **order)
        good += runs_done(account) - before == 1 and not stuck([account])
    return good


def test_s11_one_of_many_starts_runs(install: Callable[..., Installation], simulator: Simulator) -> None:
    good = trials_with_one_run(install("sqlite"), simulator, TRIALS)
    report("S11", f"of {STARTS} starts at once, one ran", f"{good}/{TRIALS}", "all", holds=good == TRIALS)


@pytest.mark.full
def test_s11_notices_that_runs_are_not_claimed(install: Callable[..., Installation], simulator: Simulator) -> None:
    good = trials_with_one_run(install("sqlite"), simulator, 1, broken="no_claim")
    report("S11", "with the claim removed", "NOT caught" if good else "caught", "caught", holds=not good)


def stopped_while_listing(
    workers: Workers, installation: Installation, simulator: Simulator, shakers: list[Shaker], **order: Any
) -> list[int]:
    """Workers that hold a page in their hands while others took over and did the sync."""
    pids = []
    for shaker in shakers:
        shaker.shake()
        account = Account.objects.get(pk=shaker.account.pk)
        listing = simulator.fault("latency", path=LISTINGS[account.name], seconds=1, after=True)
        run = request_sync(account, trigger=SyncRun.Trigger.PERSON)
        pids.append(workers.start("run_sync", pk=run.pk, **order))
        wait_for(lambda listing=listing: listing.struck, 30)
        os.kill(pids[-1], signal.SIGSTOP)
    for shaker in shakers:
        shaker.shake()
    ticker = workers.start("tick_for_ever", seconds=0.2)
    wait_for(lambda: not stuck(installation.accounts), 60, lambda: stuck(installation.accounts))
    kill(ticker)
    wait_until_dead(ticker)
    simulator.faults.clear()
    return pids


def commits_of_zombies(installation: Installation, simulator: Simulator, rounds: int, **order: Any) -> tuple[int, int]:
    """How many workers woke up too late, and how many rounds of them changed anything."""
    installation.add_accounts(*LISTINGS)
    shakers = [Shaker(simulator, account) for account in installation.accounts]
    for account in installation.accounts:
        run_sync(request_sync(account, trigger=SyncRun.Trigger.PERSON).pk)
    workers = installation.workers(LEASE_SECONDS=LEASE_SECONDS)
    woken = changed = 0
    for _ in range(rounds):
        pids = stopped_while_listing(workers, installation, simulator, shakers, **order)
        before = everything_committed(installation.accounts)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        wait_until_dead(*pids)
        woken += len(pids)
        changed += everything_committed(installation.accounts) != before
    return woken, changed


def test_s11_zombies_commit_nothing(install: Callable[..., Installation], simulator: Simulator) -> None:
    woken, changed = commits_of_zombies(install("sqlite"), simulator, ZOMBIE_ROUNDS)
    report("S11", f"commits of {woken} workers woken too late", changed, "0", holds=not changed)


@pytest.mark.full
def test_s11_notices_that_the_fence_is_gone(install: Callable[..., Installation], simulator: Simulator) -> None:
    _, changed = commits_of_zombies(install("sqlite"), simulator, 1, broken="no_fence")
    report("S11", "with the fence removed", "caught" if changed else "NOT caught", "caught", holds=bool(changed))
