"""A broker that is down or hangs holds up nobody for long: the job's row is saved, the next tick sends it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dashboard.processes import ROOT
from tests.servers import free_port

pytestmark = pytest.mark.processes

RING = """
import time
from kombu.exceptions import OperationalError
from dashboard.celery import app
began = time.monotonic()
try:
    app.send_task("numbers.tick")
except OperationalError:
    print(time.monotonic() - began)
"""


def seconds_until_refused(port: int, directory: Path) -> float:
    broker = f"redis://127.0.0.1:{port}/0"
    ours = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(directory), "CELERY_BROKER_URL": broker}
    environment = {**os.environ, **ours}
    done = subprocess.run(
        [sys.executable, "-c", RING], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def test_it_gives_up_at_once_on_a_broker_that_is_down(tmp_path: Path) -> None:
    assert seconds_until_refused(free_port(), tmp_path) < 2


def test_it_gives_up_within_seconds_on_a_broker_that_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert seconds_until_refused(mute.getsockname()[1], tmp_path) < 7
