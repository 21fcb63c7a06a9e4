"""The one door to the dashboard and its admin site, with a limit on failed attempts.

The limit is per user name and address, so nobody can lock out a colleague from elsewhere. It lives in the database and
therefore holds for all processes together.

What somebody sent whose session was over is kept in the sign-in page itself, and is sent again when they say so.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.csrf import csrf_failure

from dashboard.models import SignInAttempt
from phone_numbers.services.demo import DEMO_PASSWORD, DEMO_USER

ALLOWED_FAILURES = 5
WINDOW = timedelta(minutes=15)
TOKEN, TOKEN_HEADER = "csrfmiddlewaretoken", "X-CSRFToken"


def client_address(request: HttpRequest) -> str:
    """Behind a proxy the last address of X-Forwarded-For: the one the proxy itself wrote, not the client."""
    if settings.BEHIND_PROXY:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def attempt_key(request: HttpRequest, username: str) -> str:
    return salted_hmac("dashboard.sign_in", f"{client_address(request)} {username.casefold()}").hexdigest()


def begin_attempt(key: str) -> None:
    """Note an attempt before it is decided, so that simultaneous ones count too. Raises ValidationError.

    One further ahead than the clocks of several servers differ means that the clock was put back.
    """
    now = timezone.now()
    SignInAttempt.objects.filter(Q(at__lte=now - WINDOW) | Q(at__gt=now + WINDOW)).delete()
    attempt = SignInAttempt.objects.create(key=key, at=now)
    seen = SignInAttempt.objects.filter(key=key).aggregate(count=Count("pk"), first=Min("at"))
    if seen["count"] > ALLOWED_FAILURES:
        attempt.delete()
        raise ValidationError(blocked_sentence(seen["first"] + WINDOW - now), code="blocked")


def blocked_sentence(wait: timedelta) -> str:
    minutes = max(1, -(-wait // timedelta(minutes=1)))
    return (
        f"Too many failed sign-ins with this user name from your address. "
        f"Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    )


class SignInForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if not (username and self.request):
            return super().clean()
        key = attempt_key(self.request, username)
        begin_attempt(key)
        cleaned = super().clean()
        SignInAttempt.objects.filter(key=key).delete()
        return cleaned


class SignInView(LoginView):
    form_class = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if settings.DEMO and not settings.PRODUCTION:
            kwargs |= {"demo_user": DEMO_USER, "demo_password": DEMO_PASSWORD}
        return super().get_context_data(kept=self.request.POST.get("kept", ""), **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if not (kept := list(read_kept(self.request.POST.get("kept", "")))):
            return response
        context = {"address": self.get_success_url(), "fields": kept}
        return render(self.request, "registration/send_again.html", context)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        status = 429 if form.has_error(NON_FIELD_ERRORS, "blocked") else 200
        return self.render_to_response(self.get_context_data(form=form), status=status)


def sign_in_and_keep(request: HttpRequest) -> HttpResponse:
    """The sign-in page for somebody whose form came too late. Its token was right, so the form is one of our own."""
    fields = [[name, value] for name, values in request.POST.lists() for value in values if name != TOKEN]
    context = {"form": SignInForm(request), "next": request.get_full_path(), "kept": json.dumps(fields)}
    return render(request, "registration/login.html", context, status=401)


def read_kept(text: str) -> Iterator[tuple[str, str]]:
    """Names and values; nothing of what is none of ours."""
    try:
        for name, value in json.loads(text):
            yield str(name), str(value)
    except (ValueError, TypeError):
        return


def form_grown_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """With the token that its page needs to send it again; other sites cannot read it."""
    response = csrf_failure(request, reason)
    response[TOKEN_HEADER] = get_token(request)
    return response
