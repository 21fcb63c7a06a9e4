"""The only place that talks HTTP to a provider.

It never sends credentials to a host, nor makes a call, that it was not told of beforehand; never follows a redirect;
never waits past a deadline or reads past a limit; and never repeats a write: whoever asked for one reads again first.
"""

import base64
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpcore
import httpx

from providers.decoding import Unreadable, decode_json, is_json, read_body
from providers.errors import (
    MalformedResponse,
    NotSent,
    NotWanted,
    ProviderError,
    RateLimited,
    Transient,
    Unavailable,
    Unsupported,
)
from providers.limits import Limiter
from providers.network import GuardedTransport
from providers.status import default_words, error_for, one_line

logger = logging.getLogger(__name__)
for name in ("httpx", "httpcore"):
    logging.getLogger(name).setLevel(logging.WARNING)  # At INFO, httpx logs whole addresses.

HEADERS = {"User-Agent": "Numberdesk", "Accept": "application/json", "Accept-Encoding": "gzip"}
NETWORK_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
    httpx.HTTPError,
    httpx.StreamError,
)
MOST_PAGES = 100_000
"""Of one list, by links: a million numbers, twenty at a time, twice over. Each link may be new and lead nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request, and one read with its repetitions, may cost."""

    deadline_seconds: float = 30.0
    """Of one request, from the first look-up of the name to the last byte of the answer."""
    connect_seconds: float = 5.0
    body_bytes: int = 4 * 1024 * 1024
    """Of one answer, on the wire and inflated. Decoded JSON can take thirty times as much."""
    attempts: int = 4
    """Of a read. A write is sent once."""
    backoff_seconds: float = 0.5
    max_backoff_seconds: float = 30.0
    max_wait_seconds: float = 150.0
    """Between the attempts of one read, all together."""
    total_seconds: float | None = None
    """Of everything a client does from when it is opened, where a person waits for it."""


@dataclass(slots=True)
class Stats:
    requests: int = 0
    retries: int = 0


