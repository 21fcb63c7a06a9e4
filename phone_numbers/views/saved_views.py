"""Saving, renaming, replacing and deleting views of the list. Whoever is refused finds what was typed."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from phone_numbers.filters import InventoryQuery
from phone_numbers.models import Account
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
from phone_numbers.views.pages import PageRequest, read_id, requires
from phone_numbers.views.view_menu import address_of, default_view_of

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


@requires(MAY_LOOK)
@require_POST
def view_save(request: PageRequest) -> HttpResponse:
    try:
        query = read_query(request.POST.get("query", ""))
        name, is_shared = request.POST.get("name", ""), "is_shared" in request.POST
        view = save_view(request.user, name, query, is_shared=is_shared)
    except ViewRefused as refused:
        return list_page(request, str(refused))
    if "is_default" in request.POST:
        keep_default_view(request.user, view)
    return redirect(address_of(view))


@requires(MAY_LOOK)
@require_POST
def view_replace(request: PageRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(own_views(request.user), pk=pk)
    try:
        replace_view(view, read_query(request.POST.get("query", "")))
    except ViewRefused as refused:
        return list_page(request, str(refused), pk)
    return redirect(address_of(view))


@requires(MAY_LOOK)
@require_POST
def view_rename(request: PageRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(own_views(request.user), pk=pk)
    try:
        rename_view(view, request.POST.get("name", ""), is_shared="is_shared" in request.POST)
    except ViewRefused as refused:
        return list_page(request, str(refused), pk)
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
    accounts = {str(pk): name for pk, name in Account.objects.values_list("pk", "name")}
    query = InventoryQuery.read(QueryDict(typed), accounts)
    if query.mistakes:
        raise ViewRefused(f"This view cannot be saved: {query.mistakes[0].sentence}")
    if "list" in query.chosen:
        raise ViewRefused("A pasted list is kept for a week only. Remove it from the filters, then save the view.")
    return str(query.as_view())
