"""How old what the inventory's pages show is, and the banner above it when that is older than it should be.

The banner is looked up again every minute, which costs one query while all is well and two more when not.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from phone_numbers.filters.tiles import MOST_COUNTED, undecided
from phone_numbers.models import Account
from phone_numbers.views.pages import MOST_DIGITS, PageRequest, requires, wants_piece
from phone_numbers.views.standings import Situation, count_needing_person, find_situations, needs_warning

MOST_SHOWN = 2
"""More would hide the numbers; the accounts' page has them all."""


@dataclass(frozen=True, slots=True)
class Freshness:
    situations: list[Situation]
    """Of the accounts whose numbers should not be trusted without a look, the worst first."""
    oldest: Account | None
    """The account that was read longest ago."""
    scope: Collection[int]
    """The accounts it is about; empty when it is about all."""

    @property
    def shown(self) -> list[Situation]:
        return self.situations[:MOST_SHOWN]

    @property
    def hidden(self) -> int:
        return max(len(self.situations) - MOST_SHOWN, 0)

    @property
    def query(self) -> str:
        return "&".join(f"account={pk}" for pk in self.scope)


def freshness_of(accounts: Iterable[Account], scope: Collection[int] = ()) -> Freshness:
    shown = [account for account in accounts if not scope or account.pk in scope]
    doubtful = [account.pk for account in shown if needs_warning(account)]
    situations = find_situations(Account.objects.filter(pk__in=doubtful)) if doubtful else []
    read = [(account.fresh_at, account.pk, account) for account in shown if account.fresh_at]
    return Freshness(
        sorted(situations, key=lambda each: (each.standing.rank, each.account.name.lower())),
        min(read)[2] if read else None,
        scope,
    )


@requires("numbers.view_account")
@require_safe
def account_freshness(request: PageRequest) -> HttpResponse:
    """Polled by the pages of the inventory; `account=` says which accounts a page is about."""
    if not wants_piece(request):
        return redirect("numbers:account_list")
    accounts = list(Account.objects.defer("credentials").annotate(undecided=undecided()))
    scope = [int(each[:MOST_DIGITS]) for each in request.GET.getlist("account") if each.isascii() and each.isdigit()]
    context = {"freshness": freshness_of(accounts, scope), "needing_person": count_needing_person(accounts)}
    context["undecided"] = in_short(accounts[0].undecided) if accounts else ""
    return render(request, "accounts/_freshness.html", {**context, "is_polled": True})


def frame(_: HttpRequest) -> Mapping[str, Any]:
    """Context processor: for pages about all accounts and the frame around every page. Asks only where it is shown."""
    return {
        "freshness": SimpleLazyObject(lambda: freshness_of(Account.objects.defer("credentials"))),
        "needing_person": SimpleLazyObject(count_needing_person),
        "undecided": SimpleLazyObject(count_undecided),
    }


def count_undecided() -> str:
    """How many changes outside wait for somebody, as the navigation tells it."""
    account = Account.objects.annotate(undecided=undecided()).only("pk").first()
    return in_short(account.undecided) if account else ""


def in_short(count: int) -> str:
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count or "")
