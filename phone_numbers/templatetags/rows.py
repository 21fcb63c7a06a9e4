"""The rows of the list: the cells of the columns that are shown, each a partial of `numbers/_cells.html`."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from phone_numbers.models import PhoneNumber

if TYPE_CHECKING:
    from phone_numbers.views.list_columns import HeadColumn

register = template.Library()

SHOWN: Mapping[str, Callable[[PhoneNumber], Hashable]] = {
    "account": attrgetter("account_id"),
    "services": attrgetter("service_bits"),
    "type": attrgetter("number_type"),
    "registration": attrgetter("tendlc_status", "tendlc_provenance", "toll_free_status", "account_id"),
    "tendlc": attrgetter("tendlc_status", "tendlc_provenance", "account_id"),
    "toll_free": attrgetter("toll_free_status"),
    "rate": attrgetter("monthly_rate", "currency"),
    "renewal": attrgetter("renewal_date"),
    "presence": lambda number: number.account_id if number.presence == PhoneNumber.Presence.PRESENT else -number.pk,
    "country": attrgetter("country"),
    "provider": attrgetter("account_id"),
}
"""All that the cell of a column shows of a number, where many rows show the same: it is then drawn once a page."""


@register.simple_tag(takes_context=True)
def cells(context: Context, columns: "Sequence[HeadColumn]") -> SafeString:
    """In the context of the row: quicker than an include per cell, of which a page has thousands."""
    return SafeString("".join([draw(column, context) for column in columns]))


def draw(column: "HeadColumn", context: Context) -> str:
    if column.key not in SHOWN:
        return column.cell.render(context)
    shown = SHOWN[column.key](context["number"])
    if shown not in column.drawn:
        column.drawn[shown] = column.cell.render(context)
    return column.drawn[shown]
