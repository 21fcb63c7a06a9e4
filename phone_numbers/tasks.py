"""What workers are rung for. A message carries an id; the row it names says what is to be done, and remembers it.

A message that is lost, late or doubled changes nothing: the tick rings again for whatever is due.
"""

import datetime as dt
from typing import Any

import structlog
from celery import Task, shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from phone_numbers.models import ChangeSet, Pulse
from phone_numbers.services import change_crews, change_plans, change_sets, changes, pruning, runs, sync

logger = structlog.get_logger(__name__)

LONGEST_COUNTDOWN_SECONDS = 60
"""A change that is due later than this is left to the tick."""
PULSED_QUEUES = (runs.SYNCS, change_crews.PLANS)
"""Besides the tick's own: the health page tells whether somebody works for them."""
LIMITS = {"soft_time_limit": 600, "time_limit": 660}
"""Seconds. A worker that works with threads has no such limits; there, deadlines of every call do it."""


@shared_task(name="numbers.tick", **LIMITS)
def tick() -> None:
    """Start what is due, and ring again for what nobody picked up or whose worker was lost."""
    now = timezone.now()
    Pulse.record("tick")
    for step in STEPS:
        try:
            step(now)
        except Exception:
            logger.exception("a step of the tick failed; the others go on", step=step.__name__)


def ring_for_changes(now: dt.datetime) -> None:
    for change_id in changes.due_changes(now):
        ring(apply_change, change_id)


def ring_for_crews(now: dt.datetime) -> None:
    for account_id in change_crews.due_accounts(now):
        ring(work_for_account, account_id)


def ring_for_local_changes(_: dt.datetime) -> None:
    for change_set_id in change_sets.with_local_left():
        ring(write_local_changes, str(change_set_id), expires=LONGEST_COUNTDOWN_SECONDS)


def ring_for_lost_runs(now: dt.datetime) -> None:
    for run_id in runs.reap_runs(now):
        ring(sync_account, run_id)


def ring_for_due_runs(now: dt.datetime) -> None:
    for run_id in runs.due_account_runs(now):
        ring(sync_account, run_id)


def feel_pulses(now: dt.datetime) -> None:
    for queue in PULSED_QUEUES:
        feel_pulse(queue, now)


def prune(now: dt.datetime) -> None:
    change_plans.prune_drafts(now)
    pruning.prune_runs()


STEPS = (
    ring_for_changes,
    ring_for_local_changes,
    ring_for_crews,
    ring_for_lost_runs,
    ring_for_due_runs,
    feel_pulses,
    prune,
)
"""Of a tick. What one of them stumbles over must not keep the others from their work."""


def feel_pulse(queue: str, now: dt.datetime) -> None:
    """Ask for a sign of life when there was none lately. Whoever is busy gives one unasked, so none pile up."""
    silence, often = Pulse.silence(queue, now), settings.WORKER_SILENCE_SECONDS / 3
    if silence is None or abs(silence.total_seconds()) >= often:
        ring(show_life, queue, queue=queue, expires=2 * often)


@shared_task(name="numbers.show_life")
def show_life(queue: str) -> None:
    Pulse.record(queue)


@shared_task(name="numbers.sync_account")
def sync_account(run_id: int) -> None:
    """As long as it takes: a large account at its provider's rate needs many minutes. Its lease tells if it stands."""
    sync.run_sync(run_id)


@shared_task(name="numbers.apply_change", **LIMITS)
def apply_change(change_id: int) -> None:
    ring_again(apply_change, change_id, changes.apply_change(change_id))


@shared_task(name="numbers.work_for_account", **LIMITS)
def work_for_account(account_id: int) -> None:
    """A slice of the account's plans."""
    ring_again(work_for_account, account_id, change_crews.work_for_account(account_id))


@shared_task(name="numbers.write_local_changes", **LIMITS)
def write_local_changes(change_set_id: str) -> None:
    """A slice of what a plan changes here alone, and then the next."""
    if change_sets.write_local_changes(change_set_id):
        ring(write_local_changes, change_set_id)


def ring_for_plan(change_set: ChangeSet) -> None:
    """After it was applied or resumed."""
    if change_set.pk in change_sets.with_local_left():
        ring(write_local_changes, str(change_set.pk))
    for account_id in change_sets.accounts_of(change_set):
        ring(work_for_account, account_id)


def ring_again(task: Task, argument: int, at: dt.datetime | None) -> None:
    if at is not None:
        seconds = (at - timezone.now()).total_seconds()
        if seconds <= LONGEST_COUNTDOWN_SECONDS:
            ring(task, argument, countdown=max(seconds, 0))


def ring(task: Task, *arguments: int | str, **options: Any) -> None:
    """Send the message once the transaction is committed. A broker that is down is logged, never raised."""

    def send() -> None:
        task.apply_async(args=arguments, retry=False, **options)

    transaction.on_commit(send, robust=True)


@worker_ready.connect
def tick_at_once(**_: object) -> None:
    """A fresh installation reads its accounts now, not at the schedule's first beat."""
    tick.delay()
