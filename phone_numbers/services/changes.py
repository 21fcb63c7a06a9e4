"""Sends what operators asked for: read, compare, send once, read back. Correct whether it runs 0, 1 or 5 times.

A change is sent only after a reading showed the value it starts from, and confirmed only by a reading. Waiting is
written down in the change, never slept.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from phone_numbers.models import Change, ChangeSet
from phone_numbers.services.change_requests import ChangeRefused, StaleBase, request_change
from phone_numbers.services.change_states import (
    claim_change,
    due_changes,
    look_again,
    may_send,
    move,
    save_held,
    settle,
)
from phone_numbers.services.circuits import spared_until
from phone_numbers.services.columns import fitting_value
from phone_numbers.services.connections import in_full, open_account
from phone_numbers.services.crash_points import crash_point
from phone_numbers.services.editing import side_effects, title_of, value_label
from phone_numbers.services.leases import LeaseLost
from providers.contract import Provider, RemoteNumber
from providers.errors import (
    AuthenticationFailed,
    NotFound,
    NotSent,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)
from providers.http import Limits

__all__ = ["ChangeRefused", "StaleBase", "apply_change", "due_changes", "request_change"]

State = Change.State
Opening = Callable[[Change], AbstractContextManager[Provider]]
"""Gives the provider of a change's account, which writes only while that change may be sent."""

