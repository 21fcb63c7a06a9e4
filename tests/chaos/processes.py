"""Installations to be broken: each has a database, a directory and perhaps a broker of its own.

While one is in use, this process's own database is its database, so tests ask it with the models. The provider is a
simulator in this process; its world and journal judge what really happened.
"""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from celery import current_app
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from kombu.connection import Connection
from kombu.exceptions import KombuError

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account, PhoneNumber
from phone_numbers.services.demo import DEMO_ACCOUNTS
from providers.simulator import Simulator
from tests.dashboard.compose import compose
from tests.dashboard.processes import ROOT, Started
from tests.phone_numbers.pages import PIECE
from tests.servers import Server, free_port, postgresql_url, start_redis

VALUES = dict.fromkeys(("SECRET_KEY", "CREDENTIALS_KEYS", "ALLOWED_HOSTS", "POSTGRES_PASSWORD", "REDIS_PASSWORD"), "-")

READY = {"worker": "ready.", "syncs": "ready.", "beat": "beat: Starting", "web": ""}
"""What a service says once it works."""
HIDDEN = re.compile(r'type="hidden" name="([\w-]+)" value="([^"]*)"')
QUEUES = {"numbers.apply_change": "celery", "numbers.sync_account": "syncs", "numbers.tick": "celery"}


def ticking(seconds: float) -> dict[str, Any]:
    """A schedule that beats so often, for CELERY_BEAT_SCHEDULE; as shipped it is 15 seconds."""
    return {"Start due syncs and re-send lost work": {"task": "numbers.tick", "schedule": seconds}}


def wait_for(condition: Callable[[], Any], seconds: float, why: Callable[[], object] = lambda: "") -> float:
    """Seconds until it holds; fails after so many."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"It did not happen within {seconds} s. {why()}"
        time.sleep(0.02)
    return time.monotonic() - began


def holds_within(condition: Callable[[], Any], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return bool(found)


class Workers:
    """Bare workers: forked from one process, each does one job and can be killed, stopped and woken up."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        self._answers, theirs = os.pipe()
        with log.open("wb") as written:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.bare", str(theirs)],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=written,
                stderr=written,
                pass_fds=[theirs],
                start_new_session=True,
            )
        os.close(theirs)
        self._lines = os.fdopen(self._answers)

    def start(self, duty: str, **order: Any) -> int:
        """The worker's process id."""
        assert self._parent.stdin
        self._parent.stdin.write(json.dumps({"duty": duty, **order}).encode() + b"\n")
        self._parent.stdin.flush()
        return int(self._lines.readline() or self._failed())

    def _failed(self) -> int:
        raise AssertionError(self.log.read_text())

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._parent.pid, signal.SIGKILL)
        self._parent.wait()
        self._lines.close()
        if self._parent.stdin:
            self._parent.stdin.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until_dead(*pids: int, seconds: float = 60) -> None:
    wait_for(lambda: not any(map(is_alive, pids)), seconds, lambda: f"Alive: {[*filter(is_alive, pids)]}")


class Installation:
    """See the module. What it started ends with it."""

    def __init__(self, directory: Path, database_url: str, simulator: Simulator, broker_url: str = "") -> None:
        self.directory, self.database_url = directory, database_url
        self.simulator, self.broker_url = simulator, broker_url
        self.accounts: list[Account] = []
        self._ends: list[Callable[[], object]] = []

    def environment(self, **chaos: Any) -> dict[str, str]:
        """Of its processes. `chaos`: settings that are not as shipped."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOSTNAME": "here",
            "PYTHONUNBUFFERED": "1",
            "LOG_LEVEL": "INFO",
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "DATA_DIR": str(self.directory),
            "DATABASE_URL": self.database_url,
            "CELERY_BROKER_URL": self.broker_url or "filesystem://",
            "SIMULATOR_URL": self.simulator.root,
            "SECRET_KEY": settings.SECRET_KEY,
            "CREDENTIALS_KEYS": ",".join(settings.CREDENTIALS_KEYS),
            "CHAOS_SETTINGS": json.dumps(chaos),
        }

    def workers(self, environment: dict[str, str] | None = None, **chaos: Any) -> Workers:
        log = self.directory / f"workers-{secrets.token_hex(2)}.log"
        workers = Workers({**self.environment(**chaos), **(environment or {})}, log)
        self._ends.append(workers.end)
        return workers

    def start(self, name: str, command: list[str], **chaos: Any) -> Started:
        log = self.directory / f"{name}-{secrets.token_hex(2)}.log"
        started = Started(command, self.environment(**chaos), log)
        self._ends.append(started.sweep)
        return started

    def start_service(self, name: str, *more: str, **chaos: Any) -> Started:
        """A service of docker-compose.yml, by its own command, and `more` words."""
        words = compose(VALUES)["services"][name]["command"]
        return self.start(name, [*words, *more], **chaos)

    def start_services(self, *names: str, **chaos: Any) -> list[Started]:
        """Services of docker-compose.yml, ready for work."""
        started = [self.start_service(name, **chaos) for name in names]
        for name, each in zip(names, started, strict=True):
            each.wait_for_text(READY[name])
        return started

    def start_web(self, **chaos: Any) -> "Web":
        port = free_port()
        web = Web(self.start_service("web", "--bind", f"127.0.0.1:{port}", **chaos), port)
        self._ends.append(web.browser.close)
        return web

    def send(self, task: str, *pks: int) -> bool:
        """Ring for jobs, as pages do. False when the broker cannot be reached; a page does not mind either."""
        options = {"socket_timeout": 2, "socket_connect_timeout": 2, "max_retries": 0}
        try:
            with Connection(self.broker_url, transport_options=options) as broker:
                for pk in pks:
                    current_app.send_task(task, args=[pk], connection=broker, retry=False, queue=QUEUES[task])
        except (KombuError, OSError):
            return False
        return True

    def add_accounts(self, *names: str, **columns: Any) -> list[Account]:
        """The demo's accounts of these names, or all of them; never due by themselves."""
        columns = {"is_demo": True, "is_paused": True, **columns}
        chosen = [each for each in DEMO_ACCOUNTS if not names or each.name in names]
        self.accounts = [
            Account.objects.create(
                name=each.name, provider=each.provider, credentials=Sealed.seal(each.credentials), **columns
            )
            for each in chosen
        ]
        return self.accounts

    def end(self) -> None:
        for end in reversed(self._ends):
            end()


