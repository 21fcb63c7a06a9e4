"""The accounts: how each is doing, its sync runs, and the buttons that start one, test the connection, and pause it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.contrib import messages
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, HttpResponseStopPolling, reswap, retarget, trigger_client_event

from phone_numbers.models import Account, PhoneNumber, Subaccount, SyncRun, Tally
from phone_numbers.services.accounts import test_connection
from phone_numbers.services.circuits import spared_until
from phone_numbers.services.runs import live_run, request_sync
from phone_numbers.tasks import ring, sync_account
from phone_numbers.views.absences import ABSENT, find_absences
from phone_numbers.views.pages import PageRequest, requires, slice_of, wants_piece
from phone_numbers.views.progress import Progress
from phone_numbers.views.standings import Rank, Situation, find_situations
from phone_numbers.views.syncs import run_lines

RUNS_PER_PAGE = 25
MOST_ABSENT = 10
SYNC_ENDED = "sync-ended"
"""What the browser is told when a progress ends, for whatever shows syncs to look again."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Card:
    """What the pages show of an account."""

    situation: Situation
    numbers: int
    """Those that are not known to be released."""
    absent: Mapping[str, int] = field(default_factory=dict)
    """Presence to how many numbers, but for those that are present."""
    subaccounts: int = 0

    @property
    def account(self) -> Account:
        return self.situation.account

    @property
    def progress(self) -> Progress | None:
        return Progress.of(self.situation.live_run) if self.situation.live_run else None

    @property
    def is_watched(self) -> bool:
        return self.progress is not None and not self.progress.is_silent

    @property
    def next_sync_at(self) -> datetime:
        """Not while the provider is spared."""
        until = spared_until(self.account, timezone.now())
        return max(self.account.next_sync_at, until) if until else self.account.next_sync_at

    @property
    def is_due(self) -> bool:
        return self.next_sync_at <= timezone.now()

    @property
    def may_be_synced(self) -> bool:
        return self.progress is None or self.progress.is_silent

    @property
    def rank(self) -> tuple[Rank, str]:
        rank = self.situation.standing.rank
        is_stuck = self.progress is not None and self.progress.is_silent
        return min(rank, Rank.LATE) if is_stuck else rank, self.account.name.lower()


@requires("numbers.view_account")
@require_safe
def account_list(request: PageRequest) -> HttpResponse:
    """As a piece, the cards alone: the page asks for them now and then."""
    cards = sorted(find_cards(Account.objects.all()), key=lambda card: card.rank)
    if wants_piece(request):
        return render(request, "accounts/_cards.html", {"cards": cards})
    demo = [card.account for card in cards if card.account.is_demo]
    return render(request, "accounts/list.html", {"cards": cards, "demo_accounts": demo})


@requires("numbers.view_account")
@require_safe
def account_detail(request: PageRequest, pk: int) -> HttpResponse:
    card = find_card(pk)
    account = card.account
    runs = slice_of(account.runs.select_related("requested_by"), request, RUNS_PER_PAGE)
    context = {
        "card": card,
        "runs": runs,
        "lines": run_lines(runs.rows),
        "absences": find_absences(account, MOST_ABSENT) if card.absent else [],
        "subaccounts": subaccounts_of(account),
        "surprises": account.surprises.order_by("-seen_count", "name"),
        "demo_accounts": [account] if account.is_demo else [],
    }
    return render(request, "accounts/detail.html", context)


@requires("numbers.add_syncrun")
@require_POST
def account_sync(request: PageRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account, pk=pk)
    run = request_sync(account, trigger=SyncRun.Trigger.PERSON, user=request.user)
    ring(sync_account, run.pk)
    if wants_piece(request):
        return render(request, "accounts/_card.html", {"card": find_card(pk)})
    messages.success(request, f"{account.name} is being synced.")
    return redirect("numbers:account_detail", pk)


