"""The head of the list: which columns it shows, and what a row needs for them beyond its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.template import Engine
from django.template.base import NodeList

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.columns import DEFAULT, LIST_COLUMNS, chosen
from phone_numbers.filters.directory import Directory
from phone_numbers.models import ListPreferences, PhoneNumber
from phone_numbers.services.local_fields import TITLES, read_values

More = Mapping[str, str]
NO_MORE: More = {}


@dataclass(frozen=True, slots=True)
class HeadColumn:
    key: str
    title: str
    hint: str
    aria_sort: str
    """Empty unless the list is sorted by this column."""
    next_sort: InventoryQuery | None
    """Nothing for a column that the list is not sorted by."""
    cell: NodeList
    """Draws its cell in the context of a row."""


def keys_of(query: InventoryQuery, preferences: ListPreferences) -> tuple[str, ...]:
    """Those that the address names, else those that the person chose, else the usual ones."""
    if "columns" in query.chosen:
        return tuple(query.chosen["columns"][0].split(","))
    return chosen(preferences.columns) if preferences.columns else DEFAULT


def head_columns(query: InventoryQuery, keys: Sequence[str]) -> list[HeadColumn]:
    return [head_column(query, key) for key in keys]


def head_column(query: InventoryQuery, key: str) -> HeadColumn:
    column = LIST_COLUMNS[key]
    cell = Engine.get_default().get_template(f"numbers/_cells.html#{key}").nodelist
    if not column.sort:
        return HeadColumn(key, column.title, column.hint, "", None, cell)
    aria_sort = {column.sort: "ascending", f"-{column.sort}": "descending"}.get(query.sort, "")
    next_sort = query.having(sort=f"-{column.sort}" if aria_sort == "ascending" else column.sort)
    return HeadColumn(key, column.title, column.hint, aria_sort, next_sort, cell)


def orders(query: InventoryQuery, keys: Sequence[str]) -> list[tuple[str, str]]:
    """What the list can be sorted by, and what it is sorted by, even where no column shows that."""
    now = query.sort.removeprefix("-")
    columns = [column for column in LIST_COLUMNS.values() if column.sort and (column.key in keys or column.sort == now)]
    return [(query.sort if column.sort == now else column.sort, column.title) for column in columns]


def find_more(numbers: Sequence[PhoneNumber], keys: Sequence[str], directory: Directory) -> Mapping[int, More]:
    """What the rows' own columns do not hold, by number; asked for only when a column shows it."""
    more: dict[int, dict[str, str]] = {}
    if set(TITLES) & set(keys):
        more = read_values([number.pk for number in numbers])
    if "subaccount" in keys:
        names = dict(directory.subaccounts)
        for number in numbers:
            name = names.get(number.subaccount) or number.subaccount
            more.setdefault(number.pk, {})["subaccount"] = name
    return more
