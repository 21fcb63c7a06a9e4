"""The simulator as a server: the wire, its own control paths, the program and its life."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, Simulator
from tests.simulators import NUMBERS, TODAY

ROOT = Path(__file__).parents[2]


@pytest.fixture
def control(simulator: Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{simulator.root}/_simulator/") as client:
        yield client


def exchange(simulator, request: bytes) -> bytes:
    host, _, port = simulator.root.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_it_keeps_connections_open(plivo_http, simulator):
    for _ in range(3):
        plivo_http.get("Number/")

    assert len(simulator._running()._open) == 1


def test_it_answers_pipelined_and_fragmented_requests(simulator):
    request = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"

    answers = exchange(simulator, request + request[:-2] + b"Connection: close\r\n\r\n")

    assert answers.count(b"HTTP/1.1 404 Not Found") == 2


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
    ],
)
def test_it_refuses_what_it_cannot_parse(simulator, request_bytes, status):
    assert exchange(simulator, request_bytes).startswith(f"HTTP/1.1 {status} ".encode())


def test_it_tells_its_health(control):
    health = control.get("health").json()

    assert (health["status"], health["changes"]) == ("ok", 0)
    assert health["numbers"][PLIVO_AUTH_ID] == NUMBERS


def test_it_shows_the_journal(control, plivo_http, simulator):
    number = simulator.world.account().at(0)
    for alias in ("One", "Two"):
        plivo_http.post(f"Number/{number.digits}/", json={"alias": alias})

    journal = control.get("journal").json()

    assert [(entry["before"], entry["after"]) for entry in journal] == [
        ({"alias": number.alias}, {"alias": "One"}),
        ({"alias": "One"}, {"alias": "Two"}),
    ]
    assert control.get("journal?since=1").json() == journal[1:]


def test_it_takes_faults_and_drops_them(control, plivo_http):
    control.post("faults", json=[{"kind": "error", "status": 503, "times": 0}])
    struck = plivo_http.get("Number/").status_code
    shown = control.get("faults").json()
    control.delete("faults")

    assert (struck, shown[0]["kind"], shown[0]["struck"]) == (503, "error", 1)
    assert plivo_http.get("Number/").status_code == 200


@pytest.mark.parametrize(
    "fault", [{"kind": "gremlins"}, {}, {"kind": "act", "action": "x"}, {"kind": "error", "path": "("}]
)
def test_it_refuses_faults_it_cannot_run(control, fault):
    assert control.post("faults", json=fault).status_code == 400


def test_it_plays_the_second_writer(control, simulator):
    account = simulator.world.account()
    digits = account.at(0).digits

    control.patch(f"numbers/{digits}", json={"alias": "Changed behind our back"})
    control.delete(f"numbers/{account.at(1).digits}")
    added = control.post("numbers", json={"alias": "New"}).json()["number"]

    assert account.held(digits).alias == "Changed behind our back"
    assert account.held(added).alias == "New"
    assert control.get(f"numbers/{added}").json()["alias"] == "New"
    assert [entry.method for entry in simulator.world.journal] == ["PATCH", "DELETE", "POST"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "numbers/14155550199", {"alias": "x"}),
        ("DELETE", "numbers/14155550199", None),
        ("POST", "numbers", {"colour": "red"}),
        ("POST", "numbers", ["x"]),
        ("GET", "numbers/1?account=MANOBODY", None),
    ],
)
def test_it_refuses_impossible_second_writes(control, method, path, body):
    assert control.request(method, path, json=body).status_code == 400


def test_it_counts_requests(control, plivo_http):
    plivo_http.get("Number/?limit=1")
    plivo_http.get("Nothing/")

    seen = control.get("requests").json()
    control.delete("requests")

    assert (seen["count"], seen["by_status"]) == (2, {"200": 1, "404": 1})
    assert seen["log"][0]["target"].endswith("/Number/?limit=1")
    assert abs(seen["log"][0]["at"] - time.time()) < 60
    assert control.get("requests").json()["count"] == 0


def test_it_has_no_other_control_paths(control):
    assert control.get("secrets").status_code == 404


def test_it_comes_back_at_the_same_address(simulator):
    address = f"{simulator.root}/_simulator/health"
    simulator.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)

    simulator.start()

    assert httpx.get(address).status_code == 200


def test_it_serves_many_callers_at_once(simulator):
    simulator.latency_seconds = 0.2
    began = time.monotonic()
    connections = []
    for _ in range(20):
        host, _, port = simulator.root.removeprefix("http://").partition(":")
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(b"GET /plivo/api/ HTTP/1.1\r\n\r\n")
        connections.append(connection)

    answers = [connection.recv(12) for connection in connections]
    for connection in connections:
        connection.close()

    assert answers == [b"HTTP/1.1 401"] * 20
    assert time.monotonic() - began < 2


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program on a free port; its root URL is read from its first line."""
    command = [sys.executable, "-m", "providers.simulator", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            sentence = process.stdout.readline()
            yield process, sentence.split(" at ")[1].split()[0]
        finally:
            process.kill()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_when_told(signum):
    with program() as (process, root), httpx.Client() as client:
        client.get(f"{root}/_simulator/health")
        process.send_signal(signum)

        assert process.wait(5) == 0


def test_it_keeps_confirmed_changes_over_kill_9(tmp_path):
    state = ("--state", str(tmp_path / "state.jsonl"), "--numbers", "45")
    auth = (PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN)
    numbers = [number.digits for number in Simulator(45, today=TODAY).world.account()]
    with program(*state) as (process, root), httpx.Client(auth=auth) as client:
        for rank, digits in enumerate(numbers):
            client.post(f"{root}/plivo/api/v1/Account/{auth[0]}/Number/{digits}/", json={"alias": f"Alias {rank}"})
        os.kill(process.pid, signal.SIGKILL)

    with program(*state) as (_, root), httpx.Client(auth=auth) as client:
        aliases = [
            client.get(f"{root}/plivo/api/v1/Account/{auth[0]}/Number/{digits}/").json()["alias"] for digits in numbers
        ]

    assert aliases == [f"Alias {rank}" for rank in range(45)]


def refusal(*arguments: str) -> str:
    command = [sys.executable, "-m", "providers.simulator", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    return done.stderr


def test_it_says_when_the_port_is_taken(simulator):
    port = simulator.root.rpartition(":")[2]

    assert refusal("--port", port) == (
        f"The simulator cannot listen on 127.0.0.1:{port}: Address already in use. Choose another --port.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--numbers", "0"), "A world holds 1 to 1,000,000 numbers.\n"),
        (("--port", "70000"), "The port must be between 0 and 65535.\n"),
    ],
)
def test_it_says_what_it_cannot_do(arguments, sentence):
    assert refusal(*arguments) == sentence


def test_it_serves_a_million_numbers_within_seconds_and_megabytes():
    began = time.monotonic()
    with program("--numbers", "1000000") as (process, root):
        seconds = time.monotonic() - began
        path = f"{root}/plivo/api/v1/Account/{PLIVO_AUTH_ID}/Number/?offset=999980"
        last = httpx.get(path, auth=(PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN)).json()
        status = Path(f"/proc/{process.pid}/status").read_text()

    assert (last["meta"]["next"], len(last["objects"])) == (None, 20)
    assert seconds < 5
    assert int(status.partition("VmHWM:")[2].split()[0]) < 100_000
