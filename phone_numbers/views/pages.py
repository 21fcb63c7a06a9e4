"""What every page shares: who may open it, whether all of it or a piece is asked for, and how an address is read."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import structlog
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from phone_numbers.filters import InventoryQuery
from phone_numbers.models import Account

Arguments = ParamSpec("Arguments")
Row = TypeVar("Row", bound=Model)

MOST_DIGITS, MOST_FIGURES = 19, 10
"""A row's id has fewer, and a count of rows."""


class PageRequest(HttpRequest):
    """A request that passed the middleware and `requires`."""

    htmx: HtmxDetails
    user: User


View = Callable[Concatenate[PageRequest, Arguments], HttpResponseBase]


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


def read_id(text: str) -> int | None:
    """The id of a row; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else None


def read_count(text: str) -> int | None:
    """A count as people type it, 1,200; None for what is none."""
    figures = text.strip().replace(",", "")
    return int(figures) if figures.isascii() and figures.isdigit() and len(figures) < MOST_FIGURES else None


def accounts_by_id() -> dict[str, Account]:
    """By name, under their ids as an address has them."""
    return {str(account.pk): account for account in Account.objects.defer("credentials").order_by("name")}


def unknown_among(*asked: tuple[str, str, Container[str]]) -> list[str]:
    """A sentence for whatever is asked for and not known: what it should be, what was typed, and what there is."""
    return [f"There is no {what} “{typed}”." for what, typed, known in asked if typed and typed not in known]


def list_query(parameters: QueryDict) -> InventoryQuery:
    """What is asked of the list, given the accounts there are."""
    names = {str(pk): name for pk, name in Account.objects.values_list("pk", "name")}
    return InventoryQuery.read(parameters, names)


def page_of(rows: "QuerySet[Row]", request: HttpRequest, per_page: int) -> "Page[Row]":
    """The page that `page=` asks for; the nearest there is when there is none such."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


@dataclass(frozen=True, slots=True)
class Slice(Generic[Row]):
    """Some rows, newest first, however many there are."""

    rows: list[Row]
    older: int | None
    """What `before=` names to go on; nothing at the end."""
    is_newest: bool


def slice_of(rows: "QuerySet[Row]", request: HttpRequest, size: int) -> "Slice[Row]":
    """Newest first, the rows before the one `before=` names: one query that costs the same however far back."""
    before = read_id(request.GET.get("before", ""))
    wanted = rows.order_by("-pk") if before is None else rows.filter(pk__lt=before).order_by("-pk")
    found = list(wanted[: size + 1])
    return Slice(found[:size], found[size - 1].pk if len(found) > size else None, before is None)


def request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
