"""Numbers that their provider does not show any more: since when, and how long it can still be asked for them back."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Max
from django.utils import timezone

from phone_numbers.models import Account, Event, PhoneNumber
from phone_numbers.services.editing import capabilities_of

Presence = PhoneNumber.Presence
ABSENT = (Presence.UNCONFIRMED, Presence.MISSING, Presence.RELEASED)
SENTENCES = {
    Presence.UNCONFIRMED: "The provider’s list lacks it, and asked for by itself it was not found. "
    "It is asked for once more before it counts as missing.",
    Presence.MISSING: "Asked for by itself at separate times, the provider did not know it. "
    "It is asked for once more before it counts as released.",
    Presence.RELEASED: "Asked for once more after a while, the provider still did not know it. "
    "Everything known of it is kept here.",
}


@dataclass(frozen=True, slots=True)
class Absence:
    """What is known of a number that is not present."""

    number: PhoneNumber
    since: dt.datetime | None
    """When it was first found absent; it may have left earlier, up to one sync."""
    reclaim_days: int | None
    now: dt.datetime

    @property
    def sentence(self) -> str:
        return SENTENCES[Presence(self.number.presence)]

    @property
    def reclaim_until(self) -> dt.datetime | None:
        """Until when, at the latest, the provider keeps it for its last owner; nothing where it documents no window."""
        if self.since is None or not self.reclaim_days:
            return None
        return self.since + dt.timedelta(days=self.reclaim_days)

    @property
    def is_reclaimable(self) -> bool:
        """It is known to be gone, and the provider still keeps it."""
        is_gone = self.number.presence != Presence.UNCONFIRMED
        return is_gone and self.reclaim_until is not None and self.reclaim_until > self.now

    @property
    def time_left(self) -> str:
        if self.reclaim_until is None:
            return ""
        hours = max((self.reclaim_until - self.now).total_seconds() / 3600, 0)
        if hours < 1:
            return "less than an hour left"
        count, unit = (int(hours), "hour") if hours < 48 else (int(hours // 24), "day")
        return f"{count} {unit}{'' if count == 1 else 's'} left"


def find_absence(number: PhoneNumber) -> Absence | None:
    return None if number.presence == Presence.PRESENT else absences_of([number])[0]


def find_absences(account: Account, most: int) -> list[Absence]:
    """The account's newest numbers that went away and can still come back, those that are missing first."""
    waiting = (Presence.MISSING, Presence.UNCONFIRMED)
    numbers = account.numbers.filter(presence__in=waiting).order_by("presence", "-presence_since", "pk")[:most]
    found = list(numbers)
    for number in found:
        number.account = account
    return absences_of(found)


def absences_of(numbers: list[PhoneNumber]) -> list[Absence]:
    """In one query, and none for no numbers. Every number has its account at hand."""
    first = first_found_absent(number.pk for number in numbers)
    now = timezone.now()
    return [
        Absence(number, first.get(number.pk, number.presence_since), reclaim_days_of(number.account), now)
        for number in numbers
    ]


def first_found_absent(pks: Iterable[int]) -> dict[int, dt.datetime]:
    """When each was last taken for unconfirmed: the first step away."""
    ids = list(pks)
    if not ids:
        return {}
    steps = Event.objects.filter(number__in=ids, kind=Event.Kind.PRESENCE, after=Presence.UNCONFIRMED)
    return dict(steps.order_by().values_list("number").annotate(Max("at")))


def reclaim_days_of(account: Account) -> int | None:
    capabilities = capabilities_of(account)
    return capabilities.reclaim_days if capabilities else None
