"""What every page's response carries, whatever the page is about, and how much may be sent to one.

Stands after django-structlog's middleware, whose request id it puts in the response for error messages to quote; but
what is too large is turned away before anything reads it.
"""

from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from dashboard.sign_in import sign_in_and_keep
from phone_numbers.views.pages import MOST_DIGITS, PageRequest

MOST_BODY_BYTES = 64 * 1024 * 1024
"""More than the largest file of an import, and the form around it. Strangers fill no disk: what is sent is read, and
kept in a file, before it is known who sends it."""

GetResponse = Callable[[PageRequest], HttpResponse]


def body_limit(get_response: GetResponse) -> GetResponse:
    """A body without a length is not read at all."""

    def middleware(request: PageRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length[:MOST_DIGITS]) > MOST_BODY_BYTES:
            return HttpResponse("This is more than a page takes.", status=413, content_type="text/plain")
        return get_response(request)

    return middleware


def page_headers(get_response: GetResponse) -> GetResponse:
    """HTML is never kept by a cache, and is known to depend on who asks: a window or htmx."""

    def middleware(request: PageRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Request-ID"] = structlog.contextvars.get_contextvars().get("request_id", "")
        if response.get("Content-Type", "").startswith("text/html"):
            response.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ["HX-Request"])
        return response

    return middleware


def forms_only(get_response: GetResponse) -> GetResponse:
    """Whoever opens an address that only takes forms, out of a bookmark or a history, is told where to go."""

    def middleware(request: PageRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 405 or request.method != "GET":
            return response
        page = render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page

    return middleware


def sign_in_again(get_response: GetResponse) -> GetResponse:
    """A redirect to the sign-in page, met inside htmx, moves the whole window; it is not painted into the page.

    A form that was sent too late is not lost: signing in leads back to it.
    """

    def middleware(request: PageRequest) -> HttpResponse:
        response = get_response(request)
        sign_in = resolve_url(settings.LOGIN_URL)
        if response.status_code != 302 or not response["Location"].startswith(f"{sign_in}?"):
            return response
        if not request.htmx:
            leads_back_here = response["Location"] == redirect_to_login(request.get_full_path()).url
            return sign_in_and_keep(request) if request.method == "POST" and leads_back_here else response
        here = request.htmx.current_url_abs_path or resolve_url(settings.LOGIN_REDIRECT_URL)
        moved = HttpResponse(status=204, headers={"HX-Redirect": f"{sign_in}?{urlencode({'next': here})}"})
        patch_vary_headers(moved, ["HX-Request"])
        return moved

    return middleware
