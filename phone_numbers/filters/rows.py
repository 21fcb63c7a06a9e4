"""The rows of the list, each with what it shows, in one query however many there are."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast

from django.db.models import CharField, JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from phone_numbers.filters.conditions import Reading
from phone_numbers.filters.directory import Directory, current_edition, read_directory
from phone_numbers.filters.facets import Facets, count_facets
from phone_numbers.filters.paging import Cursor, Place, Plan, plan_page, remember_start
from phone_numbers.filters.query import InventoryQuery
from phone_numbers.models import Application, Change, Event, PhoneNumber
from phone_numbers.querysets import PhoneNumberQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Shown(TypedDict):
        voice_label: str
        message_label: str
        live_change: int | None
        live_desired: dict[str, Any] | None
        place: int

    ShownNumber = WithAnnotations[PhoneNumber, Shown]

PRESENT, UNCONFIRMED = PhoneNumber.Presence.PRESENT, PhoneNumber.Presence.UNCONFIRMED
READ = [each.column for each in PhoneNumber._meta.concrete_fields if each.column != "presence_since"]
"""All columns: Django is quicker at a row that lacks none."""
LIVE = ", ".join(f"'{state}'" for state in Change.LIVE)
AWAY_SINCE = f"""
    (SELECT coalesce(max(step.at), n.presence_since) FROM numbers_event AS step WHERE n.presence <> '{PRESENT}'
    AND step.number_id = n.id AND step.kind = '{Event.Kind.PRESENCE}' AND step.after = '{UNCONFIRMED}')
"""
"""When a number that is not present was first found absent, as `views.absences` has it."""


@dataclass(frozen=True, slots=True)
class NumberPage:
    """One page of the list, with what stands around it."""

    numbers: "list[ShownNumber]"
    place: Place
    facets: Facets
    directory: Directory
    first: Cursor | None = None
    last: Cursor | None = None

    @property
    def total(self) -> int:
        return self.place.total

    @property
    def start_index(self) -> int:
        return self.place.offset + 1 if self.numbers else 0

    @property
    def end_index(self) -> int:
        return self.place.offset + len(self.numbers)


def find_page(query: InventoryQuery, edition: str) -> NumberPage:
    """No rows for a query with mistakes. Raises ValueError, with a sentence, for a page or place that is none."""
    directory = read_directory(edition)
    facets = count_facets(query, edition)
    place = Place(query.page, query.per_page, facets.total)
    if query.mistakes or not facets.total:
        if query.page > 1 and not query.mistakes:
            raise ValueError(f"There is no page {query.page}; the last one is {place.pages}.")
        return NumberPage([], place, facets, directory)
    if query.page > place.pages:
        raise ValueError(f"There is no page {query.page}; the last one is {place.pages}.")
    plan = plan_page(query, facets, directory)
    numbers = read_rows(plan, query.per_page)
    if not numbers:
        return NumberPage([], place, facets, directory)
    first, last = cursor_of(numbers[0], plan), cursor_of(numbers[-1], plan)
    remember_start(plan, first)
    return NumberPage(numbers, place, facets, directory, first, last)


def cursor_of(number: "ShownNumber", plan: Plan) -> Cursor:
    return Cursor(plan.slices[number.place].section.name, getattr(number, plan.column), number.pk)


def read_rows(plan: Plan, limit: int) -> "list[ShownNumber]":
    """In the list's order, with the change that is under way and the names of the routes' targets.

    `presence_since` of a number that went away is when it was first found absent.
    """
    if not plan.slices:
        return []
    picked, values = plan.sql()
    way = "DESC" if plan.is_descending else "ASC"
    columns = ", ".join(f"n.{column}" for column in READ)
    sql = (
        f"SELECT {columns}, {AWAY_SINCE} AS presence_since, "
        f"picked.place, live.id AS live_change, live.desired AS live_desired "
        f"FROM ({picked}) AS picked JOIN numbers_phonenumber AS n ON n.id = picked.id "
        f"LEFT JOIN numbers_change AS live ON live.number_id = n.id AND live.state IN ({LIVE}) "
        f"ORDER BY picked.place, n.{plan.column} {way}, n.id {way}"
    )
    numbers = list(cast("Iterable[ShownNumber]", PhoneNumber.objects.raw(sql, values)))[:limit]
    for number in numbers:
        if isinstance(number.live_desired, str):
            number.live_desired = json.loads(number.live_desired)
        label(number, plan.directory)
    return numbers[::-1] if plan.is_backwards else numbers


def label(number: "ShownNumber", directory: Directory) -> None:
    account = number.account_id
    number.voice_label = directory.names.get((account, number.voice_kind, number.voice_target), "")
    number.message_label = directory.names.get((account, number.message_kind, number.message_target), "")


def matching_numbers(query: InventoryQuery) -> PhoneNumberQuerySet:
    """All that the query finds, in no order; nothing when any part of it was not understood."""
    if query.mistakes:
        return PhoneNumber.objects.none()
    return PhoneNumber.objects.filter(query.condition(Reading(read_directory(current_edition())))).order_by()


def list_numbers(query: InventoryQuery) -> "Iterator[ShownNumber]":
    """Everything the query asks for, in its order, page by page; nothing when any part of it was not understood."""
    edition = current_edition()
    page = find_page(query.having(), edition)
    while page.numbers:
        yield from page.numbers
        if len(page.numbers) < query.per_page:
            return
        page = find_page(query.having(after=str(page.last)), edition)


def shown(numbers: PhoneNumberQuerySet) -> "QuerySet[ShownNumber]":
    """With the names of the routes' targets, and the change that is under way, if any."""
    annotated = numbers.annotate(
        voice_label=route_label("voice"),
        message_label=route_label("message"),
        live_change=live_change("pk"),
        live_desired=live_change("desired", JSONField()),
    )
    return cast("QuerySet[ShownNumber]", annotated)


def route_label(prefix: str) -> Coalesce:
    target = Application.objects.filter(
        account=OuterRef("account"), kind=OuterRef(f"{prefix}_kind"), remote_id=OuterRef(f"{prefix}_target")
    )
    return Coalesce(Subquery(target.order_by().values("name")[:1]), Value(""), output_field=CharField())


def live_change(column: str, output_field: JSONField | None = None) -> Subquery:
    live = Change.objects.filter(number=OuterRef("pk"), state__in=Change.LIVE)
    return Subquery(live.order_by().values(column)[:1], output_field=output_field)
