"""One contender of the bench of changes, in a process of its own: `python -m tests.bench.change_contender ours ROOT`.

Prints what it measured as JSON. Its database is the one TEST_DATABASE_URL names.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["TEST_DATABASE"] = "postgresql"
django.setup()

import httpx  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from phone_numbers.encryption import Sealed  # noqa: E402
from phone_numbers.models import Account, Change, ChangeSet, SyncRun  # noqa: E402
from phone_numbers.services.change_crews import work_for_account  # noqa: E402
from phone_numbers.services.change_plans import Origin, Wish, make_plan  # noqa: E402
from phone_numbers.services.change_sets import apply_plan  # noqa: E402
from phone_numbers.services.runs import request_sync  # noqa: E402
from phone_numbers.services.sync import run_sync  # noqa: E402
from providers.signalwire import NUMBERS, SignalWire  # noqa: E402
from providers.simulator import SIGNALWIRE_PROJECT_ID, SIGNALWIRE_SPACE, SIGNALWIRE_TOKEN  # noqa: E402
from tests.bench.changes import CHANGES  # noqa: E402

Turn = dict[str, Any]


def main(kind: str, root: str) -> None:
    settings.SIMULATOR_URL = root
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps(CONTENDERS[kind](address(root))))


def address(root: str) -> str:
    return f"{root}/signalwire/api"


def ours(api: str) -> Turn:
    """A plan, by an account that is no demo: its calls are limited to the rate of the real SignalWire."""
    SignalWire.base_urls = classmethod(lambda _, __: {"api": api})  # type: ignore[assignment, method-assign]
    account = read_account()
    origin = Origin(user=None, user_name="bench", source=ChangeSet.Source.BULK, idempotency_key=uuid.uuid4().hex)
    numbers = list(account.numbers.order_by("pk").values_list("pk", flat=True)[:CHANGES])
    wished = {"alias": "By us"}
    plan = make_plan(origin, wished, [Wish(number=pk, desired=wished) for pk in numbers])
    plan = apply_plan(plan, expected_hash=plan.plan_hash, user=None, user_name="bench", typed_count=len(numbers))
    cpu, begun = time.process_time(), time.time()
    while work_for_account(account.pk):
        pass
    taken = {"begun": begun, "ended": time.time(), "cpu_seconds": time.process_time() - cpu}
    return {**taken, "changed": plan.changes.filter(state=Change.State.CONFIRMED).count()}


def script(api: str) -> Turn:
    """What one would write without us: one number after the other is read, changed and read back."""
    changed = 0
    with httpx.Client(base_url=api, auth=(SIGNALWIRE_PROJECT_ID, SIGNALWIRE_TOKEN), timeout=30) as client:
        paths = [f"{NUMBERS}/{number_id}" for number_id in list_ids(client)]
        cpu, begun = time.process_time(), time.time()
        for path in paths[:CHANGES]:
            if client.get(path).raise_for_status().json()["name"] != "By a script":
                client.put(path, json={"name": "By a script"}).raise_for_status()
            changed += client.get(path).raise_for_status().json()["name"] == "By a script"
    return {"begun": begun, "ended": time.time(), "cpu_seconds": time.process_time() - cpu, "changed": changed}


def list_ids(client: httpx.Client) -> Iterator[str]:
    page = f"{NUMBERS}?page_size=100"
    while page:
        body = client.get(page).raise_for_status().json()
        yield from (row["id"] for row in body["data"])
        link = body["links"].get("next") or ""
        page = link and NUMBERS + link.partition(NUMBERS)[2]


def read_account() -> Account:
    credentials = {"space": SIGNALWIRE_SPACE, "project_id": SIGNALWIRE_PROJECT_ID, "api_token": SIGNALWIRE_TOKEN}
    sealed = Sealed.seal(credentials)
    account = Account.objects.create(name="bench", provider="signalwire", is_demo=False, credentials=sealed)
    run = request_sync(account, trigger=SyncRun.Trigger.PERSON)
    run_sync(run.pk)
    run.refresh_from_db()
    if run.state != SyncRun.State.COMPLETE:
        raise RuntimeError(f"{run.state}: {run.detail}")
    return account


CONTENDERS: dict[str, Callable[[str], Turn]] = {"ours": ours, "script": script}

if __name__ == "__main__":
    main(*sys.argv[1:])
