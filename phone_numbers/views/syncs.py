"""The syncs: what each found and how it ended; and the one question a held sync asks of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from phone_numbers.models import SyncRun
from phone_numbers.services.holds import HoldRefused, accept_absences, dismiss_absences
from phone_numbers.services.runs import open_hold
from phone_numbers.tasks import ring, sync_account
from phone_numbers.views.causes import Cause, cause_of
from phone_numbers.views.findings import Finding, Kind, affected_events, affected_numbers, count_listed, findings_of
from phone_numbers.views.pages import (
    PageRequest,
    Slice,
    accounts_by_id,
    read_count,
    render_page,
    requires,
    slice_of,
    unknown_among,
    wants_piece,
)
from phone_numbers.views.progress import Progress

RUNS_PER_PAGE = 50
NUMBERS_PER_PAGE = 50
LIVE = "live"
STATES: Mapping[str, str] = {
    LIVE: "Under way",
    **{state.value: state.label for state in SyncRun.State if state not in SyncRun.LIVE},
}


@dataclass(frozen=True, slots=True)
class RunLine:
    """One line of the history."""

    run: SyncRun
    findings: list[Finding]
    cause: Cause | None


@requires("numbers.view_syncrun")
@require_safe
def sync_list(request: PageRequest) -> HttpResponse:
    accounts = accounts_by_id()
    chosen, state = request.GET.get("account", ""), request.GET.get("state", "")
    mistakes = unknown_among(("account", chosen, accounts), ("state", state, STATES))
    context: dict[str, Any] = {"accounts": accounts.values(), "states": STATES, "chosen": chosen, "state": state}
    if mistakes:
        mistaken = {**context, "chosen": "", "state": "", "mistakes": mistakes}
        return render(request, "syncs/list.html", mistaken, status=422)
    runs = slice_of(find_runs(chosen, state), request, RUNS_PER_PAGE)
    for run in runs.rows:
        run.account = accounts[str(run.account_id)]
    kept = urlencode({name: value for name, value in (("account", chosen), ("state", state)) if value})
    shown = {"runs": runs, "lines": run_lines(runs.rows), "kept": f"{kept}&" if kept else ""}
    return render(request, "syncs/list.html", {**context, **shown})


@requires("numbers.view_syncrun")
@require_safe
def sync_detail(request: PageRequest, pk: int) -> HttpResponse:
    """As a piece, everything under the heading: polled while the run lives, and stopped with its end."""
    run = find_run(pk)
    context = run_context(request, run)
    response = render_page(request, "syncs/detail.html", context, piece="run")
    is_over = wants_piece(request) and not context["is_watched"]
    return HttpResponseStopPolling(response.content) if is_over else response


@requires("numbers.add_syncrun")
@require_POST
def sync_accept(request: PageRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    typed = request.POST.get("count", "").strip()
    if (count := read_count(typed)) is None:
        return refused(request, run, f"“{typed}” is not a count. Nothing was decided.", typed=typed)
    try:
        accepted = accept_absences(run, count=count, user=request.user)
    except HoldRefused as refusal:
        return refused(request, run, str(refusal), typed=typed)
    ring(sync_account, accepted.pk)
    return redirect("numbers:sync_detail", accepted.pk)


@requires("numbers.add_syncrun")
@require_POST
def sync_dismiss(request: PageRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    try:
        dismiss_absences(run, user=request.user)
    except HoldRefused as refusal:
        return refused(request, run, str(refusal))
    return redirect("numbers:sync_detail", pk)


def refused(request: PageRequest, run: SyncRun, sentence: str, *, typed: str = "") -> HttpResponse:
    """The page with what was typed, and why nothing was done."""
    context = run_context(request, find_run(run.pk))
    return render(request, "syncs/detail.html", {**context, "refusal": sentence, "typed": typed}, status=422)


def find_runs(account: str, state: str) -> "QuerySet[SyncRun]":
    runs = SyncRun.objects.select_related("requested_by")
    if account:
        runs = runs.filter(account=int(account))
    if state:
        runs = runs.filter(state__in=SyncRun.LIVE if state == LIVE else [state])
    return runs


def find_run(pk: int) -> SyncRun:
    runs = SyncRun.objects.select_related("account", "requested_by", "accepts").defer("account__credentials")
    return get_object_or_404(runs, pk=pk)


def run_lines(runs: Sequence[SyncRun]) -> list[RunLine]:
    return [RunLine(run, findings_of(run), cause_of(run.error_slug)) for run in runs]


def run_context(request: PageRequest, run: SyncRun) -> dict[str, Any]:
    progress = Progress.of(run) if run.is_live else None
    context: dict[str, Any] = {
        "run": run,
        "account": run.account,
        "progress": progress,
        "is_watched": progress is not None and not progress.is_silent,
        "cause": cause_of(run.error_slug),
        "demo_accounts": [run.account] if run.account.is_demo else [],
    }
    return context if run.is_live else {**context, **hold_context(run), **numbers_context(request, run)}


def hold_context(run: SyncRun) -> dict[str, Any]:
    if run.state != SyncRun.State.HELD:
        return {}
    known = run.numbers_seen + run.numbers_absent
    hold = open_hold(run.account)
    return {
        "known": known,
        "limit": max(run.account.hold_minimum, known * run.account.hold_percent // 100),
        "is_open": hold == run,
        "later_hold": hold,
        "accepted_in": run.accepted_in.first(),
    }


def numbers_context(request: PageRequest, run: SyncRun) -> dict[str, Any]:
    """The numbers it was about, one kind of news at a time."""
    findings = findings_of(run, count_listed(run))
    asked = request.GET.get("show", "")
    chosen = next((each for each in findings if each.kind == asked), findings[0] if findings else None)
    if chosen is None:
        return {"findings": []}
    rows: Slice[Any]
    if chosen.kind == Kind.HELD:
        rows = slice_of(run.held_numbers.select_related("number"), request, NUMBERS_PER_PAGE)
    else:
        rows = slice_of(affected_events(run, chosen.kind), request, NUMBERS_PER_PAGE)
    shown = {"numbers": rows, "affected": affected_numbers(run, rows.rows), "kept": f"show={chosen.kind}&"}
    return {"findings": findings, "chosen": chosen, **shown}
