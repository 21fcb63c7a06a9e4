"""Twilio's two ways of paging: relative links at the top level in v2010, absolute ones under `meta` elsewhere.

From the Twilio API references (Nov 2026). A page token is opaque to callers; here it marks the place after which a page
begins, so that numbers that come and go in between neither repeat nor hide others.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from providers.simulator.numbers import Number
from providers.simulator.server import Request
from providers.simulator.twilio_update import Refusal
from providers.simulator.world import Account

PAGE_SIZE, PAGE_LIMIT = 50, 1000

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows by rank, each at a place that stays its own."""

    length: int
    first_after: Callable[[int], int]
    """The rank of the first row after a place."""
    rows: Callable[[int, int], Sequence[tuple[int, Row]]]
    """Places and rows of so many ranks from one on."""


def listing_of(found: Sequence[Row]) -> Listing:
    return Listing(len(found), lambda place: place + 1, lambda start, size: [*enumerate(found)][start : start + size])


def everything(account: Account, row: Callable[[Number, str], Row]) -> Listing:
    def rows(start: int, size: int) -> Sequence[tuple[int, Row]]:
        return [(number.position, row(number, account.id)) for number in account.page(start, size)]

    return Listing(len(account), lambda place: account.rank(place + 1), rows)


def some(account: Account, positions: Sequence[int], row: Callable[[Number, str], Row]) -> Listing:
    def rows(start: int, size: int) -> Sequence[tuple[int, Row]]:
        return [(place, row(account.at_position(place), account.id)) for place in positions[start : start + size]]

    return Listing(len(positions), lambda place: bisect_right(positions, place), rows)


def page(request: Request, host: str, key: str, listing: Listing) -> Row:
    size, number = _whole(request, "PageSize", PAGE_SIZE), _whole(request, "Page", 0)
    if size > PAGE_LIMIT:
        raise Refusal(400, 20007, "Page size too large")
    if size < 1:
        raise Refusal(400, 20001, "PageSize must be at least 1")
    start = _start(request, listing)
    found = listing.rows(start, size)
    following = found[-1][0] if found and start + len(found) < listing.length else None
    links = _Links(request, "" if host == "api" else f"https://{host}.twilio.com", size)
    body = {"page": number, "page_size": size}
    rows = {key: [row for _, row in found]}
    if host == "api":
        return body | rows | links.v2010(number, following) | {"start": start, "end": start + max(len(found), 1) - 1}
    return rows | {"meta": body | {"key": key} | links.v1(number, following)}


def _start(request: Request, listing: Listing) -> int:
    token = request.query.get("PageToken")
    if token is None:
        return 0
    if not re.fullmatch(r"PA[0-9a-f]{32}", token):
        raise Refusal(400, 20001, "Invalid PageToken")
    return listing.first_after(int(token[2:], 16))


@dataclass(frozen=True, slots=True)
class _Links:
    request: Request
    root: str
    size: int

    def _to(self, number: int, token: str) -> str:
        kept = {name: value for name, value in self.request.query.items() if name not in ("Page", "PageToken")}
        query = kept | {"PageSize": str(self.size), "Page": str(number)} | ({"PageToken": token} if token else {})
        return f"{self.root}{self.request.path}?{urlencode(query)}"

    def _next(self, number: int, following: int | None) -> str | None:
        return None if following is None else self._to(number + 1, f"PA{following:032x}")

    def v2010(self, number: int, following: int | None) -> Row:
        return {
            "uri": self._to(number, self.request.query.get("PageToken", "")),
            "first_page_uri": self._to(0, ""),
            "next_page_uri": self._next(number, following),
            "previous_page_uri": self._to(0, "") if number == 1 else None,
        }

    def v1(self, number: int, following: int | None) -> Row:
        return {name.replace("uri", "url"): link for name, link in self.v2010(number, following).items()}


def _whole(request: Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Refusal(400, 20001, f"{name} must be a whole number")
    return int(value)
