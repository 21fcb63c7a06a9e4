"""How many numbers each value of each facet would leave, exactly, with everything else that is asked for.

A facet's own selection does not count against its values: next to "Toll-free", chosen, stands how many local ones
there are. The tally answers in milliseconds; what it does not know of (the search, dates, prefixes …) is counted in
the numbers themselves, in one pass. Either is kept until the edition changes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Aggregate, BooleanField, CharField, Count
from django.db.models.expressions import RawSQL

from phone_numbers.filters.conditions import ROUTED_FOR, Reading, combinations
from phone_numbers.filters.directory import Directory, Key, read_directory
from phone_numbers.filters.query import InventoryQuery
from phone_numbers.models import PhoneNumber, Tally
from phone_numbers.models.numbers import SERVICE_BITS
from phone_numbers.services.bookkeeping.cells import ALIKE, COLUMNS, LONGEST_TARGET, cell

Cell = tuple[Any, ...]
"""A row of the tally, with its count; and, where numbers were looked at, with their ids after it."""
ACCOUNT, TYPE, COUNTRY, BITS, TENDLC, TOLL_FREE, PRESENCE = range(7)
VOICE_KIND, VOICE_TARGET, MESSAGE_KIND, MESSAGE_TARGET, CURRENCY, RENEWS, COUNT, IDS = range(7, 15)
COLUMN_FACETS = {
    "account": ACCOUNT,
    "type": TYPE,
    "tendlc": TENDLC,
    "toll_free": TOLL_FREE,
    "presence": PRESENCE,
    "country": COUNTRY,
}
FACETS = (
    *("provider", "account", "type", "services", "tendlc", "toll_free", "presence"),
    *("country", "application", "unrouted"),
)
NO_RATE = "-"
KEPT_FOUND = 20_000
"""Of no more numbers than this the ids are kept: what was found once need not be searched for again."""
OPTIONAL = ("country",)
"""Facets whose empty value is no value."""


@dataclass(frozen=True, slots=True)
class Facets:
    total: int
    by_facet: Mapping[str, Mapping[str, int]]
    """Facet to value to count, the commonest first; the values are those of the query string."""
    matching: "tuple[Cell, ...]"
    """The cells of all that matches; the sorting takes its sections from them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as a key: equal ones in the same edition have equal answers."""

    edition: str
    text: str
    query: InventoryQuery = field(compare=False)


def count_facets(query: InventoryQuery, edition: str) -> Facets:
    """Nothing of anything when a part of the query was not understood."""
    if query.mistakes:
        return Facets(0, {facet: {} for facet in (*FACETS, "tag")}, ())
    return counted(Asked(edition, str(query.only_filters()), query))


@lru_cache(maxsize=128)
def counted(asked: Asked) -> Facets:
    query, directory = asked.query, read_directory(asked.edition)
    rest = query.beyond(FACETS)
    facets = fold(cells_of(Asked(asked.edition, str(rest), rest)), tests_of(query, directory), directory)
    return replace(facets, by_facet={**facets.by_facet, "tag": count_tags(query, directory)})


@lru_cache(maxsize=8)
def cells_of(asked: Asked) -> tuple[Cell, ...]:
    """Of every number that has what the facets do not ask for."""
    if not asked.query.filters:
        return tuple(Tally.objects.values_list(*COLUMNS, "count"))
    reading = Reading(read_directory(asked.edition))
    numbers = PhoneNumber.objects.filter(asked.query.wanted(reading)).order_by()
    computed = {f"cell_{name}": as_column(name, sql) for name, sql in OWN_CELL.items() if name not in ALIKE}
    columns = [name if name in ALIKE else f"cell_{name}" for name in COLUMNS]
    if connection.vendor == "postgresql":
        cells = numbers.annotate(**computed, unsortable=UNSORTABLE).values_list(*columns, "unsortable")
        return tuple((*each, count, ids) for *each, _, count, ids in cells.annotate(Count("pk"), Ids("pk")))
    return tuple(numbers.annotate(**computed).values_list(*columns).annotate(Count("pk"), Ids("pk")))


class Ids(Aggregate):
    """As text, with commas between them; nothing when there are too many in all cells together."""

    name = "Ids"
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=of_few("group_concat(%(expressions)s)"), **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        joined = "array_to_string(array_agg(%(expressions)s), ',')"
        return self.as_sql(compiler, connection, template=of_few(joined), **context)


def of_few(joined: str) -> str:
    return f"CASE WHEN sum(count(*)) OVER () <= {KEPT_FOUND} THEN {joined} END"


OWN_CELL = cell("numbers_phonenumber.")
UNSORTABLE = RawSQL("numbers_phonenumber.service_bits::text::xid", [], CharField())
"""Of a type that can be hashed, not sorted: PostgreSQL would sort a hundred thousand rows to group them."""


def as_column(name: str, sql: str) -> RawSQL:
    return RawSQL(sql.replace("%", "%%"), [], BooleanField() if name == "renews" else CharField())


def tests_of(query: InventoryQuery, directory: Directory) -> dict[str, Callable[[Cell], bool]]:
    """What each chosen facet asks of a cell. Released numbers are left out until they are asked for."""
    tests = {name: is_among(place, query.chosen[name]) for name, place in COLUMN_FACETS.items() if name in query.chosen}
    if "presence" not in query.chosen:
        tests["presence"] = lambda cell: cell[PRESENCE] != PhoneNumber.Presence.RELEASED
    if "account" in query.chosen:
        tests["account"] = is_among(ACCOUNT, map(int, query.chosen["account"]))
    if "provider" in query.chosen:
        providers = query.chosen["provider"]
        tests["provider"] = is_among(ACCOUNT, (pk for pk, (kind, _) in directory.accounts.items() if kind in providers))
    if "services" in query.chosen:
        tests["services"] = is_among(BITS, combinations(query.chosen["services"], query.option("services_match")))
    if "application" in query.chosen:
        wanted = directory.called(query.chosen["application"][0])
        tests["application"] = lambda cell: not wanted.isdisjoint(routes_of(cell))
    if "unrouted" in query.chosen:
        ways = query.chosen["unrouted"]
        tests["unrouted"] = lambda cell: any(goes_nowhere(cell, way) for way in ways)
    return tests


def goes_nowhere(cell: Cell, way: str) -> bool:
    kind = VOICE_KIND if way == "voice" else MESSAGE_KIND
    return bool(cell[BITS] & SERVICE_BITS[ROUTED_FOR[way][1]]) and cell[kind] == cell[kind + 1] == ""


def is_among(place: int, values: Iterable[object]) -> Callable[[Cell], bool]:
    wanted = set(values)
    return lambda cell: cell[place] in wanted


def routes_of(cell: Cell) -> tuple[Key, Key]:
    return (cell[ACCOUNT], cell[VOICE_KIND], cell[VOICE_TARGET]), (
        cell[ACCOUNT],
        cell[MESSAGE_KIND],
        cell[MESSAGE_TARGET],
    )


def cell_of(number: PhoneNumber, count: int) -> Cell:
    """The cell of one number, as if it stood for so many of them."""
    currency = NO_RATE if number.monthly_rate is None else number.currency
    routes = (number.voice_kind, kept(number.voice_target), number.message_kind, kept(number.message_target))
    alike = tuple(getattr(number, name) for name in ALIKE)
    return (*alike, *routes, currency, number.renewal_date is not None, count)


def kept(target: str) -> str:
    """As `bookkeeping.cells.target` has it."""
    return "" if "://" in target or target.startswith("+") or len(target) > LONGEST_TARGET else target


def count_also(query: InventoryQuery, edition: str) -> int:
    """The total of a query that differs from one counted before in nothing but facets: at no query of its own."""
    rest = query.beyond(FACETS)
    cells = cells_of(Asked(edition, str(rest), rest))
    for passes in tests_of(query, read_directory(edition)).values():
        cells = tuple(filter(passes, cells))
    return sum(each[COUNT] for each in cells)


def fold(cells: Iterable[Cell], tests: Mapping[str, Callable[[Cell], bool]], directory: Directory) -> Facets:
    """A cell counts for every facet when it passes all tests, and for one facet when only that one's test fails."""
    matching: list[Cell] = []
    spared: dict[str, list[Cell]] = {facet: [] for facet in FACETS}
    for each in cells:
        failed = ""
        for facet, passes in tests.items():
            if not passes(each):
                if failed:
                    break
                failed = facet
        else:
            (spared[failed] if failed else matching).append(each)
    by_facet = {facet: tidy(facet, count(facet, (*matching, *spared[facet]), directory)) for facet in FACETS}
    return Facets(sum(each[COUNT] for each in matching), by_facet, tuple(matching))


