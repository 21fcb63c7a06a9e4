"""`manage.py up` as a newcomer meets it: it starts, shows numbers, keeps them, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.dashboard.processes import ROOT, Started, Terminal, wait_until
from tests.servers import free_port

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc"),
]

UP = [sys.executable, "manage.py", "up"]
MAKE_RUN = ["make", "--assume-old=.venv/.installed-requirements", "run"]
READY = "Numberdesk is at http://127.0.0.1:"
OF_OURS = ("DATABASE_URL", "CELERY_BROKER_URL", "MODE", "DJANGO_SETTINGS_MODULE")
NUMBERS = 25
"""In each of the eight accounts, so that one page of the list holds them all."""
Up = Callable[..., Started]


def environment(directory: Path, **given: str) -> dict[str, str]:
    """This one without what the tests' own settings put there, on free ports and in a data directory of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_OURS}
    ports = {"PORT": str(free_port()), "SIMULATOR_PORT": str(free_port())}
    return {**kept, "DATA_DIR": str(directory / "var"), "DEMO_NUMBERS": str(NUMBERS), **ports, **given}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    started: list[Started] = []

    def start(command: list[str] | None = None, **given: str) -> Started:
        output = tmp_path / f"output-{len(started)}"
        started.append(Started(command or UP, environment(tmp_path, **given), output))
        return started[-1]

    yield start
    for one in started:
        one.sweep()


@contextmanager
def signed_in(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, follow_redirects=True, timeout=30) as client:
        form = client.get("/login/").raise_for_status().text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token, form
        client.post("/login/", data={"username": "demo", "password": "demo", "csrfmiddlewaretoken": token[1]})
        assert "sessionid" in client.cookies
        yield client


def address(started: Started) -> str:
    started.wait_for_text(READY)
    return re.findall(r"Numberdesk is at (http://[\d.:]+)", started.text)[0]


def shown_numbers(client: httpx.Client) -> set[str]:
    return set(re.findall(r'data-copy="(\+\d+)"', client.get("/numbers/?per_page=250").raise_for_status().text))


def test_a_first_start_shows_numbers_and_a_second_one_still_has_them(up: Up) -> None:
    first = up()
    with signed_in(address(first)) as client:
        wait_until(lambda: len(shown_numbers(client)) == 8 * NUMBERS, 60, first.text)
        wait_until(lambda: client.get("/healthz").status_code == 200, 60, first.text)
        numbers = shown_numbers(client)
    first.process.terminate()
    first.wait_until_gone()
    with signed_in(address(up())) as client:
        assert shown_numbers(client) == numbers


@pytest.mark.timeout(600)
def test_a_first_start_shows_every_number_within_20_seconds(up: Up, tmp_path: Path) -> None:
    """Of a machine that has the time for it. Once in three: whatever else it does only ever adds to it."""
    assert any(is_quick(up, tmp_path / str(turn)) for turn in range(3))


def is_quick(up: Up, directory: Path) -> bool:
    """What a process that only computes has to wait for a processor, before and after, is forgiven the start too."""
    before, seconds = slowness(directory), seconds_to_first_numbers(up, directory)
    return seconds <= 20 or seconds <= 20 * max(before, slowness(directory))


def slowness(directory: Path) -> float:
    """How many times as long as its processor's time a start of the product takes just now; 1 where nobody waits."""
    began = time.monotonic()
    checking = [sys.executable, "manage.py", "check"]
    started = subprocess.Popen(checking, cwd=ROOT, env=environment(directory), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    assert started.returncode == 0
    return (time.monotonic() - began) / (used.ru_utime + used.ru_stime)


def seconds_to_first_numbers(up: Up, directory: Path) -> float:
    began = time.monotonic()
    started = up(DATA_DIR=str(directory))
    with signed_in(address(started)) as client:
        wait_until(lambda: len(shown_numbers(client)) == 8 * NUMBERS, 150, started.text)
    seconds = time.monotonic() - began
    started.process.terminate()
    started.wait_until_gone()
    return seconds


def test_it_says_what_it_is_and_how_to_go_on(up: Up) -> None:
    started = up()
    address(started)
    assert "Sign in as demo with the password demo." in started.text
    assert "demo accounts" in started.text
    assert "connect a real account" in started.text


def test_it_starts_without_the_demo(up: Up) -> None:
    started = up(DEMO="false")
    address(started)
    assert "createsuperuser" in started.text
    assert not [command for command in started.family().values() if "simulator" in command]


def test_it_says_that_the_port_is_taken_and_starts_nothing(up: Up, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        started = up(PORT=str(port))
        assert started.process.wait(timeout=20) == 1
    sentence = f"CommandError: Port {port} is taken; choose another one: make run PORT={port + 10}\n"
    assert started.text == sentence
    assert not (tmp_path / "var" / "numberdesk.sqlite3").exists()


def test_it_moves_the_simulator_when_its_port_is_taken(up: Up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        started = up(SIMULATOR_PORT=str(other.getsockname()[1]))
        with signed_in(address(started)) as client:
            wait_until(lambda: shown_numbers(client), 60, started.text)


def test_it_refuses_to_run_twice_on_the_same_data(up: Up) -> None:
    address(up())
    second = up()
    assert second.process.wait(timeout=20) == 1
    assert second.text.startswith("CommandError: Another dashboard is running on the data in ")


def test_it_leaves_nothing_when_it_is_killed(up: Up) -> None:
    started = up()
    address(started)
    started.process.kill()
    started.wait_until_gone()


def test_it_leaves_nothing_when_its_parent_is_killed(up: Up) -> None:
    shell = up(["sh", "-c", f"{sys.executable} manage.py up; true"])
    address(shell)
    shell.process.kill()
    shell.wait_until_gone()


@pytest.mark.parametrize("name", ["gunicorn", "celery"])
def test_it_replaces_a_main_process_that_was_killed_and_what_that_left(up: Up, name: str) -> None:
    started = up()
    address(started)
    main = min(pid for pid, command in started.family().items() if f"-m {name}" in command)
    os.kill(main, signal.SIGKILL)
    wait_until(lambda: "starting it again" in started.text, 30)
    wait_until(lambda: any(f"-m {name}" in command for command in started.family().values()), 30)
    started.process.send_signal(signal.SIGINT)
    started.wait_until_gone()
    assert started.process.returncode == 0


@pytest.mark.parametrize("command", [UP, MAKE_RUN], ids=["up", "make run"])
@pytest.mark.parametrize("end", [Terminal.press_ctrl_c, Terminal.close])
def test_it_leaves_nothing_when_its_terminal_ends_it(
    tmp_path: Path, command: list[str], end: Callable[[Terminal], None]
) -> None:
    terminal = Terminal(command, environment(tmp_path), tmp_path / "output")
    try:
        address(terminal.started)
        end(terminal)
        terminal.started.wait_until_gone()
    finally:
        terminal.started.sweep()
        if terminal.is_open:
            terminal.close()
