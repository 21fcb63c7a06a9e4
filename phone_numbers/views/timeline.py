"""The history of one number in one stream: what was asked for, what the provider did, what we noted. Newest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode

from phone_numbers.filters.words import in_words as spelled
from phone_numbers.models import Event, PhoneNumber
from phone_numbers.services.change_log import KINDS as LOGGED
from phone_numbers.services.editing import edit_of
from phone_numbers.services.verdicts import COMPLIANCE, MONEY, open_among
from phone_numbers.templatetags.display import money
from phone_numbers.views.pages import read_id
from phone_numbers.views.values import ROUTES, Labels, field_title, find_labels, value_in_words

PER_PAGE = 30
STEPS = {Event.Kind.SENT, Event.Kind.POSTPONED, Event.Kind.UNKNOWN, Event.Kind.SETTLED}
NOTES = {Event.Kind.NOTED, Event.Kind.WITHDRAWN}
STATUSES = {"tendlc_status", "toll_free_status", "number_type"}
RATES = {"monthly_rate", "voice_rate", "sms_rate", "mms_rate"}

KINDS: Mapping[str, tuple[str, Q]] = {
    "edits": ("Edits", LOGGED["edits"]),
    "drift": ("Drift", Q(kind__in=(Event.Kind.DRIFT, Event.Kind.REVIEWED))),
    "compliance": ("10DLC and toll-free", Q(field__in=COMPLIANCE)),
    "money": ("Price and renewal", Q(field__in=MONEY)),
    "presence": ("Presence", LOGGED["presence"]),
    "syncs": ("Syncs", Q(run__isnull=False) | Q(kind=Event.Kind.READ)),
    "notes": ("Notes and tags", LOGGED["notes"]),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, in words."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    event: Event
    day: date
    differences: list[Difference]
    is_restorable: bool
    """What changed there can be changed back from here."""
    is_open: bool
    """A change at the provider of which nobody said yet what to make of it."""

    @property
    def note(self) -> str:
        return (self.event.after or self.event.before) if self.event.kind in NOTES else ""


@dataclass(frozen=True, slots=True)
class Tab:
    title: str
    suffix: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    lines: list[Line]
    tabs: list[Tab]
    is_filtered: bool
    older: str
    """The address of the next page, without its path; empty on the last one."""
    newest: str
    """The address of the first page; empty on it."""
    mistake: str = ""


def timeline_of(number: PhoneNumber, parameters: QueryDict) -> Timeline:
    """The page that `kind` and `before` ask for. An unknown kind shows nothing, and says so."""
    kind, before = parameters.get("kind", ""), parameters.get("before", "")
    place = {name: parameters.get(name, "") for name in ("from",) if parameters.get(name)}
    tabs = tabs_of(kind, place)
    if kind and kind not in KINDS:
        return Timeline(
            [], tabs, is_filtered=True, older="", newest="", mistake=f"There is no history called “{kind}”."
        )
    found = list(events_of(number, kind, before)[: PER_PAGE + 1])
    here = place | ({"kind": kind} if kind else {})
    return Timeline(
        lines=lines_of(number, found[:PER_PAGE]),
        tabs=tabs,
        is_filtered=bool(kind or before),
        older=suffix_of(here | {"before": str(found[PER_PAGE - 1].pk)}) if len(found) > PER_PAGE else "",
        newest=suffix_of(here) if before else "",
    )


def tabs_of(kind: str, place: Mapping[str, str]) -> list[Tab]:
    tabs = [Tab("Everything", suffix_of(place), not kind)]
    return tabs + [Tab(title, suffix_of({**place, "kind": key}), kind == key) for key, (title, _) in KINDS.items()]


def suffix_of(parameters: Mapping[str, str]) -> str:
    return f"?{urlencode(parameters)}"


def events_of(number: PhoneNumber, kind: str, before: str) -> "QuerySet[Event]":
    events = number.events.select_related("change__change_set", "run").order_by("-pk")
    if kind:
        events = events.filter(KINDS[kind][1])
    oldest = read_id(before)
    return events if oldest is None else events.filter(pk__lt=oldest)


def lines_of(number: PhoneNumber, events: Sequence[Event]) -> list[Line]:
    told = [(event, list(differences_in(event))) for event in events]
    routes = [value for _, found in told for name, *values in found if name in ROUTES for value in values]
    labels = find_labels([number.account_id], routes)
    waiting = open_among(events)
    return [
        Line(
            event,
            timezone.localtime(event.at).date(),
            [in_words(number, labels, *each) for each in found],
            is_restorable=event.kind == Event.Kind.DRIFT and edit_of(number.account, event.field) is not None,
            is_open=event.pk in waiting,
        )
        for event, found in told
    ]


def differences_in(event: Event) -> Iterator[tuple[str, str, str]]:
    """Field, before and after. The steps between an edit's request and its end only repeat them."""
    if event.kind in STEPS or event.kind in NOTES:
        return
    if event.change and not event.field:
        for name, after in event.change.desired.items():
            yield name, event.change.base.get(name, ""), after
    elif event.before or event.after:
        yield event.field, event.before, event.after


def in_words(number: PhoneNumber, labels: Labels, name: str, before: str, after: str) -> Difference:
    account = number.account
    title = field_title(account, name) if name else ""

    def words(value: str) -> str:
        if value and (name in STATUSES or not name):
            return spelled(value)
        if value and name in RATES:
            return money(Decimal(value), number.currency)
        return value_in_words(account, name, value, labels)

    return Difference(title, words(before), words(after))
