"""Tells what changed outside from what we did ourselves, and since when it may have changed. Writes nothing."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from phone_numbers.models import Change, PhoneNumber, SyncRun
from phone_numbers.services.columns import Reading, fitting_value


@dataclass(frozen=True, slots=True)
class Certified:
    """An account's last whole listing: its numbers were then as the cache has them, but for those edited since."""

    started_at: dt.datetime
    started_seq: int


def last_certified(account_id: int) -> Certified | None:
    complete = SyncRun.objects.filter(account=account_id, state=SyncRun.State.COMPLETE)
    run = complete.order_by("-pk").only("started_at", "started_seq").first()
    return Certified(run.started_at, run.started_seq) if run and run.started_at else None


def last_known(number: PhoneNumber, certified: Certified | None) -> dt.datetime:
    """When the cached values were last known to be in force: written by a reading, or shown by a whole listing.

    The listing's beginning counts, which is before its page was read; one that lacked the number, or left it alone
    because of an edit, shows nothing.
    """
    was_listed = number.presence == PhoneNumber.Presence.PRESENT
    if certified and was_listed and number.edited_seq <= certified.started_seq:
        return max(number.changed_at, certified.started_at)
    return number.changed_at


def taken_back(numbers: Sequence[PhoneNumber], readings: Mapping[int, Reading]) -> set[int]:
    """Numbers of which a list shows another value than a confirmed edit of ours gave them, and the cache still has.

    Some providers' lists lag behind a number's own page, which confirmed the edit: only that page is believed. It is
    the values that are compared and no clock, so it does not matter by how much a list lags.
    """
    own = own_values(number.pk for number in numbers if number.edited_seq)
    return {number.pk for number in numbers if is_taken_back(number, readings[number.pk], own.get(number.pk, {}))}


def is_taken_back(number: PhoneNumber, reading: Reading, own: Mapping[str, str]) -> bool:
    return any(
        number.value(name) == value and fitting_value(reading.remote, name) != value for name, value in own.items()
    )


def own_values(pks: Iterable[int]) -> dict[int, dict[str, str]]:
    """The fields our confirmed edits set, by number, as the last edit of each field left it."""
    own: dict[int, dict[str, str]] = {}
    if edited := list(pks):
        confirmed = Change.objects.filter(number__in=edited, state=Change.State.CONFIRMED).order_by("pk")
        for pk, desired in confirmed.values_list("number", "desired"):
            own.setdefault(pk, {}).update(desired)
    return own
