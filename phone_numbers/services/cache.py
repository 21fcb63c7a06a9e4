"""Puts readings into the cache: only what differs is written, and every visible difference leaves a line of history.

Writes only what a provider said, never over a number that is being edited or was edited since the reading.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from phone_numbers.models import Change, Event, NumberPayload, PhoneNumber, SyncRun
from phone_numbers.querysets import PhoneNumberQuerySet
from phone_numbers.services.bulk import find_known, insert_numbers, insert_payloads
from phone_numbers.services.columns import SURPRISED, Reading, format_nationally, shown
from phone_numbers.services.drift import Certified, last_certified, last_known, taken_back
from providers.contract import RemoteNumber
from providers.paging import ListedNumber

WRITTEN = tuple(
    column.name
    for column in PhoneNumber._meta.concrete_fields
    if column.name not in ("id", "account", "remote_id", "first_seen_at")
)


@dataclass(slots=True)
class Stored:
    """What became of a batch of readings."""

    seen: list[int] = field(default_factory=list)
    """The row of each reading, so a number that came twice is here twice."""
    new: int = 0
    changed: int = 0
    returned: int = 0
    left_alone: list[int] = field(default_factory=list)
    """Rows that differ and were not written: being edited, edited since the run began, or an edit seemingly undone."""
    surprising: list[RemoteNumber] = field(default_factory=list)
    """Those of the batch whose row holds what its adapter does not know."""


def store_batch(run: SyncRun, rows: Sequence[ListedNumber], *, announce: bool, fence: Callable[[], None]) -> Stored:
    """One short transaction for a batch of a listing, or none when nothing differs. Only rows that differ are read.

    `fence` is called first inside it and raises when the run is not ours any more. `announce`: a number never seen
    before is news (in the first listing of an account it is not).
    """
    listed = {row.id: row for row in rows}
    pks: dict[str, int] = {}
    differing: dict[int, Reading] = {}
    surprising: list[RemoteNumber] = []
    for remote_id, pk, digest, presence in find_known(run.account_id, listed):
        row = listed[remote_id]
        pks[remote_id] = pk
        if presence != PhoneNumber.Presence.PRESENT or digest.removesuffix(SURPRISED) != row.digest:
            differing[pk] = Reading.of(row.read())
        elif digest.endswith(SURPRISED):
            surprising.append(row.read())
    fresh = [Reading.of(row.read()) for row in listed.values() if row.id not in pks]
    stored = Stored(new=len(fresh))
    if fresh or differing:
        with transaction.atomic():
            fence()
            pks |= create_numbers(run, fresh, announce=announce)
            update_numbers(run, differing, stored)
    stored.seen = [pks[row.id] for row in rows]
    read = (reading.remote for reading in (*fresh, *differing.values()))
    stored.surprising = [*surprising, *(remote for remote in read if remote.surprises)]
    return stored


def create_numbers(run: SyncRun, readings: Sequence[Reading], *, announce: bool) -> dict[str, int]:
    """New rows; returns the provider's id to ours."""
    if not readings:
        return {}
    now = timezone.now()
    mine = {"account_id": run.account_id, "presence_since": run.started_at, "first_seen_at": now, "changed_at": now}
    insert_numbers(
        {
            **mine,
            **reading.columns(),
            "remote_id": reading.remote.id,
            "national": format_nationally(reading.remote.e164),
        }
        for reading in readings
    )
    made = find_known(run.account_id, (reading.remote.id for reading in readings))
    pks = {remote_id: pk for remote_id, pk, *_ in made}
    insert_payloads(reading.payload_row(pks[reading.remote.id]) for reading in readings)
    if announce:
        Event.objects.bulk_create(Event(number_id=pk, kind=Event.Kind.FIRST_SEEN, run=run) for pk in pks.values())
    return pks


