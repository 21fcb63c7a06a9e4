"""The inventory's list."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from django.core.paginator import EmptyPage, Page, Paginator
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.query import Mistake
from phone_numbers.filters.rows import list_numbers
from phone_numbers.filters.table import PER_PAGE
from phone_numbers.filters.words import SERVICE_MATCHES
from phone_numbers.forms import filter_panel, find_suggestions
from phone_numbers.models import Account, SyncRun
from phone_numbers.views.freshness import freshness_of
from phone_numbers.views.pages import PageRequest, render_page, requires, wants_piece
from phone_numbers.views.progress import Progress
from phone_numbers.views.rows import row_of, with_absences
from phone_numbers.views.standings import count_needing_person

if TYPE_CHECKING:
    from phone_numbers.filters.rows import ShownNumber

COLUMNS = {
    "number": "Number",
    "alias": "Alias",
    "account": "Account",
    "type": "Type",
    "services": "Services",
    "voice": "Voice goes to",
    "messages": "Messages go to",
    "tendlc": "10DLC",
    "toll_free": "Toll-free",
    "rate": "Monthly",
    "renewal": "Renews",
    "presence": "Presence",
}
Accounts = Mapping[int, Account]
NumberPage: TypeAlias = "Page[ShownNumber]"


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: str
    aria_sort: str
    """Empty unless the list is sorted by this column."""
    next_sort: InventoryQuery


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
    accounts = {account.pk: account for account in Account.objects.defer("credentials")}
    query = InventoryQuery.read(request.GET, {str(pk): account.name for pk, account in accounts.items()})
    query, page = find_page(query)
    context = list_context(request, query, page, accounts)
    if not wants_piece(request):
        context |= frame_context(request, query, accounts)
    response = render_page(
        request, "numbers/list.html", context, piece="results", status=422 if query.mistakes else 200
    )
    if request.htmx:
        response["HX-Push-Url"] = request.get_full_path() if query.mistakes else request.path + query.suffix
    return response


def find_page(query: InventoryQuery) -> tuple[InventoryQuery, NumberPage]:
    """The page asked for. Asking for one that does not exist is a mistake like any other."""
    paginator = Paginator(list_numbers(query), query.per_page)
    try:
        return query, paginator.page(query.page)
    except EmptyPage:
        sentence = f"There is no page {query.page}; the last one is {paginator.num_pages}."
        mistaken = replace(query.having(), mistakes=(Mistake("page", sentence),))
        return mistaken, Paginator(list_numbers(mistaken), query.per_page).page(1)


def list_context(request: PageRequest, query: InventoryQuery, page: NumberPage, accounts: Accounts) -> dict[str, Any]:
    return {
        "list_url": reverse("numbers:list"),
        "query": query,
        "page": page,
        "rows": with_absences([row_of(number, accounts.get(number.account_id)) for number in page]),
        "page_links": page_links(query, page),
        "columns": [column(query, key) for key in COLUMNS],
        "sizes": PER_PAGE,
        "accounts": accounts,
        "first_syncs": [] if page.paginator.count else first_syncs(accounts),
        "may_edit": request.user.has_perm("numbers.change_phonenumber"),
        "announcement": announcement(query, page),
        "freshness": freshness_of(accounts.values(), [int(pk) for pk in query.filters.get("account", ())]),
    }


def frame_context(request: PageRequest, query: InventoryQuery, accounts: Accounts) -> dict[str, Any]:
    """What stands around the results, and does not change with them."""
    return {
        "panel": filter_panel(query, request.GET, find_suggestions()),
        "service_matches": SERVICE_MATCHES,
        "services_match": query.option("services_match"),
        "demo_accounts": [account for account in accounts.values() if account.is_demo],
        "needing_person": count_needing_person(accounts.values()),
    }


def column(query: InventoryQuery, key: str) -> Column:
    aria_sort = {key: "ascending", f"-{key}": "descending"}.get(query.sort, "")
    return Column(key, COLUMNS[key], aria_sort, query.having(sort=f"-{key}" if aria_sort == "ascending" else key))


def page_links(query: InventoryQuery, page: NumberPage) -> list[PageLink]:
    links = [page_link(query, page, number) for number in page.paginator.get_elided_page_range(page.number, on_ends=1)]
    before = [PageLink("previous", "Previous", query.having(page=str(page.number - 1)))] if page.has_previous() else []
    after = [PageLink("next", "Next", query.having(page=str(page.number + 1)))] if page.has_next() else []
    return [*before, *links, *after]


def page_link(query: InventoryQuery, page: NumberPage, number: int | str) -> PageLink:
    if not isinstance(number, int):
        return PageLink("gap", str(number), None)
    return PageLink(str(number), f"{number:,}", query.having(page=str(number)), number == page.number)


def announcement(query: InventoryQuery, page: NumberPage) -> str:
    """For those who hear the page."""
    if query.mistakes:
        return query.mistakes[0].sentence
    count = page.paginator.count
    found = f"{count:,} number{'' if count == 1 else 's'}"
    return f"{found}, page {page.number} of {page.paginator.num_pages}" if count else "No number matches"


def first_syncs(accounts: Accounts) -> list[tuple[Account, Progress]]:
    runs = SyncRun.objects.filter(account__in=list(accounts), state__in=SyncRun.LIVE)
    return [(accounts[run.account_id], Progress.of(run)) for run in runs]
