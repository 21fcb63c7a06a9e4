"""Q2: the broker is restarted three times under load, while jobs end that then cannot be acknowledged."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from phone_numbers.models import Change
from providers.simulator import Simulator
from tests.chaos.edits import Edits
from tests.chaos.processes import Installation, holds_within
from tests.chaos.rows import report
from tests.servers import Server
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.full, pytest.mark.timeout(240)]

RESTARTS = 3
JOBS_AT_ONCE = 8
MOST_SECONDS = 15
DEAF = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--concurrency", "2")
simulator = simulator_of(300, latency_seconds=0.3)


@contextmanager
def load(installation: Installation, edits: Edits) -> Iterator[None]:
    """Edits that come in all the time, rung for when that is possible, and last long enough to overlap anything."""
    stop = threading.Event()

    def edit() -> None:
        while not stop.wait(1):
            installation.send("numbers.apply_change", edits.ask().pk)
        connection.close()

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def restart_in_the_midst(server: Server, installation: Installation, edits: Edits) -> None:
    """While every process of the worker has a job in hand, which ends before the broker is back."""
    for _ in range(JOBS_AT_ONCE):
        installation.send("numbers.apply_change", edits.ask().pk)
    time.sleep(0.5)
    server.stop(signal.SIGTERM)
    time.sleep(2)
    server.start()


def seconds_until_work(installation: Installation, edits: Edits) -> float:
    """From now until an edit is done that is asked and rung for now."""
    began = time.monotonic()
    change = edits.ask()
    holds_within(lambda: installation.send("numbers.apply_change", change.pk), 5)
    confirmed = Change.objects.filter(pk=change.pk, state=Change.State.CONFIRMED)
    holds_within(confirmed.exists, MOST_SECONDS + 2)
    return time.monotonic() - began


def test_q2_workers_survive_restarts_of_the_broker(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    server, url = broker
    installation = install("postgresql", url)
    worker, _ = installation.start_services("worker", "beat")
    edits = Edits(installation.add_accounts("Plivo main")[0], simulator)
    resumed = []
    with load(installation, edits):
        for _ in range(RESTARTS):
            time.sleep(3)
            restart_in_the_midst(server, installation, edits)
            resumed.append(seconds_until_work(installation, edits))
    holds_within(lambda: not edits.live(), 60)
    in_time = sum(seconds <= MOST_SECONDS for seconds in resumed)
    slowest = f"{in_time}/{RESTARTS}, slowest {max(resumed):.1f} s"
    report("Q2", "works again after a restart", slowest, f"<= {MOST_SECONDS} s", holds=in_time == RESTARTS)
    report("Q2", f"of {len(edits.pks)} edits meanwhile, lost", edits.lost(), "0", holds=not edits.lost())
    report("Q2", "effects doubled at the provider", edits.doubled(), "0", holds=not edits.doubled())
    overlapped = "Couldn't ack" in worker.text or "Connection to broker lost" in worker.text
    report("Q2", "jobs were under way when it went", overlapped, "yes", holds=overlapped)


def test_q2_notices_a_worker_that_does_not_hear_of_it(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    """Without gossip and remote control no socket tells a busy worker that its connection is gone."""
    server, url = broker
    installation = install("postgresql", url)
    installation.start_service("worker", *DEAF, CELERY_WORKER_ENABLE_REMOTE_CONTROL=False).wait_for_text("ready.")
    edits = Edits(installation.add_accounts("Plivo main")[0], simulator)
    with load(installation, edits):
        time.sleep(3)
        restart_in_the_midst(server, installation, edits)
        seconds = seconds_until_work(installation, edits)
    caught = seconds > MOST_SECONDS
    report("Q2", "with a deaf worker", "caught" if caught else "NOT caught", "caught", holds=caught)
