"""Plivo's HTTP API over a simulated world: paths, authentication, paging, validation and error bodies.

From the Plivo API reference and what plivo-python 4.63 sends and expects (Nov 2026). How a row is written down is
`plivo_rows`; what is true is the world.
"""

import base64
import binascii
import re
import time
import uuid
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from providers.simulator import plivo_rows as rows
from providers.simulator.numbers import Number
from providers.simulator.plivo_update import Refusal, read_update
from providers.simulator.server import Request, Response
from providers.simulator.world import Account, World

PAGE_LIMIT = 20
RATE_REQUESTS, RATE_SECONDS = 300, 5.0
CACHED_LISTINGS = 8


ERRORS = {
    401: "authentication failed",
    403: "access to this resource is denied",
    404: "not found",
    405: "method not allowed",
    429: "rate limit exceeded",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose numbers a request may see: a main account's, or only one of its subaccounts'."""

    account: Account
    path_id: str
    subaccount: str = ""


class Plivo:
    """One instance serves every Plivo account of a world."""

    provider = "plivo"
    host = "api"

    def __init__(self, world: World, *, rate_limit: bool = False, cursors: bool = False) -> None:
        self.world = world
        self._rate_limit = rate_limit
        self._cursors = cursors
        self._recent: dict[str, deque[float]] = {}
        self._listings: dict[tuple[str, ...], Sequence[int]] = {}

    def answer(self, request: Request) -> Response:
        with self.world.lock:
            self.world.settle()
            try:
                caller = self._caller(request)
                self._count(caller.account.id)
                return self._dispatch(caller, request)
            except Refusal as refusal:
                return self.error(refusal.status, str(refusal))

    def error(self, status: int, error: str = "") -> Response:
        return respond(status, {"error": error or ERRORS.get(status, "internal server error")})

    def account_of(self, request: Request) -> Account | None:
        try:
            return self._caller(request).account
        except Refusal:
            return None

    def _caller(self, request: Request) -> Caller:
        user, token = request.signed_in_as
        match = re.match(r"/v1/Account/(\w+)/", request.path)
        path_id = match[1] if match else ""
        for account in self.world.accounts.values():
            if account.provider == self.provider:
                tokens = {account.id: account.token}
                tokens.update({sub.id: sub.token for sub in account.subaccounts.values() if sub.enabled})
                if user in tokens and tokens[user] == token:
                    return _scoped(account, user, path_id)
        raise Refusal(401, "authentication failed")

    def _count(self, account_id: str) -> None:
        if not self._rate_limit:
            return
        now = time.monotonic()
        recent = self._recent.setdefault(account_id, deque())
        while recent and recent[0] <= now - RATE_SECONDS:
            recent.popleft()
        if len(recent) >= RATE_REQUESTS:
            raise Refusal(429, ERRORS[429])
        recent.append(now)

    def _dispatch(self, caller: Caller, request: Request) -> Response:
        rest = request.path.removeprefix(f"/v1/Account/{caller.path_id}/")
        for pattern, methods in ROUTES:
            if match := pattern.fullmatch(rest):
                if request.method not in methods:
                    raise Refusal(405, ERRORS[405])
                return methods[request.method](self, caller, request, *match.groups())
        raise Refusal(404, ERRORS[404])

    def show_account(self, caller: Caller, _: Request) -> Response:
        if caller.subaccount:
            raise Refusal(404, ERRORS[404])
        return respond(200, rows.account_row(caller.account))

    def list_numbers(self, caller: Caller, request: Request) -> Response:
        offset, limit = self._window(request)
        account = caller.account
        listing = self._listing(caller, request.query)
        if listing is None:
            total, numbers = len(account), account.page(offset, limit)
        else:
            total = len(listing)
            numbers = [account.at_position(position) for position in listing[offset : offset + limit]]
        objects = [rows.number_row(number, account.id) for number in numbers]
        return respond(200, {"meta": self._meta(request, offset, limit, total), "objects": objects})

    def show_number(self, caller: Caller, _: Request, digits: str) -> Response:
        number = self._number(caller, digits)
        return respond(200, rows.number_row(number, caller.account.id))

    def update_number(self, caller: Caller, request: Request, digits: str) -> Response:
        number = self._number(caller, digits)
        changes = read_update(caller.account, number, _json_body(request))
        if caller.subaccount and "subaccount" in changes:
            raise Refusal(403, "only the main account can transfer numbers")
        self.world.change(caller.account, digits, (request.method, request.path), **changes)
        return respond(202, {"message": "changed"})

    def delete_number(self, caller: Caller, request: Request, digits: str) -> Response:
        self._number(caller, digits)
        self.world.remove(caller.account, digits, (request.method, request.path))
        return Response(204)

    def list_campaign_numbers(self, caller: Caller, request: Request, campaign_id: str) -> Response:
        campaign = _known(caller.account.campaigns, campaign_id)
        offset, limit = self._window(request)
        positions = self._listing(caller, {"tendlc_campaign_id": campaign.id}) or ()
        linked = [_linked(caller.account.at_position(position)) for position in positions]
        states = [link["status"] for link in linked]
        return respond(
            200,
            {
                "campaign_id": campaign.id,
                "campaign_alias": campaign.name,
                "usecase": campaign.usecase,
                "phone_numbers": linked[offset : offset + limit],
                "phone_numbers_summary": {state: states.count(state) for state in sorted(set(states))},
                "number_pool_limit": 49,
            },
        )

    def show_campaign_number(self, caller: Caller, _: Request, campaign_id: str, digits: str) -> Response:
        campaign = _known(caller.account.campaigns, campaign_id)
        number = caller.account.find(digits)
        if number is None or number.campaign != campaign.id:
            raise Refusal(404, f"The number {digits} is not linked to this campaign")
        row = {"campaign_id": campaign.id, "campaign_alias": campaign.name, "phone_number": _linked(number)}
        return respond(200, row)

    def page(self, request: Request, key: str, found: Sequence[rows.Row]) -> Response:
        offset, limit = self._window(request)
        meta = self._meta(request, offset, limit, len(found))
        return respond(200, {"meta": meta, key: found[offset : offset + limit]})

    def _number(self, caller: Caller, digits: str) -> Number:
        number = caller.account.find(digits)
        if number is None or caller.subaccount not in ("", number.subaccount):
            raise Refusal(404, ERRORS[404])
        return number

    def _listing(self, caller: Caller, query: Mapping[str, str]) -> Sequence[int] | None:
        """Positions of the numbers the filters leave, remembered until the account changes; None: no filter."""
        asked = {name: value for name, value in query.items() if name in rows.FILTERS and value}
        if caller.subaccount:
            asked["subaccount"] = caller.subaccount
        if not asked:
            return None
        key = (caller.account.id, str(caller.account.version), str(sorted(asked.items())))
        if key not in self._listings:
            if len(self._listings) >= CACHED_LISTINGS:
                self._listings.clear()
            tests = [rows.FILTERS[name](value) for name, value in asked.items()]
            found = (number.position for number in caller.account if all(test(number) for test in tests))
            self._listings[key] = array("L", found)
        return self._listings[key]

    def _window(self, request: Request) -> tuple[int, int]:
        query = request.query
        limit = _whole(query, "limit", PAGE_LIMIT)
        if not 1 <= limit <= PAGE_LIMIT:
            raise Refusal(400, f"limit must be between 1 and {PAGE_LIMIT}")
        if self._cursors and "cursor" in query and "offset" not in query:
            return _opened(query["cursor"]), limit
        return _whole(query, "offset", 0), limit

    def _meta(self, request: Request, offset: int, limit: int, total: int) -> dict[str, Any]:
        kept = {name: value for name, value in request.query.items() if name not in ("limit", "offset", "cursor")}

        def link(there: int) -> str:
            place = {"cursor": _sealed(there)} if self._cursors else {"offset": str(there)}
            return request.link(**kept, limit=str(limit), **place)

        return {
            "limit": limit,
            "next": link(offset + limit) if offset + limit < total else None,
            "offset": offset,
            "previous": link(max(0, offset - limit)) if offset > 0 else None,
            "total_count": total,
        }


def respond(status: int, body: Mapping[str, Any]) -> Response:
    api_id = str(uuid.uuid4())
    headers = {"Content-Type": "application/json", "X-Request-ID": api_id}
    return Response(status, msgspec.json.encode({"api_id": api_id, **body}), headers)


def _scoped(account: Account, user: str, path_id: str) -> Caller:
    if path_id == user == account.id:
        return Caller(account, path_id)
    if path_id in account.subaccounts and user in (account.id, path_id):
        return Caller(account, path_id, path_id)
    raise Refusal(404, ERRORS[404])


def _known(things: Mapping[str, Any], thing_id: str) -> Any:
    if thing_id not in things:
        raise Refusal(404, ERRORS[404])
    return things[thing_id]


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdigit()):
        raise Refusal(400, f"{name} must be a whole number")
    return int(value)


def _sealed(offset: int) -> str:
    return base64.urlsafe_b64encode(f"at:{offset}".encode()).decode().rstrip("=")


def _opened(cursor: str) -> int:
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        place = ""
    if not re.fullmatch(r"at:\d+", place):
        raise Refusal(400, "invalid cursor")
    return int(place[3:])


def _json_body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(400, "content type must be application/json")
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refusal(400, "invalid JSON in the request body") from error


def _linked(number: Number) -> dict[str, str]:
    return {"number": number.digits, "status": rows.TENDLC_WORDS[number.tendlc]}


@dataclass(frozen=True, slots=True)
class Collection:
    """A list and its members that are only read: which things, how written, under which key, filtered how."""

    attribute: str
    row: Callable[[Any, str], rows.Row]
    key: str = "objects"
    filters: tuple[tuple[str, str], ...] = ()
    """Query parameter and the row's field it must equal."""

    def list_all(self, api: Plivo, caller: Caller, request: Request) -> Response:
        found = self._rows(caller)
        for parameter, name in self.filters:
            if wanted := request.query.get(parameter):
                found = [row for row in found if row[name] == wanted]
        return api.page(request, self.key, found)

    def show(self, _: Plivo, caller: Caller, __: Request, thing_id: str) -> Response:
        row = self.row(_known(getattr(caller.account, self.attribute), thing_id), caller.account.id)
        return respond(200, row if self.key == "objects" else {self.key.removesuffix("s"): row})

    def _rows(self, caller: Caller) -> list[rows.Row]:
        things = getattr(caller.account, self.attribute).values()
        found = [self.row(thing, caller.account.id) for thing in things]
        return [row for row in found if caller.subaccount in ("", row.get("sub_account", ""))]


APPLICATIONS = Collection(
    "applications", rows.application_row, filters=(("subaccount", "sub_account"), ("app_name", "app_name"))
)
SUBACCOUNTS = Collection("subaccounts", rows.subaccount_row)
TRUNKS = Collection(
    "trunks",
    rows.trunk_row,
    filters=(("trunk_status", "trunk_status"), ("trunk_direction", "trunk_direction"), ("name", "name")),
)
CAMPAIGNS = Collection(
    "campaigns",
    rows.campaign_row,
    "campaigns",
    tuple((name, name) for name in ("brand_id", "usecase", "registration_status", "campaign_source")),
)

Endpoint = Callable[..., Response]
ROUTES: Sequence[tuple[re.Pattern[str], Mapping[str, Endpoint]]] = tuple(
    (re.compile(pattern), methods)
    for pattern, methods in (
        (r"Number/", {"GET": Plivo.list_numbers}),
        (
            r"Number/(\w+)/",
            {"GET": Plivo.show_number, "POST": Plivo.update_number, "DELETE": Plivo.delete_number},
        ),
        (r"", {"GET": Plivo.show_account}),
        (r"Application/", {"GET": APPLICATIONS.list_all}),
        (r"Application/(\w+)/", {"GET": APPLICATIONS.show}),
        (r"Subaccount/", {"GET": SUBACCOUNTS.list_all}),
        (r"Subaccount/(\w+)/", {"GET": SUBACCOUNTS.show}),
        (r"Zentrunk/Trunk/", {"GET": TRUNKS.list_all}),
        (r"Zentrunk/Trunk/(\w+)/", {"GET": TRUNKS.show}),
        (r"10dlc/Campaign/", {"GET": CAMPAIGNS.list_all}),
        (r"10dlc/Campaign/(\w+)/", {"GET": CAMPAIGNS.show}),
        (r"10dlc/Campaign/(\w+)/Number/", {"GET": Plivo.list_campaign_numbers}),
        (r"10dlc/Campaign/(\w+)/Number/(\w+)/", {"GET": Plivo.show_campaign_number}),
    )
)
