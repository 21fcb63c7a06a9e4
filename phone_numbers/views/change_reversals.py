"""Undo, or ask again: each makes a plan and shows it. Keeping theirs only says so. Nothing is sent from here."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from phone_numbers.models import Change, ChangeSet
from phone_numbers.services.change_plans import Origin
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_reversals import (
    RETRIED,
    plan_again,
    plan_retry,
    plan_undo,
    plan_undo_of_change,
)
from phone_numbers.services.verdicts import keep_theirs
from phone_numbers.views.change_sets import MAY_CHANGE, found, origin_of
from phone_numbers.views.changes import came_from
from phone_numbers.views.pages import PageRequest, request_id, requires

Source = ChangeSet.Source


@requires(MAY_CHANGE)
@require_POST
def change_set_undo(request: PageRequest, pk: str) -> HttpResponse:
    """Of what it did itself or, if asked, of what came into force by trying again, too."""
    change_set, with_retries = found(pk), "retries" in request.POST
    back = reverse("numbers:change_set_detail", args=[pk])
    return show_plan(
        request, Source.UNDO, lambda origin: plan_undo(origin, change_set, with_retries=with_retries), back
    )


@requires(MAY_CHANGE)
@require_POST
def change_set_retry(request: PageRequest, pk: str) -> HttpResponse:
    """Only what failed, or what conflicted; as a bulk edit like the first one, or an import, or whatever that was."""
    change_set = found(pk)
    back = reverse("numbers:change_set_detail", args=[pk])
    source = Source(change_set.source)
    states = (Change.State.CONFLICT,) if request.POST.get("which") == Change.State.CONFLICT else RETRIED
    return show_plan(request, source, lambda origin: plan_retry(origin, change_set, states), back)


@requires(MAY_CHANGE)
@require_POST
def change_undo(request: PageRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(Change.objects.select_related("change_set"), pk=pk)
    back = reverse("numbers:detail", args=[change.number_id])
    return show_plan(request, Source.UNDO, lambda origin: plan_undo_of_change(origin, change), back)


@requires(MAY_CHANGE)
@require_POST
def change_again(request: PageRequest, pk: int) -> HttpResponse:
    """Mine once more, though they had another value: that is what the plan starts from."""
    change = get_object_or_404(Change.objects.select_related("change_set"), pk=pk)
    back = reverse("numbers:detail", args=[change.number_id])
    source = Source(change.change_set.source)
    return show_plan(request, source, lambda origin: plan_again(origin, change), back)


@requires(MAY_CHANGE)
@require_POST
def change_keep(request: PageRequest, pk: int) -> HttpResponse:
    """Theirs stays. Where this was asked from is shown again."""
    change = get_object_or_404(Change.objects.select_related("change_set"), pk=pk)
    try:
        keep_theirs(change, user=request.user, request_id=request_id())
    except ChangeRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The provider’s value stays. The number’s history says that you decided so.")
    return came_from(request, change)


def show_plan(
    request: PageRequest, source: ChangeSet.Source, make: Callable[[Origin], ChangeSet], back: str
) -> HttpResponse:
    """The plan, or where they came from with the sentence why there is none."""
    reason = request.POST.get("reason", "").strip()
    try:
        plan = make(origin_of(request, source, reason, {}))
    except ChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect(back)
    return redirect("numbers:change_set_detail", plan.pk)
