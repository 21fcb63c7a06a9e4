"""A dashboard as `manage.py up` starts it, and somebody who saves one alias after the other in its list.

What became of a save is read from the dashboard's database; what its provider took, from the simulator's log.
"""

import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.dashboard.processes import Started, wait_until
from tests.servers import free_port

HIDDEN = re.compile(r'name="([\w-]+)" value="([^"]*)"')
PIECE = {"HX-Request": "true"}
LARGE = "Plivo main"
LIVE_RUNS = "SELECT count(*) FROM numbers_syncrun WHERE state IN ('queued', 'running')"
NUMBERS = (
    "SELECT n.id, n.remote_id FROM numbers_phonenumber n JOIN numbers_account a ON a.id = n.account_id "
    "WHERE a.name = ? ORDER BY n.id LIMIT 1 OFFSET ?"
)
RUN = (
    "SELECT r.state, r.numbers_seen, r.started_at, r.finished_at FROM numbers_syncrun r "
    "JOIN numbers_account a ON a.id = r.account_id WHERE a.name = ? ORDER BY r.id LIMIT 1"
)
CHANGE = "SELECT state, finished_at FROM numbers_change WHERE number_id = ? ORDER BY id DESC LIMIT 1"


@dataclass(slots=True)
class Click:
    digits: str
    at: float
    """When the form was sent, by the clock."""
    seconds: float
    """From then until its change was confirmed."""
    provider_seconds: float = 0.0
    calls: int = 0


class Dashboard:
    """See the module."""

    def __init__(self, directory: Path, root: str, simulator: str) -> None:
        self.simulator = simulator
        self.browser = httpx.Client(base_url=root, timeout=60, follow_redirects=True)
        self._database = sqlite3.connect(f"file:{directory / 'numberdesk.sqlite3'}?mode=ro", uri=True, timeout=30)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._database.execute(query, values).fetchall()

    def sign_in(self) -> None:
        form = dict(HIDDEN.findall(self.browser.get("/login/").text))
        self.browser.post("/login/", data={**form, "username": "demo", "password": "demo"}).raise_for_status()

    def click(self, rank: int) -> Click:
        """Give the number of this rank another alias, and wait until that is confirmed."""
        ((number, digits),) = self.ask(NUMBERS, LARGE, rank)
        path = f"/numbers/{number}/alias/edit/"
        form = dict(HIDDEN.findall(self.browser.get(path, headers=PIECE).raise_for_status().text))
        at = time.time()
        self.browser.post(path, data={**form, "alias": f"Click {rank}"}, headers=PIECE).raise_for_status()
        wait_until(lambda: self.ask(CHANGE, number)[0][1], 60, digits)
        ((state, finished_at),) = self.ask(CHANGE, number)
        if state != "confirmed":
            raise RuntimeError(f"The edit of {digits} is {state}.")
        return Click(digits, at, moment(finished_at) - at)

    def with_calls(self, clicks: list[Click]) -> list[Click]:
        """What the provider took for each of them."""
        log = httpx.get(f"{self.simulator}/_simulator/requests").json()["log"]
        for click in clicks:
            calls = [call for call in log if f"/{click.digits}/" in call["target"] and call["at"] >= click.at]
            click.provider_seconds, click.calls = sum(call["answered_at"] - call["at"] for call in calls), len(calls)
        return clicks

    def close(self) -> None:
        self.browser.close()
        self._database.close()


@contextmanager
def dashboard(numbers: int, broker_url: str = "") -> Iterator[Dashboard]:
    """The demo, with so many numbers in its largest account; its first sync has just begun."""
    port, simulator_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="numberdesk-bench-") as directory:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "DATA_DIR": directory,
            "PORT": str(port),
            "SIMULATOR_PORT": str(simulator_port),
            "DEMO_NUMBERS": str(numbers),
            **({"CELERY_BROKER_URL": broker_url} if broker_url else {}),
        }
        started = Started([".venv/bin/python", "manage.py", "up"], environment, Path(directory) / "up.log")
        try:
            started.wait_for_text("Numberdesk is at", 60)
            root, simulator = (f"http://127.0.0.1:{each}" for each in (port, simulator_port))
            with closing(Dashboard(Path(directory), root, simulator)) as running:
                running.sign_in()
                yield running
        finally:
            started.process.terminate()
            started.wait_until_gone()


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def clicks(count: int, broker_url: str = "") -> list[Click]:
    """One after the other, while nothing else goes on."""
    with dashboard(2000, broker_url) as running:
        wait_until(lambda: running.ask(RUN, LARGE) and not running.ask(LIVE_RUNS)[0][0], 120)
        return running.with_calls([running.click(rank) for rank in range(count)])


def clicks_during_a_sync(numbers: int) -> tuple[list[Click], int, float]:
    """One after the other, until an account's first sync is over; how many numbers that read, and how long it took."""
    taken: list[Click] = []
    with dashboard(numbers) as running:
        wait_until(lambda: running.ask(NUMBERS, LARGE, 500), 120)
        while running.ask(RUN, LARGE)[0][0] == "running":
            taken.append(running.click(len(taken)))
        ((state, seen, started_at, finished_at),) = running.ask(RUN, LARGE)
        if state != "complete":
            raise RuntimeError(f"The sync is {state}.")
        return running.with_calls(taken), seen, moment(finished_at) - moment(started_at)
