"""Spares a provider that fails again and again: scheduled syncs and edits of its account wait, longer each time.

When the wait is over one run asks again, and success ends it. A person's "Sync now" may ask at any time.
"""

import datetime as dt

from django.utils import timezone

from phone_numbers.models import Account

FAILURES_TO_SPARE = 3
FIRST_WAIT = dt.timedelta(minutes=5)
LONGEST_WAIT = dt.timedelta(hours=1)


def spared_until(account: Account, now: dt.datetime) -> dt.datetime | None:
    """Until when nothing should be asked of the account's provider; None when it may be asked.

    A time further ahead than we ever set one means that the clock was put back.
    """
    until = account.retry_at
    return until if until and now < until <= now + LONGEST_WAIT else None


def note_success(account_id: int, *, by: dt.datetime) -> None:
    """The provider answered as it should; it is asked again `by` then, however long it was to be spared."""
    account = Account.objects.filter(pk=account_id)
    account.update(failures_in_row=0, retry_at=None)
    account.filter(next_sync_at__gt=by).update(next_sync_at=by)


def note_failure(account_id: int, now: dt.datetime, asked_seconds: float = 0.0, *, may_be_edited: bool = False) -> str:
    """One more failed sync in a row; `asked_seconds` is what the provider asked us to wait.

    `may_be_edited`: it failed at what a list said, not at reaching the provider, so only the next sync waits.
    Returns a sentence that says until when the account is spared, or "". Call it inside a transaction.
    """
    account = Account.objects.select_for_update().only("failures_in_row", "next_sync_at").get(pk=account_id)
    account.failures_in_row = min(account.failures_in_row + 1, 1_000)
    wait = max(wait_after(account.failures_in_row), min(dt.timedelta(seconds=asked_seconds), LONGEST_WAIT))
    account.retry_at = now + wait if wait and not may_be_edited else None
    is_spared = account.failures_in_row >= FAILURES_TO_SPARE
    if is_spared:
        account.next_sync_at = now + wait
    account.save(update_fields=["failures_in_row", "retry_at", "next_sync_at"])
    return sentence(account.failures_in_row, now + wait) if is_spared else ""


def wait_after(failures: int) -> dt.timedelta:
    """None at first; then twice as long with every further failure, up to the longest wait."""
    if failures < FAILURES_TO_SPARE:
        return dt.timedelta()
    doublings = min(failures - FAILURES_TO_SPARE, 10)
    return min(FIRST_WAIT * 2.0**doublings, LONGEST_WAIT)


def sentence(failures: int, until: dt.datetime) -> str:
    moment = f"{timezone.localtime(until):%H:%M %Z}"
    return f"It failed {failures} times in a row, and is asked again at {moment}; “Sync now” asks at once."
