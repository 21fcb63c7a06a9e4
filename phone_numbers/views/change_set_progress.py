"""How a plan and its outcome read: groups with counts, side effects, rows before and after."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Q, QuerySet

from phone_numbers.models import Account, Change, ChangeSet
from phone_numbers.services.change_reversals import RETRIED
from phone_numbers.services.change_sets import why_count_is_typed
from phone_numbers.views.values import field_title, find_labels, value_in_words

State, LeftOut = Change.State, Change.LeftOut
WAITING, BUSY = "waiting", "busy"


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that stand alike."""

    key: str
    title: str
    look: str
    count: int


@dataclass(frozen=True, slots=True)
class Effect:
    sentence: str
    count: int
    is_inherent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    groups: Mapping[str, Group]
    total: int
    """Changes that were, or will be, sent for."""
    planned: int
    over: int
    confirmed: int
    failed: int
    effects: Sequence[Effect] = ()
    typed_why: str = ""
    """Why the count must be typed before it is applied."""
    numbers: int = 0
    """That a draft would change: of one there may be two changes, one that is sent and one that is only kept here."""
    sent: int = 0
    """Changes of a draft that go to a provider; the others are written here."""

    @property
    def troubled(self) -> int:
        return sum(self.groups[key].count for key in TROUBLED if key in self.groups)

    @property
    def retried(self) -> int:
        """Those that another try may bring further."""
        return sum(self.groups[key].count for key in RETRIED if key in self.groups)

    def changes_in(self, change_set: ChangeSet, shown: str) -> "QuerySet[Change]":
        """Of the group that is shown, or everything but what is left alone because it is so already."""
        changes = change_set.changes.select_related("change_set", "number__account", "number")
        changes = changes.defer("number__account__credentials").order_by("number__e164", "pk")
        if shown in LeftOut.values:
            return changes.filter(state=State.LEFT_OUT, left_out=shown)
        if shown == BUSY:
            return changes.filter(state__in=Change.LIVE)
        if shown in State.values:
            return changes.filter(state=shown)
        return changes.exclude(state=State.LEFT_OUT) if self.total else changes


TROUBLED = (State.REFUSED, State.CONFLICT, State.MISMATCH, State.FAILED)
GROUPS: Mapping[str, tuple[str, str]] = {
    State.PLANNED: ("Waiting", "planned"),
    BUSY: ("Under way", "sending"),
    State.CONFIRMED: ("Confirmed", "confirmed"),
    State.CONFLICT: ("Conflict", "conflict"),
    State.MISMATCH: ("Accepted but not applied", "mismatch"),
    State.REFUSED: ("Refused", "refused"),
    State.FAILED: ("Failed", "failed"),
    State.CANCELLED: ("Cancelled", "cancelled"),
    LeftOut.CANNOT: ("Cannot be changed", "refused"),
    LeftOut.IN_FLIGHT: ("Being changed", "sending"),
    LeftOut.CHANGED_SINCE: ("Changed since", "conflict"),
    LeftOut.ALREADY: ("Already so", "cancelled"),
}


def outcomes_of(change_sets: Sequence[ChangeSet]) -> list[tuple[ChangeSet, Outcome]]:
    """How far each of them is, in one query for all."""
    counts = count_changes(Change.objects.filter(change_set__in=[each.pk for each in change_sets]))
    return [(each, counted(each, counts.get(each.pk, {}))) for each in change_sets]


def outcome_of(change_set: ChangeSet) -> Outcome:
    """In one query, and for a draft three more: what else it brings about, how many numbers, and why they are typed."""
    outcome = counted(change_set, count_changes(change_set.changes.all()).get(change_set.pk, {}))
    if change_set.state != ChangeSet.State.DRAFT:
        return outcome
    typed_why = why_count_is_typed(change_set) if outcome.total else ""
    planned = change_set.changes.filter(state=State.PLANNED)
    sizes = planned.aggregate(numbers=Count("number", distinct=True), sent=Count("pk", filter=Q(is_local=False)))
    return replace(outcome, effects=effects_of(change_set), typed_why=typed_why, **sizes)


def count_changes(changes: "QuerySet[Change]") -> dict[uuid.UUID, dict[str, int]]:
    """Change set to group to how many."""
    counts: dict[uuid.UUID, dict[str, int]] = {}
    rows = changes.order_by().values_list("change_set", "state", "left_out").annotate(Count("pk"))
    for change_set, state, left_out, count in rows:
        key = left_out if state == State.LEFT_OUT else BUSY if state in Change.LIVE else state
        groups = counts.setdefault(change_set, {})
        groups[key] = groups.get(key, 0) + count
    return counts


def counted(change_set: ChangeSet, counts: Mapping[str, int]) -> Outcome:
    is_draft = change_set.state == ChangeSet.State.DRAFT
    total = sum(count for key, count in counts.items() if key not in LeftOut.values)
    return Outcome(
        groups={key: group_of(key, counts[key], is_draft=is_draft) for key in GROUPS if key in counts},
        total=total,
        planned=counts.get(State.PLANNED, 0),
        over=total - counts.get(State.PLANNED, 0) - counts.get(BUSY, 0),
        confirmed=counts.get(State.CONFIRMED, 0),
        failed=counts.get(State.FAILED, 0),
    )


def group_of(key: str, count: int, *, is_draft: bool) -> Group:
    title, look = GROUPS[key]
    return Group(key, "To be changed" if is_draft and key == State.PLANNED else title, look, count)


def effects_of(change_set: ChangeSet) -> list[Effect]:
    """What else it brings about, the most frequent first."""
    planned = change_set.changes.filter(state=State.PLANNED).exclude(effects=[]).order_by()
    counts: dict[tuple[str, bool], int] = {}
    for effects, count in planned.values_list("effects").annotate(Count("pk")):
        for each in effects:
            key = (each["sentence"], bool(each.get("is_inherent")))
            counts[key] = counts.get(key, 0) + count
    found = [Effect(sentence, count, is_inherent) for (sentence, is_inherent), count in counts.items()]
    return sorted(found, key=lambda each: (each.is_inherent, -each.count))


def asked_lines(change_set: ChangeSet) -> list[tuple[str, str, str]]:
    """What was asked, by account: its name, the field, the value in words. Nothing for an import, whose rows differ."""
    wished = {key: value for key, value in change_set.asked.items() if key.isdecimal() and isinstance(value, dict)}
    accounts = Account.objects.defer("credentials").in_bulk([int(key) for key in wished])
    labels = find_labels(accounts, [value for fields in wished.values() for value in fields.values()])
    return [
        (account.name, field_title(account, name), value_in_words(account, name, value, labels))
        for key, fields in wished.items()
        if (account := accounts.get(int(key)))
        for name, value in fields.items()
    ]