def count(facet: str, cells: Iterable[Cell], directory: Directory) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    if facet in COLUMN_FACETS:
        place = COLUMN_FACETS[facet]
        for each in cells:
            counts[each[place]] += each[COUNT]
        return counts
    if facet == "provider":
        for each in cells:
            counts[directory.accounts[each[ACCOUNT]][0]] += each[COUNT]
        return counts
    if facet == "unrouted":
        return {way: sum(each[COUNT] for each in cells if goes_nowhere(each, way)) for way in ROUTED_FOR}
    return count_services(cells) if facet == "services" else count_applications(cells, directory)


def count_services(cells: Iterable[Cell]) -> Mapping[str, int]:
    by_bits: Counter[int] = Counter()
    for each in cells:
        by_bits[each[BITS]] += each[COUNT]
    return {
        service.value: sum(number for bits, number in by_bits.items() if bits & bit)
        for service, bit in SERVICE_BITS.items()
    }


def count_tags(query: InventoryQuery, directory: Directory) -> Mapping[str, int]:
    """Numbers have any number of tags, so these are counted one by one; an installation without tags has no query."""
    if not directory.tags:
        return {}
    numbers = PhoneNumber.objects.filter(query.without_filter("tag").condition(Reading(directory)), tags__isnull=False)
    return tidy("tag", dict(numbers.order_by().values_list("tags__folded").annotate(Count("pk"))))


def count_applications(cells: Iterable[Cell], directory: Directory) -> Mapping[str, int]:
    """By name, whatever its capitals, as the filter takes it. A number both of whose routes go there counts once."""
    by_routes: Counter[tuple[Key, Key]] = Counter()
    for each in cells:
        by_routes[routes_of(each)] += each[COUNT]
    counts: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for routes, number in by_routes.items():
        labels = {directory.label(key) for key in routes if key in directory.names}
        for name in {titles.setdefault(label.casefold(), label) for label in labels}:
            counts[name] += number
    return counts


def tidy(facet: str, counts: Mapping[str, int]) -> Mapping[str, int]:
    kept = [(str(value), number) for value, number in counts.items() if number and (value or facet not in OPTIONAL)]
    return dict(sorted(kept, key=lambda each: (-each[1], each[0])))
