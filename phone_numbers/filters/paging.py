"""One page of the list: which rows, and where the pages before and after it begin. One query, wherever the page is.

Next and previous follow the row they come from, so that no row is shown twice or missed while others are inserted. A
jump to page N counts rows in the index alone, from the nearer end, once: where it led is kept for the edition.
"""

import base64
import json
from array import array
from bisect import bisect
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from phone_numbers.filters.conditions import Reading
from phone_numbers.filters.directory import Directory
from phone_numbers.filters.facets import Facets
from phone_numbers.filters.found import Order, in_order
from phone_numbers.filters.query import InventoryQuery
from phone_numbers.filters.search import with_ids
from phone_numbers.filters.sections import Section, find_sections, key_of
from phone_numbers.models import PhoneNumber

WALKED_FROM = 4000
"""With fewer matches, all of them are found by their indexes and sorted; with more, the list is walked in its order."""
COLUMNS = {each.column: each for each in PhoneNumber._meta.concrete_fields}
RAREST_FIRST = {
    "presence": "presence",
    "toll_free": "toll_free_status",
    "type": "number_type",
    "tendlc": "tendlc_status",
    "country": "country",
    "account": "account_id",
}
REMEMBERED = 512
MOST_SLICES = 260
"""Of one query; SQLite takes no more than 500. The longest page has 250 rows, and so as many at most."""
FAR = 500

Sql = tuple[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's place in the list: its section, its key there, and its id."""

    section: str
    key: Any
    pk: int

    def __str__(self) -> str:
        said = json.dumps([self.section, None if self.key is None else str(self.key), self.pk], separators=(",", ":"))
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, column: str) -> "Cursor":
        """Raises ValueError when it is none of ours."""
        try:
            section, key, pk = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            value = None if key is None else COLUMNS[column].to_python(str(key).replace("\0", ""))
            return cls(str(section), value, int(pk))
        except (ValueError, TypeError, ValidationError):
            raise ValueError("The place in the list is not one that this page gave.") from None


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of one section."""

    section: Section
    limit: int
    offset: int = 0
    beyond: Cursor | None = None
    """Only rows after this one, in the direction of reading."""
    with_it: bool = False


@dataclass(slots=True)
class Plan:
    """What is to be read, and how."""

    query: InventoryQuery
    directory: Directory
    column: str
    is_backwards: bool = False
    """Read from the end, to be turned round afterwards."""
    slices: list[Slice] = field(default_factory=list)
    picked: Sequence[tuple[int, int]] = ()
    """The rows themselves, when they are known: the slice each is of, and its id."""

    @property
    def is_descending(self) -> bool:
        return self.query.sort.startswith("-") != self.is_backwards

    def sql(self) -> Sql:
        """Section's place and row's id, of every row of the page."""
        if self.picked:
            rows = ", ".join(f"({place}, {pk})" for place, pk in self.picked)
            return f"SELECT column1 AS place, column2 AS id FROM (VALUES {rows}) AS known", ()
        parts = [self.slice_sql(place, each) for place, each in enumerate(self.slices)]
        return " UNION ALL ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]

    def walks(self, section: Section) -> bool:
        return section.count > WALKED_FROM or not self.query.filters

    def slice_sql(self, place: int, part: Slice) -> Sql:
        walks = self.walks(part.section)
        numbers = PhoneNumber.objects.filter(self.condition(part.section, walks=walks))
        if part.beyond is not None:
            numbers = numbers.filter(self.past(part.beyond, or_equal=part.with_it))
        order = [
            OrderBy(F(self.column), descending=self.is_descending),
            OrderBy(F("pk"), descending=self.is_descending),
        ]
        limits = f" LIMIT {part.limit} OFFSET {part.offset}"
        if walks:
            sql, values = numbers.order_by(*order).values_list("id").query.sql_with_params()
            return f"SELECT {place} AS place, id FROM ({sql}{limits}) AS walked", values
        sql, values = numbers.order_by().values_list("id", self.column).query.sql_with_params()
        way = "DESC" if self.is_descending else "ASC"
        ordered = (
            f"WITH found (id, sorted) AS MATERIALIZED ({sql}) SELECT id FROM found ORDER BY sorted {way}, id {way}"
        )
        return f"SELECT {place} AS place, id FROM ({ordered}{limits}) AS picked", values

    def condition(self, section: Section, *, walks: bool) -> Q:
        """What was found is looked up by its ids, or met on the way through the section."""
        if section.found is not None and not walks:
            return with_ids(section.found)
        reading = Reading(self.directory, walks, self.lead(section) if walks else "")
        found = with_ids(section.found, walks=True) if section.found is not None else self.query.condition(reading)
        return found & section.condition(reading)

    def lead(self, section: Section) -> str:
        """The column whose index holds the numbers of one value in this order: the one that is usually the rarest."""
        if self.column != "e164":
            return ""
        singles = {p for p, values in self.query.filters.items() if len(values) == 1} | {section.parameter}
        return next((column for parameter, column in RAREST_FIRST.items() if parameter in singles), "")

    def past(self, cursor: Cursor, *, or_equal: bool) -> Q:
        way = "lt" if self.is_descending else "gt"
        last = Q(**{f"pk__{way}{'e' if or_equal else ''}": cursor.pk})
        if cursor.key is None:
            return last
        bound = Q(**{f"{self.column}__{way}e": cursor.key})
        return bound & (Q(**{f"{self.column}__{way}": cursor.key}) | last)


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the list by its number."""

    number: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.per_page

    @property
    def length(self) -> int:
        return min(self.per_page, self.total - self.offset)


