"""A change's way from state to state: each step is one short transaction with one line of history.

The row of the number is locked first, then the change must still be ours: a worker that lost its lease writes nothing.
"""

import datetime as dt
import time
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from phone_numbers.models import Change, ChangeSet, Event, PhoneNumber, Sequence
from phone_numbers.services.cache import locked, store_reading
from phone_numbers.services.columns import says_the_same
from phone_numbers.services.crash_points import crash_point
from phone_numbers.services.leases import RING_AGAIN, LeaseLost, has_lapsed, is_free, lease_end
from providers.contract import RemoteNumber

MOST_DUE = 500
LONGEST_WAIT = dt.timedelta(hours=1)
MARK = "UPDATE numbers_phonenumber SET edited_seq = %s WHERE id = %s RETURNING digest, presence, changed_at"
EVENT_OF = {
    Change.State.PENDING: Event.Kind.POSTPONED,
    Change.State.SENDING: Event.Kind.SENT,
    Change.State.UNKNOWN: Event.Kind.UNKNOWN,
    Change.State.CONFIRMED: Event.Kind.CONFIRMED,
    Change.State.REFUSED: Event.Kind.REFUSED,
    Change.State.CONFLICT: Event.Kind.CONFLICT,
    Change.State.MISMATCH: Event.Kind.MISMATCH,
    Change.State.FAILED: Event.Kind.FAILED,
    Change.State.CANCELLED: Event.Kind.CANCELLED,
}


def due_changes(now: dt.datetime) -> list[int]:
    """What to ring for: single edits whose time has come and that nobody holds, or whose worker went quiet."""
    waiting = Change.objects.filter(
        Q(lease_expires_at=None) | has_lapsed(now),
        may_be_tried(now),
        state__in=Change.LIVE,
        change_set__is_planned=False,
    )
    pks = list(waiting.order_by("pk").values_list("pk", flat=True)[:MOST_DUE])
    waiting.filter(pk__in=pks, lease_token=None).update(lease_expires_at=now + RING_AGAIN)
    return pks


def may_be_tried(now: dt.datetime) -> Q:
    """Not while it waits. A time further ahead than we set one means that the clock was put back."""
    too_far = Q(next_attempt_at__gt=now + 2 * LONGEST_WAIT)
    return Q(next_attempt_at=None) | Q(next_attempt_at__lte=now) | too_far


def claim_change(change_id: int) -> Change | None:
    """The live change, ours from now on; None when it is not its time, or somebody else's."""
    held_until = monotonic_lease_end()
    now = timezone.now()
    token = uuid.uuid4()
    mine = Change.objects.filter(is_free(now), may_be_tried(now), pk=change_id, state__in=Change.LIVE)
    if not mine.update(lease_token=token, lease_expires_at=lease_end(now), failures=F("failures") + 1):
        return None
    held = Change.objects.select_related("change_set", "number__account", "number__payload")
    held = held.defer("number__payload__body")
    change = held.filter(pk=change_id, lease_token=token).first()
    if change is not None:
        change.held_until = held_until
    return change


def monotonic_lease_end() -> float:
    """To be asked for before the lease is written, so that it never seems to last longer than it does."""
    return time.monotonic() + float(settings.LEASE_SECONDS)


def may_send(change: Change, seconds: float) -> bool:
    """Whether it is ours and still wanted, and a call that takes so long is over before anybody else may take it.

    By both clocks: one stands still while the machine sleeps, the other can be put back.
    """
    over_at = timezone.now() + dt.timedelta(seconds=seconds)
    in_time = time.monotonic() + seconds <= change.held_until
    wanted = held_by_us(change).filter(change_set__state=ChangeSet.State.APPLYING)
    return in_time and wanted.filter(lease_expires_at__gte=over_at).exists()


def held_by_us(change: Change) -> QuerySet[Change]:
    return Change.objects.filter(pk=change.pk, lease_token=change.lease_token, state=change.state)


def save_held(change: Change, **columns: Any) -> None:
    """Write these columns while the change is ours, and hold it for longer. Raises LeaseLost."""
    held_until = monotonic_lease_end()
    columns = {"lease_expires_at": lease_end(timezone.now()), **columns}
    if not held_by_us(change).update(**columns):
        raise LeaseLost(f"{change} was taken from this worker.")
    for name, value in columns.items():
        setattr(change, name, value)
    change.held_until = held_until


