"""Puts readings into the cache: only what differs is written, and every visible difference leaves a line of history.

Writes only what a provider said, never over a number that is being edited or was edited since the reading.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from phone_numbers.models import Change, Event, PhoneNumber, SyncRun
from phone_numbers.querysets import PhoneNumberQuerySet
from phone_numbers.services.batches import batches
from phone_numbers.services.bulk import (
    Write,
    added,
    find_known,
    find_unchanged,
    inserted_numbers,
    inserted_payloads,
    replaced,
    updated,
)
from phone_numbers.services.columns import SURPRISED, Reading, format_nationally, shown
from phone_numbers.services.drift import Certified, last_certified, last_known, taken_back
from providers.contract import RemoteNumber
from providers.paging import ListedNumber

WRITTEN = tuple(
    column.name
    for column in PhoneNumber._meta.concrete_fields
    if column.name not in ("id", "account", "remote_id", "first_seen_at", "edited_seq", "changed_at")
)
MOST_ROWS = {"sqlite": 50, "postgresql": 1000}
"""Of one transaction. On SQLite, whoever saves an edit waits for it."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.1


class Standing(NamedTuple):
    """What tells whether a row is still as it was when it was read."""

    edited_seq: int
    digest: str
    presence: str


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
    """Short transactions for a batch of a listing, or none when nothing differs. Only rows that differ are read.

    `fence` is called first inside each and raises when the run is not ours any more. `announce`: a number never seen
    before is news (in the first listing of an account it is not).
    """
    unchanged = find_unchanged(run.account_id, {row.id: row.digest for row in rows}) if announce else []
    if len(unchanged) == len(rows):
        return Stored(seen=unchanged)
    listed = {row.id: row for row in rows}
    pks: dict[str, int] = {}
    differing: dict[int, Reading] = {}
    surprising: list[RemoteNumber] = []
    for remote_id, pk, digest in find_known(run.account_id, listed):
        row = listed[remote_id]
        pks[remote_id] = pk
        if digest == row.digest:
            continue
        if digest == row.digest + SURPRISED:
            surprising.append(row.read())
        else:
            differing[pk] = Reading.of(row.read())
    fresh = [Reading.of(row.read()) for row in listed.values() if row.id not in pks]
    stored = Stored(new=len(fresh))
    most = MOST_ROWS[connection.vendor]
    for some in batches(fresh, most):
        pks |= create_numbers(run, some, announce=announce, fence=fence)
    certified = last_certified(run.account_id) if differing else None
    for several in batches(differing.items(), most):
        update_numbers(run, dict(several), certified, stored, fence=fence)
    stored.seen = [pks[row.id] for row in rows]
    read = (reading.remote for reading in (*fresh, *differing.values()))
    stored.surprising = [*surprising, *(remote for remote in read if remote.surprises)]
    return stored


@contextmanager
def turn(fence: Callable[[], None]) -> Iterator[None]:
    """A short transaction that commits only if `fence` does not raise; after it, others have their turn.

    SQLite has one writer at a time and no queue: who waits looks again now and then, and must find it free.
    """
    with transaction.atomic():
        fence()
        yield
    if connection.vendor == "sqlite":
        wait_for_others()


def wait_for_others() -> None:
    """Until nobody else wrote for a moment, but not for long."""
    end = time.monotonic() + LONGEST_PAUSE_SECONDS
    before = None
    while (version := data_version()) != before and time.monotonic() < end:
        before = version
        time.sleep(PAUSE_SECONDS)


def data_version() -> int:
    """Another one as soon as anybody else has written."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])


def create_numbers(
    run: SyncRun, readings: Sequence[Reading], *, announce: bool, fence: Callable[[], None]
) -> dict[str, int]:
    """New rows; returns the provider's id to ours."""
    now = timezone.now()
    mine = {"account_id": run.account_id, "presence_since": run.started_at, "first_seen_at": now, "changed_at": now}
    insert_numbers = inserted_numbers(
        {
            **mine,
            **reading.columns(),
            "remote_id": reading.remote.id,
            "national": format_nationally(reading.remote.e164),
        }
        for reading in readings
    )
    with turn(fence):
        insert_numbers()
        made = find_known(run.account_id, (reading.remote.id for reading in readings))
        pks = {remote_id: pk for remote_id, pk, _ in made}
        inserted_payloads(reading.payload_row(pks[reading.remote.id]) for reading in readings)()
        if announce:
            added([Event(number_id=pk, kind=Event.Kind.FIRST_SEEN, run=run) for pk in pks.values()])()
    return pks


