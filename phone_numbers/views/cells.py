"""The cells of the list that are edited in place. Without JavaScript the number's own page does the same."""

from dataclasses import replace

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseStopPolling

from phone_numbers.filters.rows import shown
from phone_numbers.models import Change, ChangeSet, PhoneNumber
from phone_numbers.services.editing import capabilities_of
from phone_numbers.views.attempts import Attempt, ask_for_change, submitted
from phone_numbers.views.changes import is_watched
from phone_numbers.views.editors import Editor, editor_of
from phone_numbers.views.pages import PageRequest, read_id, requires, wants_piece
from phone_numbers.views.rows import FIELDS, Cell, cell_of
from phone_numbers.views.values import find_labels, value_in_words


@requires("numbers.view_phonenumber")
@require_safe
def cell_show(request: PageRequest, pk: int, field: str) -> HttpResponse:
    """The cell at rest or, with `change=`, watching that change until it has ended."""
    if not wants_piece(request):
        return redirect("numbers:detail", pk)
    cell = find_cell(pk, field)
    change = find_change(request, pk)
    if change is None:
        return render_cell(request, cell)
    if is_watched(change):
        return render_cell(request, watching(cell, change))
    return HttpResponseStopPolling(ended(request, cell, change).content)


@requires("numbers.change_phonenumber")
@require_http_methods(["GET", "HEAD", "POST"])
def cell_edit(request: PageRequest, pk: int, field: str) -> HttpResponse:
    if not wants_piece(request):
        return redirect("numbers:detail", pk)
    cell = find_cell(pk, field)
    if request.method != "POST":
        return render_editor(request, cell, editor_of(cell.number, [field]))
    base, desired = submitted(request, cell.number)
    if not desired:
        return render_cell(request, cell)
    attempt = ask_for_change(request, cell.number, base=base, desired=desired, source=ChangeSet.Source.INLINE)
    if attempt.change:
        return render_cell(request, watching(cell, attempt.change))
    return render_editor(request, cell, editor_of(cell.number, [field], attempt=attempt, base=base, typed=desired))


def find_cell(pk: int, field: str) -> Cell:
    number = shown(PhoneNumber.objects.filter(pk=pk)).select_related("account", "payload").first()
    if number is None or field not in FIELDS:
        raise Http404("There is no such number, or it has no such cell.")
    return cell_of(number, field, capabilities_of(number.account))


def find_change(request: PageRequest, pk: int) -> Change | None:
    asked = read_id(request.GET.get("change", ""))
    return Change.objects.filter(pk=asked, number=pk).first() if asked else None


def watching(cell: Cell, change: Change) -> Cell:
    """The cell with what was asked for in it, though it is not in force yet."""
    value = change.desired.get(cell.field, "")
    account = cell.number.account
    words = value_in_words(account, cell.field, value, find_labels([account.pk], [value]))
    return replace(cell, lead="", text=words, live_change=change.pk)


def ended(request: PageRequest, cell: Cell, change: Change) -> HttpResponse:
    """Confirmed, or the form again with the text kept and the reason."""
    cell = replace(cell, live_change=None, ended=change)
    desired, base = change.desired.get(cell.field), change.base.get(cell.field, "")
    is_done = change.state in {Change.State.CONFIRMED, Change.State.CANCELLED} or change.is_live
    if is_done or desired is None or not request.user.has_perm("numbers.change_phonenumber"):
        return render_cell(request, cell)
    attempt = Attempt(
        refusal=change.detail or change.get_state_display(),
        refused_field=cell.field,
        is_stale=change.state == Change.State.CONFLICT,
    )
    values = {cell.field: desired}
    return render_editor(
        request, cell, editor_of(cell.number, [cell.field], attempt=attempt, base={cell.field: base}, typed=values)
    )


def render_cell(request: PageRequest, cell: Cell, status: int = 200) -> HttpResponse:
    context = {
        "cell": cell,
        "list_url": reverse("numbers:list"),
        "may_edit": request.user.has_perm("numbers.change_phonenumber"),
    }
    return render(request, "numbers/_cell_answer.html", context, status=status)


def render_editor(request: PageRequest, cell: Cell, editor: Editor) -> HttpResponse:
    if not editor.controls:
        return render_cell(request, cell, editor.attempt.status)
    context = {
        "cell": cell,
        "editor": editor,
        "control": editor.controls[0],
        "list_url": reverse("numbers:list"),
        "is_fresh": request.method != "POST" and not cell.ended,
    }
    return render(request, "numbers/_cell_editor.html", context, status=editor.attempt.status)
