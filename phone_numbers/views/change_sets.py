"""Plans for many numbers: asked for, looked at, sent, watched, paused, undone. Every step is a form."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from phone_numbers.models import ChangeSet
from phone_numbers.services.change_plans import Origin, make_plan
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_reversals import count_retried, plan_anew
from phone_numbers.services.change_sets import (
    CountNeeded,
    StalePlan,
    apply_plan,
    cancel_change_set,
    discard_plan,
    pause_change_set,
    resume_change_set,
)
from phone_numbers.tasks import ring_for_plan
from phone_numbers.views.attempts import new_key
from phone_numbers.views.bulk_forms import PLACEHOLDERS, BulkForm, bulk_form, wishes
from phone_numbers.views.change_set_progress import asked_lines, outcome_of, outcomes_of
from phone_numbers.views.changes import in_log
from phone_numbers.views.pages import PageRequest, page_of, read_count, render_page, request_id, requires
from phone_numbers.views.selection import Selection, find_matching, for_selection, matching

PER_PAGE = 50
CANARY = 5
OVER = (ChangeSet.State.DONE, ChangeSet.State.CANCELLED)
MAY_LOOK, MAY_CHANGE = "numbers.view_change", "numbers.change_phonenumber"


@requires(MAY_LOOK)
@require_safe
def change_set_list(request: PageRequest) -> HttpResponse:
    """Plans and what became of them, the latest first."""
    page = page_of(finished_plans(), request, PER_PAGE)
    return render(request, "change_sets/list.html", {"page": page, "outcomes": outcomes_of(list(page))})


@requires(MAY_CHANGE)
@require_POST
@for_selection
def change_set_new(request: PageRequest, selection: Selection) -> HttpResponse:
    """The form for the numbers of a selection; what it posts comes to `change_set_plan`."""
    return form_page(request, selection, bulk_form(selection.numbers, QueryDict()))


@requires(MAY_CHANGE)
@require_POST
@for_selection
def change_set_plan(request: PageRequest, selection: Selection) -> HttpResponse:
    form = bulk_form(selection.numbers, request.POST)
    if form.mistakes:
        return form_page(request, selection, form, status=422)
    if not form.wished:
        sentence = "Nothing is to be changed yet: choose at least one field."
        return form_page(request, selection, form, sentence, status=422)
    origin = origin_of(request, ChangeSet.Source.BULK, form.reason, selection.kept)
    try:
        plan = make_plan(origin, form.wished, wishes(selection.numbers, form.wished))
    except ChangeRefused as refused:
        return form_page(request, selection, form, str(refused), status=422)
    return redirect("numbers:change_set_detail", plan.pk)


def origin_of(
    request: PageRequest, source: ChangeSet.Source, reason: str, selection: Mapping[str, Any], **more: Any
) -> Origin:
    return Origin(
        user=request.user,
        source=source,
        idempotency_key=request.POST.get("idempotency_key") or new_key(),
        reason=reason,
        request_id=request_id(),
        selection=selection,
        **more,
    )


def form_page(
    request: PageRequest, selection: Selection, form: BulkForm, sentence: str = "", *, status: int = 200
) -> HttpResponse:
    context = {
        "selection": selection,
        "form": form,
        "sentence": sentence,
        "placeholders": PLACEHOLDERS,
        "idempotency_key": request.POST.get("idempotency_key") or new_key(),
    }
    return render(request, "change_sets/new.html", context, status=status)


@requires(MAY_LOOK)
@require_safe
def change_set_detail(request: PageRequest, pk: str) -> HttpResponse:
    """The plan, and once it is applied how far it is; polled while it is under way."""
    change_set = found(pk)
    response = detail_page(request, change_set)
    return response if change_set.state == ChangeSet.State.APPLYING else stop_polling(request, response)


def stop_polling(request: PageRequest, response: HttpResponse) -> HttpResponse:
    return HttpResponseStopPolling(response.content) if request.GET.get("polled") and request.htmx else response


def finished_plans() -> QuerySet[ChangeSet]:
    """Of one that is still being made, or whose making broke off, there is nothing to look at."""
    return ChangeSet.objects.filter(is_planned=True).exclude(plan_hash="")


def found(pk: str) -> ChangeSet:
    return get_object_or_404(finished_plans(), pk=pk)


def detail_page(
    request: PageRequest,
    change_set: ChangeSet,
    *,
    sentence: str = "",
    stale: StalePlan | None = None,
    status: int = 200,
) -> HttpResponse:
    outcome = outcome_of(change_set)
    shown = request.GET.get("show", "")
    page = page_of(outcome.changes_in(change_set, shown), request, PER_PAGE)
    context = {
        "change_set": change_set,
        "asked": asked_lines(change_set),
        "outcome": outcome,
        "shown": shown if shown in outcome.groups else "",
        "page": page,
        "page_query": f"show={shown}&" if shown in outcome.groups else "",
        "rows": in_log(list(page)),
        "steps": change_set.events.order_by("pk"),
        "retried": count_retried(change_set) if change_set.state in OVER else 0,
        "canary": CANARY if outcome.sent > CANARY else None,
        "typed_count": request.POST.get("typed_count", ""),
        "sentence": sentence,
        "stale": stale,
        "may_change": request.user.has_perm(MAY_CHANGE),
        "idempotency_key": new_key(),
    }
    return render_page(request, "change_sets/detail.html", context, piece="progress", status=status)


@requires(MAY_CHANGE)
@require_POST
def change_set_apply(request: PageRequest, pk: str) -> HttpResponse:
    """Send what the plan says, if it is still the plan that was looked at."""
    plan = found(pk)
    try:
        apply_plan(
            plan,
            expected_hash=request.POST.get("hash", ""),
            user=request.user,
            typed_count=read_count(request.POST.get("typed_count", "")),
            matching=find_matching(plan.selection["filter"]) if plan.selection else None,
            canary=CANARY if request.POST.get("canary") else None,
            request_id=request_id(),
        )
    except CountNeeded as needed:
        return detail_page(request, plan, sentence=str(needed), status=422)
    except StalePlan as stale:
        return detail_page(request, plan, sentence=str(stale), stale=stale, status=409)
    except ChangeRefused as refused:
        return detail_page(request, plan, sentence=str(refused), status=409)
    ring_for_plan(plan)
    return redirect("numbers:change_set_detail", plan.pk)


@requires(MAY_CHANGE)
@require_POST
def change_set_again(request: PageRequest, pk: str) -> HttpResponse:
    """A plan of the same wishes, from the values there are now; it takes the place of the old one."""
    old = found(pk)
    try:
        plan = made_anew(request, old)
    except ChangeRefused as refused:
        return detail_page(request, old, sentence=str(refused), status=409)
    with suppress(ChangeRefused):  # It was applied before: then it stays.
        discard_plan(old)
    return redirect("numbers:change_set_detail", plan.pk)


def made_anew(request: PageRequest, old: ChangeSet) -> ChangeSet:
    """For what its filter finds now, where it was made by one. Raises ChangeRefused."""
    source = ChangeSet.Source(old.source)
    if not old.selection:
        return plan_anew(origin_of(request, source, old.reason, {}), old)
    selection = matching(old.selection["filter"])
    origin = origin_of(request, source, old.reason, selection.kept)
    return make_plan(origin, old.asked, wishes(selection.numbers, old.asked))


@requires(MAY_CHANGE)
@require_POST
def change_set_discard(request: PageRequest, pk: str) -> HttpResponse:
    plan = found(pk)
    try:
        discard_plan(plan)
    except ChangeRefused as refused:
        return detail_page(request, plan, sentence=str(refused), status=409)
    return redirect(reverse("numbers:change_set_list"))


@requires(MAY_CHANGE)
@require_POST
def change_set_pause(request: PageRequest, pk: str) -> HttpResponse:
    return take_step(request, pk, pause_change_set)


@requires(MAY_CHANGE)
@require_POST
def change_set_resume(request: PageRequest, pk: str) -> HttpResponse:
    return take_step(request, pk, resume_change_set)


@requires(MAY_CHANGE)
@require_POST
def change_set_cancel(request: PageRequest, pk: str) -> HttpResponse:
    return take_step(request, pk, cancel_change_set)


def take_step(request: PageRequest, pk: str, step: Callable[..., ChangeSet]) -> HttpResponse:
    """Whoever comes too late is told what it is by now."""
    change_set = found(pk)
    try:
        step(change_set, user=request.user, request_id=request_id())
    except ChangeRefused as refused:
        change_set.refresh_from_db()
        return detail_page(request, change_set, sentence=str(refused), status=409)
    ring_for_plan(change_set)
    return redirect("numbers:change_set_detail", change_set.pk)
