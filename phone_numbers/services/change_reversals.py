"""Plans made from what happened before: undo a change, put back what drifted, ask again for what failed. Sends nothing.

Each is a draft like any other, from the values that are in force now. What was changed since is left out, never
overwritten.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from django.db.models import QuerySet

from phone_numbers.models import Change, ChangeSet, Event, PhoneNumber
from phone_numbers.models.numbers import LOCAL
from phone_numbers.services.batches import batches
from phone_numbers.services.change_plans import BATCH, Origin, Wish, make_plan, numbers_with_values
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.editing import capabilities_of, title_of, value_label
from phone_numbers.services.local_changes import has_value, read_local

RETRIED = (Change.State.FAILED, Change.State.REFUSED, Change.State.MISMATCH)
UNDONE = (*RETRIED, Change.State.CONFLICT)
"""What was wanted is not in force."""

NOTE_STAYS = "A note stays; its author can withdraw it on the number's page."

Fields = Mapping[str, tuple[str, str]]
"""Field to the value that is to be undone, and the one to go back to."""


def plan_undo(origin: Origin, change_set: ChangeSet, *, with_retries: bool = False) -> ChangeSet:
    """Back to what the numbers of a change set were before. Raises ChangeRefused when nothing of it was confirmed.

    `with_retries`: also where it failed at first, and came into force by a plan that tried again.
    """
    asked: dict[str, object] = {"undo": str(change_set.pk)}
    if with_retries:
        asked["with_retries"] = True
    tries = [change_set, *(retries_of(change_set) if with_retries else ())]
    return undo(replace(origin, follows=change_set), asked, Change.objects.filter(change_set__in=tries))


def retries_of(change_set: ChangeSet) -> list[ChangeSet]:
    """The plans made of what failed of it, and of what failed of those."""
    found, latest = [], [change_set]
    while latest := list(ChangeSet.objects.filter(follows__in=latest, asked__has_any_keys=["retry", "again"])):
        found += latest
    return found


def count_retried(change_set: ChangeSet) -> int:
    """How many changes came into force only by trying again."""
    retries = retries_of(change_set)
    return Change.objects.filter(change_set__in=retries, state=Change.State.CONFIRMED).count() if retries else 0


def plan_undo_of_change(origin: Origin, change: Change) -> ChangeSet:
    """The same of one number."""
    asked = {"undo": change.pk}
    return undo(replace(origin, follows=change.change_set), asked, Change.objects.filter(pk=change.pk))


def undo(origin: Origin, asked: Mapping[str, object], changes: QuerySet[Change]) -> ChangeSet:
    confirmed = changes.filter(state=Change.State.CONFIRMED).order_by("number", "pk")
    if not confirmed.exists():
        raise ChangeRefused("Nothing of this was confirmed, so there is nothing to undo.")
    by_number = groupby(confirmed.iterator(BATCH), key=attrgetter("number_id"))
    fields = ((number, fields_of(some)) for number, some in by_number)
    return make_plan(origin, asked, wishes_to_return(map(dict, batches(fields, BATCH))))


def fields_of(changes: Iterable[Change]) -> Fields:
    """Of one number: what was sent of it, what is kept here, and what came into force by trying again."""
    found: dict[str, tuple[str, str]] = {}
    for change in changes:
        found |= reversed_fields(change)
    return found


def reversed_fields(change: Change) -> Fields:
    """Nothing when it was so already: what we did not do we do not undo."""
    if not change.attempt and not change.is_local:
        return {}
    return {name: (value, change.base[name]) for name, value in change.desired.items()}


def plan_restore(origin: Origin, events: Collection[Event]) -> ChangeSet:
    """What these numbers were before it changed at their providers. Raises ChangeRefused when that is no drift."""
    drifted: dict[int, dict[str, tuple[str, str]]] = {}
    for event in sorted(events, key=lambda each: each.pk):
        if event.kind != Event.Kind.DRIFT or event.number_id is None:
            raise ChangeRefused("Only what changed at the provider can be put back.")
        fields = drifted.setdefault(event.number_id, {})
        _, earliest = fields.get(event.field, ("", event.before))
        fields[event.field] = (event.after, earliest)
    if not drifted:
        raise ChangeRefused("Nothing to put back.")
    return make_plan(origin, {"restore": sorted(event.pk for event in events)}, wishes_to_return([drifted]))


def wishes_to_return(drifted: Iterable[Mapping[int, Fields]]) -> Iterator[Wish]:
    """Back to the older values, as far as the numbers still have the newer ones."""
    for fields_by_number in drifted:
        numbers = numbers_with_values(fields_by_number, {})
        read_local([number for number in numbers if not LOCAL.isdisjoint(fields_by_number[number.pk])])
        for number in numbers:
            yield wish_to_return(number, settable(number, fields_by_number[number.pk]))


def settable(number: PhoneNumber, fields: Fields) -> Fields:
    """Without what only follows from other fields; all of them when none can be set, so that the plan says why."""
    capabilities = capabilities_of(number.account)
    known = LOCAL | {edit.name for edit in capabilities.edits} if capabilities else LOCAL
    return {name: each for name, each in fields.items() if name in known} or fields


def wish_to_return(number: PhoneNumber, reversed_: Fields) -> Wish:
    fields = {name: each for name, each in reversed_.items() if name != "note"}
    if not fields:
        sentence = NOTE_STAYS if reversed_ else "It was so already when this was asked for; nothing was sent."
        return Wish(number=number.pk, known=number, desired={}, remark=sentence, left_out=Change.LeftOut.ALREADY)
    kept = {name: older for name, (newer, older) in fields.items() if has_value(number, name, newer)}
    others = [name for name in fields if name not in kept and not has_value(number, name, fields[name][1])]
    remark = " ".join(
        f"{title_of(name)} was changed since, to {value_label(number, name, number.value(name))}, and stays so."
        for name in others
    )
    older_values = {name: older for name, (_, older) in fields.items()}
    if kept or not others:
        return Wish(number=number.pk, desired=kept or older_values, remark=remark)
    return Wish(
        number=number.pk, known=number, desired=older_values, remark=remark, left_out=Change.LeftOut.CHANGED_SINCE
    )


def plan_retry(origin: Origin, change_set: ChangeSet, states: Collection[str] = RETRIED) -> ChangeSet:
    """What failed of a change set, once more. Raises ChangeRefused when nothing did."""
    failed = change_set.changes.filter(state__in=states).order_by("number")
    asked = {"retry": str(change_set.pk), "states": sorted(states)}
    if not failed.exists():
        raise ChangeRefused("Nothing of this failed, so there is nothing to try again.")
    wishes = (Wish(number=change.number_id, desired=change.desired) for change in failed.iterator(BATCH))
    return make_plan(replace(origin, follows=change_set), asked, wishes)


def plan_again(origin: Origin, change: Change) -> ChangeSet:
    """What one change wanted, once more, from what the number has now. Raises ChangeRefused when it is in force."""
    if change.state not in UNDONE:
        raise ChangeRefused("Only what did not come into force can be asked for again.")
    wish = Wish(number=change.number_id, desired=change.desired)
    return make_plan(replace(origin, follows=change.change_set), {"again": change.pk}, [wish])


def plan_anew(origin: Origin, old: ChangeSet) -> ChangeSet:
    """The same plan from the values there are now; what undoes or puts back still leaves alone what changed since."""
    asked = old.asked
    if events := asked.get("restore"):
        return plan_restore(origin, Event.objects.filter(pk__in=events).select_related("number__account"))
    if undone := asked.get("undo"):
        if isinstance(undone, int):
            return plan_undo_of_change(origin, Change.objects.select_related("change_set").get(pk=undone))
        return plan_undo(origin, ChangeSet.objects.get(pk=undone), with_retries="with_retries" in asked)
    wished = old.changes.order_by("number").values_list("number", "desired")
    again = (Wish(number=number, desired=desired) for number, desired in wished.iterator(BATCH))
    return make_plan(replace(origin, follows=old.follows), asked, again)
