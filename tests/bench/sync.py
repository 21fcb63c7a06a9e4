"""A sync beside what one would write without us: Plivo's own client, page after page, and `update_or_create` per row.

Both read the same simulator and write to the same PostgreSQL server, turn by turn in one run. Our figures are medians
of three turns (RUNS=5: of five). The other side takes each row on its own, so its first 10,000 rows, once, tell its
pace; what is compared is rows a second. LARGE=1 adds a million numbers.
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
        small = turns(root, ours=RUNS, theirs=1)
    yield from both("P10", "P11", "20,000 numbers, 0 ms", small, (8, 15))
    with simulator("--numbers", str(LARGE)) as root:
        large = turns(root, ours=RUNS, floor=RUNS, theirs=1)
    yield from both("P10", "P11", "100,000 numbers, 0 ms", large, (8, 15))
    yield leaner(large["ours"][1], large["floor"][0])
    with simulator("--numbers", str(SMALL), "--latency-ms", "50") as root:
        yield from both("P12", "P12", "20,000 numbers, 50 ms", turns(root, ours=RUNS, theirs=1), (20, 20))
    yield within_the_limit()
    if os.environ.get("LARGE"):
        yield flat(small["ours"][1])


def turns(root: str, **runs: int) -> dict[str, list[Turn]]:
    """The medians of each contender's first and second sync; they take turns, so that a busy minute strikes all."""
    taken: dict[str, list[list[Turn]]] = {kind: [] for kind in runs}
    for turn in range(max(runs.values())):
        for kind, times in runs.items():
            if turn < times:
                taken[kind].append(compete(kind, root))
    return {kind: [medians(same) for same in zip(*turns, strict=True)] for kind, turns in taken.items()}


def medians(turns: tuple[Turn, ...]) -> Turn:
    return {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def both(first: str, second: str, what: str, taken: dict[str, list[Turn]], bars: tuple[int, int]) -> Iterator[Figure]:
    ours, theirs = taken["ours"], taken["theirs"]
    yield faster(first, f"first sync, {what}", ours[0], theirs[0], bars[0])
    yield faster(second, f"unchanged second sync, {what}", ours[1], theirs[1], bars[1], unchanged=True)


def faster(row: str, what: str, ours: Turn, theirs: Turn, bar: int, *, unchanged: bool = False) -> Figure:
    ratio = pace(ours) / pace(theirs)
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


def pace(turn: Turn) -> float:
    """Rows a second."""
    return float(turn["rows"] / turn["seconds"])


def in_brief(turn: Turn) -> str:
    requests = turn["requests"] / turn["seconds"]
    return f"{pace(turn):,.0f}/s {requests:,.0f} req/s {turn['cpu_seconds']:.1f} s CPU {turn['peak_mb']:.0f} MB"


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
        first, second = compete("ours", root)
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
