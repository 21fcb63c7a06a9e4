"""The list beside a plain Django admin changelist of the same table, in one run: both through Django's test client.

At 100,000 and at 1,000,000 numbers, on PostgreSQL and SQLite; LIST_ROWS=20000,100000 takes other sizes. Every figure of
ours is the median of repeated requests; "first" is the first since the inventory changed, with nothing kept yet.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tests.bench.figures import Figure
from tests.bench.stage import database

SIZES = sorted(int(each) for each in os.environ.get("LIST_ROWS", "100000,1000000").split(","))
DATABASES = os.environ.get("LIST_DATABASES", "PostgreSQL,SQLite").split(",")
SEARCHES = ("search selective", "search number", "search words", "search common")
MOST_QUERIES = 8

Measured = dict[str, Any]


def measure() -> Iterator[Figure]:
    small, large = SIZES[0], SIZES[-1]
    for kind in DATABASES:
        by_size = {size: contend(kind, size) for size in SIZES}
        yield from at_size(kind, large, by_size[large], is_large=True)
        if small != large:
            yield from at_size(kind, small, by_size[small], is_large=False)
            yield grown(kind, by_size[small]["ours"], by_size[large]["ours"])


def contend(kind: str, size: int) -> Measured:
    """What one database measured, new and in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.list_contender", str(size)]
    with tempfile.TemporaryDirectory(prefix="numberdesk-bench-") as folder:
        environment = {**os.environ, "DATA_DIR": folder, "MODE": "embedded", "DEMO": "false"}
        environment["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
        environment.pop("DATABASE_URL", None)
        if kind == "SQLite":
            return answer_of(command, environment)
        with database() as url:
            return answer_of(command, {**environment, "DATABASE_URL": url})


def answer_of(command: list[str], environment: dict[str, str]) -> Measured:
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def at_size(kind: str, size: int, measured: Measured, *, is_large: bool) -> Iterator[Figure]:
    ours, theirs = measured["ours"], measured["theirs"]
    where = f"{kind}, {size:,}"
    yield from (of_many if is_large else of_few)(where, measured)
    for name in ("facet", "sort alias", "sort type", "last page"):
        yield quicker("", f"{name}, {where}", ours[name], theirs[name], 1)
    yield asked_little(where, ours)
    yield light(where, measured["bytes"])


def of_many(where: str, measured: Measured) -> Iterator[Figure]:
    ours, theirs = measured["ours"], measured["theirs"]
    yield quicker("P1", f"list fragment, {where}", ours["list"], theirs["list"], 15)
    yield paged(where, ours)
    for name in SEARCHES:
        yield quicker("P5", f"{name}, {where}", ours[name], theirs[name], 20)
        yield quicker("P5", f"{name}, first, {where}", first(ours[name]), theirs[name], 20)
    alone = ours["facets alone"]
    yield quicker("P6", f"facets under a filter, cold, {where}", first(alone), theirs["facets"], 20)
    yield quicker("P6", f"facets under a filter, warm, {where}", alone, theirs["facets"], 100)
    yield streamed(where, measured["export"])


def of_few(where: str, measured: Measured) -> Iterator[Figure]:
    ours, theirs = measured["ours"], measured["theirs"]
    yield quicker("P2", f"list fragment, {where}", ours["list"], theirs["list"], 3)
    ratio = ours["list"]["ms"] / ours["floor"]["ms"]
    said = f"beside a bare view, {where}"
    yield figure("P2", said, ours["list"], ours["floor"], f"{ratio:.1f}", "<= 2", holds=ratio <= 2)


def first(taken: Measured) -> Measured:
    return {"ms": taken["first"]}


def quicker(row: str, what: str, ours: Measured, theirs: Measured, bar: int) -> Figure:
    ratio = theirs["ms"] / ours["ms"]
    return figure(row, what, ours, theirs, f"1/{ratio:.1f}", f"<= 1/{bar}", holds=ratio >= bar)


def figure(row: str, what: str, ours: Measured, theirs: Measured, ratio: str, bar: str, *, holds: bool) -> Figure:
    return Figure(
        id=row,
        what=what,
        ours=f"{ours['ms']:.1f} ms",
        theirs=f"{theirs['ms']:.1f} ms",
        ratio=ratio,
        bar=bar,
        holds=holds,
        measured={"ours": ours, "theirs": theirs},
    )


def paged(where: str, ours: Measured) -> Figure:
    far = max(("far page", "page after it", "last page"), key=lambda name: ours[name]["ms"])
    ratio = ours[far]["ms"] / ours["list"]["ms"]
    said = f"{far} by page 1 (first {ours['far page']['first']:.0f} ms), {where}"
    return figure("P4", said, ours[far], ours["list"], f"{ratio:.2f}", "<= 1.5", holds=ratio <= 1.5)


def grown(kind: str, small: Measured, large: Measured) -> Figure:
    """The request that grows most with ten times the numbers."""
    grew = {name: large[name]["ms"] / small[name]["ms"] for name in small}
    worst = max(grew, key=lambda name: grew[name])
    ratio = grew[worst]
    said = f"many by few: {worst}, {kind}"
    return figure("P3", said, large[worst], small[worst], f"{ratio:.2f}", "<= 1.5", holds=ratio <= 1.5)


def asked_little(where: str, ours: Measured) -> Figure:
    queries = {name: taken["queries"] for name, taken in ours.items()}
    most = max(queries.values())
    return alone(
        "P7", f"queries of a request, at most, {where}", str(most), "<= 8", queries, holds=most <= MOST_QUERIES
    )


def streamed(where: str, export: Measured) -> Figure:
    said = f"{export['rows_per_second']:,.0f} rows/s {export['first_seconds']:.2f} s {export['more_mb']:+.0f} MB"
    holds = export["rows_per_second"] >= 30_000 and export["first_seconds"] <= 0.5 and export["more_mb"] <= 50
    return alone("P8", f"CSV of every column, {where}", said, "30k/s .5s 50MB", export, holds=holds)


def light(where: str, size: Measured) -> Figure:
    said = f"{size['first view'] / 1000:.1f} kB, {size['fragment'] / 1000:.1f} kB"
    holds = size["first view"] <= 60_000 and size["fragment"] <= 12_000
    return alone("P9", f"first view, and fragment, {where}", said, "<= 60, 12 kB", size, holds=holds)


def alone(row: str, what: str, said: str, bar: str, measured: Measured, *, holds: bool) -> Figure:
    return Figure(id=row, what=what, ours=said, theirs="", ratio="", bar=bar, holds=holds, measured=measured)
