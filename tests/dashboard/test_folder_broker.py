"""Several processes share one folder: nobody meets half a message, and none is lost or doubled."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kombu.connection import Connection

from tests.dashboard.processes import ROOT

WRITERS, MESSAGES = 3, 200
WRITE = """
import json, sys
from kombu.connection import Connection
transport, options = sys.argv[1], json.loads(sys.argv[2])
with Connection("filesystem://here", transport=transport, transport_options=options) as connection:
    with connection.SimpleQueue("jobs") as queue:
        for number in range(int(sys.argv[3])):
            queue.put({"number": number})
"""


def folders(directory: Path) -> dict[str, Any]:
    for name in ("messages", "control", "processed"):
        (directory / name).mkdir()
    messages = str(directory / "messages")
    options = {"data_folder_in": messages, "data_folder_out": messages, "polling_interval": 0.001}
    return {**options, "control_folder": str(directory / "control"), "processed_folder": str(directory / "processed")}


def exchange(options: dict[str, Any], transport: str = "dashboard.folder_broker:Transport") -> list[int]:
    """The numbers that arrive while several processes send, each the same ones."""
    words = [sys.executable, "-c", WRITE, transport, json.dumps(options), str(MESSAGES)]
    writers = [subprocess.Popen(words, cwd=ROOT) for _ in range(WRITERS)]
    connection = Connection("filesystem://here", transport=transport, transport_options=options)
    with connection, connection.SimpleQueue("jobs", no_ack=True) as queue:
        arrived = [queue.get(timeout=20).payload["number"] for _ in range(WRITERS * MESSAGES)]
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    return arrived


@pytest.mark.slow
def test_every_message_arrives_once_and_whole(tmp_path: Path) -> None:
    assert sorted(exchange(folders(tmp_path))) == sorted([*range(MESSAGES)] * WRITERS)
    assert not list((tmp_path / "messages").iterdir())
