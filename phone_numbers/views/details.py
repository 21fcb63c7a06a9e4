"""One number: everything known of it, the form that edits it, and its history."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from phone_numbers.models import Change, ChangeSet, Event, PhoneNumber
from phone_numbers.services.change_plans import WAITING
from phone_numbers.services.provider_sheets import FIELDS, ProviderSheet, provider_sheet
from phone_numbers.services.refresh import refresh_number
from phone_numbers.views.absences import find_absence
from phone_numbers.views.attempts import Attempt, ask_for_change, submitted
from phone_numbers.views.changes import LoggedChange, in_log
from phone_numbers.views.destinations import destinations
from phone_numbers.views.editors import Editor, editor_of
from phone_numbers.views.freshness import freshness_of
from phone_numbers.views.local_panels import LocalPanel, local_panel
from phone_numbers.views.pages import PageRequest, render_page, request_id, requires, wants_piece
from phone_numbers.views.places import list_suffix, trail_of
from phone_numbers.views.timeline import timeline_of
from phone_numbers.views.values import field_title
from providers.registry import PROVIDERS

LEVELS = {"success": messages.SUCCESS, "warning": messages.WARNING, "error": messages.ERROR}


@requires("numbers.view_phonenumber")
@require_safe
def number_detail(request: PageRequest, pk: int) -> HttpResponse:
    number = find_number(pk)
    timeline = timeline_of(number, request.GET)
    status = 422 if timeline.mistake else 200
    if wants_piece(request):
        context = {"number": number, "timeline": timeline, "is_piece": True}
        return render(request, "numbers/_timeline.html", context, status=status)
    context = detail_context(request, number) | {"timeline": timeline}
    return render(request, "numbers/detail.html", context, status=status)


@requires("numbers.change_phonenumber")
@require_http_methods(["GET", "HEAD", "POST"])
def number_edit(request: PageRequest, pk: int) -> HttpResponse:
    """Where the form of the number's page is sent, and the form of a cell when there is no JavaScript."""
    page = address_of(request, pk)
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
    if wants_piece(request):
        context = edit_context(request, number, editor) | {"latest": latest_change(number)}
    else:
        context = detail_context(request, number, editor=editor)
    return render_page(request, "numbers/detail.html", context, piece="edit", status=attempt.status)


@requires("numbers.add_syncrun")
@require_POST
def number_refresh(request: PageRequest, pk: int) -> HttpResponse:
    """Reads the number while the person waits, and says what came of it on its page."""
    refreshed = refresh_number(find_number(pk), user=request.user, request_id=request_id())
    messages.add_message(request, LEVELS[refreshed.tone], refreshed.sentence)
    page = address_of(request, pk)
    return HttpResponseClientRedirect(page) if wants_piece(request) else redirect(page)


def find_number(pk: int) -> PhoneNumber:
    numbers = PhoneNumber.objects.select_related("account", "payload").defer("account__credentials")
    return get_object_or_404(numbers, pk=pk)


def address_of(request: PageRequest, pk: int) -> str:
    """The number's page, still within the list it was opened from."""
    return f"{reverse('numbers:detail', args=[pk])}{list_suffix(request)}"


def edit_context(request: PageRequest, number: PhoneNumber, editor: Editor) -> dict[str, Any]:
    return {
        "number": number,
        "account": number.account,
        "editor": editor,
        "reason": request.POST.get("reason", ""),
        "may_edit": request.user.has_perm("numbers.change_phonenumber"),
        "suffix": list_suffix(request),
    }


def detail_context(
    request: PageRequest, number: PhoneNumber, *, editor: Editor | None = None, local: LocalPanel | None = None
) -> dict[str, Any]:
    account = number.account
    sheet = sheet_of(number)
    return {
        **edit_context(request, number, editor or editor_of(number)),
        "trail": trail_of(request, number),
        "timeline": timeline_of(number, request.GET),
        "destinations": destinations(number),
        "local": local or local_panel(request, number),
        "blank": blanks_of(sheet),
        "extras": [(field_title(account, name), value) for name, value in number.extras.items()],
        "subaccount": account.subaccounts.filter(remote_id=number.subaccount).first() if number.subaccount else None,
        "latest": latest_change(number),
        "last_read": number.events.filter(kind=Event.Kind.READ).first(),
        "payload": list(flattened(number.payload.body)) if hasattr(number, "payload") else [],
        "console_url": PROVIDERS[account.provider].console_url(number.remote_id) if sheet else "",
        "demo_accounts": [account] if account.is_demo else [],
        "freshness": freshness_of([account], [account.pk]),
        "absence": find_absence(number),
    }


def sheet_of(number: PhoneNumber) -> ProviderSheet | None:
    """None for a provider this server does not know."""
    provider = PROVIDERS.get(number.account.provider)
    return provider_sheet(provider) if provider else None


def blanks_of(sheet: ProviderSheet | None) -> Mapping[str, SafeString]:
    """What stands where a number has nothing: no value, or a provider that does not report any."""
    untold = {rule.name for rule in sheet.rules if not rule.is_read} if sheet else set()
    words = {name: f"Not reported by {sheet.title}" if sheet and name in untold else "–" for name in FIELDS}
    return {name: format_html('<span class="none">{}</span>', word) for name, word in words.items()}


def flattened(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and value of everything in a payload, in the provider's order."""
    if isinstance(value, dict | list) and value:
        places = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in places:
            yield from flattened(item, f"{path}.{name}" if path else str(name))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def latest_change(number: PhoneNumber) -> LoggedChange | None:
    """The change under way, one that waits in a plan, or the newest one when it did not end well."""
    asked = number.changes.filter(~Q(state__in=Change.UNASKED) | WAITING)
    asked = asked.select_related("change_set", "number__account")
    change = asked.filter(state__in=Change.LIVE).first() or asked.first()
    if change is None or change.state == Change.State.CONFIRMED:
        return None
    (latest,) = in_log([change])
    return None if latest.is_settled else latest