@requires("numbers.add_syncrun")
@require_POST
def account_test(request: PageRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account, pk=pk)
    report = test_connection(account)
    if wants_piece(request):
        return render(request, "accounts/_report.html", {"account": account, "report": report})
    messages.add_message(request, messages.SUCCESS if report.ok else messages.ERROR, f"{account}: {report.sentence}")
    return redirect("numbers:account_detail", pk)


@requires("numbers.add_syncrun")
@require_POST
def account_pause(request: PageRequest, pk: int) -> HttpResponse:
    """`paused=yes` pauses, anything else resumes; so pressing twice does no more than pressing once."""
    pause = request.POST.get("paused") == "yes"
    if not Account.objects.filter(pk=pk).update(is_paused=pause):
        raise Http404("There is no such account.")
    logger.info("account paused" if pause else "account resumed", account=pk, user=request.user.get_username())
    if wants_piece(request):
        return render(request, "accounts/_card.html", {"card": find_card(pk)})
    return redirect("numbers:account_detail", pk)


@requires("numbers.view_account")
@require_safe
def account_progress(request: PageRequest, pk: int) -> HttpResponse:
    """Polled while a run lives: its progress alone. At the end comes the whole card, and the polling is stopped."""
    account = get_object_or_404(Account.objects.defer("credentials"), pk=pk)
    if not wants_piece(request):
        return redirect("numbers:account_detail", pk)
    progress = live_progress(account)
    is_first = request.GET.get("then") == "refresh"
    if progress and not progress.is_silent:
        template = "accounts/_first_sync.html" if is_first else "accounts/_live.html"
        return render(request, template, {"progress": progress, "account": account})
    return HttpResponseClientRefresh() if is_first else ended(request, pk)


def live_progress(account: Account) -> Progress | None:
    run = live_run(account)
    if run is None:
        return None
    run.account = account
    return Progress.of(run)


def ended(request: PageRequest, pk: int) -> HttpResponse:
    page = render(request, "accounts/_card.html", {"card": find_card(pk), "is_news": True})
    response = HttpResponseStopPolling(page.content)
    retarget(reswap(response, "outerHTML"), f"#account-{pk}")
    return trigger_client_event(response, SYNC_ENDED, after="settle")


def find_card(pk: int) -> Card:
    cards = find_cards(Account.objects.filter(pk=pk))
    if not cards:
        raise Http404("There is no such account.")
    return cards[0]


def find_cards(accounts: "QuerySet[Account]") -> list[Card]:
    """The cards of these accounts, in four queries."""
    situations = find_situations(accounts)
    pks = [situation.account.pk for situation in situations]
    present = Subaccount.objects.filter(account__in=pks, is_present=True).order_by()
    subaccounts = dict(present.values_list("account").annotate(Count("pk")))
    presences = count_presences(pks)
    return [
        Card(
            situation,
            sum(count for presence, count in presences[pk].items() if presence != PhoneNumber.Presence.RELEASED),
            {presence: presences[pk][presence] for presence in ABSENT if presences[pk].get(presence)},
            subaccounts.get(pk, 0),
        )
        for pk, situation in zip(pks, situations, strict=True)
    ]


def count_presences(accounts: Iterable[int]) -> Mapping[int, dict[str, int]]:
    """Account to presence to how many numbers. By the tally: a million of them take no longer than a few."""
    pks = list(accounts)
    counts: dict[int, dict[str, int]] = {pk: {} for pk in pks}
    tallied = Tally.objects.filter(account__in=pks).order_by().values_list("account", "presence")
    for account, presence, count in tallied.annotate(Sum("count")):
        counts[account][presence] = count
    return counts


def subaccounts_of(account: Account) -> list[tuple[Subaccount, int]]:
    """Each with how many numbers it has."""
    subaccounts = list(account.subaccounts.all())
    if not subaccounts:
        return []
    numbers = account.numbers.held().exclude(subaccount="").order_by()
    counts = dict(numbers.values_list("subaccount").annotate(Count("pk")))
    return [(each, counts.get(each.remote_id, 0)) for each in subaccounts]
