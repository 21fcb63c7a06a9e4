"""What a sync found: how many numbers of each kind of news, and which ones, as the history of the numbers tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Count, Q, QuerySet

from phone_numbers.models import Event, HeldNumber, PhoneNumber, SyncRun
from phone_numbers.views.values import field_title, find_labels, value_in_words

Presence = PhoneNumber.Presence


class Kind(StrEnum):
    HELD = "held"
    NEW = "new"
    CHANGED = "changed"
    UNCONFIRMED = "unconfirmed"
    MISSING = "missing"
    RELEASED = "released"
    RETURNED = "returned"
    LEFT_ALONE = "left_alone"


WORDS = {
    Kind.HELD: "would vanish",
    Kind.NEW: "new",
    Kind.CHANGED: "changed",
    Kind.UNCONFIRMED: "unconfirmed",
    Kind.MISSING: "missing",
    Kind.RELEASED: "released",
    Kind.RETURNED: "returned",
    Kind.LEFT_ALONE: "left alone",
}


def presence_became(presence: Presence) -> Q:
    return Q(kind=Event.Kind.PRESENCE, after=presence)


EVENTS = {
    Kind.NEW: Q(kind=Event.Kind.FIRST_SEEN),
    Kind.CHANGED: Q(kind=Event.Kind.DRIFT),
    Kind.UNCONFIRMED: presence_became(Presence.UNCONFIRMED),
    Kind.MISSING: presence_became(Presence.MISSING),
    Kind.RELEASED: presence_became(Presence.RELEASED),
    Kind.RETURNED: presence_became(Presence.PRESENT),
}
"""The lines of history that tell each number. What is left alone has none: nothing was learnt of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """So many numbers of one kind."""

    kind: Kind
    count: int
    listed: int = 0
    """How many lines there are to show: a number has one for each field that changed."""

    @property
    def words(self) -> str:
        return WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class AffectedNumber:
    number: PhoneNumber
    event: Event | None
    field: str
    """What changed, in words; only of changes."""
    before: str
    after: str
    voice: str
    messages: str


def findings_of(run: SyncRun, listed: Mapping[Kind, int] | None = None) -> list[Finding]:
    """What there is to tell, kinds without a number left out. Asks the database nothing."""
    counts = {
        Kind.HELD: run.numbers_absent if run.state == SyncRun.State.HELD else 0,
        Kind.NEW: run.numbers_new,
        Kind.CHANGED: run.numbers_changed,
        Kind.UNCONFIRMED: run.numbers_unconfirmed,
        Kind.MISSING: run.numbers_missing,
        Kind.RELEASED: run.numbers_released,
        Kind.RETURNED: run.numbers_returned,
        Kind.LEFT_ALONE: run.numbers_left_alone,
    }
    listed = listed or {}
    return [
        Finding(kind, count or listed.get(kind, 0), listed.get(kind, 0))
        for kind, count in counts.items()
        if count or listed.get(kind)
    ]


def count_listed(run: SyncRun) -> dict[Kind, int]:
    """How many lines there are of each kind, in two queries."""
    counts = run.events.order_by().aggregate(
        **{kind.value: Count("pk", filter=condition) for kind, condition in EVENTS.items()}
    )
    held = run.held_numbers.count() if run.state == SyncRun.State.HELD else 0
    return {**{Kind(name): count for name, count in counts.items()}, Kind.HELD: held}


def affected_events(run: SyncRun, kind: Kind) -> "QuerySet[Event]":
    condition = EVENTS.get(kind)
    events = run.events.select_related("number")
    return events.filter(condition) if condition else events.none()


def affected_numbers(run: SyncRun, rows: Sequence[Event | HeldNumber]) -> list[AffectedNumber]:
    """These rows in words, in one query."""
    for row in rows:
        row.number.account = run.account
    values = [value for row in rows for value in values_of(row)]
    labels = find_labels([run.account_id], values) if values else {}

    def words(number: PhoneNumber, name: str, value: str) -> str:
        return value_in_words(number.account, name, value, labels)

    return [
        AffectedNumber(
            number=row.number,
            event=event,
            field=field_title(run.account, event.field) if event and event.field else "",
            before=words(row.number, event.field, event.before) if event and event.field else "",
            after=words(row.number, event.field, event.after) if event and event.field else "",
            voice=words(row.number, "voice", row.number.voice.key),
            messages=words(row.number, "messages", row.number.messages.key),
        )
        for row in rows
        for event in [row if isinstance(row, Event) else None]
    ]


def values_of(row: Event | HeldNumber) -> list[str]:
    routes = [row.number.voice.key, row.number.messages.key]
    return [*routes, row.before, row.after] if isinstance(row, Event) else routes
