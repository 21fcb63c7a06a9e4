"""The one place where an HTTP status becomes an error."""

import datetime as dt
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from providers.errors import (
    AuthenticationFailed,
    MalformedResponse,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
    Unavailable,
)

BY_STATUS: Mapping[int, tuple[type[ProviderError], str]] = {
    401: (AuthenticationFailed, "refused the credentials"),
    403: (AuthenticationFailed, "does not let these credentials do this"),
    404: (NotFound, "has nothing of that name in this account"),
    408: (Unavailable, "waited too long for our request"),
    429: (RateLimited, "asked us to slow down"),
}
BY_HUNDRED: Mapping[int, tuple[type[ProviderError], str]] = {
    3: (MalformedResponse, "sent us elsewhere, and redirects are never followed"),
    4: (Rejected, "refused the request"),
    5: (Unavailable, "is out of order at the moment"),
}
UNEXPECTED = (MalformedResponse, "answered with an unexpected status")

LONGEST_WORDS = 500
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 120.0
WORDS_KEYS = ("error", "message", "detail", "title", "errors", "global_error", "data", "ResponseStatus", "Message")
REFERENCE_HEADERS = ("x-request-id", "twilio-request-id")


def error_for(title: str, response: httpx.Response, words: str, body: Any = None) -> ProviderError:
    """The error this answer, with its decoded body, stands for. Only for a status that is not a success."""
    status = response.status_code
    kind, sentence = BY_STATUS.get(status) or BY_HUNDRED.get(status // 100, UNEXPECTED)
    about: dict[str, Any] = {"status": status, "words": words, "request_id": reference(response.headers, body)}
    if issubclass(kind, Transient):
        about["retry_after"] = retry_after(response.headers)
    said = f": {words.rstrip('.')}" if words and kind is Rejected else ""
    return kind(f"{title} {sentence} ({status}){said}.", **about)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from the header's seconds or date, between 1 and 120. None when absent or senseless."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        try:
            until = parsedate_to_datetime(value)
            seconds = (until.replace(tzinfo=until.tzinfo or dt.UTC) - dt.datetime.now(dt.UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def reference(headers: Mapping[str, str], body: Any) -> str:
    """What the provider's support asks for."""
    in_body = body.get("api_id") if isinstance(body, Mapping) else None
    found = next((headers[name] for name in REFERENCE_HEADERS if name in headers), in_body)
    return one_line(found)[:100] if isinstance(found, str) else ""


def default_words(body: Any) -> str:
    """What an error body says for people, whatever its shape: the first text under a telling key."""
    if isinstance(body, str):
        return body
    if isinstance(body, Mapping):
        return next((said for key in WORDS_KEYS if (said := default_words(body.get(key)))), "")
    if isinstance(body, Sequence):
        return "; ".join(filter(None, map(default_words, body[:5])))
    return ""


def one_line(text: str) -> str:
    """Printable characters only, runs of blanks made one, at most 500."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * LONGEST_WORDS])
    return " ".join(printable.split())[:LONGEST_WORDS]