def look_again(change: Change, seconds: float, **columns: Any) -> None:
    """Let go of it for a while. No step, so no history."""
    later = timezone.now() + min(dt.timedelta(seconds=seconds), LONGEST_WAIT)
    save_held(change, next_attempt_at=later, lease_token=None, lease_expires_at=None, **columns)


def move(
    change: Change,
    state: Change.State,
    detail: str = "",
    *,
    reading: RemoteNumber | None = None,
    ours: Collection[str] = (),
    why: str = "",
    **columns: Any,
) -> None:
    """One step, still holding it. Raises LeaseLost.

    `reading` goes to the cache; what it changes is drift, but for the fields in `ours`.
    """
    with transaction.atomic(savepoint=False):
        lock_number(change)
        number = change.number
        if reading is not None and not (state == Change.State.SENDING and says_the_same(number, reading)):
            news = store_reading(number, reading, ours=ours, why=why, change=change)
            detail = with_unasked(detail, news) if why else detail
        save_held(change, state=state, detail=detail, **columns)
        crash_point("after_confirm" if state == Change.State.CONFIRMED else "")
        if state != Change.State.PENDING or not was_postponed(change):
            record(change, EVENT_OF[state], detail)


def lock_number(change: Change) -> None:
    """Lock its number, and note there that it is edited; read it anew when somebody wrote to it meanwhile."""
    number, sequence = change.number, Sequence.next()
    with connection.cursor() as cursor:
        cursor.execute(MARK, [sequence, number.pk])
        version = cursor.fetchone()
    if version != (number.digest, number.presence, connection.ops.adapt_datetimefield_value(number.changed_at)):
        (change.number,) = locked(PhoneNumber.objects.filter(pk=number.pk).select_related("account"))
    change.number.edited_seq = sequence


def was_postponed(change: Change) -> bool:
    """Whether its history says so already, with nothing since but further tries."""
    steps = Event.objects.filter(change=change, kind__in=EVENT_OF.values()).exclude(kind=Event.Kind.SENT)
    return steps.order_by("-pk").values_list("kind", flat=True).first() == Event.Kind.POSTPONED


def settle(change: Change, state: Change.State, detail: str = "", **options: Any) -> None:
    """The last step."""
    over: dict[str, Any] = {
        "finished_at": timezone.now(),
        "next_attempt_at": None,
        "lease_token": None,
        "lease_expires_at": None,
    }
    with transaction.atomic():
        move(change, state, detail, **over, **options)
        if not change.change_set.is_planned:
            done = {"state": ChangeSet.State.DONE, "finished_at": over["finished_at"]}
            ChangeSet.objects.filter(pk=change.change_set_id, state=ChangeSet.State.APPLYING).update(**done)
    crash_point("after_audit")


def with_unasked(detail: str, news: Iterable[Event]) -> str:
    fields = [event.field for event in news if event.kind == Event.Kind.DRIFT]
    told = f"The provider also changed {', '.join(fields)}, which nobody asked for." if fields else ""
    return f"{detail} {told}".strip()


@dataclass(frozen=True, slots=True)
class By:
    """In whose name a line of history is written."""

    actor_id: int | None
    actor_name: str
    request_id: str

    @classmethod
    def user(cls, user: User, request_id: str) -> Self:
        return cls(user.pk, user.get_username(), request_id)

    @classmethod
    def asker(cls, asked: ChangeSet) -> Self:
        """Who had a plan carried out; else who asked."""
        if asked.applied_at:
            return cls(asked.applied_by_id, asked.applied_by_name, asked.request_id)
        return cls(asked.created_by_id, asked.created_by_name, asked.request_id)


def record(change: Change, kind: Event.Kind, detail: str = "") -> None:
    """One line of the number's history."""
    event_of(change, kind, detail).save()


def event_of(change: Change, kind: Event.Kind, detail: str = "", *, by: By | None = None) -> Event:
    """Not saved yet; in the name of who asked for the change, if not `by` somebody else."""
    by = by or By.asker(change.change_set)
    names = list(change.desired)
    event = Event(
        number_id=change.number_id,
        kind=kind,
        detail=detail,
        change=change,
        actor_id=by.actor_id,
        actor_name=by.actor_name,
        request_id=by.request_id,
    )
    if len(names) == 1:
        event.field, event.before, event.after = names[0], change.base[names[0]], change.desired[names[0]]
    else:
        event.before, event.after = listed(change.base, names), listed(change.desired, names)
    return event


def listed(values: dict[str, str], names: list[str]) -> str:
    return "; ".join(f"{name}: {values[name]}" for name in names)
