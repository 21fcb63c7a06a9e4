"""What the tests of syncs and changes do again and again, against a simulated account: Plivo's, if not said."""

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account, Change, ChangeSet, Event, PhoneNumber, SyncRun
from phone_numbers.services import changes, runs
from phone_numbers.services.change_crews import work_for_account
from phone_numbers.services.change_plans import Origin, Wish, make_plan
from phone_numbers.services.change_sets import accounts_of, apply_plan
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


def at_once(times: int, act: Callable[[], Any]) -> list[Any]:
    """The same from so many threads, each with a database connection of its own."""

    def apart(_: int) -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(apart, range(times)))


def sync(account: Account) -> SyncRun:
    """A whole run, as it ended; the account is as it is now."""
    run = runs.request_sync(Account.objects.get(pk=account.pk), trigger=SyncRun.Trigger.PERSON)
    run_sync(run.pk)
    run.refresh_from_db()
    account.refresh_from_db()
    return run


def ask(number: PhoneNumber, user: User, key: str = "", **desired: str) -> Change:
    """An edit by someone who saw the number as the cache has it now; `key` is that of their form."""
    number = PhoneNumber.objects.get(pk=number.pk)
    return changes.request_change(
        number=number,
        desired=desired,
        base={name: number.value(name) for name in desired},
        user=user,
        idempotency_key=key or uuid.uuid4().hex,
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


def origin(user: User | None, **options: Any) -> Origin:
    asked = {"source": ChangeSet.Source.BULK, "idempotency_key": uuid.uuid4().hex, **options}
    return Origin(user=user, **asked)


def plan(numbers: Iterable[PhoneNumber], user: User, asked: Origin | None = None, **desired: str) -> ChangeSet:
    """A draft that gives all these numbers the same values; "" clears."""
    return make_plan(asked or origin(user), desired, [Wish(number=each.pk, desired=desired) for each in numbers])


def start(draft: ChangeSet, user: User, **options: Any) -> ChangeSet:
    """The plan, applied by somebody who looked at it and typed its count."""
    planned = draft.changes.filter(state=Change.State.PLANNED).count()
    given = {"expected_hash": draft.plan_hash, "typed_count": planned, **options}
    return apply_plan(draft, user=user, **given)


def carry_out(change_set: ChangeSet, slices: int = 40, hands: int | None = 1) -> ChangeSet:
    """As if the crews were rung for so often, each time when all waiting is over, until nothing is left to do.

    `hands`: None for as many as there would be.
    """
    for _ in range(slices):
        change_set.changes.update(next_attempt_at=None)
        accounts = accounts_of(change_set)
        for account in accounts:
            work_for_account(account, hands=hands)
        change_set.refresh_from_db()
        if not accounts or change_set.state not in (ChangeSet.State.APPLYING, ChangeSet.State.CANCELLED):
            break
    return change_set


def states(change_set: ChangeSet) -> dict[str, int]:
    """How many changes are in which state."""
    return dict(Counter(change_set.changes.order_by().values_list("state", flat=True)))
