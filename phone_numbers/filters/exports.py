"""The list as rows of text for a file: this view, or a selection, in chunks that never hold more than a few thousand.

Chunks follow each other by key, so that no transaction or cursor stays open while somebody's download is slow.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from django.db import connection

from phone_numbers.filters.directory import Directory, current_edition, read_directory
from phone_numbers.filters.facets import Facets, count_facets
from phone_numbers.filters.paging import Cursor, Plan, follow, skip
from phone_numbers.filters.query import InventoryQuery
from phone_numbers.filters.sections import find_sections, key_of
from phone_numbers.filters.words import in_words
from phone_numbers.models import Account, LocalFields, NumberList, PhoneNumber, Tag
from phone_numbers.models.numbers import SERVICE_BITS
from phone_numbers.services.local_changes import newest_notes
from phone_numbers.services.spreadsheets import protect
from providers.contract import Route

CHUNK = 4000
FIELDS = {each.column: each for each in PhoneNumber._meta.concrete_fields}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    """In the file's first line; what an import reads keeps its name in every release."""
    needs: tuple[str, ...]
    """Columns of the table."""
    text: Callable[[Sequence[Any], Directory], str]
    is_free: bool = False
    """Text that people or providers write, which must not become a formula."""


def plain(key: str, column: str = "", *, is_free: bool = False) -> Column:
    return Column(key, (column or key,), lambda values, _: values[0] or "", is_free)


def worded(key: str, column: str) -> Column:
    return Column(key, (column,), lambda values, _: in_words(values[0]))


def route(key: str, prefix: str) -> Column:
    """As an import takes it: the kind, a colon, and the provider's id or the address."""

    def text(values: Sequence[Any], _: Directory) -> str:
        return Route(kind=values[0], target=values[1]).key

    return Column(key, (f"{prefix}_kind", f"{prefix}_target"), text, is_free=True)


def route_name(key: str, prefix: str) -> Column:
    def text(values: Sequence[Any], directory: Directory) -> str:
        account, kind, target = values
        return directory.label((account, kind, target)) if kind else ""

    return Column(key, ("account_id", f"{prefix}_kind", f"{prefix}_target"), text, is_free=True)


def rate(key: str, column: str) -> Column:
    return Column(key, (column,), lambda values, _: as_amount(values[0]))


@lru_cache(maxsize=4096)
def as_amount(amount: Any) -> str:
    """SQLite hands decimals over as numbers."""
    return "" if amount is None else f"{Decimal(str(amount)).normalize():f}"


def as_moment(moment: dt.datetime | str) -> str:
    """In UTC; SQLite hands moments over as text."""
    known = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return known.replace(tzinfo=known.tzinfo or dt.UTC).astimezone(dt.UTC).isoformat(timespec="seconds")


def day(key: str, column: str) -> Column:
    return Column(key, (column,), lambda values, _: str(values[0] or ""))


def moment(key: str, column: str) -> Column:
    return Column(key, (column,), lambda values, _: as_moment(values[0]))


@lru_cache(maxsize=64)
def service_names(bits: int) -> str:
    return " ".join(service.value for service, bit in SERVICE_BITS.items() if bits & bit)


def account_of(values: Sequence[Any], directory: Directory) -> tuple[str, str]:
    """Kind of provider, and name; nothing of one that was deleted while it was exported."""
    return directory.accounts.get(values[0], ("", ""))


COLUMNS = {
    column.key: column
    for column in (
        plain("number", "e164"),
        plain("national"),
        Column("account", ("account_id",), lambda values, directory: account_of(values, directory)[1], is_free=True),
        Column("provider", ("account_id",), lambda values, directory: account_of(values, directory)[0]),
        plain("alias", is_free=True),
        worded("type", "number_type"),
        Column("services", ("service_bits",), lambda values, _: service_names(values[0])),
        route_name("voice", "voice"),
        route_name("messages", "message"),
        route("voice_route", "voice"),
        route("message_route", "message"),
        worded("tendlc", "tendlc_status"),
        plain("campaign", "tendlc_campaign_id", is_free=True),
        worded("toll_free", "toll_free_status"),
        rate("rate", "monthly_rate"),
        plain("currency"),
        day("renewal", "renewal_date"),
        day("added", "added_on"),
        worded("presence", "presence"),
        plain("country"),
        plain("region", is_free=True),
        plain("city", is_free=True),
        plain("subaccount", is_free=True),
        plain("carrier", is_free=True),
        plain("cnam", is_free=True),
        plain("cnam_lookup"),
        plain("e911", is_free=True),
        moment("first_seen", "first_seen_at"),
        moment("changed", "changed_at"),
        Column("read", ("id", "account_id"), lambda values, _: values[0]),
        plain("remote_id", is_free=True),
        Column("tags", ("id",), lambda values, _: values[0], is_free=True),
        Column("owner", ("id",), lambda values, _: values[0], is_free=True),
        Column("cost_centre", ("id",), lambda values, _: values[0], is_free=True),
        Column("note", ("id",), lambda values, _: values[0], is_free=True),
    )
}
OURS = ("tags", "owner", "cost_centre", "note", "read")
"""Kept in tables of their own."""
EXTRAS = {"rate": ("currency",)}
"""What must stand beside a column to be understood."""
PARTS = {"registration": ("tendlc", "toll_free")}
"""A column of the list that is several in a file."""


