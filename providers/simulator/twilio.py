"""Twilio's HTTP APIs over a simulated world: v2010 at the api host, v1 at trunking and messaging.

From the Twilio API references and what twilio-python 9.13 sends and expects (Nov 2026). How rows are written is
`twilio_rows`; what an update accepts is `twilio_update`; what is true is the world.
"""

import fnmatch
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from providers.simulator import twilio_pages as pages
from providers.simulator import twilio_rows as rows
from providers.simulator import twilio_world
from providers.simulator.numbers import Number
from providers.simulator.server import REASONS, Request, Response
from providers.simulator.twilio_update import Refusal, read_update
from providers.simulator.world import Account, Campaign, World

CACHED_INDEXES = 4
ERRORS: Mapping[int, tuple[int, str]] = {
    401: (20003, "Authenticate"),
    405: (20004, "Method not allowed"),
    429: (20429, "Too Many Requests"),
    500: (20500, "Internal Server Error"),
}
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<TwilioResponse></TwilioResponse>'
FORM = "application/x-www-form-urlencoded"
PN = r"PN[0-9a-fA-F]{32}"

Index = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Caller:
    account: Account
    """Whose resources the path, or else the credentials, stand for."""
    is_key: bool
    """A standard API key: it opens everything but accounts."""


class Twilio:
    """One instance serves one of the three hosts for every Twilio account of a world."""

    def __init__(self, world: World, host: str) -> None:
        self.world = world
        self.host = host
        self._indexes: dict[tuple[str, int], Index] = {}

    def answer(self, request: Request) -> Response:
        with self.world.lock:
            self.world.settle()
            try:
                return self._dispatch(request)
            except Refusal as refusal:
                return self._refused(request, refusal)

    def error(self, status: int) -> Response:
        return refused(status, *ERRORS.get(status, (20000 + status, REASONS.get(status, "Unknown"))))

    def account_of(self, request: Request) -> Account:
        return self._caller(request).account

    def _refused(self, request: Request, refusal: Refusal) -> Response:
        if refusal.code:
            return refused(refusal.status, refusal.code, str(refusal))
        if refusal.status == 404:
            return refused(404, 20404, f"The requested resource {request.path} was not found")
        return self.error(refusal.status)

    def _caller(self, request: Request) -> Caller:
        user, password = request.signed_in_as
        is_key = (user, password) == (twilio_world.KEY_SID, twilio_world.KEY_SECRET)
        signed_in = self.world.accounts.get(("twilio", twilio_world.ACCOUNT_SID if is_key else user))
        if signed_in is None or not (is_key or password == signed_in.token):
            raise Refusal(401)
        match = re.match(r"/2010-04-01/Accounts/(\w+)", request.path)
        return Caller(self._meant(signed_in, match[1]) if match else signed_in, is_key)

    def _meant(self, signed_in: Account, account_sid: str) -> Account:
        """The main account's token opens its subaccounts in v2010; a subaccount's opens nothing but its own."""
        if account_sid not in (signed_in.id, twilio_world.OTHER_ACCOUNT_SID):
            raise Refusal(401 if account_sid == twilio_world.ACCOUNT_SID else 404)
        return self.world.accounts["twilio", account_sid]

    def _dispatch(self, request: Request) -> Response:
        caller = self._caller(request)
        found = self._endpoint(request, request.path)
        if found is not None:
            endpoint, parts = found
            return endpoint(self, caller, request, *parts)
        if self.host == "api" and self._endpoint(request, f"{request.path}.json"):
            return Response(200, XML, {"Content-Type": "application/xml"})
        raise Refusal(404)

    def _endpoint(self, request: Request, path: str) -> "tuple[Endpoint, tuple[str, ...]] | None":
        for pattern, methods in ROUTES[self.host]:
            if match := pattern.fullmatch(path):
                if request.method not in methods:
                    raise Refusal(405)
                if request.method == "POST" and not request.headers.get("content-type", "").startswith(FORM):
                    raise Refusal(415)
                return methods[request.method], match.groups()
        return None

    def show_account(self, caller: Caller, _: Request) -> Response:
        self._only_for_tokens(caller)
        return respond(200, self._account_row(caller.account))

    def list_accounts(self, caller: Caller, request: Request) -> Response:
        self._only_for_tokens(caller)
        found = [self._account_row(caller.account)]
        if caller.account.id == twilio_world.ACCOUNT_SID:
            other = self.world.accounts["twilio", twilio_world.OTHER_ACCOUNT_SID]
            closed = rows.account_row(*twilio_world.CLOSED_ACCOUNT, other.token, twilio_world.ACCOUNT_SID, "closed")
            found += [self._account_row(other), closed]
        wanted = {"status": request.query.get("Status"), "friendly_name": request.query.get("FriendlyName")}
        found = [row for row in found if all(value in (None, row[name]) for name, value in wanted.items())]
        return self._page(request, "accounts", pages.listing_of(found))

    def list_numbers(self, caller: Caller, request: Request, by_type: str | None) -> Response:
        account, query = caller.account, request.query
        asked = {name: query[name] for name in ("FriendlyName", "PhoneNumber", "Origin") if query.get(name)}
        if query.get("Beta", "true") not in ("true", "false"):
            raise Refusal(400, 20001, "Beta is not valid")
        listing = pages.everything(account, rows.number_row)
        if by_type is not None or asked:
            numbers = map(account.at_position, self._index(account)[by_type]) if by_type else iter(account)
            fitting = array("L", (number.position for number in numbers if _fits(number, asked)))
            listing = pages.some(account, fitting, rows.number_row)
        return self._page(request, "incoming_phone_numbers", listing)

    def show_number(self, caller: Caller, _: Request, sid: str) -> Response:
        return respond(200, rows.number_row(_number(caller.account, sid), caller.account.id))

    def update_number(self, caller: Caller, request: Request, sid: str) -> Response:
        number = _number(caller.account, sid)
        changes = read_update(caller.account, number, _form(request))
        if changes:
            self.world.change(caller.account, number.digits, (request.method, request.path), **changes)
        return self.show_number(caller, request, sid)

    def delete_number(self, caller: Caller, request: Request, sid: str) -> Response:
        self.world.remove(caller.account, _number(caller.account, sid).digits, (request.method, request.path))
        return Response(204)

    def list_applications(self, caller: Caller, request: Request) -> Response:
        found = [rows.application_row(one, caller.account) for one in caller.account.applications.values()]
        name = request.query.get("FriendlyName")
        found = [row for row in found if name in (None, row["friendly_name"])]
        return self._page(request, "applications", pages.listing_of(found))

    def show_application(self, caller: Caller, _: Request, sid: str) -> Response:
        return respond(200, rows.application_row(_known(caller.account.applications, sid), caller.account))

    def list_trunks(self, caller: Caller, request: Request) -> Response:
        found = [rows.trunk_row(trunk, caller.account) for trunk in caller.account.trunks.values()]
        return self._page(request, "trunks", pages.listing_of(found))

    def show_trunk(self, caller: Caller, _: Request, sid: str) -> Response:
        return respond(200, rows.trunk_row(_known(caller.account.trunks, sid), caller.account))

    def list_trunk_numbers(self, caller: Caller, request: Request, trunk_sid: str) -> Response:
        _known(caller.account.trunks, trunk_sid)
        positions = self._index(caller.account)[trunk_sid]
        return self._page(request, "phone_numbers", pages.some(caller.account, positions, rows.trunk_number_row))

    def show_trunk_number(self, caller: Caller, _: Request, trunk_sid: str, sid: str) -> Response:
        return respond(200, rows.trunk_number_row(_on_trunk(caller.account, trunk_sid, sid), caller.account.id))

    def attach(self, caller: Caller, request: Request, trunk_sid: str) -> Response:
        _known(caller.account.trunks, trunk_sid)
        sid = _form(request).get("PhoneNumberSid", "")
        if not re.fullmatch(PN, sid):
            raise Refusal(400, 20001, "PhoneNumberSid is required")
        source = (request.method, request.path)
        self.world.change(caller.account, _number(caller.account, sid).digits, source, voice=f"trunk:{trunk_sid}")
        return respond(201, rows.trunk_number_row(_number(caller.account, sid), caller.account.id))

    def detach(self, caller: Caller, request: Request, trunk_sid: str, sid: str) -> Response:
        number = _on_trunk(caller.account, trunk_sid, sid)
        self.world.change(caller.account, number.digits, (request.method, request.path), voice="")
        return Response(204)

    def list_services(self, caller: Caller, request: Request) -> Response:
        found = [rows.service_row(campaign, caller.account) for campaign in caller.account.campaigns.values()]
        return self._page(request, "services", pages.listing_of(found))

    def list_service_numbers(self, caller: Caller, request: Request, service_sid: str) -> Response:
        campaign = _campaign(caller.account, service_sid)

        def row(number: Number, account_sid: str) -> rows.Row:
            return rows.service_number_row(number, account_sid, service_sid)

        positions = self._index(caller.account)[campaign.id]
        return self._page(request, "phone_numbers", pages.some(caller.account, positions, row))

    def list_campaigns(self, caller: Caller, request: Request, service_sid: str) -> Response:
        campaign = _campaign(caller.account, service_sid)
        found = [rows.campaign_row(campaign, caller.account)] if campaign.status else []
        return self._page(request, "compliance", pages.listing_of(found))

    def list_verifications(self, caller: Caller, request: Request) -> Response:
        numbers = map(caller.account.at_position, self._index(caller.account)["verifications"])
        found = [rows.verification_row(number, caller.account.id) for number in numbers]
        for parameter, name in (("Status", "status"), ("TollfreePhoneNumberSid", "tollfree_phone_number_sid")):
            if wanted := request.query.get(parameter):
                found = [row for row in found if row[name] == wanted]
        return self._page(request, "verifications", pages.listing_of(found))

    def _page(self, request: Request, key: str, listing: pages.Listing) -> Response:
        return respond(200, pages.page(request, self.host, key, listing))

    def _index(self, account: Account) -> Index:
        """Positions of the numbers under everything they are listed under, in one look at all of them."""
        key = account.id, account.version
        if key not in self._indexes:
            if len(self._indexes) >= CACHED_INDEXES:
                self._indexes.clear()
            index: dict[str, array[int]] = defaultdict(lambda: array("L"))
            for number in account:
                for heading in _headings(number):
                    index[heading].append(number.position)
            self._indexes[key] = index
        return self._indexes[key]

    def _only_for_tokens(self, caller: Caller) -> None:
        if caller.is_key:
            raise Refusal(401)

    def _account_row(self, account: Account) -> rows.Row:
        return rows.account_row(account.id, account.name, account.token, twilio_world.ACCOUNT_SID)


