"""The checkboxes of the filter panel: dozens of a few kinds, sent again with every filter, as their counts change."""

from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from phone_numbers.templatetags.display import figure
from phone_numbers.templatetags.moulds import GAPS, mould_of

if TYPE_CHECKING:
    from phone_numbers.forms import Group

register = template.Library()


@register.simple_tag
def option_list(group: "Group") -> SafeString:
    cast = [
        option_mould(group.parameter, min(option.count, 2), is_chosen=option.is_chosen).format(
            place=place, value=escape(option.value), title=escape(option.title), count=figure(option.count)
        )
        for place, option in enumerate(group.options, 1)
    ]
    return SafeString("".join(cast))


@lru_cache(maxsize=256)
def option_mould(parameter: str, many: int, *, is_chosen: bool) -> str:
    """`many` is 0, 1, or 2 for any more."""
    kind = {"parameter": parameter, "many": many, "is_chosen": is_chosen}
    return mould_of(render_to_string("numbers/_option.html", {**kind, **GAPS}))
