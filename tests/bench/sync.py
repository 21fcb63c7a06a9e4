"""A sync beside what one would write without us: Plivo's own client, page after page, and `update_or_create` per row.

Both read the same simulator and write to the same PostgreSQL server, turn by turn in one run; figures are medians.
LARGE=1 adds the row with a million numbers, RUNS=5 takes five turns instead of three.
"""

import os
import statistics
from collections.abc import Iterator
from typing import Any

from tests.bench.figures import Figure
from tests.bench.stage import compete, request_times, simulator

RUNS = int(os.environ.get("RUNS", "3"))
SMALL, LARGE, HUGE = 20_000, 100_000, 1_000_000
LIMIT_REQUESTS, LIMIT_SECONDS = 300, 5.0
"""Of Plivo, as its reference has it."""

Turn = dict[str, Any]


def measure() -> Iterator[Figure]:
    with simulator("--numbers", str(SMALL)) as root:
        first, second = turns("ours", root)
        their_first, their_second = turns("theirs", root)
    yield faster("P10", "first sync, 20,000 numbers, 0 ms", first, their_first, 8)
    yield faster("P11", "unchanged second sync, 20,000 numbers, 0 ms", second, their_second, 15, unchanged=True)
    small = second
    with simulator("--numbers", str(LARGE)) as root:
        first, second = turns("ours", root)
        (bare,) = turns("floor", root)
        their_first, their_second = turns("theirs", root, runs=1)
    yield faster("P10", "first sync, 100,000 numbers, 0 ms", first, their_first, 8)
    yield faster("P11", "unchanged second sync, 100,000 numbers, 0 ms", second, their_second, 15, unchanged=True)
    yield leaner(second, bare)
    with simulator("--numbers", str(SMALL), "--latency-ms", "50") as root:
        first, second = turns("ours", root)
        their_first, their_second = turns("theirs", root, runs=1)
    yield faster("P12", "first sync, 20,000 numbers, 50 ms", first, their_first, 20)
    yield faster("P12", "unchanged second sync, 20,000 numbers, 50 ms", second, their_second, 20, unchanged=True)
    yield within_the_limit()
    if os.environ.get("LARGE"):
        yield flat(small)


def turns(kind: str, root: str, runs: int = RUNS) -> list[Turn]:
    """The medians of what one contender measured, turn by turn: of its first sync, and of its second."""
    taken = [compete(kind, root) for _ in range(runs)]
    return [
        {name: statistics.median(turn[name] for turn in same) for name in same[0]} for same in zip(*taken, strict=True)
    ]


def faster(row: str, what: str, ours: Turn, theirs: Turn, bar: int, *, unchanged: bool = False) -> Figure:
    ratio = theirs["seconds"] / ours["seconds"]
    written = ours["number_rows_written"]
    return Figure(
        id=row,
        what=what + (f"; {written:,.0f} rows written" if unchanged else ""),
        ours=in_brief(ours),
        theirs=in_brief(theirs),
        ratio=f"{ratio:.1f} x",
        bar=f">= {bar} x",
        holds=ratio >= bar and not (unchanged and written),
        measured={"ours": ours, "theirs": theirs},
    )


def in_brief(turn: Turn) -> str:
    rows, requests = turn["rows"] / turn["seconds"], turn["requests"] / turn["seconds"]
    return f"{rows:,.0f}/s {requests:,.0f} req/s {turn['cpu_seconds']:.1f} s CPU {turn['peak_mb']:.0f} MB"


def leaner(ours: Turn, bare: Turn) -> Figure:
    ratio = ours["cpu_seconds"] / bare["cpu_seconds"]
    return Figure(
        id="P15",
        what="CPU of 100,000 unchanged, beside fetching and decoding",
        ours=f"{ours['cpu_seconds']:.2f} s CPU",
        theirs=f"{bare['cpu_seconds']:.2f} s CPU",
        ratio=f"{ratio:.2f} x",
        bar="<= 1.6 x",
        holds=ratio <= 1.6,
        measured={"ours": ours, "theirs": bare},
    )


def within_the_limit() -> Figure:
    """The share is of whole windows only: how long they took, beside how long they must take."""
    with simulator("--numbers", str(SMALL), "--latency-ms", "50", "--rate-limit") as root:
        (turn,) = compete("ours_limited", root)
        times = request_times(root)
    windows = (len(times) - 1) // LIMIT_REQUESTS
    share = windows * LIMIT_SECONDS / (times[windows * LIMIT_REQUESTS] - times[0])
    spans = [later - sooner for sooner, later in zip(times, times[LIMIT_REQUESTS:], strict=False)]
    exceeded = sum(span < LIMIT_SECONDS for span in spans)
    return Figure(
        id="P13",
        what=f"300 requests in 5 s, 50 ms; {exceeded} windows with more",
        ours=in_brief(turn),
        theirs="",
        ratio=f"{share:.1%}",
        bar=">= 95 %",
        holds=share >= 0.95 and not exceeded,
        measured={"ours": turn, "requests": len(times), "exceeded": exceeded, "share": share},
    )


def flat(small: Turn) -> Figure:
    with simulator("--numbers", str(HUGE)) as root:
        first, second = turns("ours", root, runs=1)
    more = second["peak_mb"] - small["peak_mb"]
    return Figure(
        id="P14",
        what=f"memory at 1,000,000 numbers ({first['seconds']:.0f} s first, {second['seconds']:.0f} s second)",
        ours=f"{second['peak_mb']:.0f} MB",
        theirs=f"{small['peak_mb']:.0f} MB at 20,000",
        ratio=f"{more:+.0f} MB",
        bar="<= +150 MB",
        holds=more <= 150,
        measured={"first": first, "second": second},
    )
