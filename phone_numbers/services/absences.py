"""What a whole listing lacks, and whether a person should look before any of it is believed. Reads no provider."""

from collections.abc import Iterable, Iterator
from itertools import islice

from phone_numbers.models import Account, HeldNumber, PhoneNumber, SyncRun
from phone_numbers.services.batches import batches
from phone_numbers.services.listing import SeenNumbers
from phone_numbers.services.runs import Lease

FEWEST_TO_HOLD = 3
PERCENT_TO_HOLD = 2
CHUNK = 1_000
GOLDEN = 2_654_435_769
"""2³² over the golden ratio: its multiples are spread evenly, whichever of all the runs are an account's."""


def find_absent(account_id: int, presence: PhoneNumber.Presence, seen: SeenNumbers) -> tuple[list[int], int]:
    """Rows believed to be so that a listing did not show, and how many are believed to be so in all."""
    believed = PhoneNumber.objects.filter(account=account_id, presence=presence)
    absent = []
    count = 0
    for pk in believed.order_by().values_list("pk", flat=True).iterator(chunk_size=10_000):
        count += 1
        if pk not in seen:
            absent.append(pk)
    return absent, count


def accepted_absences(run: SyncRun) -> SeenNumbers:
    """The numbers that a person accepted as absent for this run. The word may have come since it was claimed."""
    held_run = SyncRun.objects.values_list("accepts", flat=True).get(pk=run.pk)
    accepted = SeenNumbers()
    if held_run is not None:
        for pk in HeldNumber.objects.filter(run=held_run).values_list("number", flat=True).iterator(chunk_size=10_000):
            accepted.add(pk)
    return accepted


def is_too_many(absent: int, known: int, *, fewest: int = FEWEST_TO_HOLD, percent: int = PERCENT_TO_HOLD) -> bool:
    """More than both limits: `fewest`, and so many percent of what is known."""
    return absent > fewest and absent * 100 > known * percent


def reason_to_hold(
    account: Account, absent: list[int], unconfirmed: list[int], known: int, listed: int, accepted: SeenNumbers
) -> str:
    """Why a person should look before anything is believed absent; "" when it is the ordinary coming and going.

    What a person accepted needs no second look; what is absent besides is judged as if it were alone. Unconfirmed
    numbers were let through before, and count only where nothing is listed at all.
    """
    kept = "Nothing was changed; a person should look."
    unexpected = count_outside(accepted, absent)
    if not listed and (unexpected or count_outside(accepted, unconfirmed)):
        return f"The provider listed no number at all, but {known + len(unconfirmed):,} are known. {kept}"
    if is_too_many(unexpected, known, fewest=account.hold_minimum, percent=account.hold_percent):
        lacks = f"lacks {len(absent):,} of {known:,} numbers"
        return f"The provider's list {lacks}, more than leave in the ordinary way. {kept}"
    return ""


def count_outside(accepted: SeenNumbers, pks: Iterable[int]) -> int:
    return sum(pk not in accepted for pk in pks)


def keep_held(lease: Lease, absent: Iterable[int]) -> None:
    """Write down what the person is to look at, in short transactions. Raises LeaseLost."""
    forget_older(lease)
    for chunk in batches(absent, CHUNK):
        with lease.transaction():
            HeldNumber.objects.bulk_create(HeldNumber(run=lease.run, number_id=pk) for pk in chunk)


def forget_older(lease: Lease) -> None:
    """What earlier held runs lacked and nobody decided about is past: a list that stays short is held every time."""
    held = SyncRun.objects.filter(account=lease.run.account_id, state=SyncRun.State.HELD).order_by("-pk")
    kept = {lease.run.pk, *held.values_list("pk", flat=True)[:1]}  # Until this run is held, that one may be decided.
    older = HeldNumber.objects.filter(run__account=lease.run.account_id, run__decision="").exclude(run__in=kept)
    while pks := list(older.values_list("pk", flat=True)[:CHUNK]):
        with lease.transaction():
            HeldNumber.objects.filter(pk__in=pks).delete()


def turn_of(run: SyncRun, pks: list[int], most: int) -> Iterator[int]:
    """At most so many of them, others in every run, so that none is passed over again and again."""
    start = (run.pk * GOLDEN % 2**32 * len(pks)) >> 32 if len(pks) > most else 0
    return islice([*pks[start:], *pks[:start]], most)
