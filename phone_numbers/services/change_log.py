"""The log of everything: what happened to numbers and to plans, filtered, newest first, page by page or as a table.

Reads only: the database refuses to change or delete a line.
"""

import csv
import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Any, TypeVar

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from phone_numbers.models import Change, Event, PlanEvent
from phone_numbers.services.spreadsheets import Echo, protect

COLUMNS = (
    *("at", "number", "account", "event", "field", "before", "after", "by", "reason", "detail", "request id"),
    *("change", "change set"),
)
NOBODY = "-"
"""Stands for Numberdesk itself where a person is asked for."""
PLANS = "plans"
CHUNK = 2000
SEARCHED = 200_000
"""Lines that one page looks through for a text, for which there is no index."""
DIGITS = frozenset("0123456789 ()+-.")
DAY = dt.timedelta(days=1)
FIRST_DAY, LAST_DAY = dt.date.min + DAY, dt.date.max - DAY
DRIFT = Q(kind=Event.Kind.DRIFT)
KINDS: Mapping[str, Q] = {
    "edits": Q(change__isnull=False) & ~DRIFT,
    PLANS: Q(pk=None),
    "drift": DRIFT,
    "presence": Q(kind__in=(Event.Kind.FIRST_SEEN, Event.Kind.PRESENCE)),
    "notes": Q(kind__in=(Event.Kind.LOCAL, Event.Kind.NOTED, Event.Kind.WITHDRAWN)),
}