def respond(status: int, body: Mapping[str, Any]) -> Response:
    return Response(status, msgspec.json.encode(body))


def refused(status: int, code: int, message: str) -> Response:
    detail = {"detail": ""} if status == 401 else {}
    help_page = f"https://www.twilio.com/docs/errors/{code}"
    return respond(status, {"code": code, **detail, "message": message, "more_info": help_page, "status": status})


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def _headings(number: Number) -> Iterator[str]:
    kind, _, target = number.voice.partition(":")
    if kind == "trunk":
        yield target
    if number.campaign:
        yield number.campaign
    if rows.verification_status(number):
        yield "verifications"
    yield from (name for name, types in rows.BY_TYPE.items() if number.number_type in types)


def _fits(number: Number, asked: Mapping[str, str]) -> bool:
    """`PhoneNumber` is a part of the number, `*` in it any digit; the others are the whole value."""
    pattern = re.sub(r"[^0-9*+]", "", asked.get("PhoneNumber", "")).replace("+", "").replace("*", "?")
    named = asked.get("FriendlyName") in (None, rows.friendly_name(number))
    origin = asked.get("Origin") in (None, "hosted" if number.quirk == 99 else "twilio")
    return named and origin and fnmatch.fnmatchcase(number.digits, f"*{pattern}*")


