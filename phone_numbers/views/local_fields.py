"""Changing what only Numberdesk keeps of a number. Nothing here reaches a provider."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from phone_numbers.models import Note, PhoneNumber
from phone_numbers.services.local_fields import TEXTS, LocalEdit, LocalRefused, LocalStale, edit_local_fields
from phone_numbers.services.notes import NoteRefused, add_note, withdraw_note
from phone_numbers.views.details import address_of, detail_context, find_number
from phone_numbers.views.local_panels import NO_REFUSAL, Refusal, local_panel
from phone_numbers.views.pages import PageRequest, request_id, requires, wants_piece
from phone_numbers.views.places import list_suffix
from phone_numbers.views.timeline import timeline_of


@requires("numbers.change_phonenumber")
@require_POST
def local_edit(request: PageRequest, pk: int) -> HttpResponse:
    """Tags to add or to take off, or the owner and cost centre: as much of it as the form has."""
    number = find_number(pk)
    typed = {name: request.POST[name] for name in ("tags", *TEXTS) if name in request.POST}
    seen = {name: request.POST[f"base-{name}"] for name in TEXTS if f"base-{name}" in request.POST}
    edit = LocalEdit(
        **{name: typed[name] for name in TEXTS if name in typed and typed[name] != seen.get(name)},
        add_tags=[typed.get("tags", "")],
        remove_tags=request.POST.getlist("remove_tag"),
    )
    try:
        edit_local_fields([pk], edit, user=request.user, seen=seen, request_id=request_id())
    except LocalRefused as refused:
        return answer(
            request, number, Refusal(error=str(refused), error_field=refused.field, typed=typed, seen=seen), 422
        )
    except LocalStale as stale:
        return answer(request, number, Refusal(error=str(stale), typed=typed, seen=seen, current=stale.current), 409)
    return answer(request, number)


@requires("numbers.change_phonenumber")
@require_POST
def note_add(request: PageRequest, pk: int) -> HttpResponse:
    number, text = find_number(pk), request.POST.get("note", "")
    try:
        add_note(number, text, user=request.user, request_id=request_id())
    except NoteRefused as refused:
        return answer(request, number, Refusal(error=str(refused), error_field="note", typed={"note": text}), 422)
    return answer(request, number)


@requires("numbers.change_phonenumber")
@require_POST
def note_withdraw(request: PageRequest, pk: int, note: int) -> HttpResponse:
    number = find_number(pk)
    try:
        withdraw_note(get_object_or_404(Note, pk=note, number=pk), user=request.user, request_id=request_id())
    except NoteRefused as refused:
        return answer(request, number, Refusal(error=str(refused)), 422)
    return answer(request, number)


def answer(request: PageRequest, number: PhoneNumber, refusal: Refusal = NO_REFUSAL, status: int = 200) -> HttpResponse:
    """The panel as it is now, with the history beside it; without htmx the page, by a redirect when all went well."""
    if not wants_piece(request) and status == 200:
        return redirect(f"{address_of(request, number.pk)}#local")
    panel = local_panel(request, number, refusal)
    if not wants_piece(request):
        return render(request, "numbers/detail.html", detail_context(request, number, local=panel), status=status)
    context: dict[str, Any] = {"number": number, "local": panel, "suffix": list_suffix(request), "is_piece": True}
    if status == 200:
        context["timeline"] = timeline_of(number, request.GET)
    return render(request, "numbers/_local_answer.html", context, status=status)
