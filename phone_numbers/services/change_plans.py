"""Makes plans: what a change of many numbers would do to each of them. Sends nothing, and asks no provider.

A plan is a change set in the state draft. It has a row for every number it was made for: planned, or left out and why.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from phone_numbers.models import Account, Change, ChangeSet, PhoneNumber
from phone_numbers.models.numbers import LOCAL
from phone_numbers.services.batches import batches
from phone_numbers.services.change_requests import ChangeRefused, check_form, described_in_flight, is_same
from phone_numbers.services.editing import (
    edit_of,
    normalised,
    refusal_of,
    side_effects,
    with_names,
)
from phone_numbers.services.local_changes import is_same_local, read_local
from providers.contract import Route

BATCH = 500
MOST_REMEMBERED = 5000
DRAFTS_KEPT_FOR = dt.timedelta(days=7)

WAITING = Q(state=Change.State.PLANNED, is_local=False, change_set__state__in=ChangeSet.UNDER_WAY)
COMPARED = (
    *("e164", "national", "country", "presence", "alias", "subaccount", "cnam", "cnam_lookup", "e911"),
    *("voice_kind", "voice_target", "message_kind", "message_target"),
)
"""The columns that edits are about; what is not among them, and no extra, is read on its own."""
COLUMNS = tuple(column.attname for column in Change._meta.concrete_fields if not column.primary_key)
IN_FLIGHT = Q(state__in=Change.LIVE) | WAITING
"""Changes that will, or may, still be sent."""

Values = Mapping[str, str]

_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of one number: field to value; "" clears, a field that is not named stays."""

    number: int
    desired: Values
    known: PhoneNumber | None = None
    """The number, when it was read just now, by `numbers_with_values`."""
    remark: str = ""
    left_out: str = ""
    """When it is known already that the number is to be left alone; `remark` says why."""
    is_checked: bool = False
    """Its values are as they are stored, and none of them can be refused."""

    @property
    def is_only_local(self) -> bool:
        return bool(self.desired) and LOCAL.issuperset(self.desired)

    @property
    def sent(self) -> "Wish":
        """What of it is for the provider."""
        if LOCAL.isdisjoint(self.desired):
            return self
        return replace(self, desired={name: value for name, value in self.desired.items() if name not in LOCAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who asks for a plan, from where, and why."""

    user: User | None
    user_name: str = ""
    """Of somebody who is no user, at the command line."""
    source: ChangeSet.Source
    idempotency_key: str
    reason: str = ""
    request_id: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    selection: Mapping[str, Any] = field(default_factory=dict)
    follows: ChangeSet | None = None


def make_plan(origin: Origin, asked: Mapping[str, Any], wishes: Iterable[Wish]) -> ChangeSet:
    """A draft of what is wished of each number. The same user and key again give the first one."""
    check_form(origin.idempotency_key, origin.reason)
    draft, is_new = open_draft(origin, asked)
    if is_new:
        try:
            fill_draft(draft, wishes)
        except BaseException:
            delete_drafts(ChangeSet.objects.filter(pk=draft.pk))
            raise
    return draft


def open_draft(origin: Origin, asked: Mapping[str, Any]) -> tuple[ChangeSet, bool]:
    """The draft, and whether it is a new one."""
    if first := find_plan(origin, asked):
        return first, False
    user = origin.user
    draft = ChangeSet(
        created_by=user,
        created_by_name=user.get_username() if user else origin.user_name,
        source=origin.source,
        reason=origin.reason,
        idempotency_key=origin.idempotency_key,
        request_id=origin.request_id,
        state=ChangeSet.State.DRAFT,
        is_planned=True,
        asked=dict(asked),
        selection=dict(origin.selection),
        follows=origin.follows,
    )
    try:
        with transaction.atomic():
            draft.save(force_insert=True)
    except IntegrityError:
        if first := find_plan(origin, asked):
            return first, False
        raise
    return draft, True


def find_plan(origin: Origin, asked: Mapping[str, Any]) -> ChangeSet | None:
    """What this form asked for when it was sent before. Raises ChangeRefused when that was something else."""
    sent = ChangeSet.objects.filter(created_by=origin.user, idempotency_key=origin.idempotency_key)
    first = sent.first() if origin.user else None
    if first and (first.asked, first.selection) != (dict(asked), dict(origin.selection)):
        raise ChangeRefused("This form was sent before, with other values. Load the page again.")
    return first


def fill_draft(draft: ChangeSet, wishes: Iterable[Wish]) -> None:
    """In short transactions; only the last one makes it a plan that can be applied."""
    planner = Planner(draft)
    for batch in batches(wishes, BATCH):
        insert_changes(planner.changes(batch))
    draft.plan_hash = plan_hash(draft)
    draft.save(update_fields=["plan_hash"])


def insert_changes(changes: Iterable[Change]) -> None:
    """In the quickest form the database has."""
    if connection.vendor != "postgresql":
        Change.objects.bulk_create(changes)
        return
    now = timezone.now()
    columns = ", ".join(f'"{column}"' for column in COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY numbers_change ({columns}) FROM STDIN") as copy:
        for change in changes:
            change.created_at = now
            copy.write_row([copied(vars(change)[column]) for column in COLUMNS])


def copied(value: Any) -> Any:
    if isinstance(value, dict | list):
        return _encoder.encode(value).decode()
    return str(value) if isinstance(value, Enum) else value


class Planner:
    """Compares wishes with what is known. Remembers what it found out for others of the same account."""

    def __init__(self, draft: ChangeSet) -> None:
        self.draft = draft
        self._known: dict[Any, Any] = {}
        self._accounts: dict[int, Account] = {}

    def changes(self, wishes: Iterable[Wish]) -> list[Change]:
        wished = by_number(wishes)
        known = [wish.known for wish in wished.values() if wish.known]
        unknown = wished.keys() - {number.pk for number in known}
        numbers = known + numbers_with_values(unknown, self._accounts)
        local = [number for number in numbers if not LOCAL.isdisjoint(wished[number.pk].desired)]
        read_local([number for number in local if not number.local_values])
        busy = changes_in_flight(wished)
        sent = [number for number in numbers if not wished[number.pk].is_only_local]
        planned = [self.change(number, wished[number.pk].sent, busy.get(number.pk)) for number in sent]
        return planned + [self.local_change(number, wished[number.pk]) for number in local]

    def local_change(self, number: PhoneNumber, wish: Wish) -> Change:
        """Of what only Numberdesk keeps. It waits for nothing, and a number that was released has it, too."""
        desired = {name: value for name, value in wish.desired.items() if name in LOCAL}
        change = Change(change_set=self.draft, number=number, is_local=True, detail=wish.remark)
        change.base = {name: number.value(name) for name in desired}
        news = {name: value for name, value in desired.items() if not is_same_local(name, value, change.base[name])}
        change.desired, change.state = news or desired, Change.State.PLANNED
        change.base = {name: change.base[name] for name in change.desired}
        if wish.left_out or not news:
            return left_out(change, wish.left_out or Change.LeftOut.ALREADY, wish.remark)
        return change

    def change(self, number: PhoneNumber, wish: Wish, busy: Change | None) -> Change:
        desired = dict(wish.desired)
        if not wish.is_checked:
            desired = {name: self.normalised(number, name, value) for name, value in desired.items()}
        base = {name: number.value(name) for name in desired}
        change = Change(change_set=self.draft, number=number, base=base, desired=desired, detail=wish.remark)
        news = {name: value for name, value in desired.items() if not is_same(value, base[name])}
        refusals = [] if wish.is_checked else [self.refusal(number, name, value) for name, value in news.items()]
        if wish.left_out:
            return left_out(change, wish.left_out, wish.remark)
        if not news:
            return left_out(change, Change.LeftOut.ALREADY, wish.remark)
        if number.presence == PhoneNumber.Presence.RELEASED:
            return left_out(change, Change.LeftOut.CANNOT, "This number was released; it cannot be edited.")
        if any(refusals):
            return left_out(change, Change.LeftOut.CANNOT, " ".join(filter(None, refusals)))
        if busy is not None:
            return left_out(change, Change.LeftOut.IN_FLIGHT, described_in_flight(number, busy))
        change.base, change.desired = {name: base[name] for name in news}, news
        change.effects = self.effects(number, news)
        change.state = Change.State.PLANNED
        return change

    def refusal(self, number: PhoneNumber, name: str, value: str) -> str:
        """It depends on the account, and on where the number goes now: some targets let go of no number."""
        now = Route.from_key(number.value(name)).kind
        return str(self._once((number.account_id, name, value, now), refusal_of, number, name, value))

    def normalised(self, number: PhoneNumber, name: str, value: str) -> str:
        edit = edit_of(number.account, name)
        if edit is None or not edit.route_kinds:
            return normalised(number, name, value)
        return str(self._once((number.account_id, number.country, name, value), normalised, number, name, value))

    def effects(self, number: PhoneNumber, news: Values) -> list[dict[str, Any]]:
        found = side_effects(number, news)
        routes = tuple(value for value in (*news.values(), number.voice.key, number.messages.key) if ":" in value)
        named = self._once((number.account_id, found, routes), with_names, number, found, routes) if found else ()
        return [asdict(effect) for effect in named]

    def _once(self, key: Any, ask: Any, *arguments: Any) -> Any:
        if key not in self._known:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = ask(*arguments)
        return self._known[key]


def by_number(wishes: Iterable[Wish]) -> dict[int, Wish]:
    """What is asked of a number twice, once of it for its provider and once for us, is one wish."""
    wished: dict[int, Wish] = {}
    for wish in wishes:
        first = wished.get(wish.number)
        wished[wish.number] = replace(wish, desired={**first.desired, **wish.desired}) if first else wish
    return wished


def left_out(change: Change, why: str, sentence: str) -> Change:
    change.state, change.left_out, change.detail = Change.State.LEFT_OUT, why, sentence
    return change


def numbers_with_values(pks: Iterable[int], accounts: dict[int, Account]) -> list[PhoneNumber]:
    """With what an edit is compared with, and nothing else. Their accounts are shared, and kept in `accounts`."""
    if not (asked := list(pks)):
        return []
    narrow = PhoneNumber.objects.filter(pk__in=asked).select_related("payload")
    numbers = list(narrow.only("account", "payload__extras", *COMPARED).order_by("pk"))
    if missing := {number.account_id for number in numbers} - accounts.keys():
        accounts |= Account.objects.defer("credentials").in_bulk(missing)
    for number in numbers:
        number.account = accounts[number.account_id]
    return numbers


def changes_in_flight(pks: Iterable[int]) -> dict[int, Change]:
    """The change of each of these numbers that is being sent or waits for its turn."""
    found = Change.objects.filter(IN_FLIGHT, number__in=list(pks)).select_related("change_set").order_by("-pk")
    return {change.number_id: change for change in found}


def plan_hash(draft: ChangeSet) -> str:
    """Of what would be sent."""
    digest = hashlib.blake2b(digest_size=16)
    planned = draft.changes.filter(state=Change.State.PLANNED).order_by("number", "is_local")
    for row in planned.values_list("number", "base", "desired").iterator(BATCH):
        digest.update(_encoder.encode(row))
    return digest.hexdigest()


def selection_hash(numbers: Iterable[int]) -> str:
    """Of which numbers are meant, in whatever order."""
    return hashlib.blake2b(_encoder.encode(sorted(numbers)), digest_size=16).hexdigest()


def check_selection(numbers: Collection[int], *, count: int, expected_hash: str) -> None:
    """Whether the numbers that a filter finds now are those that the page showed. Raises ChangeRefused."""
    if len(numbers) != count:
        raise ChangeRefused(f"The page showed {count:,} matching numbers; now {len(numbers):,} match. Look again.")
    if selection_hash(numbers) != expected_hash:
        raise ChangeRefused("As many numbers match as before, but others. Look again.")


def prune_drafts(now: dt.datetime) -> None:
    """Plans that nobody applied are no history."""
    delete_drafts(ChangeSet.objects.filter(created_at__lt=now - DRAFTS_KEPT_FOR))


def delete_drafts(change_sets: QuerySet[ChangeSet]) -> None:
    for draft in change_sets.filter(state=ChangeSet.State.DRAFT, is_planned=True):
        with transaction.atomic():
            if ChangeSet.objects.select_for_update().filter(pk=draft.pk, state=ChangeSet.State.DRAFT).first():
                for pks in batches(draft.changes.values_list("pk", flat=True), BATCH):
                    Change.objects.filter(pk__in=pks).delete()
                draft.delete()
