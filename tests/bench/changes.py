"""Changes: one edit from the click on, also while a large account is read, and a plan of a thousand beside a script.

The script is what one would write without us: it reads a number, changes it and reads it back, one after the other.
Both speak to the same simulator, which answers after 50 ms, turn by turn, and neither makes more calls than the other.
The provider is SignalWire, whose hundred requests a second leave room for four times what a script uses at 50 ms.
"""

import os
from collections.abc import Iterator
from typing import Any

from tests.bench.clicks import Click, clicks, clicks_during_a_sync
from tests.bench.figures import Figure
from tests.bench.stage import compete, request_times, simulator
from tests.servers import start_redis

CHANGES = int(os.environ.get("CHANGES", "1000"))
CLICKS = 100
FEWEST = 20
"""Clicks; a share of fewer tells nothing."""
CALLS = 3
PER_SECOND = 100
"""Requests to SignalWire, as its reference has it."""

Turn = dict[str, Any]


def measure() -> Iterator[Figure]:
    yield quick("P16", "from click to confirmed, file broker", clicks(CLICKS), 0.3)
    server, url = start_redis()
    yield quick("P16", "from click to confirmed, Redis", clicks(CLICKS, broker_url=url), 0.1)
    server.remove()
    yield beside_a_script()
    taken, numbers, sync_seconds = clicks_during_a_sync(100_000)
    meanwhile = f"while {numbers:,} numbers are read ({sync_seconds:.0f} s)"
    yield quick("P18", meanwhile, taken, 1.5, sync_seconds=sync_seconds)


def quick(row: str, what: str, taken: list[Click], bar: float, **measured: Any) -> Figure:
    """The provider's own three calls are left out."""
    seconds = sorted(click.seconds - click.provider_seconds for click in taken)
    return Figure(
        id=row,
        what=f"{len(taken)} edits {what}",
        ours=f"p50 {share(seconds, 0.5):.3f} s p95 {share(seconds, 0.95):.3f} s",
        theirs="",
        ratio="",
        bar=f"p95 <= {bar} s",
        holds=share(seconds, 0.95) <= bar and len(taken) >= FEWEST,
        measured={"seconds": seconds, "calls": [click.calls for click in taken], **measured},
    )


def share(ordered: list[float], part: float) -> float:
    """Of these, so many are no larger."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def beside_a_script() -> Figure:
    with simulator("--numbers", str(CHANGES + 50), "--latency-ms", "50") as root:
        theirs, ours = take_turn("script", root), take_turn("ours", root)
    ratio = seconds_of(theirs) / seconds_of(ours)
    calls, busiest = len(ours["requests"]), most_in_a_second(ours["requests"])
    all_done = ours["changed"] == theirs["changed"] == CHANGES
    return Figure(
        id="P17",
        what=f"{CHANGES:,} changes, 50 ms; {calls:,} calls, {busiest} in the busiest second",
        ours=in_brief(ours),
        theirs=in_brief(theirs),
        ratio=f"{ratio:.1f} x",
        bar=">= 4 x",
        holds=ratio >= 4 and calls <= len(theirs["requests"]) and busiest <= PER_SECOND and all_done,
        measured={"ours": {**ours, "requests": calls}, "theirs": {**theirs, "requests": len(theirs["requests"])}},
    )


def take_turn(kind: str, root: str) -> Turn:
    """What one contender measured on a fresh database, with when each of its requests came."""
    turn: Turn = compete(kind, root, "tests.bench.change_contender")
    return {**turn, "requests": [at for at in request_times(root) if at >= turn["begun"]]}


def seconds_of(turn: Turn) -> float:
    return float(turn["ended"] - turn["begun"])


def most_in_a_second(times: list[float]) -> int:
    return max(sum(at <= other < at + 1 for other in times[rank : rank + 500]) for rank, at in enumerate(times))


def in_brief(turn: Turn) -> str:
    return f"{turn['changed'] / seconds_of(turn):,.1f}/s {seconds_of(turn):.0f} s {turn['cpu_seconds']:.1f} s CPU"