MOST_SENDS = 3
WAITS_AFTER_YES = (2.0, 5.0, 15.0)
"""Seconds between readings that still show the old value, after the provider said yes; some are slow to show it."""
WAITS_IN_DOUBT = (2.0, 5.0, 15.0, 60.0)
"""The same when nobody knows whether it said yes: long enough for a late write to land."""
WAITS_WHEN_SLOW = (2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""The same, over and over the last one, for a field that the provider is known to take its time over."""
WAITS_WITHOUT_READING = (2.0, 5.0, 15.0, 60.0, 300.0)
WAIT_WHEN_REFUSED = 60.0
"""Before what was sent is read once more: nobody mends credentials in a few seconds."""
MOST_FAILURES_UNSENT = 8
MOST_FAILURES_SENT = 100
LONGEST_LIFE = dt.timedelta(days=1)

logger = structlog.get_logger(__name__)


def apply_change(change_id: int) -> dt.datetime | None:
    """Bring the change as far as it can get now. Returns when to call again, None when that is not needed."""
    change = bring_on(change_id, open_for)
    return change.next_attempt_at if change else None


def bring_on(change_id: int, opened: Opening) -> Change | None:
    """The same; returns the change as it was left, None when it was somebody else's or not its time."""
    change = claim_change(change_id)
    if change is None:
        return None
    crash_point("after_claim")
    try:
        work_on(change, opened)
    except LeaseLost as lost:
        logger.warning("change left to another worker", change=change_id, why=str(lost))
        return None
    return change


def open_for(change: Change) -> AbstractContextManager[Provider]:
    limits = one_try()
    return open_account(change.number.account, limits, may_send=partial(may_send, change, limits.deadline_seconds))


def look_soon(numbers: Collection[int]) -> None:
    """For a sync that read these numbers otherwise than they are known: what a slow provider accepted may have come."""
    slow = Change.objects.filter(number__in=numbers, state=State.SENDING, reads__gt=len(WAITS_AFTER_YES))
    slow.filter(lease_token=None, postponed=0).update(next_attempt_at=None)


def work_on(change: Change, opened: Opening) -> None:
    if change.state == State.PENDING and change.change_set.state != ChangeSet.State.APPLYING:
        put_aside(change)
        return
    if is_worn_out(change):
        give_up(change, change.failures - 1, "")  # Less this one, of which nothing comes.
        return
    if until := spared_until(change.number.account, timezone.now()):
        let_go(change, next_attempt_at=until)
        return
    try:
        with opened(change) as provider:
            if change.state == State.PENDING:
                start(change, provider)
            else:
                resume(change, provider)
    except ProviderError as error:
        do_without_reading(change, error)


def put_aside(change: Change) -> None:
    """Its change set was paused, or cancelled, before it was its turn."""
    if change.change_set.state == ChangeSet.State.PAUSED:
        let_go(change)
    else:
        detail = "It had been sent before, and did not come into force." if change.attempt else "Nothing was sent."
        settle(change, State.CANCELLED, detail)


def let_go(change: Change, **columns: Any) -> None:
    """Nothing was tried."""
    save_held(change, failures=max(change.failures - 1, 0), lease_token=None, lease_expires_at=None, **columns)


def one_try() -> Limits:
    """Waiting is the change's business; and the longest call is over well before the lease."""
    return Limits(attempts=1, deadline_seconds=settings.LEASE_SECONDS / 4)


def start(change: Change, provider: Provider) -> None:
    remote = provider.get(change.number.remote_id)
    crash_point("after_get")
    found = values(change, remote)
    if found == change.desired:
        detail = "" if change.attempt else "It was so already; nothing was sent."
        settle(change, State.CONFIRMED, detail, reading=remote, ours=expected(change), found=found)
    elif others := third_values(change, found):
        detail = f"{described(change, found, others)}{nothing_sent(change)}"
        settle(change, State.CONFLICT, detail, reading=remote, found=found)
    else:
        send(change, provider, remote)


def send(change: Change, provider: Provider, remote: RemoteNumber) -> None:
    """Send the fields that a reading just now showed to need it."""
    edit = {name: value for name, value in change.desired.items() if fitting_value(remote, name) != value}
    try:
        provider.capabilities.check(edit)
    except Unsupported as error:
        settle(change, State.REFUSED, str(error), error_slug=error.slug)
        return
    fresh: dict[str, Any] = {"accepted_at": None, "reads": 0, "failures": 0, "sent_at": timezone.now()}
    move(change, State.SENDING, reading=remote, ours=change.desired, attempt=change.attempt + 1, **fresh)
    crash_point("before_send")
    try:
        provider.send_edit(change.number.remote_id, edit)
    except ProviderError as error:
        crash_point("after_refusal")
        after_error(change, provider, error)
    else:
        crash_point("after_send")
        save_held(change, accepted_at=timezone.now(), postponed=0)
        crash_point("after_yes")
        check(change, provider)


def after_error(change: Change, provider: Provider, error: ProviderError) -> None:
    """What an error says of a write: refused, not even looked at, or nothing at all."""
    change.trouble = error
    if isinstance(error, Rejected | Unsupported):
        settle(change, State.REFUSED, in_full(error), error_slug=error.slug)
    elif isinstance(error, AuthenticationFailed | NotFound):
        settle(change, State.FAILED, in_full(error), error_slug=error.slug)
    elif isinstance(error, RateLimited | NotSent):
        move(change, State.PENDING, str(error), attempt=change.attempt - 1)
        postpone(change, error)
    else:
        move(change, State.UNKNOWN, in_full(error), error_slug=error.slug, postponed=0)
        check(change, provider)


def resume(change: Change, provider: Provider) -> None:
    """Go on where an earlier call, perhaps of a worker that was killed, left off."""
    if change.state == State.SENDING and change.accepted_at is None:
        move(change, State.UNKNOWN, "The worker was lost while sending.", error_slug="worker_lost")
    check(change, provider)


def check(change: Change, provider: Provider) -> None:
    """Find out by a reading what became of what was sent."""
    remote = provider.get(change.number.remote_id)
    crash_point("after_read_back")
    found = values(change, remote)
    accepted = change.accepted_at is not None
    others = third_values(change, found)
    if found == change.desired:
        conclude(change, State.CONFIRMED, remote)
    elif others and not accepted:
        detail = described(change, found, others)
        settle(change, State.CONFLICT, detail, reading=remote, found=found)
    elif not others and (titles := slow_fields(change, provider, found)):
        detail = f"The provider said yes, and takes its time over {titles}. It is asked again for a day."
        wait = WAITS_WHEN_SLOW[min(change.reads, len(WAITS_WHEN_SLOW) - 1)]
        look_once_more(change, wait, found=found, detail=detail)
    elif not others and change.reads < len(waits_of(change)):
        look_once_more(change, waits_of(change)[change.reads], found=found)
    elif accepted:
        detail = f"The provider said yes. {described(change, found, [*found])}"
        conclude(change, State.MISMATCH, remote, detail)
    elif change.attempt < MOST_SENDS:
        send(change, provider, remote)
    else:
        detail = f"Sent {change.attempt} times, and the provider still shows the old value."
        conclude(change, State.FAILED, remote, detail)


def waits_of(change: Change) -> tuple[float, ...]:
    return WAITS_IN_DOUBT if change.accepted_at is None else WAITS_AFTER_YES


def slow_fields(change: Change, provider: Provider, found: Mapping[str, str]) -> str:
    """What was accepted and may still come, named, when it is all that is missing. "" once it has been long enough."""
    if change.accepted_at is None or timezone.now() - change.accepted_at > LONGEST_LIFE:
        return ""
    missing = [provider.capabilities.edit(name) for name, value in found.items() if value != change.desired[name]]
    slow = [edit.title for edit in missing if edit and edit.settles_slowly]
    return ", ".join(slow) if len(slow) == len(missing) else ""


def look_once_more(change: Change, seconds: float, **columns: Any) -> None:
    """After an answer that does not settle it."""
    look_again(change, seconds, reads=change.reads + 1, failures=0, postponed=0, error_slug="", **columns)


def postpone(change: Change, error: ProviderError, **columns: Any) -> None:
    """Longer with every time in a row. Waiting one's turn is no failure."""
    seconds = seconds_to_wait(error, change.postponed + 1)
    failures = max(change.failures - 1, 0)
    look_again(change, seconds, failures=failures, postponed=change.postponed + 1, **columns)


def conclude(change: Change, state: Change.State, remote: RemoteNumber, detail: str = "") -> None:
    """Settle what was sent: what else the edit brought about is our doing, what nobody asked for is told."""
    why = f"Changed together with an edit of {', '.join(change.desired)}, which did not ask for it."
    settle(change, state, detail, reading=remote, ours=expected(change), why=why, found=values(change, remote))


def do_without_reading(change: Change, error: ProviderError) -> None:
    """The provider could not be asked. Try again later, but not for ever."""
    change.trouble = error
    unsent = change.state == State.PENDING
    missing = isinstance(error, NotFound)
    times = change.failures if change.error_slug == error.slug else 0
    if isinstance(error, NotSent):
        let_go(change, next_attempt_at=None if unsent else timezone.now() + dt.timedelta(seconds=WAIT_WHEN_REFUSED))
    elif missing and not unsent and times < len(waits_of(change)):
        wait = waits_of(change)[times]
        look_again(change, wait, failures=times, error_slug=error.slug, detail=in_full(error))
    elif missing or (unsent and not isinstance(error, Transient)):
        settle(change, State.FAILED, f"{in_full(error)}{nothing_sent(change)}", error_slug=error.slug)
    elif change.failures >= most_failures(change) or is_old(change):
        give_up(change, change.failures, in_full(error))
    elif isinstance(error, RateLimited):
        postpone(change, error, detail=in_full(error))
    else:
        look_again(change, seconds_to_wait(error, change.failures), detail=in_full(error))


def is_worn_out(change: Change) -> bool:
    """Not even to be tried again. Of what was sent, however long ago, one more reading may still tell the outcome."""
    return change.failures > most_failures(change) or (change.state == State.PENDING and is_old(change))


def is_old(change: Change) -> bool:
    return timezone.now() - change.created_at > LONGEST_LIFE


def most_failures(change: Change) -> int:
    return MOST_FAILURES_UNSENT if change.state == State.PENDING else MOST_FAILURES_SENT


def give_up(change: Change, failures: int, why: str) -> None:
    """After so many tries that failed in a row, besides those that were put off."""
    if change.state == State.PENDING:
        detail = f"Given up after {counted(failures + change.postponed)}. {why}{nothing_sent(change)}"
    else:
        detail = f"Sent, but its outcome could not be read. {why} The next sync shows which value is in force."
    settle(change, State.FAILED, detail, error_slug="given_up")


def counted(tries: int) -> str:
    if not tries:
        return "a day in which it was never its turn"
    return f"{tries} tries" if tries > 1 else "one try"


def nothing_sent(change: Change) -> str:
    """Only when it never was: one that waits to be sent again may have been sent before."""
    return "" if change.attempt else " Nothing was sent."


def seconds_to_wait(error: ProviderError, times: int) -> float:
    """Longer with every time, and never less than the provider asked for."""
    asked = error.retry_after or 0.0 if isinstance(error, Transient) else 0.0
    asked = WAIT_WHEN_REFUSED if isinstance(error, AuthenticationFailed) else asked
    rank = min(max(times, 1), len(WAITS_WITHOUT_READING))
    return max(asked, WAITS_WITHOUT_READING[rank - 1])


def values(change: Change, remote: RemoteNumber) -> dict[str, str]:
    """As the cache keeps them, so that they compare with what the operator saw."""
    return {name: fitting_value(remote, name) for name in change.desired}


def third_values(change: Change, found: Mapping[str, str]) -> list[str]:
    """The fields that are neither as the operator saw them nor as they want them."""
    return [name for name, value in found.items() if value not in (change.base[name], change.desired[name])]


def described(change: Change, found: Mapping[str, str], names: Iterable[str]) -> str:
    shown = "; ".join(f"{title_of(name)} is {value_label(change.number, name, found[name])}" for name in names)
    return f"{shown} at the provider."


def expected(change: Change) -> set[str]:
    """What the change asks for, and what is known to come with it."""
    return {*change.desired, *(effect.field for effect in side_effects(change.number, change.desired))}
