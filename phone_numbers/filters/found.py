"""What a search or a filter found, in the list's order: worked out once, and kept for the edition.

Only of what is few: a search whose ids the facets keep, or a filter whose rows would be looked up and sorted for every
page. It must give the very order in which `paging` reads the rest.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from phone_numbers.filters.search import with_ids
from phone_numbers.filters.sections import Section
from phone_numbers.models import PhoneNumber


@dataclass(frozen=True, slots=True)
class Order:
    """A list as a key: in the same edition the same text stands for the same rows."""

    edition: str
    text: str
    column: str = field(compare=False)
    is_descending: bool = field(compare=False)
    sections: Sequence[Section] = field(compare=False)
    condition: Callable[[], Q] | None = field(compare=False)
    """What all of it has, when it is little enough to be found without a search."""


@lru_cache(maxsize=32)
def in_order(order: Order) -> "array[int] | None":
    """The ids of all its rows; None when nobody keeps them."""
    found = [section.found for section in order.sections]
    known = [each for each in found if each is not None]
    if len(known) == len(found):
        condition = with_ids(",".join(known))
    elif order.condition:
        condition = order.condition()
    else:
        return None
    by = [OrderBy(F(name), descending=order.is_descending) for name in (order.column, "pk")]
    ids = PhoneNumber.objects.filter(condition).order_by(*by).values_list("pk", flat=True)
    if len(found) == 1:
        return array("q", ids)
    place = {int(pk): at for at, section in enumerate(known) for pk in section.split(",")}
    return array("q", sorted(ids, key=place.__getitem__))
