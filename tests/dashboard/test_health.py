from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from dashboard.health import verdict
from phone_numbers.models import Pulse
from tests.servers import free_port


def beat(seconds_ago: int = 0, *names: str) -> None:
    for name in names or ("tick", "syncs", "plans"):
        Pulse.objects.create(name=name, at=timezone.now() - timedelta(seconds=seconds_ago))


def test_it_is_alive_without_asking_anyone(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "ok"}


@pytest.mark.django_db
def test_it_is_healthy_when_all_parts_are(client: Client) -> None:
    beat(seconds_ago=80)
    answer = client.get("/healthz")
    parts = {"database": "ok", "migrations": "ok", "broker": "ok", "worker": "ok", "syncs": "ok", "plans": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", **parts})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(("part", "other"), [("worker", "syncs"), ("syncs", "tick"), ("plans", "tick")])
@pytest.mark.django_db
def test_it_says_that_no_worker_was_seen_yet(client: Client, part: str, other: str) -> None:
    beat(0, other)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()[part]) == (503, "not seen yet")


@pytest.mark.parametrize(("part", "name"), [("worker", "tick"), ("syncs", "syncs"), ("plans", "plans")])
@pytest.mark.django_db
def test_it_says_how_long_the_worker_has_been_silent(client: Client, part: str, name: str) -> None:
    beat()
    with time_machine.travel(timezone.now(), tick=False):
        Pulse.objects.filter(name=name).update(at=timezone.now() - timedelta(seconds=95))
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()[part]) == (503, "not seen for 95 s")


@pytest.mark.django_db
def test_it_counts_pending_migrations(client: Client) -> None:
    beat()
    MigrationRecorder.Migration.objects.filter(app="sessions").delete()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "1 pending")


@pytest.mark.django_db
def test_it_names_a_broker_that_is_down(client: Client, settings: Any) -> None:
    beat()
    settings.CELERY_BROKER_URL = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["broker"]) == (503, "unreachable")
    assert b"hunter2" not in answer.content


def test_it_calls_a_part_unreachable_and_keeps_the_reason_to_itself() -> None:
    def refuse() -> str:
        raise OperationalError("password authentication failed for user numberdesk")

    assert verdict("database", refuse) == "unreachable"


def test_it_answers_reading_only(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_a_pulse_is_one_row() -> None:
    Pulse.record("tick")
    Pulse.record("tick")
    assert Pulse.objects.count() == 1


@pytest.mark.django_db
def test_it_trusts_no_sign_of_life_from_the_future(client: Client) -> None:
    """The clock was put back: whoever gave it may have died since."""
    beat(seconds_ago=-3600)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["worker"].startswith("not seen")) == (503, True)
