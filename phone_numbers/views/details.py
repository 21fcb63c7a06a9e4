"""One number: everything known of it, the form that edits it, and its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from phone_numbers.models import Application, ChangeSet, Event, PhoneNumber
from phone_numbers.services.route_choices import precedence
from phone_numbers.views.absences import find_absence
from phone_numbers.views.attempts import Attempt, ask_for_change, submitted
from phone_numbers.views.changes import LoggedChange, in_log
from phone_numbers.views.editors import Editor, editor_of
from phone_numbers.views.freshness import freshness_of
from phone_numbers.views.pages import PageRequest, page_of, render_page, requires, wants_piece
from phone_numbers.views.values import Labels, field_title, find_labels, route_in_words, value_in_words
from providers.contract import Route, Service
from providers.registry import PROVIDERS

EVENTS_PER_PAGE = 30
SERVED = {"voice": {Service.VOICE}, "messages": {Service.SMS, Service.MMS}}
STEPS = {Event.Kind.SENT, Event.Kind.POSTPONED, Event.Kind.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where calls, or messages, go."""

    what: str
    is_served: bool
    """Whether the number has the service at all."""
    kind: str
    target: str
    application: Application | None
    ignored: list[tuple[str, str]]
    """What else is set, as kind and target, but not in force."""
    rule: str
    """Which of several settings is in force at this provider."""


@dataclass(frozen=True, slots=True)
class LogLine:
    event: Event
    title: str
    """The field in words, when the line is about one."""
    before: str
    after: str

    @property
    def is_telling(self) -> bool:
        """Whether before and after are worth a line; the steps in between only repeat them."""
        return bool(self.event.before or self.event.after) and self.event.kind not in STEPS


@requires("numbers.view_phonenumber")
@require_safe
def number_detail(request: PageRequest, pk: int) -> HttpResponse:
    number = find_number(pk)
    return render(request, "numbers/detail.html", detail_context(request, number, editor_of(number)))


@requires("numbers.change_phonenumber")
@require_http_methods(["GET", "HEAD", "POST"])
def number_edit(request: PageRequest, pk: int) -> HttpResponse:
    """Where the form of the number's page is sent, and the form of a cell when there is no JavaScript."""
    page = reverse("numbers:detail", args=[pk])
    if request.method != "POST":
        return redirect(f"{page}#edit")
    number = find_number(pk)
    base, desired = submitted(request, number)
    attempt = Attempt(refusal="Nothing was changed in the form, so nothing was sent.")
    if desired:
        attempt = ask_for_change(request, number, base=base, desired=desired, source=ChangeSet.Source.FORM)
    if attempt.change:
        return HttpResponseClientRedirect(page) if wants_piece(request) else redirect(page)
    editor = editor_of(number, attempt=attempt, base=base, typed=desired)
    context = detail_context(request, number, editor)
    return render_page(request, "numbers/detail.html", context, piece="edit", status=attempt.status)


def find_number(pk: int) -> PhoneNumber:
    numbers = PhoneNumber.objects.select_related("account", "payload").defer("account__credentials")
    return get_object_or_404(numbers, pk=pk)


def detail_context(request: PageRequest, number: PhoneNumber, editor: Editor) -> dict[str, Any]:
    account = number.account
    page = page_of(number.events.select_related("change__change_set", "run"), request, EVENTS_PER_PAGE)
    return {
        "number": number,
        "account": account,
        "editor": editor,
        "reason": request.POST.get("reason", ""),
        "may_edit": request.user.has_perm("numbers.change_phonenumber"),
        "destinations": destinations(number),
        "extras": [(field_title(account, name), value) for name, value in number.extras.items()],
        "subaccount": account.subaccounts.filter(remote_id=number.subaccount).first() if number.subaccount else None,
        "latest": latest_change(number),
        "page": page,
        "log": log_lines(number, list(page)),
        "console_url": PROVIDERS[account.provider].console_url(number.remote_id)
        if account.provider in PROVIDERS
        else "",
        "demo_accounts": [account] if account.is_demo else [],
        "freshness": freshness_of([account], [account.pk]),
        "absence": find_absence(number),
    }


def latest_change(number: PhoneNumber) -> LoggedChange | None:
    """The change under way, or the newest one when it did not end well."""
    change = number.changes.select_related("change_set", "number__account").first()
    return in_log([change])[0] if change and change.state != change.State.CONFIRMED else None


def destinations(number: PhoneNumber) -> list[Destination]:
    shadowed = number.payload.shadowed if hasattr(number, "payload") else {}
    routes = [number.voice, number.messages, *(Route.from_key(key) for keys in shadowed.values() for key in keys)]
    applications = number.account.applications.filter(remote_id__in=[route.target for route in routes if route.target])
    known = {each.route_key: each for each in applications}
    return [
        destination(number, what, field, [Route.from_key(key) for key in shadowed.get(field, ())], known)
        for what, field in (("Calls", "voice"), ("Messages", "messages"))
    ]


def destination(
    number: PhoneNumber, what: str, field: str, ignored: Sequence[Route], known: Mapping[str, Application]
) -> Destination:
    account, route = number.account, Route.from_key(number.value(field))
    return Destination(
        what=what,
        is_served=bool(SERVED[field] & set(number.services)),
        kind=route_in_words(account, route, "")[0],
        target=route.target,
        application=known.get(route.key),
        ignored=[route_in_words(account, each, str(known.get(each.key, ""))) for each in ignored],
        rule=precedence(account, field),
    )


def log_lines(number: PhoneNumber, events: Sequence[Event]) -> list[LogLine]:
    labels = find_labels([number.account_id], (value for event in events for value in (event.before, event.after)))
    return [log_line(number, event, labels) for event in events]


def log_line(number: PhoneNumber, event: Event, labels: Labels) -> LogLine:
    account = number.account
    before, after = (value_in_words(account, event.field, each, labels) for each in (event.before, event.after))
    title = field_title(account, event.field) if event.field else ""
    return LogLine(event, title, before, after)