class HttpClient:
    """Speaks to one account at one provider, from any number of threads. Every failure is a `ProviderError`."""

    def __init__(
        self,
        base_urls: Mapping[str, str],
        authorization: tuple[str, str],
        *,
        allowed_calls: Iterable[tuple[str, str]],
        limiter: Limiter | None = None,
        may_call: Callable[[], bool] = lambda: True,
        may_send: Callable[[], bool] = lambda: True,
        limits: Limits = Limits(),
        title: str = "The provider",
        error_words: Callable[[Any], str] = lambda _: "",
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.stats = Stats()
        self._title = title
        self._base_urls = {host: httpx.URL(url.rstrip("/")) for host, url in base_urls.items()}
        self._allowed_calls = [(method, re.compile(path)) for method, path in allowed_calls]
        self._limiter, self._may_call, self._may_send = limiter, may_call, may_send
        self._error_words, self._sleep, self._clock = error_words, sleep, clock
        self._over_at = None if limits.total_seconds is None else clock() + limits.total_seconds
        self._secrets = (base64.b64encode(":".join(authorization).encode()).decode(), authorization[1])
        self._followed: dict[tuple[str, str], set[str]] = {}
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._headers = {**HEADERS, "Authorization": f"Basic {self._secrets[0]}"}
        self._transport = GuardedTransport(
            map(address_of, self._base_urls.values()), connect_seconds=limits.connect_seconds, clock=clock
        )

    def get_json(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        host: str = "api",
        given_up: threading.Event | None = None,
    ) -> Any:
        """The decoded answer. Tries again, within `limits`, when the failure may pass.

        Once `given_up` is set nothing is sent any more, no waiting goes on, and NotWanted is raised.
        """
        query = urlencode(params or {})
        with self._lock:
            self._followed[host, path.lower()] = {query}
        return self._read(self._request("GET", host, path, query), given_up or threading.Event())

    def follow(self, link: object, *, host: str = "api") -> Any:
        """The page a link out of a body leads to: its path and query, but always on our own base URL.

        Raises MalformedResponse for a link to another list than one of which `get_json` read the first page, which may
        be another account's, and for one that was followed since.
        """
        try:
            parts = urlsplit(link if isinstance(link, str) else "")
            request = self._request("GET", host, parts.path, parts.query)
            with self._lock:
                followed = self._followed[host, parts.path.lower()]
        except (ValueError, KeyError, Unsupported):
            raise MalformedResponse(f"{self._title} gave a link that leads nowhere we may go.") from None
        with self._lock:
            if parts.query in followed:
                raise MalformedResponse(f"{self._title} led us around in a circle: a page's link came up twice.")
            if len(followed) >= MOST_PAGES:
                raise MalformedResponse(f"{self._title} sent a list that did not end after {MOST_PAGES:,} pages.")
            followed.add(parts.query)
        return self._read(request, threading.Event())

    def send_json(self, method: str, path: str, body: Mapping[str, object], *, host: str = "api") -> Any | None:
        """Sent once, if `may_send` still says yes: else NotSent is raised. None when the answer has no body."""
        return self._attempt(self._request(method, host, path, json=body), threading.Event())

    def send_form(self, method: str, path: str, fields: Mapping[str, str], *, host: str = "api") -> Any | None:
        """The same, form-encoded."""
        return self._attempt(self._request(method, host, path, data=fields), threading.Event())

    def close(self) -> None:
        self._transport.close()

    def __repr__(self) -> str:
        return f"<HttpClient {self._title}>"

    def _request(self, method: str, host: str, path: str, query: str = "", **body: Any) -> httpx.Request:
        """A request for an allowed call. The path must be what is sent, letter for letter: quoted, without any dots."""
        base = self._base_urls[host]
        try:
            url = httpx.URL(f"{base}{path}?{query}" if query else f"{base}{path}")
        except httpx.InvalidURL:
            raise self._not_allowed(method) from None
        prefix = base.raw_path.decode().rstrip("/")
        sent_as_given = url.raw_path.partition(b"?")[0].decode() == prefix + path
        if not sent_as_given or not any(method == verb and call.fullmatch(path) for verb, call in self._allowed_calls):
            raise self._not_allowed(method)
        return httpx.Request(method, url, headers=self._headers, **body)

    def _not_allowed(self, method: str) -> Unsupported:
        return Unsupported(f"This {method} is not among the calls Numberdesk makes at {self._title}.")

    def _read(self, request: httpx.Request, given_up: threading.Event) -> Any:
        attempt, waited = 1, 0.0
        while True:
            try:
                return self._attempt(request, given_up)
            except Transient as error:
                wait = self._wait_before_next(attempt, error)
                attempt, waited = attempt + 1, waited + wait
                if attempt > self.limits.attempts or waited > self.limits.max_wait_seconds:
                    raise
                logger.info("%s Trying again in %.1f s.", error, wait)
            self._count(retries=1)
            (self._sleep or given_up.wait)(wait)

    def _wait_before_next(self, attempt: int, error: Transient) -> float:
        """Never before the moment the provider named."""
        backoff = min(self.limits.backoff_seconds * 2.0 ** (attempt - 1), self.limits.max_backoff_seconds)
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - not for secrets
        return backoff * jitter + (error.retry_after or 0.0)

    def _attempt(self, request: httpx.Request, given_up: threading.Event) -> Any:
        self._wait_for_turn(given_up, self._seconds_left())
        if not self._may_call():
            raise NotSent(f"{self._title} is not to be called just now: nothing was sent.")
        if request.method != "GET" and not self._may_send():
            raise NotSent(
                f"The time to change anything at {self._title} was over before the turn came: nothing was sent."
            )
        request.extensions["deadline"] = self._clock() + self._seconds_left()
        self._count(requests=1)
        try:
            response = self._transport.handle_request(request)
            try:
                return self._answer(request, response)
            finally:
                response.close()
        except NETWORK_ERRORS as error:
            raise self._unavailable(error) from None
        except Unreadable as error:
            raise MalformedResponse(f"{self._title} {error}.") from None
        finally:
            if self._limiter:
                self._limiter.answered()

    def _seconds_left(self) -> float:
        """For the next request. Raises Unavailable when all the time there was is over."""
        if self._over_at is None:
            return self.limits.deadline_seconds
        left = self._over_at - self._clock()
        if left <= 0:
            raise Unavailable(f"{self._title} did not tell everything within {self.limits.total_seconds:g} seconds.")
        return min(left, self.limits.deadline_seconds)

    def _wait_for_turn(self, given_up: threading.Event, longest: float) -> None:
        """As long as a request may take. Raises RateLimited when that is not enough, NotWanted once it is given up.

        One thread at a time asks for a turn, so that the first to come is the first to go.
        """
        seconds = 0.0
        if self._limiter:
            with self._turn:
                if not given_up.is_set():
                    seconds = self._limiter.wait(longest, sleep=given_up.wait)
        if given_up.is_set():
            raise NotWanted
        if seconds:
            raise RateLimited(f"{self._title} lets us call no more for a while: nothing was sent.", retry_after=seconds)

    def _answer(self, request: httpx.Request, response: httpx.Response) -> Any:
        if not response.is_success:
            error = self._refusal(response)
            if self._limiter and isinstance(error, Transient) and error.retry_after:
                self._limiter.pause(error.retry_after)
            raise error
        body = read_body(response, self.limits.body_bytes)
        if request.method == "GET":
            if response.status_code != 200:
                raise Unreadable(f"did not send the whole answer ({response.status_code})")
        elif not body:
            return None
        if not is_json(response):
            raise Unreadable("answered with something that is not JSON")
        return decode_json(body)

    def _refusal(self, response: httpx.Response) -> ProviderError:
        try:
            raw = read_body(response, self.limits.body_bytes)
            body = decode_json(raw) if is_json(response) else None
        except (Unreadable, *NETWORK_ERRORS):
            body = None
        return error_for(self._title, response, self._words(body), body)

    def _words(self, body: Any) -> str:
        if body is None:
            return ""
        words = self._error_words(body) or default_words(body)
        for secret in filter(None, self._secrets):
            words = words.replace(secret, "•••")
        return one_line(words)

    def _unavailable(self, error: Exception) -> Unavailable:
        if isinstance(error, (httpcore.ConnectError, httpcore.ConnectTimeout)):
            return Unavailable(f"{self._title} cannot be reached ({one_line(str(error))}).")
        if isinstance(error, httpcore.TimeoutException):
            return Unavailable(f"{self._title} did not answer within {self.limits.deadline_seconds:g} seconds.")
        return Unavailable(f"{self._title} broke off the connection.")

    def _count(self, *, requests: int = 0, retries: int = 0) -> None:
        with self._lock:
            self.stats.requests += requests
            self.stats.retries += retries


def address_of(url: httpx.URL) -> tuple[str, int]:
    return url.raw_host.decode(), url.port or (443 if url.scheme == "https" else 80)
