"""The rows of the list: the cells of the columns that are shown, each a partial of `numbers/_cells.html`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django import template
from django.template import Context
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from phone_numbers.views.list_columns import HeadColumn

register = template.Library()


@register.simple_tag(takes_context=True)
def cells(context: Context, columns: "Sequence[HeadColumn]") -> SafeString:
    """In the context of the row: quicker than an include per cell, of which a page has thousands."""
    return SafeString("".join([column.cell.render(context) for column in columns]))
