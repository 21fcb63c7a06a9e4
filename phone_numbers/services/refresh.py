"""Reads one number because a person asks for it, while they wait. Decides nothing about presence: whole syncs do.

A reading is stored only when it is certain to be the newest: not over an edit, nor over what a sync stored or may have
read meanwhile. A sync that began before leaves the number alone, as it does after an edit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from phone_numbers.models import Change, Event, PhoneNumber, Sequence, SyncRun
from phone_numbers.services.accounts import PROMPT, check_identity
from phone_numbers.services.cache import lock_numbers, store_reading
from phone_numbers.services.connections import in_full, open_account
from phone_numbers.services.editing import title_of
from providers.contract import RemoteNumber
from providers.errors import NotFound, ProviderError

BUSY = "An edit of this number is under way, and reads it anyway. Nothing was read now."
OVERTAKEN = "A sync or an edit came in between. What this reading said was left out, because it may be the older one."
GONE = (
    "The provider no longer shows this number when it is asked for on its own. Its presence stays as it is: "
    "the next whole sync settles it."
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of it, in a sentence."""

    sentence: str
    tone: str
    """`success`, `warning` or `error`."""


def refresh_number(number: PhoneNumber, *, user: User, request_id: str = "") -> Refreshed:
    """Takes ten seconds at most. Never raises for what a provider does."""
    if Change.objects.filter(number=number, state__in=Change.LIVE).exists():
        return Refreshed(BUSY, "warning")
    begun_seq = Sequence.next()
    known = PhoneNumber.objects.values_list("digest", flat=True).get(pk=number.pk)
    try:
        with open_account(number.account, PROMPT) as provider:
            check_identity(number.account, provider)
            remote = provider.get(number.remote_id)
    except NotFound:
        return noted(number, Refreshed(GONE, "warning"), user, request_id)
    except ProviderError as error:
        return Refreshed(f"{in_full(error)} Nothing was read.", "error")
    with transaction.atomic():
        events = store_newest(number, remote, user, begun_seq=begun_seq, known=known)
        if events is None:
            return Refreshed(OVERTAKEN, "warning")
        apart = provider.capabilities.compliance_is_separate
        return noted(number, Refreshed(summary(events, compliance_is_apart=apart), "success"), user, request_id)


def store_newest(
    number: PhoneNumber, remote: RemoteNumber, user: User, *, begun_seq: int, known: str
) -> list[Event] | None:
    """What the reading changed, or None when it may not be the newest. The sequence first, as edits take them."""
    sequence = Sequence.next()
    rows = lock_numbers([number.pk], edited_after=begun_seq)
    runs = SyncRun.objects.filter(account=number.account_id, started_seq__gt=begun_seq)
    if not rows or rows[0].digest != known or runs.exists():
        return None
    events = store_reading(rows[0], remote, why=f"Found when {user.get_username()} had this number read.")
    PhoneNumber.objects.filter(pk=number.pk).update(edited_seq=sequence)
    return events


def summary(events: Iterable[Event], *, compliance_is_apart: bool) -> str:
    fields = [title_of(event.field) for event in events if event.kind == Event.Kind.DRIFT]
    returned = any(event.kind == Event.Kind.PRESENCE for event in events)
    said = f"Changed at the provider: {', '.join(fields)}." if fields else "Nothing differs from what was known."
    back = " It is present again." if returned else ""
    apart = " Its 10DLC status is only told with a whole sync." if compliance_is_apart else ""
    return f"Read just now. {said}{back}{apart}"


def noted(number: PhoneNumber, refreshed: Refreshed, user: User, request_id: str) -> Refreshed:
    """With a line of history."""
    Event.objects.create(
        number=number,
        kind=Event.Kind.READ,
        detail=refreshed.sentence.removeprefix("Read just now. "),
        actor=user,
        actor_name=user.get_username(),
        request_id=request_id,
    )
    return refreshed
