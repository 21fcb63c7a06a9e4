"""Numbers a whole listing lacks. A list alone makes no number absent: each is asked for on its own first."""

from collections.abc import Iterable

from django.utils import timezone

from phone_numbers.models import Event, PhoneNumber, SyncRun
from phone_numbers.services.cache import lock_numbers, store_reading
from phone_numbers.services.listing import SeenNumbers
from phone_numbers.services.runs import Lease
from providers.contract import Provider
from providers.errors import AuthenticationFailed, NotFound, ProviderError, Transient, WrongAccount

FEWEST_TO_HOLD = 3
PERCENT_TO_HOLD = 2
PATIENCE = 3
"""So many time-outs in a row, and the rest is left for the next sync."""


def find_absent(account_id: int, seen: SeenNumbers) -> tuple[list[int], int]:
    """Rows believed present that a listing did not show, and how many are believed present in all."""
    present = PhoneNumber.objects.filter(account=account_id, presence=PhoneNumber.Presence.PRESENT)
    absent = []
    count = 0
    for pk in present.order_by().values_list("pk", flat=True).iterator(chunk_size=10_000):
        count += 1
        if pk not in seen:
            absent.append(pk)
    return absent, count


def is_out_of_the_ordinary(absent: int, known: int, seen: int) -> bool:
    """Nothing at all is listed any more, or so much less that a person should look before it is believed."""
    nothing_left = known > 0 and not seen
    return nothing_left or (absent > FEWEST_TO_HOLD and absent * 100 > known * PERCENT_TO_HOLD)


def reason_to_hold(absent: int, known: int, seen: int) -> str:
    """Why a person should look before anything is believed absent; "" when it is the ordinary coming and going."""
    kept = "Nothing was changed; a person should look."
    if not is_out_of_the_ordinary(absent, known, seen):
        return ""
    if not seen:
        return f"The provider listed no number at all, but {known:,} are known. {kept}"
    return f"The provider's list lacks {absent:,} of {known:,} numbers, more than leave in the ordinary way. {kept}"


def check_absent(provider: Provider, lease: Lease, absent: Iterable[int]) -> tuple[int, int]:
    """Ask for each number on its own. Returns how many are now unconfirmed, and how many could not be asked for."""
    unconfirmed = unasked = silent = 0
    for pk in absent:
        if silent >= PATIENCE:
            unasked += 1
            continue
        try:
            unconfirmed += check_number(provider, lease, pk)
            silent = 0
        except (AuthenticationFailed, WrongAccount):
            raise
        except ProviderError as error:
            unasked += 1
            silent = silent + 1 if isinstance(error, Transient) else 0
    return unconfirmed, unasked


def check_number(provider: Provider, lease: Lease, pk: int) -> bool:
    """True when neither the list nor the provider's own page of the number knows it: it is unconfirmed now."""
    edited_seq = PhoneNumber.objects.values_list("edited_seq", flat=True).get(pk=pk)
    try:
        read_number(provider, lease, pk)
    except NotFound:
        with lease.transaction():
            return any(mark_unconfirmed(number, lease.run) for number in lock_numbers([pk], edited_after=edited_seq))
    return False


def read_number(provider: Provider, lease: Lease, pk: int) -> None:
    """Read one number and store what it says, unless an edit begins or ends meanwhile: that wins.

    Raises ProviderError and LeaseLost.
    """
    lease.renew()
    remote_id, edited_seq = PhoneNumber.objects.values_list("remote_id", "edited_seq").get(pk=pk)
    remote = provider.get(remote_id)
    with lease.transaction():
        for number in lock_numbers([pk], edited_after=edited_seq):
            store_reading(number, remote, run=lease.run)


def mark_unconfirmed(number: PhoneNumber, run: SyncRun) -> bool:
    was, now = number.presence, PhoneNumber.Presence.UNCONFIRMED
    if was != PhoneNumber.Presence.PRESENT:
        return False
    why = "The provider's list lacks it, and asked for on its own it is not found."
    Event.objects.create(number=number, kind=Event.Kind.PRESENCE, before=was, after=now, detail=why, run=run)
    PhoneNumber.objects.filter(pk=number.pk).update(presence=now, presence_since=timezone.now())
    return True
