"""How a number leaves: present → unconfirmed → missing → released, a rung at a time, and back at one sighting.

Only its own page at the provider moves a number down, by answering "not found"; a list alone never does. No row is
ever deleted.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from django.db.models import Q
from django.utils import timezone

from phone_numbers.models import Event, PhoneNumber, SyncRun
from phone_numbers.services.absences import turn_of
from phone_numbers.services.cache import lock_numbers, store_reading
from phone_numbers.services.listing import SeenNumbers
from phone_numbers.services.runs import Lease
from providers.contract import Provider
from providers.errors import AuthenticationFailed, NotFound, ProviderError, Transient, WrongAccount

Presence = PhoneNumber.Presence

LEAST_APART = dt.timedelta(minutes=10)
"""Between the first "not found" and the second: an answer that is wrong for a moment is not asked for twice."""
UNDOCUMENTED_RECLAIM = dt.timedelta(days=1)
"""How long a missing number is given where the provider does not say how long it can be got back."""
MOST_ASKED = 1_000
"""Numbers asked for one by one in a run; the others have their turn in the next."""
PATIENCE = 3
"""So many time-outs in a row, and the rest is left for the next sync."""

BELOW = {
    Presence.PRESENT: Presence.UNCONFIRMED,
    Presence.UNCONFIRMED: Presence.MISSING,
    Presence.MISSING: Presence.RELEASED,
}
WHY = {
    Presence.UNCONFIRMED: "The provider's list lacks it, and asked for on its own it is not found.",
    Presence.MISSING: "A later list lacks it as well, and asked for again it is not found again.",
    Presence.RELEASED: "Still not found, and the time in which it could be got back is over.",
}


@dataclass(slots=True)
class Tally:
    """What asking for absent numbers one by one came to."""

    unconfirmed: int = 0
    missing: int = 0
    released: int = 0
    changed: int = 0
    returned: int = 0
    unasked: int = 0
    postponed: int = 0

    @classmethod
    def of(cls, run: SyncRun) -> Self:
        """Goes on counting the steps where an earlier try of the run was lost."""
        return cls(unconfirmed=run.numbers_unconfirmed, missing=run.numbers_missing, released=run.numbers_released)

    def add(self, presence: Presence) -> None:
        setattr(self, presence.value, getattr(self, presence.value) + 1)

    def columns(self) -> dict[str, int]:
        """The run's."""
        return {f"numbers_{each}": getattr(self, each) for each in ("unconfirmed", "missing", "released")}

    def remarks(self) -> list[str]:
        told = (
            (self.unasked, "Absent numbers that could not be asked for, and stay as they were"),
            (self.postponed, "Absent numbers left for the next sync"),
        )
        return [f"{sentence}: {count:,}." for count, sentence in told if count]


def check_absent(provider: Provider, lease: Lease, absent: list[int], seen: SeenNumbers, *, accepted: int = 0) -> Tally:
    """Ask for each number on its own: those a listing lacks, and those further down whose time has come.

    `accepted`: how many a person let through; they come on top of what one run asks for.
    """
    due = [pk for pk in due_below(lease.run.account_id, reclaim_of(provider)) if pk not in seen]
    waiting, most = [*absent, *due], MOST_ASKED + accepted
    tally = Tally.of(lease.run)
    tally.postponed = max(len(waiting) - most, 0)
    tally.unasked = ask_each(turn_of(lease.run, waiting, most), lambda pk: check_number(provider, lease, pk, tally))
    return tally


def reclaim_of(provider: Provider) -> dt.timedelta:
    days = provider.capabilities.reclaim_days
    return UNDOCUMENTED_RECLAIM if days is None else dt.timedelta(days=days)


def due_below(account_id: int, reclaim: dt.timedelta) -> Iterable[int]:
    """Numbers whose next rung may be looked at: missing ones are left in peace while they could be got back."""
    now = timezone.now()
    unconfirmed = Q(presence=Presence.UNCONFIRMED, presence_since__lte=now - LEAST_APART)
    missing = Q(presence=Presence.MISSING, presence_since__lte=now - reclaim)
    return PhoneNumber.objects.filter(unconfirmed | missing, account=account_id).values_list("pk", flat=True)


def ask_each(pks: Iterable[int], ask: Callable[[int], object]) -> int:
    """Returns how many could not be asked for. Raises what puts the account itself in doubt, and LeaseLost."""
    unasked = silent = 0
    for pk in pks:
        if silent >= PATIENCE:
            unasked += 1
            continue
        try:
            ask(pk)
            silent = 0
        except (AuthenticationFailed, WrongAccount):
            raise
        except ProviderError as error:
            unasked += 1
            silent = silent + 1 if isinstance(error, Transient) else 0
    return unasked


def check_number(provider: Provider, lease: Lease, pk: int, tally: Tally) -> None:
    """A rung down when the provider's own page of the number does not know it either; else its reading is stored."""
    edited_seq = PhoneNumber.objects.values_list("edited_seq", flat=True).get(pk=pk)
    try:
        news = read_number(provider, lease, pk)
        tally.changed += Event.Kind.DRIFT in news
        tally.returned += Event.Kind.PRESENCE in news
    except NotFound:
        with lease.transaction():
            for number in lock_numbers([pk], edited_after=edited_seq):
                if rung := step_down(number, lease.run):
                    tally.add(rung)
            lease.renew(**tally.columns())


def read_number(provider: Provider, lease: Lease, pk: int) -> set[str]:
    """Read one number and store what it says, unless an edit begins or ends meanwhile: that wins.

    Returns the kinds of history that makes. Raises ProviderError and LeaseLost.
    """
    lease.renew()
    remote_id, edited_seq = PhoneNumber.objects.values_list("remote_id", "edited_seq").get(pk=pk)
    remote = provider.get(remote_id)
    with lease.transaction():
        return {
            event.kind
            for number in lock_numbers([pk], edited_after=edited_seq)
            for event in store_reading(number, remote, run=lease.run)
        }


def step_down(number: PhoneNumber, run: SyncRun) -> Presence | None:
    """The rung below. One rung a run, however often a worker of the run was lost."""
    was = Presence(number.presence)
    rung = BELOW.get(was)
    if rung is None or Event.objects.filter(number=number, kind=Event.Kind.PRESENCE, run=run).exists():
        return None
    Event.objects.create(number=number, kind=Event.Kind.PRESENCE, before=was, after=rung, detail=WHY[rung], run=run)
    PhoneNumber.objects.filter(pk=number.pk).update(presence=rung, presence_since=timezone.now())
    return rung
