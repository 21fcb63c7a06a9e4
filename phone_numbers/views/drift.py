"""The inbox of what changed at the providers without us: accepted, ignored or put back by a plan, many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from phone_numbers.models import ChangeSet, DriftVerdict, Event
from phone_numbers.services.change_requests import LONGEST_REASON, ChangeRefused
from phone_numbers.services.change_reversals import plan_restore
from phone_numbers.services.editing import edit_of
from phone_numbers.services.verdicts import SETTINGS, find_drift, judge_drift
from phone_numbers.views.change_sets import MAY_CHANGE, origin_of
from phone_numbers.views.pages import (
    PageRequest,
    accounts_by_id,
    read_id,
    request_id,
    requires,
    slice_of,
    unknown_among,
)
from phone_numbers.views.timeline import Difference, in_words
from phone_numbers.views.values import ROUTES, find_labels

PER_PAGE = 50
KINDS: Mapping[str, str] = {
    "settings": "Settings",
    "compliance": "10DLC and toll-free",
    "money": "Price and renewal",
    "other": "Everything else",
}
STATES: Mapping[str, str] = {"open": "To decide", "decided": "Decided", "all": "All"}
VERDICTS: Mapping[str, DriftVerdict.Kind] = {
    "accept": DriftVerdict.Kind.ACCEPTED,
    "ignore": DriftVerdict.Kind.IGNORED,
}


@dataclass(frozen=True, slots=True)
class DriftLine:
    event: Event
    difference: Difference
    now: str
    """The present value, where it is another one by now."""
    verdict: DriftVerdict | None


@requires("numbers.view_event")
@require_safe
def drift_list(request: PageRequest) -> HttpResponse:
    accounts = accounts_by_id()
    kind, state = request.GET.get("kind", "settings"), request.GET.get("state", "open")
    chosen = request.GET.get("account", "")
    mistakes = unknown_among(("kind", kind, KINDS), ("state", state, STATES), ("account", chosen, accounts))
    context: dict[str, Any] = {"kinds": KINDS, "states": STATES, "accounts": accounts}
    if mistakes:
        return render(request, "drift/list.html", {**context, "mistakes": mistakes}, status=422)
    found = find_drift(kind=kind, state="" if state == "all" else state, account=int(chosen) if chosen else None)
    told = found.select_related("number__account", "number__payload", "verdict__plan")
    slice_ = slice_of(told.defer("number__account__credentials", "number__payload__body"), request, PER_PAGE)
    asked = {"kind": kind, "state": state, **({"account": chosen} if chosen else {})}
    shown = {"kind": kind, "state": state, "chosen": chosen, "slice": slice_, "kept": f"{urlencode(asked)}&"}
    return render(request, "drift/list.html", {**context, **shown, "lines": drift_lines(slice_.rows)})


def drift_lines(events: Sequence[Event]) -> list[DriftLine]:
    """In words, with one query for the names of all routes."""
    values = [value for each in events if each.field in ROUTES for value in (each.before, each.after, now_of(each))]
    labels = find_labels((each.number.account_id for each in events), values) if values else {}

    def words(event: Event, before: str, after: str) -> Difference:
        return in_words(event.number, labels, event.field, before, after)

    return [
        DriftLine(
            event=event,
            difference=words(event, event.before, event.after),
            now="" if now_of(event) == event.after else words(event, "", now_of(event)).after,
            verdict=getattr(event, "verdict", None),
        )
        for event in events
    ]


def now_of(event: Event) -> str:
    return event.number.value(event.field) if event.field in SETTINGS else event.after


@requires(MAY_CHANGE)
@require_POST
def drift_judge(request: PageRequest) -> HttpResponse:
    """Of what is ticked, or of the one line whose button it was."""
    back = came_from(request)
    events = ticked_events(request)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:LONGEST_REASON]
    verb = request.POST.get("verdict", "")
    if not events:
        messages.error(request, "Nothing is ticked. Tick the changes that you mean.")
        return redirect(back)
    if verb == "restore":
        return restore(request, events, reason, back)
    if verb not in VERDICTS:
        messages.error(request, "This form is damaged. Load the page again.")
        return redirect(back)
    kind = VERDICTS[verb]
    count = judge_drift(events, kind, user=request.user, request_id=request_id(), reason=reason)
    messages.success(request, f"{kind.label}: {count:,} change{'' if count == 1 else 's'}.")
    return redirect(back)


def restore(request: PageRequest, events: list[Event], reason: str, back: str) -> HttpResponse:
    if not any(edit_of(event.number.account, event.field) for event in events):
        messages.error(request, "Nobody can set this at the provider: it can be accepted, or ignored.")
        return redirect(back)
    try:
        plan = plan_restore(origin_of(request, ChangeSet.Source.RESTORE, reason, {}), events)
    except ChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect(back)
    return redirect("numbers:change_set_detail", plan.pk)


def ticked_events(request: PageRequest) -> list[Event]:
    ids = {pk for each in request.POST.getlist("event") if (pk := read_id(each))}
    events = find_drift().filter(pk__in=sorted(ids)[:PER_PAGE]).select_related("number__account")
    return list(events.defer("number__account__credentials"))


def came_from(request: PageRequest) -> str:
    """The inbox as it was filtered, or the page of the number."""
    if number := read_id(request.POST.get("number", "")):
        return reverse("numbers:detail", args=[number])
    names = [name for name in ("kind", "state", "account") if request.POST.get(name)]
    return f"{reverse('numbers:drift_list')}?{urlencode({name: request.POST[name] for name in names})}"
