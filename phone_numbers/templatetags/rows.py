"""The rows of the list: the cells of the columns that are shown, each a partial of `numbers/_cells.html`.

A page has hundreds of cells of a few kinds, so they are cast from moulds. What a cell shows must therefore be a gap in
its mould, or among what its column names here.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from html import escape
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from phone_numbers.templatetags.display import age
from phone_numbers.templatetags.moulds import GAPS, mould_of, plain

if TYPE_CHECKING:
    from phone_numbers.filters.rows import ShownNumber
    from phone_numbers.views.list_head import HeadColumn
    from phone_numbers.views.rows import Cell, Row

register = template.Library()

EDITABLE = ("alias", "voice", "messages")
PAGE_WIDE = ("list_url", "names_type", "may_edit")
"""What cells show that is the same for a whole page."""
MOST_MOULDS = 2000

Kind = Hashable
"""What cells have in common that are cast from one mould; None for a cell that is drawn by itself."""


def edited(field: str) -> "Callable[[Row], Kind]":
    def kind(row: "Row") -> Kind:
        cell: Cell = getattr(row, field)
        is_resting = not (cell.live_change or cell.ended)
        return (cell.lead, bool(cell.text), cell.why_not, row.number.service_bits) if is_resting else None

    return kind


def tendlc(row: "Row") -> tuple[str, str, str]:
    return row.number.tendlc_status, row.number.tendlc_provenance, row.number.account.name


KINDS: "Mapping[str, Callable[[Row], Kind]]" = {
    "number": lambda row: (row.number.number_type, bool(row.number.national)),
    **{field: edited(field) for field in EDITABLE},
    "account": attrgetter("number.account.provider", "number.account.name"),
    "services": attrgetter("number.service_bits"),
    "type": attrgetter("number.number_type"),
    "registration": lambda row: (*tendlc(row), row.number.toll_free_status),
    "tendlc": tendlc,
    "toll_free": attrgetter("number.toll_free_status"),
    "rate": attrgetter("number.monthly_rate", "number.currency"),
    "renewal": attrgetter("number.renewal_date"),
    "presence": lambda row: None if row.absence else (row.number.presence, age(row.number.account.fresh_at)),
    "country": lambda _: "",
    "provider": attrgetter("number.account.provider"),
}
"""Cells of other columns are drawn one by one."""

Moulds = dict[Kind, str]
_moulds: dict[Kind, Moulds] = {}
"""By column and what is page-wide."""


class Blank:
    """A number with gaps for what cells of one kind differ in."""

    pk, e164, country = GAPS["pk"], GAPS["e164"], GAPS["country"]

    def __init__(self, number: "ShownNumber") -> None:
        self._number = number
        self.national = GAPS["national"] if number.national else ""

    def __getattr__(self, name: str) -> object:
        return getattr(self._number, name)


@register.simple_tag(takes_context=True)
def list_rows(context: Context, rows: "Sequence[Row]", columns: "Sequence[HeadColumn]") -> SafeString:
    """Quicker than an include per row and cell."""
    around = {
        presence: mould_of(render_to_string("numbers/_row.html", {"presence": presence, "cells": GAPS["cells"]}))
        for presence in {row.number.presence for row in rows}
    }
    wide = tuple(context.get(name) for name in PAGE_WIDE)
    casts = [cast_of(context, column, moulds_for(column.key, wide)) for column in columns]
    behind = escape(context["from_suffix"])
    return SafeString("".join([around[row.number.presence].format(cells=fill(row, casts, behind)) for row in rows]))


def moulds_for(key: str, wide: Kind) -> Moulds:
    if sum(map(len, _moulds.values())) >= MOST_MOULDS:
        _moulds.clear()
    return _moulds.setdefault((key, wide), {})


def cast_of(context: Context, column: "HeadColumn", moulds: Moulds) -> "Callable[[Row], str]":
    """What makes the mould of a row's cell."""
    kind_of = KINDS.get(column.key)
    if kind_of is None:
        return lambda row: plain(draw(context, row, column))

    def mould(row: "Row") -> str:
        kind = kind_of(row)
        if kind is None:
            return plain(draw(context, row, column))
        if kind not in moulds:
            moulds[kind] = mould_of(draw(context, with_gaps(row), column, from_suffix=GAPS["from_suffix"]))
        return moulds[kind]

    return mould


def fill(row: "Row", casts: "Sequence[Callable[[Row], str]]", behind: str) -> str:
    number = row.number
    return "".join([cast(row) for cast in casts]).format(
        pk=number.pk,
        e164=escape(number.e164),
        national=escape(number.national),
        country=escape(number.country),
        alias=escape(row.alias.text),
        voice=escape(row.voice.text),
        messages=escape(row.messages.text),
        from_suffix=behind,
    )


def draw(context: Context, row: "Row", column: "HeadColumn", **gaps: str) -> str:
    with context.push(row=row, number=row.number, **gaps):
        return column.cell.render(context)


def with_gaps(row: "Row") -> "Row":
    number = cast("ShownNumber", Blank(row.number))
    alias, voice, messages = (
        replace(cell, number=number, text=cell.text and GAPS[field])
        for field, cell in (("alias", row.alias), ("voice", row.voice), ("messages", row.messages))
    )
    return replace(row, number=number, alias=alias, voice=voice, messages=messages)
