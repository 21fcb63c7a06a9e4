"""The inventory's list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from phone_numbers.filters import InventoryQuery, directory
from phone_numbers.filters.query import Mistake
from phone_numbers.filters.rows import NumberPage, find_page
from phone_numbers.filters.table import PER_PAGE
from phone_numbers.filters.tiles import changes_under_way, find_tiles, undecided
from phone_numbers.filters.words import SERVICE_MATCHES
from phone_numbers.forms import filter_panel
from phone_numbers.models import Account, SyncRun
from phone_numbers.services.list_preferences import find_preferences
from phone_numbers.services.lists import is_kept
from phone_numbers.views.freshness import freshness_of, in_short
from phone_numbers.views.list_head import find_more, head_columns, keys_of, orders
from phone_numbers.views.pages import PageRequest, render_page, requires, wants_piece
from phone_numbers.views.progress import Progress
from phone_numbers.views.rows import rows_of
from phone_numbers.views.saved_view_menu import address_of, beside_view, default_view_of, view_menu, views_for
from phone_numbers.views.standings import count_needing_person

EXPORTS = (
    ("CSV", "csv"),
    ("Excel", "xlsx"),
    ("CSV, every column", "csv&columns=all"),
    ("Excel, every column", "xlsx&columns=all"),
)
Accounts = Mapping[int, Account]


@dataclass(frozen=True, slots=True)
class PageLink:
    id: str
    title: str
    query: InventoryQuery | None
    """Nothing for the gap between far pages."""
    is_current: bool = False


@requires("numbers.view_phonenumber")
@require_safe
def number_list(request: PageRequest) -> HttpResponse:
    preferences = find_preferences(request.user)
    default = default_view_of(preferences, request.user)
    is_piece = wants_piece(request)
    if default and not request.GET and not is_piece:
        return redirect(address_of(default))
    accounts, edition, counts = find_accounts(is_piece=is_piece)
    query = InventoryQuery.read(request.GET, {str(pk): account.name for pk, account in accounts.items()})
    views = views_for(request.user, query, is_piece=is_piece)
    query, active = beside_view(query, views, has_default=default is not None)
    keys = keys_of(query, preferences)
    query, page = page_of(with_known_list(query), edition)
    context = list_context(request, query, page, accounts) | table_context(query, page, accounts, keys)
    context |= {"density": preferences.density, **counts}
    context["menu"] = view_menu(query, active, views, request.user, keys, has_default=default is not None)
    if not is_piece:
        context |= frame_context(query, accounts)
    response = render_page(
        request, "numbers/list.html", context, piece="results", status=422 if query.mistakes else 200
    )
    if request.htmx:
        address = request.get_full_path() if query.mistakes else request.path + query.suffix
        response["HX-Replace-Url" if goes_on_typing(request, query) else "HX-Push-Url"] = address
    return response


def goes_on_typing(request: PageRequest, query: InventoryQuery) -> bool:
    """Whether only what is searched for differs: the way back leads to before a search, not through its letters."""
    before = QueryDict(urlsplit(request.htmx.current_url or "").query, mutable=True)
    was, now = before.get("q"), query.chosen.get("q")
    if not (was and now) or query.mistakes:
        return False
    before["q"] = now[0]
    return str(InventoryQuery.read(before, query.accounts).having()) == str(query.having())


def with_known_list(query: InventoryQuery) -> InventoryQuery:
    """A list that is not kept any more is a mistake like any other."""
    if "list" not in query.chosen or is_kept(query.chosen["list"][0]):
        return query
    mistake = Mistake("list", "There is no such list of numbers, or not any more: a list is kept for a week.")
    return replace(query, mistakes=(*query.mistakes, mistake))


def find_accounts(*, is_piece: bool = False) -> tuple[Accounts, str, dict[str, Any]]:
    """By id, the inventory's edition, and how much is under way and to be decided: all in one query.

    What is to be decided stands in the navigation, which no piece has.
    """
    found = Account.objects.defer("credentials").annotate(edition=directory.edition(), waiting=changes_under_way())
    if not (accounts := list(found if is_piece else found.annotate(undecided=undecided()))):
        return {}, directory.current_edition(), {"waiting": 0, "undecided": ""}
    first = accounts[0]
    counts = {"waiting": first.waiting, "undecided": in_short(getattr(first, "undecided", 0))}
    return {account.pk: account for account in accounts}, str(first.edition), counts


def page_of(query: InventoryQuery, edition: str) -> tuple[InventoryQuery, NumberPage]:
    """The page asked for. Asking for one that does not exist is a mistake like any other."""
    try:
        return query, find_page(query, edition)
    except ValueError as error:
        mistaken = replace(query.having(), mistakes=(Mistake("page", str(error)),))
        return mistaken, find_page(mistaken, edition)


def list_context(request: PageRequest, query: InventoryQuery, page: NumberPage, accounts: Accounts) -> dict[str, Any]:
    return {
        "list_url": reverse("numbers:list"),
        "query": query,
        "panel": filter_panel(query, request.GET, page.facets, page.directory),
        "from_suffix": f"?{urlencode({'from': str(query)})}" if query.chosen else "",
        "page": page,
        "facets": page.facets,
        "tiles": find_tiles(query, page.directory.edition),
        "page_links": page_links(query, page),
        "exports": EXPORTS,
        "export_suffix": f"?{query.having()!s}&format=" if query.chosen else "?format=",
        "sizes": PER_PAGE,
        "accounts": accounts,
        "first_syncs": [] if page.total else first_syncs(accounts),
        "unknown": [] if page.total else unknown_words(query, page),
        "may_edit": request.user.has_perm("numbers.change_phonenumber"),
        "announcement": announcement(query, page),
        "freshness": freshness_of(accounts.values(), [int(pk) for pk in query.filters.get("account", ())]),
    }


def table_context(query: InventoryQuery, page: NumberPage, accounts: Accounts, keys: Sequence[str]) -> dict[str, Any]:
    more = find_more(page.numbers, keys, page.directory)
    shown = {"columns": head_columns(query, keys), "orders": orders(query, keys), "names_type": "type" not in keys}
    return {"rows": rows_of(page.numbers, accounts, more), **shown}


def frame_context(query: InventoryQuery, accounts: Accounts) -> dict[str, Any]:
    """What stands around the results, and does not change with them."""
    return {
        "service_matches": SERVICE_MATCHES,
        "services_match": query.option("services_match"),
        "demo_accounts": [account for account in accounts.values() if account.is_demo],
        "needing_person": count_needing_person(accounts.values()),
    }


def page_links(query: InventoryQuery, page: NumberPage) -> list[PageLink]:
    """Next and previous follow the rows shown, so that none is missed or shown twice while others are inserted."""
    number, pages = page.place.number, page.place.pages
    numbers = Paginator(range(pages), 1).get_elided_page_range(number, on_ends=1)
    links = [page_link(query, each, number) for each in numbers]
    if number > 1 and page.first:
        place = query.having(page=str(number - 1), before=str(page.first)) if number > 2 else query.having()
        links.insert(0, PageLink("previous", "Previous", place))
    if number < pages and page.last:
        links.append(PageLink("next", "Next", query.having(page=str(number + 1), after=str(page.last))))
    return links


def page_link(query: InventoryQuery, number: int | str, current: int) -> PageLink:
    if not isinstance(number, int):
        return PageLink("gap", str(number), None)
    return PageLink(str(number), f"{number:,}", query.having(page=str(number)), number == current)


def announcement(query: InventoryQuery, page: NumberPage) -> str:
    """For those who hear the page."""
    if query.mistakes:
        return query.mistakes[0].sentence
    found = f"{page.total:,} number{'' if page.total == 1 else 's'}"
    return f"{found}, page {page.place.number} of {page.place.pages}" if page.total else "No number matches"


def unknown_words(query: InventoryQuery, page: NumberPage) -> list[str]:
    """A sentence for whatever is asked for by a name that nothing has; it may have had one when a view was saved."""
    named = [(parameter, value) for parameter, values in query.filters.items() for value in values]
    return [
        f"There is no {parameter} “{value}”, or not any more."
        for parameter, value in named
        if not page.directory.knows(parameter, value)
    ]


def first_syncs(accounts: Accounts) -> list[tuple[Account, Progress]]:
    runs = SyncRun.objects.filter(account__in=list(accounts), state__in=SyncRun.LIVE)
    return [(accounts[run.account_id], Progress.of(run)) for run in runs]
