"""The list beside a plain Django admin changelist of the same table, in one run: both through Django's test client.

At 100,000 and at 1,000,000 numbers, on PostgreSQL and SQLite. Every figure of ours is the median of repeated requests;
"first" is the first since the inventory changed, with nothing kept yet. LIST_ROWS=20000,100000 takes other sizes,
LIST_DATABASES=SQLite one database. LIST_FOLDER=… keeps the databases for another run: SQLite's there, PostgreSQL's in
the server that TEST_DATABASE_URL names.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.bench.stage import database, kept_database

SIZES = sorted(int(each) for each in os.environ.get("LIST_ROWS", "100000,1000000").split(","))
DATABASES = os.environ.get("LIST_DATABASES", "PostgreSQL,SQLite").split(",")
FOLDER = os.environ.get("LIST_FOLDER", "")
SEARCHES = ("search selective", "search number", "search words", "search common")
BESIDE = ("facet", "common facet", "account", "country", "10DLC", "presence", "last page")
BESIDE += ("sort alias", "sort account", "sort type")
"""Requests that have no bar of their own, and must only not be slower than the admin's."""
MOST_QUERIES = 8
WARMING, ROUNDS = 2, 15

Measured = dict[str, Any]
Environment = dict[str, str]
Side = subprocess.Popen[str]


def measure() -> Iterator[Figure]:
    """Databases are made two at a time; measured is one after the other, with nothing else going on.

    How much a request grows is measured anew, at both sizes in turn: of two times that are minutes apart, the ratio
    would be the machine's.
    """
    with ExitStack() as stack:
        places = {
            (kind, size): stack.enter_context(place_for(kind, size)) for size in SIZES[::-1] for kind in DATABASES
        }
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda key: contend("build", key[1], places[key]), places))
        measured = {key: contend("measure", key[1], place) for key, place in places.items()}
        small, large = SIZES[0], SIZES[-1]
        taken = {kind: in_turn(places[kind, small], places[kind, large]) for kind in DATABASES if small != large}
    for kind in DATABASES:
        yield from at_size(kind, large, measured[kind, large], is_large=True)
        if small != large:
            yield from at_size(kind, small, measured[kind, small], is_large=False)
            yield grown(kind, taken[kind])


@contextmanager
def place_for(kind: str, size: int) -> Iterator[Environment]:
    """The environment of a process that is to use this database."""
    environment = {**os.environ, "MODE": "embedded", "DEMO": "false", "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
    with tempfile.TemporaryDirectory(prefix="numberdesk-bench-") as temporary:
        environment["DATA_DIR"] = temporary
        if kind == "SQLite":
            file = Path(FOLDER or temporary).resolve() / f"list_{size}.sqlite3"
            yield {**environment, "DATABASE_URL": f"sqlite:///{file}"}
        elif FOLDER and "TEST_DATABASE_URL" in os.environ:
            yield {**environment, "DATABASE_URL": kept_database(f"bench_list_{size}")}
        else:
            with database() as url:
                yield {**environment, "DATABASE_URL": url}


def in_turn(*places: Environment) -> dict[str, list[float]]:
    """Milliseconds of each request of the list at each of these places, which are asked one after the other."""
    with ExitStack() as stack:
        sides = [stack.enter_context(serving(place)) for place in places]
        names, *_ = [read_answer(side) for side in sides]
        rounds = {name: [[ask(side, name) for side in sides] for _ in range(WARMING + ROUNDS)] for name in names}
    return {
        name: [statistics.median(each) for each in zip(*taken[WARMING:], strict=True)] for name, taken in rounds.items()
    }


@contextmanager
def serving(place: Environment) -> Iterator[Side]:
    command = [sys.executable, "-m", "tests.bench.list_contender", "serve", "0"]
    with subprocess.Popen(command, env=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as side:
        try:
            yield side
        finally:
            side.terminate()


def ask(side: Side, name: str) -> float:
    print(name, file=side.stdin, flush=True)
    return float(read_answer(side))


def read_answer(side: Side) -> Any:
    return json.loads(next(iter(side.stdout or ())))


def contend(act: str, size: int, environment: Environment) -> Measured:
    command = [sys.executable, "-m", "tests.bench.list_contender", act, str(size)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def at_size(kind: str, size: int, measured: Measured, *, is_large: bool) -> Iterator[Figure]:
    ours, theirs = measured["ours"], measured["theirs"]
    where = f"{kind}, {size:,}"
    yield from (of_many if is_large else of_few)(where, measured)
    for name in BESIDE:
        yield quicker("", f"{name}, {where}", ours[name], theirs[name], 1)
    yield asked_little(where, ours)
    yield light(where, measured["bytes"])


def of_many(where: str, measured: Measured) -> Iterator[Figure]:
    ours, theirs = measured["ours"], measured["theirs"]
    is_barred = where.startswith("PostgreSQL")
    yield quicker("P1" if is_barred else "", f"list, {where}", ours["list"], theirs["list"], 15 if is_barred else 1)
    for name in ("far page", "page after it", "last page"):
        yield paged(name, where, ours[name], ours["list"])
        yield paged(f"{name}, first", where, first(ours[name]), first(ours["list"]))
    for name in SEARCHES:
        yield quicker("P5", f"{name}, {where}", ours[name], theirs[name], 20)
        yield quicker("P5", f"{name}, first, {where}", first(ours[name]), theirs[name], 20)
    alone = ours["facets alone"]
    yield quicker("P6", f"facets under a filter, cold, {where}", first(alone), theirs["facets"], 20)
    yield quicker("P6", f"facets under a filter, warm, {where}", alone, theirs["facets"], 100)
    yield streamed(where, measured["export"])


def of_few(where: str, measured: Measured) -> Iterator[Figure]:
    ours, theirs = measured["ours"], measured["theirs"]
    yield quicker("P2", f"list fragment, {where}", ours["list again"], theirs["list"], 3)
    ratio = ours["list again"]["ms"] / ours["floor"]["ms"]
    said = f"beside a bare view, {where}"
    yield figure("P2", said, ours["list again"], ours["floor"], f"{ratio:.1f}", "<= 2", holds=ratio <= 2)


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


def paged(name: str, where: str, ours: Measured, page_one: Measured) -> Figure:
    ratio = ours["ms"] / page_one["ms"]
    return figure("P4", f"{name} by page 1, {where}", ours, page_one, f"{ratio:.2f}", "<= 1.5", holds=ratio <= 1.5)


def grown(kind: str, taken: dict[str, list[float]]) -> Figure:
    """The request that grows most with ten times the numbers."""
    grew = {name: large / small for name, (small, large) in taken.items()}
    worst = max(grew, key=lambda name: grew[name])
    small, large = ({"ms": each, "grew": grew} for each in taken[worst])
    said = f"many by few: {worst}, {kind}"
    return figure("P3", said, large, small, f"{grew[worst]:.2f}", "<= 1.5", holds=grew[worst] <= 1.5)


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
