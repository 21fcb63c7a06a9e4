"""The numbers before and after one in a filtered and sorted list: found from its place in it, never by offset."""

from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import Q

from phone_numbers.filters.conditions import Reading
from phone_numbers.filters.directory import Directory, current_edition, read_directory
from phone_numbers.filters.facets import Facets, cell_of, count_facets
from phone_numbers.filters.paging import Cursor, Plan, follow
from phone_numbers.filters.query import InventoryQuery
from phone_numbers.filters.sections import Section, find_sections, key_of
from phone_numbers.models import PhoneNumber

MOST_COUNTED = 1000
"""In a list longer than this nobody is told which of how many a number is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a number stands in a list, whether or not it is in it. Counts are None where they would cost too much."""

    query: InventoryQuery
    is_inside: bool
    previous: int | None
    next: int | None
    position: int | None = None
    count: int | None = None


def find_place(query: InventoryQuery, number: PhoneNumber) -> Place:
    edition = current_edition()
    directory, facets = read_directory(edition), count_facets(query, edition)
    column = key_of(query.sort.removeprefix("-"))
    own = find_sections(query, Facets(1, {}, (cell_of(number, 1),)), directory)[0].name
    around = replace(facets, matching=(*facets.matching, cell_of(number, 0)))
    sections = find_sections(query, around, directory, kept=own)
    here = Cursor(own, getattr(number, column), number.pk)
    inside = PhoneNumber.objects.filter(query.condition(Reading(directory)), pk=number.pk).exists()
    place = Place(
        query=query,
        is_inside=inside,
        previous=first_of(Plan(query, directory, column, is_backwards=True), sections, here),
        next=first_of(Plan(query, directory, column), sections, here),
    )
    if not inside or facets.total > MOST_COUNTED:
        return place
    return replace(place, position=position_of(query, directory, sections, here), count=facets.total)


def first_of(plan: Plan, sections: list[Section], here: Cursor) -> int | None:
    sql, values = follow(plan, sections, here, 1).sql()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM ({sql}) AS beyond ORDER BY place LIMIT 1", values)
        found = cursor.fetchone()
    return int(found[0]) if found else None


def position_of(query: InventoryQuery, directory: Directory, sections: list[Section], here: Cursor) -> int:
    at = next(place for place, section in enumerate(sections) if section.name == here.section)
    reading = Reading(directory)
    plan = Plan(query, directory, key_of(query.sort.removeprefix("-")), is_backwards=True)
    before: Q = query.condition(reading) & sections[at].condition(reading) & plan.past(here, or_equal=True)
    return sum(section.count for section in sections[:at]) + PhoneNumber.objects.filter(before).order_by().count()
