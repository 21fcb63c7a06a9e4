"""Edits: what was asked for, by whom, how far it got; and how one that waits is cancelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from phone_numbers.models import Change
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_reversals import UNDONE
from phone_numbers.services.change_sets import cancel_change
from phone_numbers.services.verdicts import KEPT, settled_among
from phone_numbers.views.pages import PageRequest, page_of, request_id, requires, wants_piece
from phone_numbers.views.values import Labels, field_title, find_labels, value_in_words

PER_PAGE = 50
WATCHED_FOR = timedelta(minutes=5)
LIVE = "live"
ENDED = {state.value: state.label for state in Change.State if state not in (*Change.LIVE, *Change.UNASKED)}
STATES: Mapping[str, str] = {LIVE: "Under way", **ENDED}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a change, in words."""

    title: str
    before: str
    after: str
    found: str
    """What the provider had instead, where that matters."""


@dataclass(frozen=True, slots=True)
class LoggedChange:
    change: Change
    fields: list[FieldChange]
    is_watched: bool
    is_settled: bool
    """Somebody said already that the provider's value stays."""

    @property
    def is_open(self) -> bool:
        """Not in force, and somebody should say what is to become of it."""
        return self.change.state in UNDONE and not self.is_settled

    @property
    def has_theirs(self) -> bool:
        return self.change.state in KEPT


@requires("numbers.view_change")
@require_safe
def change_list(request: PageRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    if state and state not in STATES:
        mistaken = {"states": STATES, "state": "", "unknown": state}
        return render(request, "changes/list.html", mistaken, status=422)
    page = page_of(changes_in(state), request, PER_PAGE)
    context: dict[str, Any] = {
        "states": STATES,
        "state": state,
        "page": page,
        "page_query": f"state={state}&" if state else "",
        "changes": in_log(list(page)),
    }
    return render(request, "changes/list.html", context)


@requires("numbers.view_change")
@require_safe
def change_state(request: PageRequest, pk: int) -> HttpResponse:
    """Polled while the change is under way."""
    change = get_object_or_404(Change.objects.select_related("change_set"), pk=pk)
    if not wants_piece(request):
        return redirect("numbers:detail", change.number_id)
    response = state_piece(request, change)
    return response if is_watched(change) else HttpResponseStopPolling(response.content)


@requires("numbers.change_phonenumber")
@require_POST
def change_cancel(request: PageRequest, pk: int) -> HttpResponse:
    """Whoever comes too late is told what it is by now."""
    change = get_object_or_404(Change.objects.select_related("change_set"), pk=pk)
    refusal = ""
    try:
        cancel_change(change, user=request.user, request_id=request_id())
    except ChangeRefused as refused:
        refusal = str(refused)
    change.refresh_from_db()
    if wants_piece(request):
        return state_piece(request, change, refusal=refusal, status=409 if refusal else 200)
    said = (messages.ERROR, refusal) if refusal else (messages.SUCCESS, f"Cancelled. {change.detail}")
    messages.add_message(request, *said)
    return came_from(request, change)


def came_from(request: PageRequest, change: Change) -> HttpResponse:
    """The plan's page, or the number's."""
    if request.POST.get("from") == "plan" and change.change_set.is_planned:
        return redirect("numbers:change_set_detail", change.change_set_id)
    return redirect("numbers:detail", change.number_id)


def state_piece(request: PageRequest, change: Change, *, refusal: str = "", status: int = 200) -> HttpResponse:
    context = {"change": change, "is_watched": is_watched(change), "refusal": refusal}
    return render(request, "changes/_state.html", context, status=status)


def is_watched(change: Change) -> bool:
    """Under way, and not for so long that watching it further makes no sense."""
    return change.is_live and timezone.now() - change.created_at < WATCHED_FOR


def changes_in(state: str) -> "QuerySet[Change]":
    asked = Change.objects.exclude(state__in=Change.UNASKED)
    changes = asked.select_related("change_set", "number__account").defer("number__account__credentials")
    if state == LIVE:
        return changes.filter(state__in=Change.LIVE)
    return changes.filter(state=state) if state else changes


def in_log(changes: Sequence[Change]) -> list[LoggedChange]:
    sides = [side for change in changes for side in (change.base, change.desired, change.found)]
    labels = find_labels(
        (change.number.account_id for change in changes), (value for side in sides for value in side.values())
    )
    settled = settled_among(changes)
    return [
        LoggedChange(change, fields_of(change, labels), is_watched(change), change.pk in settled) for change in changes
    ]


def fields_of(change: Change, labels: Labels) -> list[FieldChange]:
    account = change.number.account

    def shown(side: Mapping[str, str], field: str) -> str:
        return value_in_words(account, field, side.get(field, ""), labels)

    return [
        FieldChange(
            field_title(account, field),
            shown(change.base, field),
            shown(change.desired, field),
            shown(change.found, field) if field in change.found else "",
        )
        for field in change.desired
    ]
