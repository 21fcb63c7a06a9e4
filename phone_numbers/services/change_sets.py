"""A plan's way from draft to done: applied, paused, resumed, cancelled. Each step is a conditional update and an event.

Sends nothing itself: the crews of the accounts do, once they are rung for.
"""

import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from phone_numbers.models import Change, ChangeSet, Event, PhoneNumber, PlanEvent
from phone_numbers.services.batches import batches
from phone_numbers.services.change_plans import (
    BATCH,
    IN_FLIGHT,
    WAITING,
    check_selection,
    delete_drafts,
    numbers_with_values,
)
from phone_numbers.services.change_requests import ChangeRefused, described_in_flight
from phone_numbers.services.change_states import By, event_of
from phone_numbers.services.editing import title_of, value_label
from phone_numbers.services.leases import is_free
from phone_numbers.services.local_changes import PLANNED, read_local, write_batch
from phone_numbers.services.verdicts import note_restored

TYPED_ABOVE = 50
TYPED_ABOVE_PERCENT, SMALLEST_ACCOUNT = 30, 10
SLICE_SECONDS = 15.0
MOST_LISTED = 100
MOST_NAMED = 3
LONGEST_WHY = 500
NOT_SENT = "Nothing was sent."
SENT_UNWATCHED = "It was sent, and is no longer watched. The next sync shows which value is in force."

State = ChangeSet.State


