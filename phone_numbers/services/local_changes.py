"""Changes of what only Numberdesk keeps: planned and shown like any other, then written here, a batch at a time.

Sends nothing. Each is a change of its own beside the one that is sent for the same number: neither waits for the other.
"""

from collections.abc import Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from phone_numbers.models import Change, ChangeSet, Event, Note, PhoneNumber
from phone_numbers.models.numbers import LOCAL
from phone_numbers.services.change_states import By
from phone_numbers.services.local_fields import (
    MOST_TAGS,
    LocalRefused,
    canonical,
    lock_local,
    read_values,
    set_values,
    tags_of,
)
from phone_numbers.services.notes import checked_note

BATCH = 1000
PLANNED = Q(state=Change.State.PLANNED, is_local=True)

Values = Mapping[str, str]


def normalised_local(name: str, value: str) -> str:
    """As it is stored and compared. Raises LocalRefused and NoteRefused."""
    if name == "tags":
        tags = sorted(tags_of([value]), key=str.casefold)
        if len(tags) > MOST_TAGS:
            raise LocalRefused(f"A number takes at most {MOST_TAGS} tags.", name)
        return ", ".join(tags)
    if name == "note":
        return checked_note(value) if value else ""
    return canonical({name: value})[name]


def is_same_local(name: str, one: str, other: str) -> bool:
    """Tags are the same in any order and spelling."""
    return folded_tags(one) == folded_tags(other) if name == "tags" else one == other


def folded_tags(text: str) -> set[str]:
    return {" ".join(tag.split()).casefold() for tag in text.split(",")} - {""}


def has_value(number: PhoneNumber, name: str, value: str) -> bool:
    now = number.value(name)
    return is_same_local(name, now, value) if name in LOCAL else now == value


def read_local(numbers: Collection[PhoneNumber]) -> None:
    """Let these numbers tell what only Numberdesk keeps of them: `value("tags")`."""
    values = current_values([number.pk for number in numbers])
    for number in numbers:
        number.local_values = values[number.pk]


def newest_notes(numbers: Iterable[int]) -> dict[int, str]:
    notes = Note.objects.filter(number__in=list(numbers), withdrawn_at=None).order_by("pk")
    return dict(notes.values_list("number", "text"))


def write_batch(change_set: ChangeSet) -> int:
    """Write some of what is planned, in one short transaction. Returns how many.

    0 when none is left, when the change set is not under way any more, or while somebody else writes a batch of it.
    """
    if not change_set.changes.filter(PLANNED).exists():
        return 0
    with transaction.atomic():
        unheld = ChangeSet.objects.select_for_update(skip_locked=True)
        if unheld.filter(pk=change_set.pk, state=ChangeSet.State.APPLYING).first() is None:
            return 0
        changes = list(change_set.changes.filter(PLANNED).order_by("pk")[:BATCH])
        for change in changes:
            change.change_set = change_set
        before = current_values(lock_local([change.number_id for change in changes]))
        kept, others = sorted_out(changes, before)
        by = By.asker(change_set)
        write_notes(kept, by)
        set_values({change.number_id: change.desired for change in kept})
        after = current_values([change.number_id for change in kept])
        Event.objects.bulk_create(
            event for change in kept for event in history(change, before[change.number_id], after[change.number_id], by)
        )
        finish(kept, Change.State.CONFIRMED)
        finish(others, Change.State.CONFLICT)
    return len(changes)


def current_values(numbers: Collection[int]) -> dict[int, dict[str, str]]:
    notes = newest_notes(numbers)
    return {pk: {**values, "note": notes.get(pk, "")} for pk, values in read_values(numbers).items()}


def sorted_out(changes: Iterable[Change], now: Mapping[int, Values]) -> tuple[list[Change], list[Change]]:
    """Those whose numbers are still as they were when the plan was looked at, and the others."""
    kept: list[Change] = []
    others: list[Change] = []
    for change in changes:
        (kept if is_as_planned(change, now[change.number_id]) else others).append(change)
    return kept, others


def is_as_planned(change: Change, now: Values) -> bool:
    """Whether nobody changed it since the plan was looked at."""
    change.found = {name: now[name] for name in change.desired}
    return all(
        now[name] == change.base[name] or is_same_local(name, now[name], wanted)
        for name, wanted in change.desired.items()
    )


def write_notes(changes: Iterable[Change], by: By) -> None:
    Note.objects.bulk_create(
        Note(number_id=change.number_id, text=change.desired["note"], author_id=by.actor_id, author_name=by.actor_name)
        for change in changes
        if "note" in change.desired
    )


def history(change: Change, before: Values, after: Values, by: By) -> Iterable[Event]:
    cause = {"change": change, "actor_id": by.actor_id, "actor_name": by.actor_name, "request_id": by.request_id}
    for name in sorted(LOCAL):
        if name not in change.desired or before[name] == after[name]:
            continue
        if name == "note":
            yield Event(number_id=change.number_id, kind=Event.Kind.NOTED, after=after[name], **cause)
        else:
            told = {"field": name, "before": before[name], "after": after[name]}
            yield Event(number_id=change.number_id, kind=Event.Kind.LOCAL, **told, **cause)


def finish(changes: list[Change], state: Change.State) -> None:
    """Of what conflicts it is kept what it is now."""
    now = timezone.now()
    if state == Change.State.CONFIRMED:
        Change.objects.filter(pk__in=[change.pk for change in changes]).update(state=state, finished_at=now)
        return
    for change in changes:
        change.state, change.finished_at = state, now
        change.detail = "Somebody else changed this since the plan was made. Nothing was written."
    Change.objects.bulk_update(changes, ["state", "finished_at", "detail", "found"])
