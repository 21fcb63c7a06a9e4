"""Fone Dynamics' HTTP API over a simulated world: numbers of an account or a property, configuring one, properties.

From the REST API pages Get Numbers, Configure Numbers, Get Projects and Errors (Nov 2026). The pages show no complete
answer of a number list: its envelope is taken from Get Projects. Values that are empty are left out, as the provider's
own client libraries do. Where the pages give no error text, the text is ours; only the shape is theirs.
"""

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from providers.simulator.numbers import Number
from providers.simulator.server import Request, Response
from providers.simulator.world import Account, Subaccount, World

Row = dict[str, Any]

RESULTS_LIMIT, PROPERTIES_DEFAULT = 200, 50
CACHED_LISTINGS = 8
TYPES = {"local": "Local", "toll_free": "Toll-Free", "shared_rate": "Shared-Rate", "national": "National"}
"""The four of the reference; mobile numbers are sold too and get the word one would expect."""
CAPABILITIES = {"voice": "Voice", "sms": "SMS", "mms": "MMS"}
METHODS = {
    "endpoint": ("Endpoint", "EndpointNumber"),
    "flow": ("Flow", "Flow"),
    "application": ("application", "Application"),
}
ATTRIBUTIONS = tuple(f"Attribution_{name}" for name in ("Source", "Medium", "Campaign", "Content"))
CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 429: "TOO_MANY_REQUESTS", 500: "INTERNAL_ERROR"}
E164 = re.compile(r"\+[1-9]\d{5,14}")


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class FoneDynamics:
    """One instance serves every account of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._listings: dict[tuple[object, ...], Sequence[int]] = {}

    def answer(self, request: Request) -> Response:
        with self.world.lock:
            self.world.settle()
            try:
                return self._dispatch(self.account_of(request), request)
            except Refusal as refusal:
                return _error(refusal.status, refusal.code, str(refusal), refusal.field)

    def error(self, status: int) -> Response:
        return _error(status, CODES.get(status, "INTERNAL_ERROR"), "The request could not be processed.")

    def account_of(self, request: Request) -> Account:
        account_sid, token = request.signed_in_as
        account = self.world.accounts.get(("fone_dynamics", account_sid))
        if account is None or account.token != token:
            raise Refusal(401, "UNAUTHORIZED", "Wrong or missing credentials.")
        return account

    def _dispatch(self, account: Account, request: Request) -> Response:
        for pattern, methods in ROUTES:
            if (match := pattern.fullmatch(request.path)) and request.method in methods:
                return methods[request.method](self, account, request, *match.groups())
        raise Refusal(400, "BAD_REQUEST", f"There is no {request.method} {request.path}.")

    def list_account(self, account: Account, request: Request, account_sid: str) -> Response:
        if account_sid != account.id:
            raise Refusal(403, "FORBIDDEN", "A request could not be processed due to missing permissions.")
        return self._numbers(account, request, "")

    def list_property(self, account: Account, request: Request, property_sid: str) -> Response:
        return self._numbers(account, request, _property(account, property_sid).id)

    def _numbers(self, account: Account, request: Request, property_sid: str) -> Response:
        skip, count = _window(request, RESULTS_LIMIT, RESULTS_LIMIT)
        asked = (_choices(request, "Type", TYPES), _choices(request, "Capabilites", CAPABILITIES))
        listing = self._listing(account, property_sid, *asked) if property_sid or any(asked) else None
        if listing is None:
            numbers = account.page(skip, count)
        else:
            numbers = [account.at_position(position) for position in listing[skip : skip + count]]
        total = len(account) if listing is None else len(listing)
        return respond({"Numbers": [number_row(number, account.id) for number in numbers], "TotalCount": total})

    def _listing(
        self, account: Account, property_sid: str, types: frozenset[str], services: frozenset[str]
    ) -> Sequence[int]:
        """Positions of the numbers of any of these types that have any of these capabilities."""

        def fits(number: Number) -> bool:
            of_type = not types or number.number_type in types
            capable = not services or bool(services & set(number.services.split()))
            return of_type and capable and property_sid in ("", number.subaccount)

        key = (account.id, account.version, property_sid, types, services)
        if key not in self._listings:
            if len(self._listings) >= CACHED_LISTINGS:
                self._listings.clear()
            self._listings[key] = array("L", (number.position for number in account if fits(number)))
        return self._listings[key]

    def show_number(self, account: Account, _: Request, digits: str) -> Response:
        return respond({"Number": number_row(_number(account, digits), account.id)})

    def configure_number(self, account: Account, request: Request, digits: str) -> Response:
        number = _number(account, digits)
        changes = read_configuration(number, _json_body(request))
        self.world.change(account, digits, (request.method, request.path), **changes)
        return self.show_number(account, request, digits)

    def list_properties(self, account: Account, request: Request) -> Response:
        skip, count = _window(request, PROPERTIES_DEFAULT, RESULTS_LIMIT)
        found = [property_row(each, account.id) for each in account.subaccounts.values()]
        return respond({"Projects": found[skip : skip + count], "TotalCount": len(found)})

    def show_property(self, account: Account, _: Request, property_sid: str) -> Response:
        return respond({"Project": property_row(_property(account, property_sid), account.id)})


def respond(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(status, msgspec.json.encode(body), {"Content-Type": "application/json; charset=utf-8"})


def _error(status: int, code: str, message: str, field: str = "") -> Response:
    errors = [{"FieldName": field}] if field else []
    return respond({"ResponseStatus": {"ErrorCode": code, "Message": message, "Errors": errors}}, status)


def number_row(number: Number, account_sid: str) -> Row:
    kind, _, target = number.voice.partition(":")
    method, target_field = METHODS.get(kind, (kind, ""))
    capabilities = (", " if number.quirk < 10 else ",").join(CAPABILITIES[word] for word in number.services.split())
    row = {
        "Number": f"+{number.digits}",
        "PropertySid": number.subaccount,
        "AccountSid": account_sid,
        "Friendly": number.alias,
        "RoutingMethod": method,
        **({target_field: target} if target_field else {}),
        **number.settings,
        "Type": TYPES.get(number.number_type, number.number_type.capitalize()),
        "Capabilities": capabilities,
        "CountryCode": number.country,
        "Region": number.region,
        "City": number.city,
        "Status": "Active" if number.active else "Pending",
    }
    return {name: value for name, value in row.items() if value}


def property_row(found: Subaccount, account_sid: str) -> Row:
    return {
        "AccountSid": account_sid,
        "PropertySid": found.id,
        "Name": found.name,
        "MainDomain": f"{found.name.lower().replace(' ', '-')}.example",
        "TimeZone": "Australia/Sydney",
        "SmsEnabled": True,
        "CallRecordingEnabled": False,
    }


def read_configuration(number: Number, body: Mapping[str, Any]) -> dict[str, Any]:
    """The changes a request asks for. What is not named stays; what is unknown is ignored."""
    for name in ("Friendly", "RoutingMethod", "EndpointNumber", "Flow", "Recording", *ATTRIBUTIONS):
        if not isinstance(body.get(name, ""), str):
            raise Refusal(400, "PARAMETER_INVALID", f"{name} must be a string.", name)
    changes: dict[str, Any] = {"alias": body["Friendly"]} if "Friendly" in body else {}
    if body.keys() & {"RoutingMethod", "EndpointNumber", "Flow"}:
        changes["voice"] = _new_route(number, body)
    if "Recording" in body and body["Recording"] not in ("Off", "Call"):
        raise Refusal(400, "PARAMETER_INVALID", "Recording must be Off or Call.", "Recording")
    settings = {**number.settings, **{name: body[name] for name in ("Recording", *ATTRIBUTIONS) if name in body}}
    if settings != number.settings:
        changes["settings"] = settings
    return changes


def _new_route(number: Number, body: Mapping[str, Any]) -> str:
    if "voice" not in number.services:
        raise Refusal(400, "CONFLICTING_PARAMETERS", "The number does not take calls.", "RoutingMethod")
    old_kind, _, old_target = number.voice.partition(":")
    method = body.get("RoutingMethod", METHODS.get(old_kind, ("", ""))[0])
    kind = {"Endpoint": "endpoint", "Flow": "flow"}.get(method)
    if kind is None:
        raise Refusal(400, "PARAMETER_INVALID", "RoutingMethod must be Endpoint or Flow.", "RoutingMethod")
    field = METHODS[kind][1]
    target = body.get(field, old_target if kind == old_kind else "")
    if not target:
        raise Refusal(400, "PARAMETER_REQUIRED", f"{field} is required.", field)
    if kind == "endpoint" and not E164.fullmatch(target):
        raise Refusal(400, "PARAMETER_INVALID", "EndpointNumber must be in E.164 format.", field)
    return f"{kind}:{target}"


def _number(account: Account, digits: str) -> Number:
    number = account.find(digits)
    if number is None:
        raise Refusal(400, "NUMBER_NOT_FOUND", "A matching number could not be found.")
    return number


def _property(account: Account, property_sid: str) -> Subaccount:
    if property_sid not in account.subaccounts:
        raise Refusal(400, "PROPERTY_NOT_FOUND", "A matching property could not be found.")
    return account.subaccounts[property_sid]


def _json_body(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(400, "BAD_REQUEST", "The body must be JSON.")
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refusal(400, "BAD_REQUEST", "The body is not a JSON object.") from error


def _window(request: Request, default: int, limit: int) -> tuple[int, int]:
    skip, count = _whole(request, "Results_Skip", 0), _whole(request, "Results_Count", default)
    if not 1 <= count <= limit:
        raise Refusal(400, "PARAMETER_INVALID", f"Results_Count must be between 1 and {limit}.", "Results_Count")
    return skip, count


def _whole(request: Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Refusal(400, "PARAMETER_INVALID", f"{name} must be a whole number.", name)
    return int(value)


def _choices(request: Request, name: str, words: Mapping[str, str]) -> frozenset[str]:
    by_word = {word: value for value, word in words.items()}
    asked = [word.strip() for word in request.query.get(name, "").split(",") if word.strip()]
    if unknown := [word for word in asked if word not in by_word]:
        raise Refusal(400, "PARAMETER_INVALID", f"{name} cannot be {unknown[0]}.", name)
    return frozenset(by_word[word] for word in asked)


Endpoint = Callable[..., Response]
ROUTES: Sequence[tuple[re.Pattern[str], Mapping[str, Endpoint]]] = tuple(
    (re.compile(pattern), methods)
    for pattern, methods in (
        (r"/v2/Accounts/(\w+)/Numbers", {"GET": FoneDynamics.list_account}),
        (r"/v2/Properties/(\w+)/Numbers", {"GET": FoneDynamics.list_property}),
        (r"/v2/Numbers/([^/]+)", {"GET": FoneDynamics.show_number, "POST": FoneDynamics.configure_number}),
        (r"/v2/Properties", {"GET": FoneDynamics.list_properties}),
        (r"/v2/Properties/(\w+)", {"GET": FoneDynamics.show_property}),
    )
)
