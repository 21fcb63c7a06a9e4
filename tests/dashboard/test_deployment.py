"""The production files, as far as they can be judged without a container engine."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.compose import DOCKERFILE, compose, image_sources, required_variables, variables
from tests.dashboard.processes import ROOT

BIN = Path(sys.executable).parent
VALUES = dict.fromkeys(required_variables(), "value")
COMPOSE = compose(VALUES)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "syncs", "plans", "beat")


def test_the_compose_file_fits_the_compose_specification() -> None:
    check = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"]
    assert subprocess.run(check, capture_output=True, text=True, check=False).returncode == 0


def test_the_dockerfile_passes_hadolint() -> None:
    lint = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout) == (0, "")


def test_every_dependency_exists_and_can_meet_its_condition() -> None:
    for name, service in SERVICES.items():
        for other, needed in service.get("depends_on", {}).items():
            has_healthcheck = "test" in SERVICES[other].get("healthcheck", {})
            ends_by_itself = SERVICES[other].get("restart") == "no"
            ways = {"service_healthy": has_healthcheck, "service_completed_successfully": ends_by_itself}
            assert ways[needed["condition"]], f"{name} waits for {other} in vain"


@pytest.mark.parametrize("kind", ["volumes", "networks", "configs"])
def test_whatever_a_service_uses_is_declared(kind: str) -> None:
    uses = [use for service in SERVICES.values() for use in service.get(kind, [])]
    names = {use["source"] if isinstance(use, dict) else use.partition(":")[0] for use in uses}
    assert names == set(COMPOSE[kind])


def test_every_variable_is_in_the_example_environment() -> None:
    assert variables() <= set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_secret_must_be_given() -> None:
    assert {"SECRET_KEY", "CREDENTIALS_KEYS", "POSTGRES_PASSWORD", "REDIS_PASSWORD"} < required_variables()


def test_ports_are_open_to_this_host_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_database_and_broker_are_reached_from_inside_only() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [SERVICES[name]["networks"] for name in ("database", "broker")] == [["inside"], ["inside"]]


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_change_nothing_of_themselves(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in service["security_opt"]


def test_the_broker_keeps_what_it_was_told() -> None:
    settings = COMPOSE["configs"]["redis"]["content"].splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction", "requirepass value"} <= set(settings)


def test_the_image_holds_the_application_and_no_more() -> None:
    copied = image_sources() | {"requirements.txt"}
    assert all((ROOT / source).exists() for source in copied)
    allowed = re.findall(r"^!(.*)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert copied == set(allowed)


def test_the_image_copies_from_stages_that_exist() -> None:
    assert set(re.findall(r"--from=(\w+)", DOCKERFILE)) <= set(
        re.findall(r"^FROM \S+ AS (\w+)", DOCKERFILE, re.MULTILINE)
    )


def test_the_image_does_not_run_as_root() -> None:
    user = re.findall(r"^USER (.*)", DOCKERFILE, re.MULTILINE)[-1]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_the_image_installs_by_hash_from_pinned_bases() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))


def test_no_secret_stays_in_the_image() -> None:
    kept = re.findall(r"^(?:ENV|ARG) .*", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"SECRET|KEY|PASSWORD|TOKEN", " ".join(kept))


def test_the_image_starts_the_web_server_by_itself() -> None:
    command = json.loads(re.findall(r"^CMD (.*)", DOCKERFILE, re.MULTILINE)[-1])
    assert command == SERVICES["web"]["command"]


def test_every_command_is_one_the_image_has() -> None:
    for name in OURS:
        assert SERVICES[name]["command"][0] in {"python", "gunicorn", "celery"}, shlex.join(SERVICES[name]["command"])
