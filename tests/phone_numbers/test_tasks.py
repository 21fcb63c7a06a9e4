"""Messages: what a real worker does with them, and that nothing depends on one arriving once."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from celery.signals import worker_ready
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from phone_numbers import tasks
from phone_numbers.models import Account, Change, ChangeSet, LocalFields, PhoneNumber, Pulse, SyncRun
from phone_numbers.services import local_changes
from phone_numbers.services.change_plans import Wish, make_plan
from phone_numbers.services.change_sets import accounts_of
from phone_numbers.services.runs import request_sync
from phone_numbers.tasks import apply_change, feel_pulse, ring, sync_account, tick
from providers.simulator import Simulator
from tests.phone_numbers.jobs import ask, edits, origin, plan, start


@pytest.fixture(scope="class")
def worker() -> Iterator[None]:
    """A Celery worker in a thread of its own; it takes seconds to stop, so one serves the class."""
    current_app.control.purge()
    with start_worker(current_app, perform_ping_check=False, shutdown_timeout=30, queues=["celery", "syncs", "plans"]):
        yield


def wait_for(condition: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)
    return found


def rung() -> list[tuple[str, list[int]]]:
    """The messages in the queues, taken out of them."""
    return [message for queue in ("celery", "syncs", "plans") for message in taken_from(queue)]


def taken_from(name: str) -> Iterator[tuple[str, list[int]]]:
    with current_app.connection_for_read() as connection, connection.SimpleQueue(name) as queue:
        while len(queue):
            message = queue.get_nowait()
            message.ack()
            yield message.headers["task"], message.payload[0]


@pytest.mark.parametrize(
    "name",
    [
        "numbers.tick",
        "numbers.sync_account",
        "numbers.apply_change",
        "numbers.work_for_account",
        "numbers.write_local_changes",
    ],
)
def test_it_registers_its_tasks_under_their_names(name: str) -> None:
    assert name in current_app.tasks


@pytest.mark.usefixtures("worker")
@pytest.mark.django_db(transaction=True)
class TestWorker:
    def test_it_reads_a_new_account_at_once(self, account: Account) -> None:
        worker_ready.send(sender=None)
        run = wait_for(lambda: SyncRun.objects.filter(state=SyncRun.State.COMPLETE).first())
        assert (run.numbers_seen, account.numbers.count()) == (45, 45)

    def test_it_shows_that_somebody_works_for_syncs(self) -> None:
        ring(tick)
        wait_for(Pulse.objects.filter(name="syncs").exists)

    def test_it_sends_an_edit(self, number: PhoneNumber, operator: User, simulator: Simulator) -> None:
        change = ask(number, operator, alias="New")
        ring(apply_change, change.pk)
        wait_for(lambda: Change.objects.filter(state=Change.State.CONFIRMED).exists())
        assert edits(simulator) == [(number.remote_id, {"alias": "New"})]

    def test_it_carries_out_a_plan(self, synced: Account, operator: User, simulator: Simulator) -> None:
        change_set = start(plan(synced.numbers.all()[:12], operator, alias="New"), operator)
        tasks.ring_for_plan(change_set)
        wait_for(lambda: ChangeSet.objects.filter(state=ChangeSet.State.DONE).exists())
        assert len(edits(simulator)) == 12

    def test_it_writes_what_only_we_keep(
        self, synced: Account, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local_changes, "BATCH", 1)
        wishes = [Wish(number=number.pk, desired={"owner": "Ann"}) for number in synced.numbers.all()[:3]]
        change_set = start(make_plan(origin(operator), {}, wishes), operator)
        tasks.ring_for_plan(change_set)
        wait_for(lambda: ChangeSet.objects.filter(state=ChangeSet.State.DONE).exists())
        assert LocalFields.objects.filter(owner="Ann").count() == 3

    def test_it_comes_back_when_the_provider_is_slow(
        self, number: PhoneNumber, operator: User, simulator: Simulator
    ) -> None:
        simulator.fault("applied_late", method="POST", seconds=0.5)
        ring(apply_change, ask(number, operator, alias="New").pk)
        wait_for(lambda: Change.objects.filter(state=Change.State.CONFIRMED).exists())
        assert len(edits(simulator)) == 1

    def test_it_sends_one_edit_for_five_messages(
        self, number: PhoneNumber, operator: User, simulator: Simulator
    ) -> None:
        Account.objects.update(is_paused=True)
        change = ask(number, operator, alias="New")
        for _ in range(5):
            ring(apply_change, change.pk)
        ring(tick)
        wait_for(Pulse.objects.filter(name="tick").exists)
        assert (len(edits(simulator)), Change.objects.get().attempt) == (1, 1)


@pytest.mark.usefixtures("account")
def test_a_tick_shows_that_a_worker_lives() -> None:
    tick()
    assert timezone.now() - Pulse.objects.get(name="tick").at < timedelta(seconds=5)


@pytest.mark.django_db(transaction=True)
def test_a_tick_rings_for_what_is_due(account: Account, number: PhoneNumber, operator: User) -> None:
    change = ask(number, operator, alias="New")
    planned = start(plan(number.account.numbers.exclude(pk=number.pk)[:1], operator, alias="New"), operator)
    Account.objects.update(next_sync_at=timezone.now())
    for queue in ("syncs", "plans"):
        Pulse.record(queue)
    rung()
    tick()
    assert sorted(rung()) == [
        ("numbers.apply_change", [change.pk]),
        ("numbers.sync_account", [SyncRun.objects.latest("pk").pk]),
        ("numbers.work_for_account", accounts_of(planned)),
    ]


@pytest.mark.parametrize(("silence", "asked"), [(None, 1), (29, 0), (31, 1), (-31, 1)])
@pytest.mark.parametrize(("queue", "other"), [("syncs", "plans"), ("plans", "syncs")])
@pytest.mark.django_db(transaction=True)
def test_a_tick_asks_a_silent_queue_for_a_sign_of_life(queue: str, other: str, silence: int | None, asked: int) -> None:
    Pulse.objects.all().delete()  # Of a worker whose last words came after the tables were emptied.
    Pulse.record(other)
    if silence is not None:
        Pulse.objects.create(name=queue, at=timezone.now() - timedelta(seconds=silence))
    rung()
    tick()
    assert rung() == [("numbers.show_life", [queue])] * asked


@pytest.mark.django_db(transaction=True)
def test_it_asks_for_no_sign_of_life_that_would_come_too_late() -> None:
    rung()
    feel_pulse("syncs", timezone.now())
    with current_app.connection_for_read() as connection, connection.SimpleQueue("syncs") as queue:
        message = queue.get_nowait()
        message.ack()
    assert message.headers["expires"]


@pytest.mark.django_db(transaction=True)
def test_it_rings_when_the_transaction_is_committed(account: Account) -> None:
    rung()
    with transaction.atomic():
        ring(sync_account, 17)
        assert rung() == []
    assert rung() == [("numbers.sync_account", [17])]


def test_it_raises_nothing_when_the_broker_is_down(
    account: Account,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    run = request_sync(account, trigger=SyncRun.Trigger.PERSON)
    monkeypatch.setattr(tasks.sync_account, "apply_async", broken)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        ring(sync_account, run.pk)
    assert len(callbacks) == 1


def broken(**_: Any) -> None:
    raise ConnectionRefusedError("no broker")


def test_it_goes_on_when_one_step_of_the_tick_fails(account, monkeypatch):
    def broken(now):
        raise ValueError("Something is wrong with the changes.")

    monkeypatch.setattr(tasks, "STEPS", (broken, *tasks.STEPS[1:]))
    tasks.tick()
    assert SyncRun.objects.filter(account=account).exists()


@pytest.mark.parametrize(("seconds", "messages"), [(None, 0), (-5, 1), (59, 1), (61, 0)])
@pytest.mark.django_db(transaction=True)
def test_it_leaves_to_the_tick_what_is_due_much_later(seconds: int | None, messages: int) -> None:
    rung()
    at = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    tasks.ring_again(apply_change, 17, at)
    assert rung() == [("numbers.apply_change", [17])] * messages
