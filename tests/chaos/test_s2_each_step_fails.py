"""S2: every call and statement of a sync fails once, in every way: nothing is torn, and the next run makes it good."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from phone_numbers.models import Event, PhoneNumber, SyncRun
from phone_numbers.services import connections, runs
from phone_numbers.services.sync import run_sync
from providers.registry import open_provider
from providers.simulator import Simulator
from tests.chaos.rows import FULL, report
from tests.chaos.sweeps import Clock, Stage
from tests.simulators import TODAY

NUMBERS = 200
CALLS = ("error", "reset", "html", "cut_short", "rate_limited", "revoked", "error_page", "json_text")
STEP = 1 if FULL else 37
"""Each so many cases one is played."""

pytestmark = pytest.mark.timeout(900)


class Killed(BaseException):
    """The worker is gone: nothing of it goes on."""


@dataclass
class FailingDatabase:
    """Counts the statements of a block, and lets one of them fail: before it is carried out, or after."""

    nth: int = 0
    error: BaseException | None = None
    after: bool = False
    seen: int = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.seen += 1
        if self.seen != self.nth or self.error is None:
            return execute(*arguments)
        if self.after:
            execute(*arguments)
        raise self.error


STATEMENTS: dict[str, dict[str, Any]] = {
    "locked": {"error": OperationalError("database is locked")},
    "connection lost": {"error": InterfaceError("connection already closed")},
    "carried out, answer lost": {"error": OperationalError("server closed the connection"), "after": True},
    "refused": {"error": IntegrityError("constraint failed")},
    "killed before": {"error": Killed()},
    "killed after": {"error": Killed(), "after": True},
}


@dataclass
class Tally:
    cases: int = 0
    wrong: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)


class Scene:
    """Before each case one number leaves, the one that left before comes back, and others change."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.chance = random.Random(2)
        self.away = ""
        self.count = 0

    def move(self) -> None:
        world, stage = self.stage.world, self.stage
        self.count += 1
        gone = world.at(self.chance.randrange(len(world))).digits
        if self.away:
            stage.add(self.away)
        stage.remove(gone)
        self.away = gone
        for _ in range(3):
            digits = world.at(self.chance.randrange(len(world))).digits
            stage.simulator.world.change(world, digits, alias=f"Alias {self.count}")

    def wrongly_absent(self) -> set[str]:
        """The account's own numbers that are believed absent, but for the one that may not have been seen since."""
        absent = self.stage.account.numbers.exclude(presence=PhoneNumber.Presence.PRESENT)
        return set(absent.values_list("remote_id", flat=True)) & self.held_before

    def remember(self) -> None:
        present = self.stage.account.numbers.filter(presence=PhoneNumber.Presence.PRESENT)
        self.held_before = set(present.values_list("remote_id", flat=True)) & self.stage.held()


def torn(stage: Stage) -> list[str]:
    """Rows whose parts were not written together: the number, what the provider sent, and its history."""
    told: dict[int, str] = {}
    for event in Event.objects.filter(kind=Event.Kind.DRIFT, field="alias").order_by("pk"):
        told[event.number_id] = event.after
    found = []
    for number in stage.account.numbers.select_related("payload"):
        whole = hasattr(number, "payload") and (number.payload.body["alias"] or "") == number.alias
        if not whole or told.get(number.pk, number.alias) != number.alias:
            found.append(number.remote_id)
    return found


def differences(stage: Stage) -> list[str]:
    """Where the cache and the provider do not agree."""
    cached = dict(stage.account.numbers.filter(presence=PhoneNumber.Presence.PRESENT).values_list("remote_id", "alias"))
    held = {number.digits: number.alias or "" for number in stage.world}
    return sorted(digits for digits in cached.keys() | held.keys() if cached.get(digits) != held.get(digits))


def connect_anew() -> None:
    """As a worker does for its next task, and the operating system for one that was killed. Commits need no disk."""
    connection.close()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")


def begin(stage: Stage) -> SyncRun:
    return runs.request_sync(stage.account, trigger=SyncRun.Trigger.PERSON)


def recover(stage: Stage) -> SyncRun:
    """What the tick does: take up what was left lying, and sync again at the next slot."""
    SyncRun.objects.filter(state__in=SyncRun.LIVE).update(lease_expires_at=timezone.now())
    for run_id in runs.reap_runs(timezone.now()):
        run_sync(run_id)
    stage.account.refresh_from_db()
    run = begin(stage)
    run_sync(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def stage(transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(connections, "open_provider", partial(open_provider, sleep=lambda _: None))
    with Simulator(numbers=NUMBERS, today=TODAY) as simulator:
        settings.SIMULATOR_URL = simulator.root
        connect_anew()
        stage = Stage(simulator, Clock(monkeypatch))
        stage.sweep()
        yield stage


@contextmanager
def failing_call(stage: Stage, kind: str, nth: int) -> Iterator[None]:
    stage.simulator.fault(kind, nth=nth, status=503)
    yield
    stage.simulator.faults.clear()


def counted(stage: Stage, scene: Scene) -> tuple[int, int]:
    """How many calls and statements the sync of such a scene takes."""
    scene.move()
    run = begin(stage)
    with connection.execute_wrapper(statements := FailingDatabase()):
        run_sync(run.pk)
    return SyncRun.objects.get(pk=run.pk).requests, statements.seen


def play(stage: Stage, scene: Scene, tally: Tally, name: str, fails: Any) -> None:
    scene.move()
    scene.remember()
    run = begin(stage)
    with fails, suppress(Exception, Killed):
        run_sync(run.pk)
    connect_anew()
    tally.cases += 1
    tally.wrong += [name] * bool(scene.wrongly_absent())
    tally.torn += [name] * bool(torn(stage))
    run = recover(stage)
    if run.state != SyncRun.State.COMPLETE or differences(stage):
        tally.astray.append(f"{name} ({run.state} {differences(stage)[:3]})")


def test_s2_each_step_fails(stage: Stage) -> None:
    scene, tally = Scene(stage), Tally()
    calls, statements = counted(stage, scene)
    cases = [
        (f"call {nth} {kind}", partial(failing_call, stage, kind, nth)) for kind in CALLS for nth in range(1, calls + 1)
    ]
    cases += [
        (f"statement {nth} {kind}", partial(failing_statement, nth, kind))
        for kind in STATEMENTS
        for nth in range(1, statements + 1)
    ]
    for name, fails in cases[::STEP]:
        play(stage, scene, tally, name, fails())
    of = f"of {tally.cases} ({calls} calls, {statements} statements)"
    report("S2", "cases played", tally.cases, "≥ 400", holds=tally.cases >= (400 if FULL else 8))
    for what, found in (
        ("wrong presences", tally.wrong),
        ("torn rows", tally.torn),
        ("not made good by the next run", tally.astray),
    ):
        shown = "; ".join(found[:5])
        report("S2", what, f"{len(found)} {of} {shown}".strip(), "0", holds=not found)


def failing_statement(nth: int, kind: str) -> Any:
    return connection.execute_wrapper(FailingDatabase(nth=nth, **STATEMENTS[kind]))
