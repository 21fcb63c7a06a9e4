"""What every page shares: who may open it, and whether the whole page or a piece of it is asked for."""

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

Arguments = ParamSpec("Arguments")
Row = TypeVar("Row", bound=Model)


class PageRequest(HttpRequest):
    """A request that passed the middleware and `requires`."""

    htmx: HtmxDetails
    user: User


View = Callable[Concatenate[PageRequest, Arguments], HttpResponse]


def requires(permission: str) -> Callable[[View[Arguments]], View[Arguments]]:
    """Strangers go to the sign-in page; users without the permission are told so (403)."""

    def guard(view: View[Arguments]) -> View[Arguments]:
        return login_required(permission_required(permission, raise_exception=True)(view))

    return guard


def wants_piece(request: PageRequest) -> bool:
    """Only htmx swapping a piece; a window, a boosted link and a restored history entry get the whole page."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def render_page(
    request: PageRequest, template: str, context: Mapping[str, Any], *, piece: str, status: int = 200
) -> HttpResponse:
    """The template, or the piece of it that is named in it, as the request wants."""
    is_piece = wants_piece(request)
    name = f"{template}#{piece}" if is_piece else template
    return render(request, name, {**context, "is_piece": is_piece}, status=status)


def page_of(rows: "QuerySet[Row]", request: HttpRequest, per_page: int) -> "Page[Row]":
    """The page that `page=` asks for; the nearest there is when there is none such."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


def request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
