"""Q7: SQLite with four processes that write: a sync with pages of 200 rows, and three editors."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from providers.simulator import Simulator
from tests.chaos.edits import Edits
from tests.chaos.processes import Installation, wait_until_dead
from tests.chaos.rows import FULL, report
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.alone]

SECONDS = 8 if FULL else 3
NUMBERS = 200
EDITORS = 3
MOST_MILLISECONDS = 50
LIST = r"DEMO0001/Number/\?"
MOST_PAGES = 1000
simulator = simulator_of(NUMBERS)


def write_together(installation: Installation, simulator: Simulator, seconds: float, **chaos: Any) -> dict[str, Any]:
    """How many syncs and edits there were, what was locked, and how long the edits took."""
    (account,) = installation.add_accounts("Plivo main")
    edits = Edits(account, simulator)
    for turn in range(MOST_PAGES):  # every page comes with aliases it never had
        simulator.fault("wrong_type", path=LIST, field="alias", value=f"Turn {turn}")
    workers = installation.workers(**chaos)
    pks = list(account.numbers.order_by("pk").values_list("pk", flat=True))
    paths = [installation.directory / f"writer-{number}.json" for number in range(EDITORS + 1)]
    pids = [workers.start("sync_for", seconds=seconds, pk=account.pk, results=str(paths[0]))]
    for number, path in enumerate(paths[1:]):
        mine = {"pks": pks[number::EDITORS], "user_id": edits.user.pk, "results": str(path)}
        pids.append(workers.start("edit_for", seconds=seconds, **mine))
    wait_until_dead(*pids, seconds=seconds + 30)
    told = [json.loads(path.read_text()) for path in paths]
    lasted = sorted(each for writer in told for each in writer["seconds"])
    return {
        "syncs": told[0]["done"],
        "edits": len(lasted),
        "locked": sum(writer["locked"] for writer in told),
        "p99": 1000 * lasted[int(len(lasted) * 0.99)] if lasted else 0.0,
    }


def test_q7_nobody_is_locked_out(install: Callable[..., Installation], simulator: Simulator) -> None:
    told = write_together(install("sqlite"), simulator, SECONDS)
    syncs, edits, locked, p99 = told["syncs"], told["edits"], told["locked"], told["p99"]
    report(
        "Q7", f"locked out, of {syncs} syncs and {edits} edits", locked, "0", holds=not locked and bool(syncs and edits)
    )
    if FULL:
        good = p99 <= MOST_MILLISECONDS
        report("Q7", "99 of 100 edits saved within", f"{p99:.0f} ms", f"<= {MOST_MILLISECONDS} ms", holds=good)


@pytest.mark.full
def test_q7_notices_the_settings_of_django(install: Callable[..., Installation], simulator: Simulator) -> None:
    """The same without transaction mode, journal mode and time-out."""
    installation = install("sqlite")
    name = connections.databases["default"]["NAME"]
    plain = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(name)}}
    locked = write_together(installation, simulator, SECONDS / 2, DATABASES=plain)["locked"]
    report("Q7", "with Django's own settings, locked out", locked, ">= 1 (caught)", holds=locked > 0)
