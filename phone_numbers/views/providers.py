"""What each provider lets Numberdesk read and change."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from phone_numbers.services.provider_sheets import FIELDS, provider_sheet
from phone_numbers.views.pages import PageRequest, requires
from providers.registry import PROVIDERS


@requires("numbers.view_phonenumber")
@require_safe
def provider_list(request: PageRequest) -> HttpResponse:
    sheets = [provider_sheet(provider) for provider in PROVIDERS.values()]
    matrix = [(title, [sheet.rule(name) for sheet in sheets]) for name, title in FIELDS.items()]
    return render(request, "providers/list.html", {"sheets": sheets, "matrix": matrix})
