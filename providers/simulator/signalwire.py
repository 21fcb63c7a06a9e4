"""SignalWire's HTTP API over a simulated world: Relay REST numbers and campaign registry, and the compatibility API.

From the SignalWire REST reference and specification and what signalwire-sdk 3.7.5 sends and expects (Nov 2026). A
token opens what its scopes allow; without the scope the answer is 401, as the reference's authorization page says.
"""

import base64
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from providers.simulator import signalwire_rows as rows
from providers.simulator.numbers import Number
from providers.simulator.server import REASONS, Request, Response
from providers.simulator.signalwire_world import PROJECT_OF, SCOPES
from providers.simulator.world import Account, World

PAGE_SIZE, PAGE_LIMIT = 50, 1000
CACHED_LISTINGS = 8
RELAY, COMPAT = "/api/relay/rest/", "/api/laml/2010-04-01/"


class Refusal(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Caller:
    account: Account
    scopes: frozenset[str]


class SignalWire:
    """One instance serves every project of a world, whatever its space."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._listings: dict[tuple[object, ...], Sequence[int]] = {}

    def answer(self, request: Request) -> Response:
        with self.world.lock:
            self.world.settle()
            try:
                return self._dispatch(self._caller(request), request)
            except rows.Invalid as invalid:
                return respond(422, {"errors": [_invalid(detail) for detail in invalid.details]})
            except Refusal as refusal:
                return compat_error(refusal.status) if request.path.startswith(COMPAT) else self.error(refusal.status)

    def error(self, status: int) -> Response:
        if status == 422:
            return respond(422, {"errors": [_invalid("The request could not be processed")]})
        return respond(status, {"error": REASONS.get(status, "Unknown")})

    def account_of(self, request: Request) -> Account:
        return self._caller(request).account

    def _caller(self, request: Request) -> Caller:
        project_id, token = request.signed_in_as
        if not project_id or PROJECT_OF.get(token) != project_id:
            raise Refusal(401)
        return Caller(self.world.accounts["signalwire", project_id], SCOPES[token])

    def _dispatch(self, caller: Caller, request: Request) -> Response:
        for pattern, scopes, methods in ROUTES:
            if match := pattern.fullmatch(request.path):
                if not any(scope <= caller.scopes for scope in scopes):
                    raise Refusal(401)
                if request.method not in methods:
                    raise Refusal(404)
                return methods[request.method](self, caller.account, request, *match.groups())
        raise Refusal(404)

    def list_numbers(self, account: Account, request: Request) -> Response:
        number, size, anchor = _window(request, PAGE_LIMIT)
        listing = self._listing(account, request.query)
        if listing is None:
            total, start = len(account), 0 if anchor is None else account.rank(anchor - 1)
            page = account.page(start, size)
        else:
            total, start = len(listing), 0 if anchor is None else bisect_left(listing, 1 - anchor, key=lambda at: -at)
            page = [account.at_position(position) for position in listing[start : start + size]]
        links = _links(request, number, size, page[-1].position if start + len(page) < total and page else None)
        return respond(200, {"links": links, "data": [rows.number_row(number, account.id) for number in page]})

    def _listing(self, account: Account, query: Mapping[str, str]) -> Sequence[int] | None:
        """Positions of the numbers the filters leave, newest first; None: no filter."""
        name, digits = query.get("filter_name", ""), query.get("filter_number", "")
        if not name and not digits:
            return None

        def fits(number: Number) -> bool:
            return name in (number.alias or "") and digits in f"+{number.digits}"

        return self._remembered(account, (name, digits), fits)

    def _remembered(self, account: Account, asked: tuple[str, ...], fits: Callable[[Number], bool]) -> Sequence[int]:
        key = (account.id, account.version, *asked)
        if key not in self._listings:
            if len(self._listings) >= CACHED_LISTINGS:
                self._listings.clear()
            self._listings[key] = array("L", (number.position for number in account if fits(number)))
        return self._listings[key]

    def show_number(self, account: Account, _: Request, remote_id: str) -> Response:
        return respond(200, rows.number_row(_number(account, remote_id), account.id))

    def update_number(self, account: Account, request: Request, remote_id: str) -> Response:
        number = _number(account, remote_id)
        changes = rows.read_update(account, number, _json_body(request))
        self.world.change(account, number.digits, (request.method, request.path), **changes)
        return self.show_number(account, request, remote_id)

    def delete_number(self, account: Account, request: Request, remote_id: str) -> Response:
        self.world.remove(account, _number(account, remote_id).digits, (request.method, request.path))
        return Response(204, b"")

    def list_brands(self, account: Account, request: Request) -> Response:
        brands = dict.fromkeys(campaign.brand for campaign in account.campaigns.values())
        return _paged(request, [rows.brand_row(brand, account) for brand in brands])

    def list_campaigns(self, account: Account, request: Request, brand_id: str) -> Response:
        found = [rows.campaign_row(campaign) for campaign in account.campaigns.values() if campaign.brand == brand_id]
        if not found:
            raise Refusal(404)
        return _paged(request, found)

    def list_assignments(self, account: Account, request: Request, campaign_id: str) -> Response:
        if campaign_id not in account.campaigns:
            raise Refusal(404)

        def fits(number: Number) -> bool:
            return number.campaign == campaign_id and number.tendlc in rows.ASSIGNMENT_STATES

        positions = self._remembered(account, ("campaign", campaign_id), fits)
        numbers = map(account.at_position, positions)
        return _paged(request, [rows.assignment_row(number, account.id) for number in numbers])

    def list_compat_numbers(self, account: Account, request: Request, project_id: str) -> Response:
        found = [rows.compat_number_row(number, account.id) for number in account.page(0, PAGE_LIMIT)]
        return _compat_paged(account, request, project_id, "incoming_phone_numbers", found)

    def list_applications(self, account: Account, request: Request, project_id: str) -> Response:
        found = [rows.application_row(application, account.id) for application in account.applications.values()]
        return _compat_paged(account, request, project_id, "applications", found)


def respond(status: int, body: Mapping[str, Any]) -> Response:
    return Response(status, msgspec.json.encode(body), {"Content-Type": "application/json; charset=utf-8"})


def compat_error(status: int) -> Response:
    """20003 is the one number the reference gives, for 401; the others follow the same habit."""
    code, message = {401: (20003, "Authentication failed"), 404: (20404, "The requested resource was not found")}.get(
        status, (20001, REASONS.get(status, "Unknown"))
    )
    help_page = "https://developer.signalwire.com/compatibility-api/reference/errors"
    return respond(status, {"code": code, "message": message, "more_info": help_page, "status": status})


def _invalid(detail: str) -> dict[str, str]:
    return {"detail": detail, "status": "422", "title": "Invalid Attribute", "code": "422"}


def _number(account: Account, remote_id: str) -> Number:
    position = rows.position_of(account.id, remote_id)
    number = None if position is None else account.find_at(position)
    if number is None:
        raise Refusal(404)
    return number


def _json_body(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(400)
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refusal(400) from error


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Refusal(400)
    return int(value)


def _window(request: Request, limit: int) -> tuple[int, int, int | None]:
    """Page number, page size, and the place the token marks. Beyond the first page the token is required."""
    number, size = _whole(request.query, "page_number", 0), _whole(request.query, "page_size", PAGE_SIZE)
    token = request.query.get("page_token", "")
    if not 1 <= size <= limit or (number and not token):
        raise Refusal(400)
    return number, size, _opened(token) if token else None


def _sealed(place: int) -> str:
    return "PA" + base64.urlsafe_b64encode(f"after:{place}".encode()).decode().rstrip("=")


def _opened(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token.removeprefix("PA") + "=" * (-(len(token) - 2) % 4)).decode()
    except ValueError as error:
        raise Refusal(400) from error
    if not re.fullmatch(r"after:\d{1,12}", text):
        raise Refusal(400)
    return int(text.removeprefix("after:"))


def _links(request: Request, number: int, size: int, last: int | None) -> dict[str, str]:
    """Relative, and `next` is absent rather than null on the last page."""
    kept = {name: value for name, value in request.query.items() if name.startswith("filter_")}
    own = {name: request.query[name] for name in ("page_token",) if name in request.query}
    links = {
        "self": request.link(**kept, page_number=str(number), page_size=str(size), **own),
        "first": request.link(**kept, page_number="0", page_size=str(size)),
    }
    if last is not None:
        token = _sealed(last)
        links["next"] = request.link(**kept, page_number=str(number + 1), page_size=str(size), page_token=token)
    return links


def _paged(request: Request, found: Sequence[rows.Row]) -> Response:
    """The registry's lists carry the same links, though their reference names no paging parameters."""
    if state := request.query.get("filter_state", ""):
        found = [row for row in found if row["state"] == state]
    if name := request.query.get("filter_name", ""):
        found = [row for row in found if name in (row.get("name") or "")]
    number, size, start = _window(request, PAGE_LIMIT)
    after = (start or 0) + size
    links = _links(request, number, size, after if after < len(found) else None)
    return respond(200, {"links": links, "data": found[start or 0 : after]})


def _compat_paged(account: Account, request: Request, project_id: str, key: str, found: list[rows.Row]) -> Response:
    if project_id != account.id:
        raise Refusal(404)
    page, size = _whole(request.query, "Page", 0), _whole(request.query, "PageSize", PAGE_SIZE)
    if not 1 <= size <= PAGE_LIMIT:
        raise Refusal(400)
    after = (page + 1) * size
    body = {
        "uri": request.link(Page=str(page), PageSize=str(size)),
        "first_page_uri": request.link(Page="0", PageSize=str(size)),
        "next_page_uri": request.link(Page=str(page + 1), PageSize=str(size)) if after < len(found) else None,
        "previous_page_uri": request.link(Page=str(page - 1), PageSize=str(size)) if page else None,
        "page": page,
        "page_size": size,
        key: found[after - size : after],
    }
    return respond(200, body)


NUMBERS = (frozenset(("numbers",)),)
REGISTRY = (frozenset(("messaging", "numbers")),)
APPLICATIONS = (frozenset(("calling",)), frozenset(("messaging",)), frozenset(("fax",)))
"""Any one of them will do."""

Endpoint = Callable[..., Response]
ROUTES: Sequence[tuple[re.Pattern[str], Sequence[frozenset[str]], Mapping[str, Endpoint]]] = tuple(
    (re.compile(pattern), scopes, methods)
    for pattern, scopes, methods in (
        (rf"{RELAY}phone_numbers", NUMBERS, {"GET": SignalWire.list_numbers}),
        (
            rf"{RELAY}phone_numbers/([\w-]+)",
            NUMBERS,
            {"GET": SignalWire.show_number, "PUT": SignalWire.update_number, "DELETE": SignalWire.delete_number},
        ),
        (rf"{RELAY}registry/beta/brands", REGISTRY, {"GET": SignalWire.list_brands}),
        (rf"{RELAY}registry/beta/brands/([\w-]+)/campaigns", REGISTRY, {"GET": SignalWire.list_campaigns}),
        (rf"{RELAY}registry/beta/campaigns/([\w-]+)/numbers", REGISTRY, {"GET": SignalWire.list_assignments}),
        (
            rf"{COMPAT}Accounts/([\w-]+)/IncomingPhoneNumbers(?:\.json)?",
            NUMBERS,
            {"GET": SignalWire.list_compat_numbers},
        ),
        (rf"{COMPAT}Accounts/([\w-]+)/Applications(?:\.json)?", APPLICATIONS, {"GET": SignalWire.list_applications}),
    )
)