Entry = Event | PlanEvent
Row = TypeVar("Row", Event, PlanEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines; what is empty does not count."""

    kind: str = ""
    person: str = ""
    account: int | None = None
    number: int | None = None
    change_set: uuid.UUID | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    """Including this day."""
    text: str = ""

    @property
    def is_unbounded(self) -> bool:
        """Nothing but the text narrows it down by much."""
        return bool(self.text) and not (self.number or self.change_set or self.since or self.until)


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere in the log: only lines with smaller ids come after it. Numbers' and plans' lines count on their own."""

    event: int
    plan_event: int

    def __str__(self) -> str:
        return f"{self.event}-{self.plan_event}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """None for what is no place."""
        parts = text.split("-")
        known = len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts)
        return cls(*map(int, parts)) if known else None


@dataclass(frozen=True, slots=True)
class LogPage:
    entries: list[Entry]
    older: Place | None
    is_partial: bool = False
    """There are older lines that were not searched for the text yet."""


def find_events(wanted: Wanted) -> QuerySet[Event]:
    """What happened to numbers."""
    events = Event.objects.filter(KINDS.get(wanted.kind, Q()), in_time(wanted), by_person(wanted))
    if wanted.account:
        events = events.filter(number__account=wanted.account)
    if wanted.number:
        events = events.filter(number=wanted.number)
    if wanted.change_set:
        events = events.filter(change__change_set=wanted.change_set)
    if wanted.text:
        events = events.filter(telling_of_number(wanted.text))
    return events


def find_plan_events(wanted: Wanted) -> QuerySet[PlanEvent]:
    """What was done with plans."""
    events = PlanEvent.objects.filter(in_time(wanted), by_person(wanted))
    changes = Change.objects.filter(change_set=OuterRef("change_set"))
    if wanted.kind not in ("", PLANS):
        return events.none()
    if wanted.account:
        events = events.filter(Exists(changes.filter(number__account=wanted.account)))
    if wanted.number:
        events = events.filter(Exists(changes.filter(number=wanted.number)))
    if wanted.change_set:
        events = events.filter(change_set=wanted.change_set)
    return events.filter(containing(wanted.text, "detail", "actor_name", "request_id", "change_set__reason"))


def in_time(wanted: Wanted) -> Q:
    """Beyond the days that every time zone has there is nothing to leave out."""
    found = Q()
    if wanted.since and wanted.since > FIRST_DAY:
        found &= Q(at__gte=midnight(wanted.since))
    if wanted.until and wanted.until < LAST_DAY:
        found &= Q(at__lt=midnight(max(wanted.until, FIRST_DAY) + DAY))
    return found


def midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def by_person(wanted: Wanted) -> Q:
    if wanted.person == NOBODY:
        return Q(actor_name="")
    return Q(actor_name=wanted.person) & ~Q(actor_name="") if wanted.person else Q()


def telling_of_number(text: str) -> Q:
    """A number in any spelling, or words of the line."""
    if DIGITS.issuperset(text) and (digits := "".join(each for each in text if each.isdigit())):
        return Q(number__e164__contains=digits)
    columns = ("before", "after", "detail", "actor_name", "request_id", "change__change_set__reason")
    return containing(text, *columns)


def containing(text: str, *columns: str) -> Q:
    found = Q()
    for column in columns if text else ():
        found |= Q(**{f"{column}__icontains": text})
    return found


def read_page(wanted: Wanted, before: Place | None, size: int) -> LogPage:
    """In two queries, whatever is asked for and however far back; a text is looked for in a part of the log only."""
    events, plan_events = with_context(find_events(wanted), find_plan_events(wanted))
    if before:
        events, plan_events = events.filter(pk__lt=before.event), plan_events.filter(pk__lt=before.plan_event)
    floor = oldest_searched(before) if wanted.is_unbounded else 0
    found = list(newest_first(events.filter(pk__gt=floor)[: size + 1], plan_events[: size + 1]))
    shown, rest = found[:size], found[size:]
    if rest:
        return LogPage(shown, place_after(shown, rest, floor))
    return LogPage(shown, Place(floor + 1, 0), is_partial=True) if floor else LogPage(shown, None)


def oldest_searched(before: Place | None) -> int:
    """Below it nothing is searched for this page; 0 when the whole rest of the log is."""
    newest = before.event - 1 if before else Event.objects.aggregate(pk=Max("pk"))["pk"] or 0
    floor = max(newest - SEARCHED, 0)
    return floor if floor and Event.objects.filter(pk__lte=floor).exists() else 0


def place_after(shown: Iterable[Entry], rest: Iterable[Entry], floor: int) -> Place:
    """Below what was shown of each kind; of what was not shown, above all there is; of events, not below `floor`."""

    def bound(model: type[Entry]) -> int:
        last = min((entry.pk for entry in shown if isinstance(entry, model)), default=None)
        return last if last is not None else max((each.pk for each in rest if isinstance(each, model)), default=0) + 1

    return Place(max(bound(Event), floor + 1), bound(PlanEvent))


def with_context(
    events: QuerySet[Event], plan_events: QuerySet[PlanEvent]
) -> tuple[QuerySet[Event], QuerySet[PlanEvent]]:
    """Newest first, with all that a line tells."""
    told = events.select_related("number__account", "change__change_set").defer("number__account__credentials")
    return told.order_by("-pk"), plan_events.select_related("change_set").order_by("-pk")


def newest_first(events: Iterable[Event], plan_events: Iterable[PlanEvent]) -> Iterator[Entry]:
    """Both in turn by their times, each in the order it was written in."""
    return merge(events, plan_events, key=lambda entry: entry.at, reverse=True)


def log_as_csv(events: QuerySet[Event], plan_events: QuerySet[PlanEvent] | None = None) -> Iterator[str]:
    """The header and a line for each of these events, newest first, as they come out of the database."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    found, of_plans = with_context(events, PlanEvent.objects.none() if plan_events is None else plan_events)
    for entry in newest_first(in_chunks(found), in_chunks(of_plans)):
        yield writer.writerow([protect(cell) for cell in cells_of(entry)])


def in_chunks(rows: "QuerySet[Row]") -> Iterator[Row]:
    """One query after the other, so that no cursor stays open while somebody's download is slow."""
    below = rows
    while chunk := list(below[:CHUNK]):
        yield from chunk
        if len(chunk) < CHUNK:
            break
        below = rows.filter(pk__lt=chunk[-1].pk)


def cells_of(entry: Entry) -> list[str]:
    about = about_plan(entry) if isinstance(entry, PlanEvent) else about_number(entry)
    told: dict[str, Any] = {
        "at": entry.at.isoformat(timespec="milliseconds"),
        "before": entry.before,
        "after": entry.after,
        "by": entry.actor_name,
        "detail": entry.detail,
        "request id": entry.request_id,
        **about,
    }
    return [str(told.get(column) or "") for column in COLUMNS]


def about_plan(event: PlanEvent) -> dict[str, Any]:
    return {"event": "plan", "reason": event.change_set.reason, "change set": event.change_set_id}


def about_number(event: Event) -> dict[str, Any]:
    asked = event.change.change_set if event.change else None
    return {
        "number": event.number.e164,
        "account": event.number.account.name,
        "event": event.kind,
        "field": event.field,
        "reason": asked.reason if asked else "",
        "change": event.change_id,
        "change set": asked.pk if asked else "",
    }
