"""A list out of pasted text. Whoever has its address sees its numbers; what was pasted, only its author."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from phone_numbers.filters.pasted import MOST_LINES, match_pasted
from phone_numbers.models import NumberList
from phone_numbers.services.lists import keep_list
from phone_numbers.views.pages import PageRequest, requires

TITLES = {
    "not_found": ("Not found", "No account has these."),
    "ambiguous": ("Could be several", "Open the one you mean, or paste it in full, with its country code."),
    "unreadable": ("Not a number", "Nothing in these lines reads like a phone number of 7 to 15 digits."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    title: str
    advice: str
    lines: list[tuple[int, str, list[tuple[int, str]]]]


@requires("numbers.view_phonenumber")
@require_http_methods(["GET", "HEAD", "POST"])
def number_paste(request: PageRequest) -> HttpResponse:
    typed = request.POST.get("text", "").replace("\0", "")
    context = {"list_url": reverse("numbers:list"), "most": MOST_LINES, "typed": typed, "refusal": ""}
    if request.method == "POST":
        try:
            pasted = match_pasted(typed)
        except ValueError as error:
            return render(request, "numbers/paste.html", {**context, "refusal": str(error)}, status=422)
        remarks = {**pasted.as_remarks(), "repeated": pasted.repeated}
        return redirect("numbers:pasted", keep_list(request.user, pasted.found, remarks).pk)
    return render(request, "numbers/paste.html", context)


@requires("numbers.view_phonenumber")
@require_safe
def number_pasted(request: PageRequest, pk: str) -> HttpResponse:
    """What became of each line."""
    kept = get_object_or_404(NumberList, pk=pk, user=request.user, expires_at__gt=timezone.now())
    problems = [Problem(*TITLES[kind], kept.remarks[kind]) for kind in TITLES if kept.remarks.get(kind)]
    context = {
        "list_url": reverse("numbers:list"),
        "kept": kept,
        "found": kept.numbers.count(),
        "repeated": kept.remarks.get("repeated", 0),
        "problems": problems,
    }
    return render(request, "numbers/pasted.html", context)