_starts: OrderedDict[tuple[str, str, int], Cursor] = OrderedDict()


def plan_page(query: InventoryQuery, facets: Facets, directory: Directory) -> Plan:
    """Raises ValueError with a sentence when `after` or `before` is no place in this list."""
    sections = find_sections(query, facets, directory)
    plan = Plan(query, directory, key_of(query.sort.removeprefix("-")))
    place = Place(query.page, query.per_page, facets.total)
    side = next((parameter for parameter in ("after", "before") if parameter in query.chosen), "")
    cursor = Cursor.read(query.chosen[side][0], plan.column) if side else None
    at = place.offset + place.length if side == "before" else place.offset - 1
    was_shown = start_key(query.having(), directory) in _starts
    if was_shown and pick(plan, sections, place, cursor, at):
        return plan
    if cursor:
        plan.is_backwards = side == "before"
        return follow(plan, sections, cursor, query.per_page)
    if start := _starts.get(start_key(query, directory)):
        return follow(plan, sections, start, place.length, with_it=True)
    plan.is_backwards = place.offset > place.total / 2
    offset = place.total - place.offset - place.length if plan.is_backwards else place.offset
    return skip(plan, sections, offset, place.length)


def pick(plan: Plan, sections: list[Section], place: Place, cursor: Cursor | None, at: int) -> bool:
    """The page out of what was found, if that is kept and the row it is to be beside, if any, still stands there."""
    edition, text, _ = start_key(plan.query, plan.directory)
    few = None if len(sections) > 1 or plan.walks(sections[0]) else partial(plan.condition, sections[0], walks=False)
    order = in_order(Order(edition, text, plan.column, plan.is_descending, sections, few))
    if order is None or (cursor and order[at : at + 1] != array("q", [cursor.pk])):
        return False
    rows = order[place.offset : place.offset + place.length]
    ends = list(accumulate(section.count for section in sections))
    plan.slices = [Slice(section, section.count) for section in sections]
    plan.picked = [(bisect(ends, place.offset + nth), pk) for nth, pk in enumerate(rows)]
    return True


def follow(plan: Plan, sections: list[Section], cursor: Cursor, limit: int, *, with_it: bool = False) -> Plan:
    """The rows beyond a row, of its section and of as many after it as may be needed."""
    ordered = sections[::-1] if plan.is_backwards else sections
    at = next((place for place, section in enumerate(ordered) if section.name == cursor.section), None)
    if at is None:
        return skip(plan, sections, (plan.query.page - 1) * limit, limit)
    plan.slices = [Slice(ordered[at], limit, beyond=cursor, with_it=with_it)]
    missing = limit
    for section in ordered[at + 1 :]:
        if missing <= 0 or len(plan.slices) == MOST_SLICES:
            break
        plan.slices.append(Slice(section, min(limit, section.count)))
        missing -= section.count
    return plan


def skip(plan: Plan, sections: list[Section], offset: int, limit: int) -> Plan:
    for section in sections[::-1] if plan.is_backwards else sections:
        if offset >= section.count:
            offset -= section.count
        elif limit > 0 and len(plan.slices) < MOST_SLICES:
            taken = min(limit, section.count - offset)
            plan.slices.append(Slice(section, taken, offset))
            limit, offset = limit - taken, 0
    return plan


def start_key(query: InventoryQuery, directory: Directory) -> tuple[str, str, int]:
    return directory.edition, str(query.having()), query.page


def remember_start(plan: Plan, cursor: Cursor) -> None:
    """So that the same jump needs no counting again, and a list that was found once is put in order the next time."""
    section = plan.slices[0].section
    is_first = plan.query.page == 1 and not {"after", "before"} & plan.query.chosen.keys()
    is_found = is_first and (section.found is not None or not plan.walks(section))
    if is_found or plan.query.page > FAR // plan.query.per_page:
        _starts[start_key(plan.query, plan.directory)] = cursor
        while len(_starts) > REMEMBERED:
            _starts.popitem(last=False)
