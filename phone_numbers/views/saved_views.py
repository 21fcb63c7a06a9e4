"""Saving, renaming, replacing and deleting views of the list. Whoever is refused finds what was typed."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from phone_numbers.services.list_preferences import find_preferences, keep_default_view
from phone_numbers.services.saved_views import (
    ViewRefused,
    deletable_views,
    own_views,
    rename_view,
    replace_view,
    save_view,
    visible_views,
)
from phone_numbers.views.pages import PageRequest, list_query, read_id, requires
from phone_numbers.views.saved_view_menu import address_of, default_view_of

MAY_LOOK = "numbers.view_phonenumber"


@requires(MAY_LOOK)
@require_safe
def view_list(request: PageRequest) -> HttpResponse:
    return list_page(request)


def list_page(request: PageRequest, refused: str = "", view: int = 0) -> HttpResponse:
    """`refused` is about the view with this id, or about a new one."""
    default = default_view_of(find_preferences(request.user), request.user)
    deletable = set(deletable_views(request.user).values_list("pk", flat=True))
    context: dict[str, Any] = {
        "views": [(each, address_of(each), each.pk in deletable) for each in visible_views(request.user)],
        "default": default,
        "refused": refused,
        "refused_view": view,
        "typed": request.POST,
    }
    return render(request, "views/list.html", context, status=422 if refused else 200)


def telling_refusals(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Whoever is refused sees the list of views again, with the sentence beside the view it is about."""

    @wraps(view)
    def guard(request: PageRequest, pk: int = 0) -> HttpResponse:
        try:
            return view(request, pk) if pk else view(request)
        except ViewRefused as refused:
            return list_page(request, str(refused), pk)

    return guard


@requires(MAY_LOOK)
@require_POST
@telling_refusals
def view_save(request: PageRequest) -> HttpResponse:
    query = read_query(request.POST.get("query", ""))
    name, is_shared = request.POST.get("name", ""), "is_shared" in request.POST
    view = save_view(request.user, name, query, is_shared=is_shared)
    if "is_default" in request.POST:
        keep_default_view(request.user, view)
    return redirect(address_of(view))


@requires(MAY_LOOK)
@require_POST
@telling_refusals
def view_replace(request: PageRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(own_views(request.user), pk=pk)
    replace_view(view, read_query(request.POST.get("query", "")))
    return redirect(address_of(view))


@requires(MAY_LOOK)
@require_POST
@telling_refusals
def view_rename(request: PageRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(own_views(request.user), pk=pk)
    rename_view(view, request.POST.get("name", ""), is_shared="is_shared" in request.POST)
    return redirect("numbers:view_list")


@requires(MAY_LOOK)
@require_POST
def view_delete(request: PageRequest, pk: int) -> HttpResponse:
    get_object_or_404(deletable_views(request.user), pk=pk).delete()
    return redirect("numbers:view_list")


@requires(MAY_LOOK)
@require_POST
def view_default(request: PageRequest) -> HttpResponse:
    """The view that the list opens with; none when none is named."""
    named = request.POST.get("view", "")
    view = get_object_or_404(visible_views(request.user), pk=read_id(named)) if named else None
    keep_default_view(request.user, view)
    return redirect("numbers:view_list")


def read_query(typed: str) -> str:
    """As a view keeps it. Raises ViewRefused for what would not show the same tomorrow, or nothing at all."""
    query = list_query(QueryDict(typed))
    if query.mistakes:
        raise ViewRefused(f"This view cannot be saved: {query.mistakes[0].sentence}")
    if "list" in query.chosen:
        raise ViewRefused("A pasted list is kept for a week only. Remove it from the filters, then save the view.")
    return str(query.as_view())
