"""The accounts: how each is doing, its sync runs, and the button that starts one."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, HttpResponseStopPolling

from phone_numbers.models import Account, PhoneNumber, SyncRun
from phone_numbers.services.runs import request_sync
from phone_numbers.tasks import ring, sync_account
from phone_numbers.views.pages import PageRequest, page_of, requires, wants_piece

RUNS_PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Card:
    """What the pages show of an account."""

    account: Account
    numbers: int
    live_run: SyncRun | None
    last_run: SyncRun | None
    """The newest run that has ended."""

    @property
    def is_silent(self) -> bool:
        """Nothing has been heard of the live run for so long that watching it further makes no sense."""
        run = self.live_run
        patience = timedelta(seconds=2 * settings.LEASE_SECONDS)
        return run is not None and timezone.now() > (run.lease_expires_at or run.created_at) + patience

    @property
    def is_due(self) -> bool:
        return self.account.next_sync_at <= timezone.now()

    @property
    def is_watched(self) -> bool:
        return self.live_run is not None and not self.is_silent


@requires("numbers.view_account")
@require_safe
def account_list(request: PageRequest) -> HttpResponse:
    cards = account_cards(Account.objects.order_by("name"))
    demo = [card.account for card in cards if card.account.is_demo]
    return render(request, "accounts/list.html", {"cards": cards, "demo_accounts": demo})


@requires("numbers.view_account")
@require_safe
def account_detail(request: PageRequest, pk: int) -> HttpResponse:
    card = account_card(pk)
    runs = page_of(card.account.runs.select_related("requested_by"), request, RUNS_PER_PAGE)
    demo = [card.account] if card.account.is_demo else []
    surprises = card.account.surprises.order_by("-seen_count", "name")
    shown = {"card": card, "page": runs, "demo_accounts": demo, "surprises": surprises}
    return render(request, "accounts/detail.html", shown)


@requires("numbers.add_syncrun")
@require_POST
def account_sync(request: PageRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account, pk=pk)
    run = request_sync(account, trigger=SyncRun.Trigger.PERSON, user=request.user)
    ring(sync_account, run.pk)
    if wants_piece(request):
        return render(request, "accounts/_card.html", {"card": account_card(pk)})
    messages.success(request, f"{account.name} is being synced.")
    return redirect("numbers:account_detail", pk)


@requires("numbers.view_account")
@require_safe
def account_progress(request: PageRequest, pk: int) -> HttpResponse:
    """Polled while a run lives: the account's card, or its progress alone where the list waits for a first sync."""
    card = account_card(pk)
    if not wants_piece(request):
        return redirect("numbers:account_detail", pk)
    if request.GET.get("then") == "refresh":
        return first_sync_progress(request, card)
    response = render(request, "accounts/_card.html", {"card": card})
    return response if card.is_watched else HttpResponseStopPolling(response.content)


def first_sync_progress(request: PageRequest, card: Card) -> HttpResponse:
    if not card.is_watched:
        return HttpResponseClientRefresh()
    return render(request, "accounts/_first_sync.html", {"run": card.live_run})


def account_card(pk: int) -> Card:
    cards = account_cards(Account.objects.filter(pk=pk))
    if not cards:
        raise Http404("There is no such account.")
    return cards[0]


def account_cards(accounts: "QuerySet[Account]") -> list[Card]:
    """The cards of these accounts, in two queries."""
    runs = SyncRun.objects.filter(account=OuterRef("pk")).order_by("-pk").values("pk")
    rows = accounts.defer("credentials").annotate(
        held=Count("numbers", filter=~Q(numbers__presence=PhoneNumber.Presence.RELEASED)),
        live=Subquery(runs.filter(state__in=SyncRun.LIVE)[:1]),
        ended=Subquery(runs.exclude(state__in=SyncRun.LIVE)[:1]),
    )
    found = list(rows)
    shown = SyncRun.objects.select_related("account").in_bulk(
        {pk for row in found for pk in (row.live, row.ended) if pk}
    )
    return [Card(row, row.held, shown.get(row.live), shown.get(row.ended)) for row in found]