class CountNeeded(ChangeRefused):
    """So many numbers that their count must be typed; `count` is what has to be typed."""

    def __init__(self, sentence: str, count: int) -> None:
        super().__init__(sentence, "typed_count")
        self.count = count


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A number that is not any more as the plan found it."""

    change: Change
    number: PhoneNumber
    sentence: str


@dataclass(slots=True)
class Moves:
    count: int = 0
    first: list[Moved] = field(default_factory=list)
    """At most 100 of them."""

    def add(self, change: Change, number: PhoneNumber, sentence: str) -> None:
        self.count += 1
        if len(self.first) < MOST_LISTED:
            self.first.append(Moved(change=change, number=number, sentence=sentence))


class StalePlan(ChangeRefused):
    """What the plan was made from has changed; nothing was sent. `moves` says what, when it is about numbers."""

    def __init__(self, sentence: str, moves: Moves | None = None) -> None:
        super().__init__(sentence)
        self.moves = moves or Moves()


def apply_plan(
    plan: ChangeSet,
    *,
    expected_hash: str,
    user: User | None,
    user_name: str = "",
    typed_count: int | None = None,
    matching: Collection[int] | None = None,
    canary: int | None = None,
    request_id: str = "",
) -> ChangeSet:
    """Let the plan be carried out; the caller rings for `accounts_of`. Applied twice, it is carried out once.

    `matching`: what the filter that the plan was made by finds now. `canary`: pause after so many numbers.
    What only Numberdesk keeps is written at once if it is little; else the caller rings for the rest.
    Raises StalePlan, CountNeeded and ChangeRefused; nothing is sent then.
    """
    plan = ChangeSet.objects.get(pk=plan.pk)
    check_plan(plan, expected_hash)
    if plan.state != State.DRAFT:
        return plan
    check_count(plan, typed_count)
    if matching is not None:
        check_matching(plan, matching)
    has_local = check_numbers(plan)
    start = {
        "applied_by": user,
        "applied_by_name": user.get_username() if user else user_name,
        "applied_at": timezone.now(),
        "canary": canary if canary and canary < count_planned(plan) else None,
    }
    by: dict[str, Any] = {"user": user, "user_name": user_name, "request_id": request_id}
    with transaction.atomic():
        step(plan, State.DRAFT, State.APPLYING, **by, **start)
        note_restored(plan, **by)
    plan.refresh_from_db()
    if has_local:
        write_batch(plan)
        end_if_over(plan)
    return plan


def with_local_left() -> list[uuid.UUID]:
    """Change sets under way of which something is still to be written here."""
    under_way = ChangeSet.objects.filter(is_planned=True, state=State.APPLYING)
    left = Exists(Change.objects.filter(PLANNED, change_set=OuterRef("pk")))
    return list(under_way.filter(left).values_list("pk", flat=True))


def write_local_changes(change_set_id: str) -> bool:
    """For a quarter of a minute; whether to call again. Correct however many do it at once."""
    plan = ChangeSet.objects.get(pk=change_set_id)
    ends_at = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < ends_at:
        if not write_batch(plan):
            end_if_over(plan)
            return False
    return True


def check_plan(plan: ChangeSet, expected_hash: str) -> None:
    if not plan.is_planned or not plan.plan_hash:
        raise ChangeRefused("This is no finished plan. Make it anew.")
    if plan.plan_hash != expected_hash:
        raise StalePlan("This is not the plan you looked at. Look at it again.")
    if plan.state == State.CANCELLED:
        raise ChangeRefused("This plan was cancelled. Make it anew.")
    if plan.state == State.DRAFT and not count_planned(plan):
        raise ChangeRefused("Nothing to change.")


def count_planned(plan: ChangeSet) -> int:
    """How many numbers it changes."""
    return plan.changes.filter(state=Change.State.PLANNED).values("number").distinct().order_by().count()


def check_count(plan: ChangeSet, typed_count: int | None) -> None:
    count = count_planned(plan)
    if (why := why_count_is_typed(plan)) and typed_count != count:
        raise CountNeeded(f"{why} Type {count} to go on.", count)


def why_count_is_typed(plan: ChangeSet) -> str:
    """The sentence when the plan is so large that its count must be typed, else ""."""
    planned = plan.changes.filter(state=Change.State.PLANNED).order_by()
    counts = planned.values_list("number__account").annotate(count=Count("number", distinct=True))
    return why_so_many(dict(counts))


def why_so_many(counts: Mapping[int, int]) -> str:
    """The sentence when these are so many numbers, by account, that whoever changes them types how many; else ""."""
    if (count := sum(counts.values())) > TYPED_ABOVE:
        return f"This changes {count:,} numbers."
    held = PhoneNumber.objects.held().filter(account__in=counts).order_by()
    for account, name, held_count in held.values_list("account", "account__name").annotate(count=Count("pk")):
        if held_count >= SMALLEST_ACCOUNT and counts[account] * 100 > held_count * TYPED_ABOVE_PERCENT:
            return f"This changes {counts[account]:,} of the {held_count:,} numbers of {name}."
    return ""


def check_matching(plan: ChangeSet, matching: Collection[int]) -> None:
    try:
        check_selection(matching, count=plan.selection["count"], expected_hash=plan.selection["hash"])
    except ChangeRefused as refused:
        raise StalePlan(f"{refused} Nothing was sent; make the plan anew.") from None


def check_numbers(plan: ChangeSet) -> bool:
    """Raises StalePlan when a number has other values than the plan started from, or is being changed.

    Returns whether some of it is about what only Numberdesk keeps.
    """
    moves, has_local = Moves(), False
    for change, number, busy in planned_beside_now(plan):
        has_local |= change.is_local
        if sentence := what_moved(change, number, busy):
            moves.add(change, number, sentence)
    if moves.count:
        named = "; ".join(f"{moved.number.e164}: {moved.sentence}" for moved in moves.first[:MOST_NAMED])
        more = f" And {moves.count - MOST_NAMED:,} more." if moves.count > MOST_NAMED else ""
        have = "One number has" if moves.count == 1 else f"{moves.count:,} numbers have"
        raise StalePlan(f"{have} changed since this plan was made. {named}{more} Nothing was sent.", moves)
    return has_local


def planned_beside_now(plan: ChangeSet) -> Iterator[tuple[Change, PhoneNumber, Change | None]]:
    """Each planned change, its number as it is now, and what else is under way for it."""
    planned = plan.changes.filter(state=Change.State.PLANNED).order_by("number")
    accounts: dict[int, Any] = {}
    for batch in batches(planned.iterator(BATCH), BATCH):
        numbers = {number.pk: number for number in numbers_with_values({each.number_id for each in batch}, accounts)}
        read_local([numbers[each.number_id] for each in batch if each.is_local])
        others = Change.objects.filter(IN_FLIGHT, number__in=numbers).exclude(change_set=plan)
        busy = {other.number_id: other for other in others.select_related("change_set")}
        for change in batch:
            yield change, numbers[change.number_id], busy.get(change.number_id)


def what_moved(change: Change, number: PhoneNumber, busy: Change | None) -> str:
    if number.presence == PhoneNumber.Presence.RELEASED and not change.is_local:
        return "It was released."
    if busy is not None and not change.is_local:
        return described_in_flight(number, busy)
    moved = [name for name, value in change.base.items() if number.value(name) != value]
    return " ".join(
        f"{title_of(name)} was {value_label(number, name, change.base[name])}, "
        f"is {value_label(number, name, number.value(name))} now."
        for name in moved
    )


def end_if_over(change_set: ChangeSet) -> bool:
    """Whether nothing of it is left to be done; it is done then."""
    if change_set.changes.filter(state__in=(Change.State.PLANNED, *Change.LIVE)).exists():
        return False
    try_step(change_set, State.APPLYING, State.DONE, finished_at=timezone.now())
    return True


def accounts_of(change_set: ChangeSet) -> list[int]:
    """Whose crews to ring for."""
    open_changes = change_set.changes.filter(state__in=(Change.State.PLANNED, *Change.LIVE), is_local=False).order_by()
    return sorted(open_changes.values_list("number__account", flat=True).distinct())


def pause_change_set(
    change_set: ChangeSet, why: str = "", *, user: User | None = None, request_id: str = ""
) -> ChangeSet:
    """Nothing more of it is sent; what was sent is still read back. `user`: None when Numberdesk itself pauses it."""
    step(change_set, State.APPLYING, State.PAUSED, user=user, request_id=request_id, state_detail=why[:LONGEST_WHY])
    return change_set


def resume_change_set(change_set: ChangeSet, *, user: User | None = None, request_id: str = "") -> ChangeSet:
    """Go on, all the way: a canary is over. The caller rings for `accounts_of`."""
    with transaction.atomic():
        step(change_set, State.PAUSED, State.APPLYING, user=user, request_id=request_id, state_detail="", canary=None)
        change_set.changes.filter(state=Change.State.PENDING).update(created_at=timezone.now())
    return change_set


def cancel_change_set(change_set: ChangeSet, *, user: User | None = None, request_id: str = "") -> ChangeSet:
    """Send nothing more of it. What was sent is still read back: it may be in force already."""
    for state in ChangeSet.UNDER_WAY:
        over: dict[str, Any] = {"finished_at": timezone.now(), "state_detail": ""}
        if try_step(change_set, state, State.CANCELLED, user=user, request_id=request_id, **over):
            cancel_unsent(change_set, user=user, request_id=request_id)
            return change_set
    raise ChangeRefused(f"This is {label_of(change_set).lower()}; there is nothing to cancel.")


def discard_plan(plan: ChangeSet) -> None:
    """A plan that was never applied is no history. Raises ChangeRefused when it was."""
    delete_drafts(ChangeSet.objects.filter(pk=plan.pk))
    if ChangeSet.objects.filter(pk=plan.pk).exists():
        raise ChangeRefused(f"This is {label_of(plan).lower()}; it cannot be discarded.")


def cancel_unsent(change_set: ChangeSet, *, user: User | None = None, request_id: str = "") -> None:
    """In short transactions, and again by the crew should this stop half-way."""
    unsent = change_set.changes.filter(state__in=(Change.State.PLANNED, Change.State.PENDING), lease_token=None)
    while True:
        with transaction.atomic():
            batch = list(unsent.select_for_update(of=("self",)).select_related("change_set")[:BATCH])
            if not batch:
                return
            over = {"state": Change.State.CANCELLED, "finished_at": timezone.now(), "next_attempt_at": None}
            Change.objects.filter(pk__in=[change.pk for change in batch]).update(**over)
            Event.objects.bulk_create(cancelled_event(change, user, request_id) for change in batch)


def cancel_change(change: Change, *, user: User, request_id: str = "") -> None:
    """Do not send it or, when it was sent and is waited for, watch it no longer. Raises ChangeRefused when too late."""
    with transaction.atomic():
        free = Change.objects.filter(is_free(timezone.now()), pk=change.pk)
        cancellable = free.filter(Q(state__in=Change.LIVE) | WAITING)
        change = cancellable.select_for_update(of=("self",)).select_related("change_set").first() or refuse(change)
        detail = SENT_UNWATCHED if change.was_sent else NOT_SENT
        over = {"finished_at": timezone.now(), "next_attempt_at": None, "lease_token": None, "lease_expires_at": None}
        Change.objects.filter(pk=change.pk).update(state=Change.State.CANCELLED, detail=detail, **over)
        event_of(change, Event.Kind.CANCELLED, detail, by=By.user(user, request_id)).save()
        if not change.change_set.is_planned:
            ended = {"state": State.CANCELLED, "finished_at": over["finished_at"]}
            ChangeSet.objects.filter(pk=change.change_set_id).update(**ended)


def refuse(change: Change) -> NoReturn:
    label = Change.State(Change.objects.values_list("state", flat=True).get(pk=change.pk)).label.lower()
    raise ChangeRefused(f"This change is {label} just now and cannot be cancelled.")


def cancelled_event(change: Change, user: User | None, request_id: str) -> Event:
    detail = "" if change.attempt else NOT_SENT
    return event_of(change, Event.Kind.CANCELLED, detail, by=By.user(user, request_id) if user else None)


def label_of(change_set: ChangeSet) -> str:
    return State(ChangeSet.objects.values_list("state", flat=True).get(pk=change_set.pk)).label


def step(change_set: ChangeSet, before: State, after: State, **options: Any) -> None:
    """Raises ChangeRefused when it is in another state by now."""
    if not try_step(change_set, before, after, **options):
        raise ChangeRefused(f"This is {label_of(change_set).lower()} by now. Load the page again.")


def try_step(
    change_set: ChangeSet,
    before: State,
    after: State,
    *,
    user: User | None = None,
    user_name: str = "",
    request_id: str = "",
    **columns: Any,
) -> bool:
    """One step with its line in the log, if the change set is where it should be."""
    columns["state"] = after
    with transaction.atomic(savepoint=False):
        if not ChangeSet.objects.filter(pk=change_set.pk, state=before).update(**columns):
            return False
        PlanEvent.objects.create(
            change_set=change_set,
            before=before,
            after=after,
            detail=columns.get("state_detail", ""),
            actor=user,
            actor_name=user.get_username() if user else user_name,
            request_id=request_id,
        )
    for name, value in columns.items():
        setattr(change_set, name, value)
    return True
