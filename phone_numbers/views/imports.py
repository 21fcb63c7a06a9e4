"""Plans out of a table: a file is chosen, its columns are matched, all its errors are told at once."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from phone_numbers.models import ChangeSet
from phone_numbers.services.change_imports import CLEAR, ImportReport, import_plan
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.editing import title_of
from phone_numbers.services.import_columns import ACCOUNT, NUMBER, editable_names, import_template
from phone_numbers.views.attempts import new_key
from phone_numbers.views.change_sets import MAY_CHANGE, origin_of
from phone_numbers.views.pages import PageRequest, requires

SHOWN_ERRORS = 200
LARGEST_BYTES = 50 * 1024 * 1024
FIELD = "column-"


@requires(MAY_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: PageRequest) -> HttpResponse:
    if request.method != "POST":
        return import_page(request)
    file = request.FILES.get("file")
    reason = request.POST.get("reason", "").strip()
    if file is None:
        return import_page(request, sentence="Choose a file first.", status=422)
    if (file.size or 0) > LARGEST_BYTES:
        return import_page(request, sentence="The file is larger than 50 MB. Split it.", status=422)
    origin = origin_of(request, ChangeSet.Source.IMPORT, reason, {})
    try:
        report = import_plan(origin, file, name=file.name or "", mapping=posted_mapping(request))
    except ChangeRefused as refused:
        return import_page(request, sentence=str(refused), status=422)
    if report.change_set:
        return redirect("numbers:change_set_detail", report.change_set.pk)
    return import_page(request, report=report, status=422 if report.error_count else 200)


def posted_mapping(request: PageRequest) -> dict[str, str]:
    """Header to field, as the last answer's form has them."""
    return {name.removeprefix(FIELD): request.POST[name] for name in request.POST if name.startswith(FIELD)}


def import_page(
    request: PageRequest, *, report: ImportReport | None = None, sentence: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "report": report,
        "errors": report.errors[:SHOWN_ERRORS] if report else [],
        "sentence": sentence,
        "fields": [(name, title_of(name)) for name in (NUMBER, ACCOUNT, *editable_names())],
        "clear": CLEAR,
        "reason": request.POST.get("reason", ""),
        "idempotency_key": new_key(),
    }
    return render(request, "imports/new.html", context, status=status)


@requires(MAY_CHANGE)
@require_safe
def import_template_download(request: PageRequest) -> HttpResponse:  # noqa: ARG001
    """An empty table with every column that is read."""
    response = HttpResponse(import_template(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="numberdesk-import.csv"'
    return response
