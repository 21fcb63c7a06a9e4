"""Where contenders meet: one simulator in a process of its own, and a fresh database for each of them."""

import itertools
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.servers import free_port, postgresql_url

_ranks = itertools.count(1)


@contextmanager
def simulator(*options: str) -> Iterator[str]:
    """The root of a simulator started with these options of its command line."""
    port = free_port()
    command = [sys.executable, "-m", "providers.simulator", "--port", str(port), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError(f"The simulator did not start: {' '.join(command)}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def compete(kind: str, root: str, contenders: str = "tests.bench.contender") -> Any:
    """What one contender measured, on a database that nobody used before."""
    with database() as url:
        command = [sys.executable, "-m", contenders, kind, root]
        environment = {**os.environ, "TEST_DATABASE_URL": url}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def database() -> Iterator[str]:
    server = postgresql_url()
    name = f"bench_{os.getpid()}_{next(_ranks)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def kept_database(name: str) -> str:
    """One that stays in the server for another run."""
    server = postgresql_url()
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"


def request_times(root: str) -> list[float]:
    """When the simulator had read each request, in order."""
    with urllib.request.urlopen(f"{root}/_simulator/requests") as answer:
        return sorted(entry["at"] for entry in json.load(answer)["log"])