def update_numbers(run: SyncRun, readings: Mapping[int, Reading], stored: Stored) -> None:
    """Rows whose reading differs, but for those an edit has a say in."""
    writable = []
    events: list[Event] = []
    numbers = lock_numbers(readings, edited_after=run.started_seq)
    doubtful = taken_back(numbers, readings)
    certified = last_certified(run.account_id) if numbers else None
    for number in numbers:
        if number.pk in doubtful:
            continue
        news = take_reading(number, readings[number.pk], certified, run=run)
        stored.changed += any(event.kind == Event.Kind.DRIFT for event in news)
        stored.returned += any(event.kind == Event.Kind.PRESENCE for event in news)
        events += news
        writable.append(number)
    stored.left_alone = list(readings.keys() - {number.pk for number in writable})
    write_numbers(writable, readings)
    Event.objects.bulk_create(events)


def lock_numbers(pks: Collection[int], *, edited_after: int) -> list[PhoneNumber]:
    """These rows, locked, but for those with an edit under way or sent later than `edited_after`."""
    numbers = locked(PhoneNumber.objects.filter(pk__in=pks, edited_seq__lte=edited_after))
    editing = set(Change.objects.filter(number__in=pks, state__in=Change.LIVE).values_list("number", flat=True))
    return [number for number in numbers if number.pk not in editing]


def locked(numbers: PhoneNumberQuerySet) -> list[PhoneNumber]:
    """With their payloads, read by a later statement: one joined to a row that had to be waited for would be old."""
    return list(numbers.select_for_update().order_by("pk").prefetch_related("payload"))


def take_reading(
    number: PhoneNumber,
    reading: Reading,
    certified: Certified | None,
    *,
    ours: Collection[str] = (),
    why: str = "",
    **cause: Any,
) -> list[Event]:
    """Give the number the reading's values. Returns the history it makes, with `cause` (run, change), not saved yet.

    A change of a field in `ours` is our own doing, and no drift. `why` is said of every drift.
    """
    before, known_at = shown(number), last_known(number, certified)
    e164 = number.e164
    for name, value in reading.columns().items():
        setattr(number, name, value)
    if number.e164 != e164:
        number.national = format_nationally(number.e164)
    number.payload = reading.payload_row(number.pk)
    news = [
        Event(
            number=number,
            kind=Event.Kind.DRIFT,
            field=name,
            before=old,
            after=new,
            detail=why,
            known_at=known_at,
            **cause,
        )
        for name, old, new in differences(before, shown(number))
        if name not in ours
    ]
    return news + return_to_presence(number, **cause)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    for name in [*after, *(before.keys() - after.keys())]:
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            yield name, old, new


def return_to_presence(number: PhoneNumber, **cause: Any) -> list[Event]:
    """Whatever was believed of a number, the provider showing it proves it is there."""
    was = number.presence
    if was == PhoneNumber.Presence.PRESENT:
        return []
    number.presence = PhoneNumber.Presence.PRESENT
    number.presence_since = timezone.now()
    return [Event(number=number, kind=Event.Kind.PRESENCE, before=was, after=number.presence, **cause)]


def write_numbers(numbers: Sequence[PhoneNumber], readings: Mapping[int, Reading]) -> None:
    """One statement for the rows, which also sets `changed_at`, and one for their payloads."""
    PhoneNumber.objects.bulk_create(numbers, update_conflicts=True, unique_fields=["id"], update_fields=WRITTEN)
    NumberPayload.objects.bulk_create(
        [readings[number.pk].payload_row(number.pk) for number in numbers],
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=["body", "extras", "shadowed"],
    )


def store_reading(number: PhoneNumber, remote: RemoteNumber, **options: Any) -> list[Event]:
    """Put one reading into a row that the caller has locked; `options` as for `take_reading`. Returns the history."""
    reading = Reading.of(remote)
    if reading.digest == number.digest and number.presence == PhoneNumber.Presence.PRESENT:
        return []
    events = take_reading(number, reading, last_certified(number.account_id), **options)
    write_numbers([number], {number.pk: reading})
    return Event.objects.bulk_create(events)
