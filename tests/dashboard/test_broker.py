"""A broker that is down or hangs holds up nobody for long: the job's row is saved, the next tick sends it.

And what is set so that a message is lost, doubled or stuck as seldom as may be, though no job depends on it.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from phone_numbers.tasks import LIMITS, LONGEST_COUNTDOWN_SECONDS
from tests.dashboard.compose import DOCKERFILE, TEXT
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
ASK = """
import json
from dashboard.celery import app
print(json.dumps({name: app.conf[name] for name in app.conf if not name.startswith("_")}, default=str))
"""


def printed(code: str, port: int, directory: Path) -> str:
    """By a process of the product whose broker is a Redis server at this port."""
    broker = f"redis://127.0.0.1:{port}/0"
    ours = {"DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATA_DIR": str(directory), "CELERY_BROKER_URL": broker}
    environment = {**os.environ, **ours}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def seconds_until_refused(port: int, directory: Path) -> float:
    return float(printed(RING, port, directory))


@pytest.fixture
def shipped(tmp_path: Path) -> dict[str, Any]:
    """Celery's settings as the product has them with Redis."""
    settings: dict[str, Any] = json.loads(printed(ASK, free_port(), tmp_path))
    return settings


def test_it_gives_up_at_once_on_a_broker_that_is_down(tmp_path: Path) -> None:
    assert seconds_until_refused(free_port(), tmp_path) < 2


def test_it_gives_up_within_seconds_on_a_broker_that_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert seconds_until_refused(mute.getsockname()[1], tmp_path) < 7


def test_a_message_stays_with_the_broker_until_its_work_is_done(shipped: dict[str, Any]) -> None:
    kept = ("task_acks_late", "task_reject_on_worker_lost", "task_acks_on_timeout")
    assert [shipped[name] for name in kept] == [True, True, True]
    assert shipped["worker_prefetch_multiplier"] == 1


def test_no_message_comes_again_while_its_work_may_still_go_on(shipped: dict[str, Any]) -> None:
    patience = shipped["broker_transport_options"]["visibility_timeout"]
    assert LONGEST_COUNTDOWN_SECONDS < LIMITS["soft_time_limit"] < LIMITS["time_limit"] < patience


def test_a_message_of_a_lost_worker_comes_again_soon_after(shipped: dict[str, Any]) -> None:
    """By default the broker looks every ten seconds, and restores every tenth time: 100 s more."""
    options = shipped["broker_transport_options"]
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 15


def test_a_worker_waits_for_a_broker_that_is_away(shipped: dict[str, Any]) -> None:
    assert shipped["broker_connection_retry_on_startup"] is True
    assert shipped["broker_connection_max_retries"] is None
    assert shipped["worker_cancel_long_running_tasks_on_connection_loss"] is False


def test_no_worker_is_made_deaf(shipped: dict[str, Any]) -> None:
    """One that listens to nobody notices no broker that went away while it worked, and stands still for ever."""
    assert shipped["worker_enable_remote_control"] is True
    assert "--without-" not in TEXT + DOCKERFILE
    assert "--without-" not in (ROOT / "dashboard" / "management" / "commands" / "up.py").read_text()


def test_a_message_carries_ids_as_json_and_no_result_is_kept(shipped: dict[str, Any]) -> None:
    assert (shipped["task_serializer"], shipped["accept_content"]) == ("json", ["json"])
    assert shipped["task_ignore_result"] is True
