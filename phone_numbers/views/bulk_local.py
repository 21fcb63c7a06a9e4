"""Tags, owner and cost centre of many numbers at once. They reach no provider, so there is no plan to look at."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from phone_numbers.services.change_sets import why_so_many
from phone_numbers.services.local_fields import LENGTHS, TEXTS, TITLES, LocalEdit, LocalRefused, edit_many
from phone_numbers.views.bulk_forms import CLEAR, KEEP, SET, count_by_account
from phone_numbers.views.pages import PageRequest, read_count, request_id, requires
from phone_numbers.views.selection import Selection, for_selection

MAY_CHANGE = "numbers.change_phonenumber"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextControl:
    name: str
    title: str
    mode: str
    value: str
    max_length: int

    @property
    def wished(self) -> str | None:
        """None leaves it as it is."""
        return {SET: self.value, CLEAR: ""}.get(self.mode)


@requires(MAY_CHANGE)
@require_POST
@for_selection
def local_new(request: PageRequest, selection: Selection) -> HttpResponse:
    """The form for the numbers of a selection; what it posts comes to `local_apply`."""
    return form_page(request, selection, QueryDict())


@requires(MAY_CHANGE)
@require_POST
@for_selection
def local_apply(request: PageRequest, selection: Selection) -> HttpResponse:
    if sentence := refusal_of(request.POST, selection):
        return form_page(request, selection, request.POST, sentence)
    try:
        changed = edit_many(selection.numbers, edit_of(request.POST), user=request.user, request_id=request_id())
    except LocalRefused as refused:
        return form_page(request, selection, request.POST, f"{refused} Nothing was stored.")
    messages.success(request, outcome(changed, len(selection.numbers)))
    return redirect(f"{reverse('numbers:list')}?{selection.filter}" if selection.filter else "numbers:list")


def outcome(changed: int, count: int) -> str:
    same = count - changed
    rest = f" {same:,} had it already." if same else ""
    return f"Changed {changed:,} number{'' if changed == 1 else 's'}.{rest}"


def controls_of(posted: QueryDict) -> list[TextControl]:
    return [
        TextControl(
            name=name,
            title=TITLES[name],
            mode=posted.get(f"{name}-mode", KEEP),
            value=posted.get(name, ""),
            max_length=LENGTHS[name],
        )
        for name in TEXTS
    ]


def edit_of(posted: QueryDict) -> LocalEdit:
    texts = {each.name: each.wished for each in controls_of(posted)}
    return LocalEdit(**texts, add_tags=[posted.get("add_tags", "")], remove_tags=[posted.get("remove_tags", "")])


def refusal_of(posted: QueryDict, selection: Selection) -> str:
    """Why nothing is stored; empty when it may be."""
    controls, tags = controls_of(posted), posted.get("add_tags", "").strip() + posted.get("remove_tags", "").strip()
    if empty := [each.title for each in controls if each.mode == SET and not each.value.strip()]:
        return f"{empty[0]}: enter what it should be, or choose another option."
    if not tags and all(each.wished is None for each in controls):
        return "Nothing is to be changed yet: enter a tag, or choose a field."
    why, count = why_typed(selection), len(selection.numbers)
    if why and read_count(posted.get("typed_count", "")) != count:
        return f"{why} Type {count} to go on."
    return ""


def why_typed(selection: Selection) -> str:
    return why_so_many(count_by_account(selection.numbers))


def form_page(request: PageRequest, selection: Selection, posted: QueryDict, sentence: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "selection": selection,
        "count": len(selection.numbers),
        "controls": controls_of(posted),
        "typed": posted,
        "typed_why": why_typed(selection),
        "sentence": sentence,
    }
    return render(request, "numbers/local_new.html", context, status=422 if sentence else 200)