def _known(things: Mapping[str, Any], sid: str) -> Any:
    if sid not in things:
        raise Refusal(404)
    return things[sid]


def _number(account: Account, sid: str) -> Number:
    number = account.find(rows.digits_of(sid))
    if number is None:
        raise Refusal(404)
    return number


def _on_trunk(account: Account, trunk_sid: str, sid: str) -> Number:
    number = _number(account, sid)
    if number.voice != f"trunk:{trunk_sid}":
        raise Refusal(404)
    return number


def _campaign(account: Account, service_sid: str) -> Campaign:
    campaign: Campaign = _known({rows.service_sid(one): one for one in account.campaigns.values()}, service_sid)
    return campaign


Endpoint = Callable[..., Response]
_ACCOUNT = r"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}"
_TRUNK, _SERVICE = r"/v1/Trunks/(TK[0-9a-fA-F]{32})", r"/v1/Services/(MG[0-9a-fA-F]{32})"
_PATHS: Mapping[str, Mapping[str, Mapping[str, Endpoint]]] = {
    "api": {
        r"/2010-04-01/Accounts\.json": {"GET": Twilio.list_accounts},
        rf"{_ACCOUNT}\.json": {"GET": Twilio.show_account},
        rf"{_ACCOUNT}/IncomingPhoneNumbers(?:/(Local|Mobile|TollFree))?\.json": {"GET": Twilio.list_numbers},
        rf"{_ACCOUNT}/IncomingPhoneNumbers/({PN})\.json": {
            "GET": Twilio.show_number,
            "POST": Twilio.update_number,
            "DELETE": Twilio.delete_number,
        },
        rf"{_ACCOUNT}/Applications\.json": {"GET": Twilio.list_applications},
        rf"{_ACCOUNT}/Applications/(AP[0-9a-fA-F]{{32}})\.json": {"GET": Twilio.show_application},
    },
    "trunking": {
        r"/v1/Trunks": {"GET": Twilio.list_trunks},
        _TRUNK: {"GET": Twilio.show_trunk},
        rf"{_TRUNK}/PhoneNumbers": {"GET": Twilio.list_trunk_numbers, "POST": Twilio.attach},
        rf"{_TRUNK}/PhoneNumbers/({PN})": {"GET": Twilio.show_trunk_number, "DELETE": Twilio.detach},
    },
    "messaging": {
        r"/v1/Services": {"GET": Twilio.list_services},
        rf"{_SERVICE}/PhoneNumbers": {"GET": Twilio.list_service_numbers},
        rf"{_SERVICE}/Compliance/Usa2p": {"GET": Twilio.list_campaigns},
        r"/v1/Tollfree/Verifications": {"GET": Twilio.list_verifications},
    },
}
HOSTS = tuple(_PATHS)
ROUTES = {host: [(re.compile(path), methods) for path, methods in paths.items()] for host, paths in _PATHS.items()}