class Web:
    """The web server, and one who is signed in to it."""

    def __init__(self, started: Started, port: int) -> None:
        self.started = started
        self.browser = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
        wait_for(lambda: self.status("/livez") == 200, 30, lambda: started.text)

    def status(self, path: str) -> int:
        """0 when there is no answer at all."""
        try:
            return self.browser.get(path).status_code
        except httpx.TransportError:
            return 0

    def sign_in(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        self.browser.cookies.set("sessionid", client.cookies["sessionid"].value)

    def save_alias(self, number: PhoneNumber, alias: str) -> httpx.Response:
        """As the list's own cell does it."""
        path = f"/numbers/{number.pk}/alias/edit/"
        form = dict(HIDDEN.findall(self.browser.get(path, headers=PIECE).text))
        return self.browser.post(path, data={**form, "alias": alias}, headers=PIECE)

    def parts(self) -> dict[str, str]:
        """What the health page says of each part."""
        return dict(self.browser.get("/healthz").json())


@contextmanager
def own_database(url: str) -> Iterator[None]:
    """This process's database, until the end of the block."""
    shipped = connections.databases["default"]
    connections["default"].close()
    del connections["default"]
    connections.databases["default"] = {**shipped, **parts_of(url)}
    try:
        yield
    finally:
        connections["default"].close()
        del connections["default"]
        connections.databases["default"] = shipped


def parts_of(url: str) -> dict[str, Any]:
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": rest[1:]}
    server, _, name = rest.rpartition("@")[2].partition("/")
    host, _, port = server.partition(":")
    options = {"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": "postgres", "HOST": host, "PORT": port}
    return {**options, "OPTIONS": {}, "CONN_HEALTH_CHECKS": True}


def migrate(url: str) -> None:
    with own_database(url):
        call_command("migrate", verbosity=0)


class Databases:
    """New databases with the product's tables in them; migrated once, then copied."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._template = directory / "template.sqlite3"
        self._postgresql = ""

    def make(self, kind: str) -> str:
        """Its URL."""
        return self.make_sqlite() if kind == "sqlite" else self.make_postgresql()

    def make_sqlite(self) -> str:
        if not self._template.exists():
            migrate(f"sqlite:///{self._template}")
        path = self.directory / f"{secrets.token_hex(4)}.sqlite3"
        shutil.copy(self._template, path)
        return f"sqlite:///{path}"

    def make_postgresql(self) -> str:
        server = postgresql_url()
        if not self._postgresql:
            self._postgresql = f"chaos_{secrets.token_hex(4)}"
            make_postgresql(server, self._postgresql)
            migrate(f"{server.rpartition('/')[0]}/{self._postgresql}")
        name = f"chaos_{secrets.token_hex(4)}"
        make_postgresql(server, name, self._postgresql)
        return f"{server.rpartition('/')[0]}/{name}"


def make_postgresql(server: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Databases:
    return Databases(tmp_path_factory.mktemp("databases"))


@pytest.fixture
def install(
    databases: Databases, simulator: Simulator, tmp_path: Path, django_db_blocker: Any, settings: Any
) -> Iterator[Callable[..., Installation]]:
    """`install("sqlite")` makes an installation whose database is this process's until the test ends."""
    settings.SIMULATOR_URL = simulator.root

    def make(kind: str = "", broker_url: str = "", database_url: str = "") -> Installation:
        url = database_url or databases.make(kind)
        own = Path(tempfile.mkdtemp(dir=tmp_path))
        stack.enter_context(own_database(url))
        installation = Installation(own, url, simulator, broker_url)
        stack.callback(installation.end)
        return installation

    with django_db_blocker.unblock(), ExitStack() as stack:
        yield make


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """A broker of its own that keeps what it holds, as in docker-compose.yml; other options are a parameter."""
    server, url = start_redis(*getattr(request, "param", ("--appendonly", "yes")))
    yield server, url
    server.remove()
