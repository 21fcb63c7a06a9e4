"""The editable cells of the list, of which a page has hundreds: those at rest are cast from a few moulds.

A mould is what `numbers/_cell.html` makes of one kind of cell, with gaps for what differs from number to number. It is
the same template and gives the same text as an include, in a tenth of the time.
"""

from functools import lru_cache
from html import escape
from types import SimpleNamespace
from typing import TYPE_CHECKING

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from phone_numbers.views.rows import Cell

register = template.Library()

TEMPLATE = "numbers/_cell.html"
GAPS = {"pk": "\ue000", "e164": "\ue001", "text": "\ue002"}
"""Letters that are in no text of ours, and that nothing escapes."""


@register.simple_tag(takes_context=True)
def list_cell(context: Context, cell: "Cell") -> SafeString:
    may_edit, list_url = bool(context.get("may_edit")), context["list_url"]
    if cell.live_change or cell.ended:
        return render_to_string(TEMPLATE, {"cell": cell, "may_edit": may_edit, "list_url": list_url})
    kind = (cell.field, cell.title, cell.lead, cell.blank, cell.why_not)
    mould = mould_of(kind, has_text=bool(cell.text), may_edit=may_edit, list_url=list_url)
    number = cell.number
    return SafeString(mould.format(pk=number.pk, e164=escape(number.e164), text=escape(cell.text)))


@lru_cache(maxsize=512)
def mould_of(kind: tuple[str, str, str, str, str], *, has_text: bool, may_edit: bool, list_url: str) -> str:
    """A format string. The cell it is made from has nothing but what it is named by here, and gaps."""
    field, title, lead, blank, why_not = kind
    cell = SimpleNamespace(
        number=SimpleNamespace(pk=GAPS["pk"], e164=GAPS["e164"]),
        id=f"cell-{GAPS['pk']}-{field}",
        field=field,
        title=title,
        lead=lead,
        blank=blank,
        why_not=why_not,
        text=GAPS["text"] if has_text else "",
    )
    made: str = render_to_string(TEMPLATE, {"cell": cell, "may_edit": may_edit, "list_url": list_url})
    made = made.replace("{", "{{").replace("}", "}}")
    for name, gap in GAPS.items():
        made = made.replace(gap, f"{{{name}}}")
    return made
