"""The list in the order asked for, as sections that follow each other, each with its exact count.

Columns with few values need no index to be sorted by: the tally knows how many numbers have each value, so every
value is a section, and within it numbers are in the order of one indexed column. Where nothing is known stands last,
whichever way the list is sorted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Q
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact

from phone_numbers.filters.conditions import Reading, among
from phone_numbers.filters.directory import Directory, Key
from phone_numbers.filters.facets import (
    ACCOUNT,
    BITS,
    COLUMN_FACETS,
    COUNT,
    CURRENCY,
    IDS,
    NO_RATE,
    RENEWS,
    TENDLC,
    TOLL_FREE,
    Cell,
    Facets,
    routes_of,
)
from phone_numbers.filters.query import InventoryQuery
from phone_numbers.services.bookkeeping.cells import target

SORTED_WITHIN = {
    "alias": "alias",
    "rate": "monthly_rate",
    "renewal": "renewal_date",
    "voice": "voice_target",
    "messages": "message_target",
}
"""By the number itself otherwise."""
COLUMN_OF = {
    "account": "account_id",
    "type": "number_type",
    "services": "service_bits",
    "tendlc": "tendlc_status",
    "toll_free": "toll_free_status",
    "presence": "presence",
    "country": "country",
}
PREFIX_OF = {"voice": "voice", "messages": "message"}
Narrow = Callable[[Reading], Q]


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    count: int
    condition: Narrow
    parameter: str = ""
    """The filter that a section of one column's value amounts to."""
    cells: Sequence[Cell] = ()

    @property
    def found(self) -> str | None:
        """The ids of its numbers with commas between them, when they are few and were searched for."""
        ids = [each[IDS] for each in self.cells if len(each) > IDS]
        return None if not ids or None in ids else ",".join(ids)


def key_of(sort: str) -> str:
    """The column that rows are in the order of within a section; ties are broken by the row's id."""
    return SORTED_WITHIN.get(sort, "e164")


def find_sections(query: InventoryQuery, facets: Facets, directory: Directory, kept: str = "") -> list[Section]:
    """Those that have numbers, and the one of this name."""
    sort = query.sort.removeprefix("-")
    unknown: list[Section] = []
    if sort in COLUMN_OF:
        known = of_column(sort, facets.matching, directory)
    elif sort in PREFIX_OF:
        known = of_routes(PREFIX_OF[sort], facets.matching, directory)
    elif sort == "registration":
        known = of_registrations(facets.matching)
    elif sort == "rate":
        known, unknown = of_rates(facets.matching)
    elif sort == "renewal":
        known, unknown = of_renewals(facets.matching)
    else:
        known = [section("", facets.matching, lambda _: Q())]
    known = known[::-1] if query.sort.startswith("-") else known
    return [section for section in (*known, *unknown) if section.count or section.name == kept]


def section(name: str, cells: Sequence[Cell], condition: Narrow, parameter: str = "") -> Section:
    return Section(name, sum(each[COUNT] for each in cells), condition, parameter, cells)


def grouped(cells: Iterable[Cell], key: Callable[[Cell], Any]) -> defaultdict[Any, list[Cell]]:
    groups: defaultdict[Any, list[Cell]] = defaultdict(list)
    for each in cells:
        groups[key(each)].append(each)
    return groups


def of_column(sort: str, cells: Sequence[Cell], directory: Directory) -> list[Section]:
    place = BITS if sort == "services" else COLUMN_FACETS[sort]
    groups = grouped(cells, lambda cell: cell[place])
    order = directory.accounts.__getitem__ if place == ACCOUNT else None
    column = COLUMN_OF[sort]
    return [section(str(value), groups[value], having(column, value), sort) for value in sorted(groups, key=order)]


def having(column: str, value: object) -> Narrow:
    return lambda reading: among(column, [value], reading)


def of_registrations(cells: Sequence[Cell]) -> list[Section]:
    """By 10DLC, and where that does not apply by the verification of toll-free numbers."""
    groups = grouped(cells, lambda cell: (cell[TENDLC], cell[TOLL_FREE]))
    return [section("/".join(pair), groups[pair], registered_as(*pair), "tendlc") for pair in sorted(groups)]


def registered_as(tendlc: str, toll_free: str) -> Narrow:
    return lambda reading: among("tendlc_status", [tendlc], reading) & among("toll_free_status", [toll_free], reading)


def of_rates(cells: Sequence[Cell]) -> tuple[list[Section], list[Section]]:
    groups = grouped(cells, lambda cell: cell[CURRENCY])
    unknown = section(NO_RATE, groups.pop(NO_RATE, []), lambda _: Q(monthly_rate__isnull=True))
    return [section(each, groups[each], in_currency(each)) for each in sorted(groups)], [unknown]


def in_currency(currency: str) -> Narrow:
    return lambda _: Q(currency=currency, monthly_rate__isnull=False)


def of_renewals(cells: Sequence[Cell]) -> tuple[list[Section], list[Section]]:
    groups = grouped(cells, lambda cell: bool(cell[RENEWS]))
    known = section("known", groups[True], lambda _: Q(renewal_date__isnull=False))
    return [known], [section("unknown", groups[False], lambda _: Q(renewal_date__isnull=True))]


def of_routes(prefix: str, cells: Sequence[Cell], directory: Directory) -> list[Section]:
    """Nowhere, then what people know by a name, by that name, then the addresses of each account."""
    groups = grouped(cells, lambda cell: routes_of(cell)[prefix == "message"])

    def order(key: Key) -> tuple[int, str, Key]:
        return (0 if not key[1] else 1 if key[2] else 2), directory.label(key).casefold(), key

    nowhere = [each for key, group in groups.items() if not (key[1] or key[2]) for each in group]
    first = [section("nowhere", nowhere, lambda _: Q(**{f"{prefix}_kind": "", f"{prefix}_target": ""}))]
    rest = [key for key in sorted(groups, key=order) if key[1] or key[2]]
    return first + [section("/".join(map(str, key)), groups[key], going_to(prefix, key)) for key in rest]


def going_to(prefix: str, key: Key) -> Narrow:
    account, kind, remote_id = key
    there = Q(**{"account": account, f"{prefix}_kind": kind})
    if remote_id:
        return lambda _: there & Q(**{f"{prefix}_target": remote_id})
    kept = target(f"{prefix}_target", "numbers_phonenumber.").replace("%", "%%")
    is_address = RawSQL(f"({kept})", [], CharField())
    return lambda _: there & Q(Exact(is_address, ""))
