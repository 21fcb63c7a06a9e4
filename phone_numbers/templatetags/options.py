"""The choices of the filter panel: dozens of a few kinds, sent again with every filter, as their counts change."""

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from phone_numbers.templatetags.display import figure
from phone_numbers.templatetags.moulds import GAPS, mould_of

if TYPE_CHECKING:
    from phone_numbers.forms import Group, Link, Option

register = template.Library()


@register.simple_tag
def option_list(group: "Group") -> SafeString:
    cast = [
        choice("numbers/_option.html", group.parameter, place, option, option.value)
        for place, option in enumerate(group.options, 1)
    ]
    return SafeString("".join(cast))


@register.simple_tag
def application_list(links: "Sequence[Link]", list_url: str) -> SafeString:
    cast = [
        choice("numbers/_application.html", "application", place, link, f"{list_url}{link.query.suffix}")
        for place, link in enumerate(links, 1)
    ]
    return SafeString("".join(cast))


def choice(name: str, parameter: str, place: int, offered: "Option | Link", value: str) -> str:
    mould = choice_mould(name, parameter, min(offered.count, 2), is_chosen=offered.is_chosen)
    return mould.format(place=place, value=escape(value), title=escape(offered.title), count=figure(offered.count))


@lru_cache(maxsize=256)
def choice_mould(name: str, parameter: str, many: int, *, is_chosen: bool) -> str:
    """`many` is 0, 1, or 2 for any more."""
    return mould_of(render_to_string(name, {"parameter": parameter, "many": many, "is_chosen": is_chosen, **GAPS}))
