"""Q6: PostgreSQL is stopped at once and started again in the midst of a sync and an edit. Nothing else is restarted."""

import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from phone_numbers.models import Change, SyncRun
from phone_numbers.services.runs import request_sync
from providers.simulator import Simulator
from tests.chaos.edits import Edits
from tests.chaos.processes import Installation, Web, holds_within, migrate, ticking, wait_for
from tests.chaos.rows import report
from tests.chaos.worlds import Shaker
from tests.servers import Server, start_postgresql
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.full, pytest.mark.timeout(180)]

MOST_WEB_SECONDS = 5
SETTINGS = {
    "LEASE_SECONDS": 5,
    "CELERY_BEAT_SCHEDULE": ticking(1.0),
}
simulator = simulator_of(60)


@pytest.fixture
def database() -> Iterator[tuple[Server, str]]:
    server, url = start_postgresql("synchronous_commit=on")
    yield server, url
    server.remove()


class Visitor:
    """Asks for a page all the time, and remembers when that failed."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.failed_at: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()

    def _visit(self) -> None:
        while not self._stop.wait(0.05):
            if self.web.status("/numbers/") != 200:
                self.failed_at.append(time.monotonic())

    def leave(self) -> float:
        """Seconds between the first failure and the last."""
        self._stop.set()
        self._thread.join()
        return self.failed_at[-1] - self.failed_at[0] if self.failed_at else 0.0


def test_q6_everything_outlives_a_restart_of_the_database(
    install: Callable[..., Installation],
    simulator: Simulator,
    broker: tuple[Server, str],
    database: tuple[Server, str],
) -> None:
    server, url = database
    migrate(url)
    installation = install(broker_url=broker[1], database_url=url)
    account, other = installation.add_accounts("Plivo main", "Twilio main")
    edits, shaker = Edits(other, simulator), Shaker(simulator, account)
    started = installation.start_services("worker", "syncs", "beat", **SETTINGS)
    web = installation.start_web(**SETTINGS)
    web.sign_in(edits.user)
    shaker.shake()
    faults = [
        simulator.fault("latency", path=r"DEMO0001/Number/\?", seconds=2),
        simulator.fault("latency", method="POST", seconds=1, after=True),
    ]
    run, change = request_sync(account, trigger=SyncRun.Trigger.PERSON), edits.ask()
    installation.send("numbers.sync_account", run.pk)
    installation.send("numbers.apply_change", change.pk)
    wait_for(lambda: all(fault.struck for fault in faults), 20)
    visitor = Visitor(web)
    time.sleep(0.3)
    server.stop(signal.SIGQUIT)
    time.sleep(1)
    server.start()
    connection.close()
    live = Change.objects.filter(pk=change.pk, state__in=Change.LIVE)
    runs = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.COMPLETE)
    over = holds_within(lambda: runs.exists() and not live.exists(), 40)
    seconds = visitor.leave()
    report("Q6", "the sync and the edit are done", over, "yes", holds=over)
    same = all(each.process.poll() is None for each in (*started, web.started))
    report("Q6", "by the processes that were there before", same, "yes", holds=same)
    lost = edits.lost() + edits.doubled() + len(shaker.lost())
    report("Q6", "lost, doubled or stale", lost, "0", holds=not lost)
    report("Q6", "pages failed at all", len(visitor.failed_at), ">= 1", holds=bool(visitor.failed_at))
    good = seconds <= MOST_WEB_SECONDS
    report("Q6", "pages failed for", f"{seconds:.1f} s", f"<= {MOST_WEB_SECONDS} s", holds=good)