def update_numbers(
    run: SyncRun,
    readings: Mapping[int, Reading],
    certified: Certified | None,
    stored: Stored,
    *,
    fence: Callable[[], None],
) -> None:
    """Rows whose reading differs, but for those an edit has a say in.

    What to write is worked out beforehand. Only rows that are still as they were then are written, and none that was
    edited since the run began: that is decided once they are locked.
    """
    numbers = list(PhoneNumber.objects.filter(pk__in=readings).order_by("pk").prefetch_related("payload"))
    before = {number.pk: dict(vars(number)) for number in numbers}
    standings = {number.pk: Standing(number.edited_seq, number.digest, number.presence) for number in numbers}
    doubtful = taken_back(numbers, readings)
    sure = [number for number in numbers if number.pk not in doubtful]
    news = {number.pk: take_reading(number, readings[number.pk], certified, run=run) for number in sure}
    write = written_numbers(sure, readings, news, before)
    with turn(fence):
        now = lock_standings(standings, edited_after=run.started_seq)
        untouched = [number for number in sure if now.get(number.pk) == standings[number.pk]]
        if len(untouched) < len(sure):
            write = written_numbers(untouched, readings, news, before)
        write()
    stored.left_alone += readings.keys() - {number.pk for number in untouched}
    for number in untouched:
        stored.changed += any(event.kind == Event.Kind.DRIFT for event in news[number.pk])
        stored.returned += any(event.kind == Event.Kind.PRESENCE for event in news[number.pk])


def lock_standings(pks: Collection[int], *, edited_after: int) -> dict[int, Standing]:
    """How these rows stand, locked, but for those with an edit under way or sent later than `edited_after`."""
    rows = PhoneNumber.objects.filter(pk__in=pks, edited_seq__lte=edited_after).select_for_update().order_by("pk")
    found = {pk: Standing(*standing) for pk, *standing in rows.values_list("pk", *Standing._fields)}
    return {pk: found[pk] for pk in found.keys() - being_edited(found)}


def lock_numbers(pks: Collection[int], *, edited_after: int) -> list[PhoneNumber]:
    """The same rows, whole."""
    numbers = locked(PhoneNumber.objects.filter(pk__in=pks, edited_seq__lte=edited_after))
    editing = being_edited(pks)
    return [number for number in numbers if number.pk not in editing]


def being_edited(pks: Collection[int]) -> set[int]:
    """To be asked by a statement of its own, once the rows are locked."""
    return set(Change.objects.filter(number__in=pks, state__in=Change.LIVE).values_list("number", flat=True))


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


def written_numbers(
    numbers: Sequence[PhoneNumber],
    readings: Mapping[int, Reading],
    news: Mapping[int, Sequence[Event]],
    before: Mapping[int, Mapping[str, object]],
) -> Write:
    """Makes ready what writes the rows, setting `changed_at`, their payloads, and their history.

    `before`: the values of each row as it was.
    """
    changed = [name for name in WRITTEN if any(getattr(number, name) != before[number.pk][name] for number in numbers)]
    payloads = [readings[number.pk].payload_row(number.pk) for number in numbers]
    events = [event for number in numbers for event in news[number.pk]]
    writes = updated(numbers, [*changed, "changed_at"]), replaced(payloads), added(events)

    def write() -> None:
        for each in writes:
            each()

    return write


def store_reading(number: PhoneNumber, remote: RemoteNumber, **options: Any) -> list[Event]:
    """Put one reading into a row that the caller has locked; `options` as for `take_reading`. Returns the history."""
    reading = Reading.of(remote)
    if reading.digest == number.digest and number.presence == PhoneNumber.Presence.PRESENT:
        return []
    before = {number.pk: dict(vars(number))}
    events = take_reading(number, reading, last_certified(number.account_id), **options)
    written_numbers([number], {number.pk: reading}, {number.pk: events}, before)()
    return events
