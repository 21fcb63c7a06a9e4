"""Where people choose which columns the list shows, in which order, and how close its rows are.

What is chosen is kept for the person; for a list whose address names its columns, it goes into the address instead.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from phone_numbers.filters.columns import DEFAULT, FIRST, LIST_COLUMNS, chosen
from phone_numbers.models import ListPreferences
from phone_numbers.services.list_preferences import find_preferences, keep_columns, keep_density
from phone_numbers.views.pages import PageRequest, render_page, requires

STEPS = {"up": -1, "down": 1}


@requires("numbers.view_phonenumber")
@require_http_methods(["GET", "HEAD", "POST"])
def column_choose(request: PageRequest) -> HttpResponse:
    """The address is the list's own: that is where one comes from, and goes back to."""
    preferences = find_preferences(request.user)
    if request.method != "POST":
        named = request.GET.get("columns", "").split(",")
        shown = chosen(named if any(named) else preferences.columns or DEFAULT)
        return form_page(request, in_full(shown), shown, preferences.density)
    order, density = in_full(request.POST.getlist("order")), request.POST.get("density", "")
    picked = chosen(key for key in order if key in request.POST.getlist("column"))
    if "move" in request.POST:
        return form_page(request, moved(order, request.POST["move"]), picked, density)
    keep_density(request.user, density)
    return redirect(f"{reverse('numbers:list')}{keep(request, () if 'reset' in request.POST else picked)}")


def in_full(order: Sequence[str]) -> list[str]:
    """All columns there are, these first, but for the one that is always there."""
    return [key for key in dict.fromkeys((*order, *LIST_COLUMNS)) if key in LIST_COLUMNS and key != FIRST]


def moved(order: Sequence[str], move: str) -> list[str]:
    """`alias up`: with that column a place earlier, if it can be."""
    key, _, way = move.partition(" ")
    keys = list(order)
    if key in keys and way in STEPS:
        place = keys.index(key)
        keys.insert(max(0, place + STEPS[way]), keys.pop(place))
    return keys


def keep(request: PageRequest, keys: Sequence[str]) -> str:
    """Nothing for the usual ones. Returns the address of the list, from its question mark on."""
    back = request.GET.copy()
    if "columns" in back:
        del back["columns"]
        if keys:
            back["columns"] = ",".join(keys)
    else:
        keep_columns(request.user, () if tuple(keys) == DEFAULT else keys)
    return suffix(back)


def suffix(back: QueryDict) -> str:
    return f"?{back.urlencode(safe=',')}" if back else ""


def form_page(request: PageRequest, order: Sequence[str], picked: Sequence[str], density: str) -> HttpResponse:
    context: dict[str, Any] = {
        "suffix": suffix(request.GET),
        "options": [(LIST_COLUMNS[key], key in picked) for key in order],
        "densities": ListPreferences.Density.choices,
        "density": density,
    }
    return render_page(request, "columns/choose.html", context, piece="form")
