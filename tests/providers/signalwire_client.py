"""SignalWire's own SDK, pointed at a simulator: an independent judge of what the simulator answers.

The SDK brings a web framework and more, so it lives in an environment of its own, made by `make judges`.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from providers.simulator import SIGNALWIRE_PROJECT_ID, SIGNALWIRE_TOKEN, Simulator

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-judges/bin/python"
CLIENT = ROOT / "tests/judges/signalwire/client.py"

Outcome = dict[str, Any]


def call(method: str, /, *arguments: Any, **named: Any) -> list[Any]:
    return [method, arguments, named]


class SignalWireClient:
    def __init__(self, simulator: Simulator) -> None:
        # The SDK speaks plain HTTP to a loopback host and puts its paths behind whatever the host ends in.
        self._host = f"{simulator.root.removeprefix('http://')}/signalwire/api"

    def ask(self, *calls: list[Any], token: str = SIGNALWIRE_TOKEN) -> list[Outcome]:
        asked = {"host": self._host, "project": SIGNALWIRE_PROJECT_ID, "token": token, "calls": calls}
        done = subprocess.run(
            [PYTHON, CLIENT], input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def signalwire_client(simulator: Simulator) -> SignalWireClient:
    """Skips the test where the SDK is not installed; in continuous integration that is a failure."""
    if not PYTHON.exists():
        said = "SignalWire's own client has not judged the simulator: run `make judges` first."
        pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
    return SignalWireClient(simulator)
