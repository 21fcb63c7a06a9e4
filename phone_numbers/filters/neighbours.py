"""The numbers before and after one in a filtered and sorted list: found from its place in it, never by offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import OrderBy, Q, QuerySet

from phone_numbers.filters.query import NULLABLE, InventoryQuery
from phone_numbers.filters.rows import list_numbers, shown
from phone_numbers.models import PhoneNumber

if TYPE_CHECKING:
    from phone_numbers.filters.rows import ShownNumber

MOST_COUNTED = 1000
"""In a list longer than this nobody is told which of how many a number is."""
NOTHING = Q(pk__in=())


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
    listed = list_numbers(query)
    order = query.order()
    names = [name_of(each) for each in order]
    inside = listed.filter(pk=number.pk).order_by().values_list(*names).first()
    here = inside or shown(PhoneNumber.objects.filter(pk=number.pk)).order_by().values_list(*names).get()
    before = beyond(order, here, backwards=True)
    place = {
        "previous": first_of(listed.filter(before).reverse()),
        "next": first_of(listed.filter(beyond(order, here, backwards=False))),
    }
    count = listed.order_by()[: MOST_COUNTED + 1].count()
    if inside is None or count > MOST_COUNTED:
        return Place(query=query, is_inside=inside is not None, **place)
    position = listed.filter(before).order_by().count() + 1
    return Place(query=query, is_inside=True, position=position, count=count, **place)


def first_of(numbers: "QuerySet[ShownNumber]") -> int | None:
    return numbers.values_list("pk", flat=True).first()


def name_of(order: OrderBy) -> str:
    return str(getattr(order.expression, "name", ""))


def beyond(order: Sequence[OrderBy], here: Sequence[Any], *, backwards: bool) -> Q:
    """The rows after `here`, or before it. The bound on the first key adds nothing but where its index may begin."""
    found, same = NOTHING, Q()
    for each, value in zip(order, here, strict=True):
        name = name_of(each)
        found |= same & further(name, value, descending=each.descending, backwards=backwards)
        same &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    first, value = name_of(order[0]), here[0]
    if first in NULLABLE:
        return found
    return found & Q(**{f"{first}__{'lte' if order[0].descending != backwards else 'gte'}": value})


def further(name: str, value: Any, *, descending: bool, backwards: bool) -> Q:
    """What comes after a value, or before it, when nothing (null) always comes last."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if backwards else NOTHING
    strictly = Q(**{f"{name}__{'lt' if descending != backwards else 'gt'}": value})
    return strictly | Q(**{f"{name}__isnull": True}) if name in NULLABLE and not backwards else strictly
