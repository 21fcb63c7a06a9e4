"""S6: answers that are no answers end the reading in time, in a typed error, in little memory, and hide no number."""

import time
from pathlib import Path

import pytest
from pytest_django import Settings

from phone_numbers.models import SyncRun
from phone_numbers.services import connections
from providers.http import Limits
from providers.registry import open_provider
from tests.chaos.lists import LISTS, Listed, listed
from tests.chaos.rows import FULL, report
from tests.phone_numbers.jobs import presences, sync

DEADLINE_SECONDS = 0.6
MOST_MEGABYTES = 64
LIMITS = Limits(deadline_seconds=DEADLINE_SECONDS, attempts=1)
TYPED = {"malformed_response", "unavailable", "rate_limited", "rejected", "authentication_failed", "not_found"}
DEEP: list[object] = []
for _ in range(200):
    DEEP = [DEEP]

FAULTS: dict[str, dict[str, object]] = {
    "html": {},
    "invalid_json": {},
    "no_body": {},
    "json_text null": {"value": None},
    "json_text number": {"value": 7},
    "json_text string": {"value": "numbers"},
    "json_text list": {"value": [7]},
    "json_text object": {"value": {}},
    "json_text deep": {"value": DEEP},
    "cut_short": {},
    "cut_without_length": {},
    "broken_gzip": {},
    "gzip_bomb": {},
    "oversized": {},
    "garbled": {},
    "reset": {},
    "reset after": {"after": True},
    "redirect": {},
    "latency": {"seconds": 30.0},
    "slow_headers": {"seconds": 0.2},
    "slow_body": {"seconds": 0.05},
    "wrong_type number": {"value": ["1"]},
    "wrong_type object": {"value": {}},
    "missing_field": {},
    "error 500": {"status": 500},
    "error 503": {"status": 503},
    "error 404": {"status": 404},
    "error_page 502": {"status": 502},
    "rate_limited": {},
    "rate_limited for a day": {"retry_after": "86400"},
}
FEW = ("html", "cut_without_length", "gzip_bomb", "garbled", "latency", "slow_body", "missing_field", "error 503")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """One try, and not for long."""
    monkeypatch.setattr(connections, "open_provider", lambda *a, **k: open_provider(*a, **{**k, "limits": LIMITS}))


def megabytes(name: str) -> float:
    """VmRSS or VmHWM, the most since it was last forgotten, of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def forget_the_most() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def endure(it: Listed, name: str) -> tuple[SyncRun, float]:
    """The run that met this fault on every page of the list, and the seconds it took more than an ordinary one."""
    settings = dict(FAULTS[name])
    if name.startswith(("wrong_type", "missing_field")):
        settings["field"] = it.list.number_field
    it.simulator.fault(name.partition(" ")[0], path=it.list.path, times=0, **settings)
    began = time.monotonic()
    run = sync(it.account)
    seconds = time.monotonic() - began
    it.simulator.faults.clear()
    return run, seconds


@pytest.mark.parametrize("provider", tuple(LISTS) if FULL else ("plivo", "fone_dynamics"))
def test_s6_answers(db: None, settings: Settings, hasty: None, provider: str) -> None:
    faults = tuple(FAULTS) if FULL else FEW
    untyped, moved, late = [], [], []
    slowest = 0.0
    with listed(provider, settings) as it:
        numbers = presences(it.account)
        endure(it, "gzip_bomb")  # The simulator makes it once, and keeps it.
        began = time.monotonic()
        sync(it.account)
        usual = time.monotonic() - began
        forget_the_most()
        at_rest = megabytes("VmRSS")
        for name in faults:
            run, seconds = endure(it, name)
            untyped += [f"{name}: {run.state} {run.error_slug}"] * (run.error_slug not in TYPED or not run.detail)
            moved += [name] * (presences(it.account) != numbers)
            late += [f"{name}: {seconds:.1f} s"] * (seconds > usual + DEADLINE_SECONDS + 1)
            slowest = max(slowest, seconds)
        most = megabytes("VmHWM") - at_rest
    of = len(faults)
    report("S6", f"{provider}: typed errors", "; ".join(untyped) or f"{of} of {of}", "all", holds=not untyped)
    report("S6", f"{provider}: presences changed by", ", ".join(moved) or "0", "0", holds=not moved)
    figure = "; ".join(late) or f"{slowest:.1f} s at most"
    report("S6", f"{provider}: over in time", figure, f"≤ {DEADLINE_SECONDS} s + 1 s", holds=not late)
    limit = f"≤ {MOST_MEGABYTES} MB"
    report("S6", f"{provider}: memory above rest", f"{most:.0f} MB", limit, holds=most <= MOST_MEGABYTES)