def read_columns(typed: str, shown: Sequence[str]) -> list[Column]:
    """Keys with commas between them, `all`, or nothing for those the list shows. Raises ValueError with a sentence."""
    if typed == "all":
        return list(COLUMNS.values())
    asked = [key for key in typed.split(",") if key] or list(shown)
    wanted = [part for key in asked for part in PARTS.get(key, (key,))]
    if unknown := [key for key in wanted if key not in COLUMNS]:
        raise ValueError(f"There is no column called “{unknown[0]}”. There are: {', '.join(COLUMNS)}.")
    keys = [each for key in wanted for each in (key, *EXTRAS.get(key, ()))]
    return [COLUMNS[key] for key in dict.fromkeys(keys)]


def export_view(query: InventoryQuery, columns: Sequence[Column]) -> Iterator[list[list[str]]]:
    """Everything the query asks for, in its order."""
    edition = current_edition()
    directory, facets = read_directory(edition), count_facets(query, edition)
    for rows in chunks_of(query, facets, directory, needed_by(columns)):
        yield in_text(rows, columns, read_directory(current_edition()))


def export_list(query: InventoryQuery, kept: NumberList, columns: Sequence[Column]) -> Iterator[list[list[str]]]:
    """The numbers of this list, whatever their presence, in the query's order. The list goes with them."""
    try:
        everywhere = tuple(map(str, PhoneNumber.Presence))
        yield from export_view(query.asking({"list": (str(kept.pk),), "presence": everywhere}), columns)
    finally:
        kept.delete()


def needed_by(columns: Sequence[Column]) -> list[str]:
    return list(dict.fromkeys(["id", *(name for column in columns for name in column.needs)]))


def chunks_of(
    query: InventoryQuery, facets: Facets, directory: Directory, needed: Sequence[str]
) -> Iterator[list[Row]]:
    sections = find_sections(query, facets, directory)
    plan = skip(Plan(query, directory, key_of(query.sort.removeprefix("-"))), sections, 0, CHUNK)
    while plan.slices and (rows := read_chunk(plan, needed)):
        yield rows
        last = rows[-1]
        key = FIELDS[plan.column].to_python(last[plan.column])
        cursor = Cursor(plan.slices[last["place"]].section.name, key, last["id"])
        plan = follow(Plan(query, directory, plan.column), sections, cursor, CHUNK)


def read_chunk(plan: Plan, needed: Sequence[str]) -> list[Row]:
    picked, values = plan.sql()
    names = list(dict.fromkeys([*needed, plan.column]))
    way = "DESC" if plan.is_descending else "ASC"
    sql = (
        f"SELECT {', '.join(f'n.{name}' for name in names)}, picked.place FROM ({picked}) AS picked "
        f"JOIN numbers_phonenumber AS n ON n.id = picked.id ORDER BY picked.place, n.{plan.column} {way}, n.id {way}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [dict(zip([*names, "place"], row, strict=True)) for row in cursor.fetchmany(CHUNK)]


def in_text(rows: Sequence[Row], columns: Sequence[Column], directory: Directory) -> list[list[str]]:
    keys = {column.key for column in columns}
    is_asked = directory.has_words_of_ours and not keys.isdisjoint(OURS)
    ours = words_of_ours(rows) if is_asked else dict[str, dict[int, str]].fromkeys(OURS, {})
    if "read" in keys:
        ours["read"] = moments_of_reading(rows)
    texts = [column_texts(column, rows, directory, ours) for column in columns]
    return [list(row) for row in zip(*texts, strict=True)]


def column_texts(
    column: Column, rows: Sequence[Row], directory: Directory, ours: Mapping[str, Mapping[int, str]]
) -> list[str]:
    """Equal values are put into words once."""
    if column.key in OURS:
        words = {pk: written(column, text) for pk, text in ours[column.key].items()}
        return [words.get(row["id"], "") for row in rows]
    keys = list(map(itemgetter(*column.needs), rows))
    several = len(column.needs) > 1
    texts = {key: written(column, column.text(key if several else (key,), directory)) for key in set(keys)}
    return [texts[key] for key in keys]


def written(column: Column, text: str) -> str:
    return protect(text) if column.is_free else text


def words_of_ours(rows: Sequence[Row]) -> dict[str, dict[int, str]]:
    """Tags, owner, cost centre and newest note of these numbers."""
    pks = [row["id"] for row in rows]
    tags: dict[int, list[str]] = {}
    tagged = Tag.numbers.through.objects.filter(phonenumber__in=pks).order_by("tag__folded")
    for pk, name in tagged.values_list("phonenumber", "tag__name"):
        tags.setdefault(pk, []).append(name)
    local = list(LocalFields.objects.filter(pk__in=pks).values_list("pk", "owner", "cost_centre"))
    return {
        "tags": {pk: ", ".join(names) for pk, names in tags.items()},
        "owner": {pk: owner for pk, owner, _ in local},
        "cost_centre": {pk: centre for pk, _, centre in local},
        "note": newest_notes(pks),
    }


def moments_of_reading(rows: Sequence[Row]) -> dict[int, str]:
    """When the account of each of these numbers was last read whole."""
    read = Account.objects.values_list("pk", "fresh_at")
    moments = {pk: as_moment(fresh_at) for pk, fresh_at in read if fresh_at}
    return {row["id"]: moments.get(row["account_id"], "") for row in rows}


def file_name(extension: str, today: dt.date) -> str:
    return f"numbers-{today.isoformat()}.{extension}"
