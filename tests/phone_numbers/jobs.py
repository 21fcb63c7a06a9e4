"""What the tests of syncs and changes do again and again, against a simulated account: Plivo's, if not said."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account, Change, ChangeSet, Event, PhoneNumber, SyncRun
from phone_numbers.services import changes, runs
from phone_numbers.services.demo import DEMO_ACCOUNTS
from phone_numbers.services.sync import run_sync
from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, Simulator

LIST = r"/Number/\?"
ONE = r"/Number/\d+/"
WRITE = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)')


def make_account(name: str = "Plivo demo", **fields: Any) -> Account:
    credentials = Sealed.seal({"auth_id": PLIVO_AUTH_ID, "auth_token": PLIVO_AUTH_TOKEN})
    return Account.objects.create(
        name=name, **{"provider": "plivo", "is_demo": True, "credentials": credentials, **fields}
    )


def demo_account(provider: str) -> Account:
    """The demo's first account at this provider, never read."""
    found = next(each for each in DEMO_ACCOUNTS if each.provider == provider)
    return make_account(found.name, provider=provider, credentials=Sealed.seal(found.credentials))


def sync(account: Account) -> SyncRun:
    """A whole run, as it ended; the account is as it is now."""
    run = runs.request_sync(Account.objects.get(pk=account.pk), trigger=SyncRun.Trigger.PERSON)
    run_sync(run.pk)
    run.refresh_from_db()
    account.refresh_from_db()
    return run


def ask(number: PhoneNumber, user: User, **desired: str) -> Change:
    """An edit by someone who saw the number as the cache has it now."""
    number = PhoneNumber.objects.get(pk=number.pk)
    return changes.request_change(
        number=number,
        desired=desired,
        base={name: number.value(name) for name in desired},
        user=user,
        idempotency_key=uuid.uuid4().hex,
        source=ChangeSet.Source.INLINE,
    )


def work(change: Change, calls: int = 1) -> Change:
    """As if a worker were rung for it so many times, each time when its waiting is over."""
    for _ in range(calls):
        Change.objects.filter(pk=change.pk).update(next_attempt_at=None)
        changes.apply_change(change.pk)
    change.refresh_from_db()
    return change


def work_to_the_end(change: Change) -> Change:
    for _ in range(40):
        if not work(change).is_live:
            return change
    raise AssertionError(f"{change} is still {change.state} after 40 calls.")


def events(number: PhoneNumber) -> list[str]:
    """The number's history, oldest first."""
    return list(Event.objects.filter(number=number).order_by("pk").values_list("kind", flat=True))


def number_of(digits: str) -> PhoneNumber:
    return PhoneNumber.objects.get(remote_id=digits)


def edits(simulator: Simulator) -> list[tuple[str, dict[str, Any]]]:
    """What the provider really applied for us: the number, and the fields that were set."""
    return [(entry.number, entry.after) for entry in simulator.world.journal if entry.method == "POST"]


@contextmanager
def written_tables() -> Iterator[list[str]]:
    """The tables that were written to inside the block, once per statement."""
    tables: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield tables
    tables += [match[1] for query in queries if (match := WRITE.match(query["sql"]))]


def presences(account: Account) -> dict[str, int]:
    found: dict[str, int] = {}
    for presence in account.numbers.values_list("presence", flat=True):
        found[presence] = found.get(presence, 0) + 1
    return found
