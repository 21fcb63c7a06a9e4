"""One contender in a process of its own, so that its memory is its own: `python -m tests.bench.contender KIND ROOT`.

Prints what it measured as JSON. Its database is the one TEST_DATABASE_URL names.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["TEST_DATABASE"] = "postgresql"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from phone_numbers.encryption import Sealed  # noqa: E402
from phone_numbers.models import Account, PhoneNumber, SyncRun  # noqa: E402
from phone_numbers.services.connections import open_account  # noqa: E402
from phone_numbers.services.runs import request_sync  # noqa: E402
from phone_numbers.services.sync import run_sync  # noqa: E402
from providers.plivo import PAGE_SIZE, Plivo  # noqa: E402
from providers.simulator import (  # noqa: E402
    OTHER_PLIVO_AUTH_ID,
    OTHER_PLIVO_AUTH_TOKEN,
    PLIVO_AUTH_ID,
    PLIVO_AUTH_TOKEN,
)
from tests.providers.plivo_client import plivo_client  # noqa: E402

SMALL = (OTHER_PLIVO_AUTH_ID, OTHER_PLIVO_AUTH_TOKEN)
LARGE = (PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN)
MOST_OF_THEIRS = 10_000
"""Rows: it takes each on its own, so these tell its pace, and more of them only take longer."""


def main(kind: str, root: str) -> None:
    settings.SIMULATOR_URL = root
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps(CONTENDERS[kind](root)))


def ours(_: str) -> list[dict[str, Any]]:
    """A first and a second sync, after one of a small account to warm up."""
    sync(open_up(SMALL))
    account = open_up(LARGE)
    return [measured(lambda: sync(account)) for _ in range(2)]


def ours_limited(root: str) -> list[dict[str, Any]]:
    """A first sync by an account that is no demo, so that its rate is limited as at the real Plivo."""
    Plivo.base_urls = classmethod(lambda _, __: {"api": f"{root}/plivo/api"})  # type: ignore[assignment]
    return [measured(lambda: sync(open_up(LARGE, is_demo=False)))]


def theirs(root: str) -> list[dict[str, Any]]:
    """What one would write without us: Plivo's own client, page after page, and `update_or_create` for every row."""
    update_all(root, open_up(SMALL), SMALL)
    account = open_up(LARGE)
    return [measured(lambda: update_all(root, account, LARGE)) for _ in range(2)]


def floor(_: str) -> list[dict[str, Any]]:
    """The least it takes: every page fetched and decoded by our own client, one after the other, and dropped."""
    read_all(open_up(SMALL))
    account = open_up(LARGE)
    return [measured(lambda: read_all(account))]


CONTENDERS: dict[str, Callable[[str], list[dict[str, Any]]]] = {
    "ours": ours,
    "ours_limited": ours_limited,
    "theirs": theirs,
    "floor": floor,
}


def open_up(credentials: tuple[str, str], *, is_demo: bool = True) -> Account:
    sealed = Sealed.seal({"auth_id": credentials[0], "auth_token": credentials[1]})
    return Account.objects.create(name=credentials[0], provider="plivo", is_demo=is_demo, credentials=sealed)


def sync(account: Account) -> tuple[int, int]:
    run = request_sync(Account.objects.get(pk=account.pk), trigger=SyncRun.Trigger.PERSON)
    run_sync(run.pk)
    run.refresh_from_db()
    if run.state != SyncRun.State.COMPLETE:
        raise RuntimeError(f"{run.state}: {run.detail}")
    return run.numbers_seen, run.requests


def update_all(root: str, account: Account, credentials: tuple[str, str]) -> tuple[int, int]:
    seen = requests = 0
    with plivo_client(SimpleNamespace(root=root), *credentials) as client:
        while True:
            page = client.numbers.list(limit=PAGE_SIZE, offset=seen)
            requests += 1
            for row in page.objects:
                PhoneNumber.objects.update_or_create(account=account, remote_id=row.number, defaults=columns_of(row))
            seen += len(page.objects)
            if not page.meta.next or seen >= MOST_OF_THEIRS:
                return seen, requests


def columns_of(row: Any) -> dict[str, Any]:
    """The columns a plain script would fill: no routes, no payload, no history."""
    return {
        "e164": f"+{row.number}",
        "alias": row.alias or "",
        "number_type": row.number_type,
        "region": row.region or "",
        "city": row.city or "",
        "subaccount": row.sub_account or "",
        "carrier": row.carrier or "",
        "voice_target": row.application or "",
        "monthly_rate": row.monthly_rental_rate,
        "sms_rate": row.sms_rate,
        "mms_rate": row.mms_rate,
        "voice_rate": row.voice_rate,
        "added_on": row.added_on,
        "renewal_date": row.renewal_date,
        "cnam": row.cnam or "",
        "cnam_lookup": row.cnam_lookup or "",
        "tendlc_status": (row.tendlc_registration_status or "")[:16],
    }


def read_all(account: Account) -> tuple[int, int]:
    seen = requests = 0
    with open_account(account) as provider, closing(provider):
        path = f"/v1/Account/{provider.credentials['auth_id']}/Number/"
        while True:
            body = provider.http.get_json(path, {"limit": PAGE_SIZE, "offset": seen})
            seen, requests = seen + len(body["objects"]), requests + 1
            if not body["meta"]["next"]:
                return seen, requests


def measured(work: Callable[[], tuple[int, int]]) -> dict[str, Any]:
    written = rows_written()
    wall, cpu = time.perf_counter(), time.process_time()
    rows, requests = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "rows": rows,
        "requests": requests,
        "seconds": wall,
        "cpu_seconds": cpu,
        "peak_mb": peak,
        "number_rows_written": rows_written() - written,
    }


def rows_written() -> int:
    """By PostgreSQL's own count, which this connection's statements reach once it is told to hand them in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables WHERE relname = 'numbers_phonenumber'"
        )
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
