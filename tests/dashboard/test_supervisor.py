"""The supervisor with small programs; `test_up` has it run the product."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dashboard.processes import Started, python, wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc"),
]

FAMILY = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
STAYS = f"{FAMILY}; print('here', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {STAYS}"
SUPERVISE = """
import os, sys
from dashboard import supervisor
supervisor.GRACE_SECONDS = 1
supervisor.FIRST_PAUSE_SECONDS = 0.1
program = supervisor.Program(name="one", command=[sys.executable, "-c", {code!r}], environment=os.environ)
sys.exit(supervisor.Supervisor([program]).run())
"""
Supervise = Callable[[str], Started]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    started: list[Started] = []

    def start(code: str) -> Started:
        started.append(Started(python(SUPERVISE.format(code=code)), os.environ, tmp_path / "output"))
        return started[-1]

    yield start
    for one in started:
        one.sweep()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_the_family_when_told(supervise: Supervise, number: signal.Signals) -> None:
    started = supervise(STAYS)
    started.wait_for_text("one       | here")
    started.process.send_signal(number)
    started.wait_until_gone()
    assert started.process.returncode == 0


def test_it_kills_what_does_not_listen(supervise: Supervise) -> None:
    started = supervise(DEAF)
    started.wait_for_text("here")
    started.process.terminate()
    started.wait_until_gone(5)


def test_it_restarts_what_was_killed_and_its_family(supervise: Supervise) -> None:
    started = supervise(STAYS)
    started.wait_for_text("here")
    wait_until(lambda: len(started.family()) == 3)
    before = started.family()
    os.kill(min(set(before) - {started.process.pid}), signal.SIGKILL)
    wait_until(lambda: started.text.count("here") == 2)
    wait_until(lambda: len(started.family()) == 3)
    assert started.family().keys() & before.keys() == {started.process.pid}


def test_it_gives_up_on_what_dies_at_once(supervise: Supervise) -> None:
    started = supervise("print('no luck'); raise SystemExit(3)")
    started.wait_until_gone()
    assert started.process.returncode == 1
    assert started.text.count("one       | no luck") == 4
    assert "one died 4 times in a row" in started.text


def test_it_takes_its_child_along_when_killed(supervise: Supervise) -> None:
    started = supervise("import time; print('here', flush=True); time.sleep(60)")
    started.wait_for_text("here")
    started.process.kill()
    started.wait_until_gone(5)


def test_it_ends_when_its_parent_is_killed(supervise: Supervise, tmp_path: Path) -> None:
    inner = python(SUPERVISE.format(code=STAYS))
    shell = Started(python(f"import subprocess; subprocess.run({inner!r})"), os.environ, tmp_path / "shell")
    shell.wait_for_text("here")
    shell.process.kill()
    shell.wait_until_gone(5)


def test_it_prints_what_was_written_without_a_line_end(supervise: Supervise) -> None:
    started = supervise("import sys; sys.stdout.write('half a line')")
    started.wait_for_text("one       | half a line")
