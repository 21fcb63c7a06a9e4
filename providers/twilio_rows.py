"""Twilio's rows and lists, turned into what every provider's look like. Talks to nobody.

From the Twilio API references (v2010 IncomingPhoneNumber, SIP Trunking PhoneNumber, Messaging, Nov 2026). Whatever is
not known here is kept and counted as a surprise; only a row without an id or a number is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.contract import (
    NOWHERE,
    NumberType,
    RemoteApplication,
    RemoteNumber,
    Route,
    RouteKind,
    Service,
    TenDlc,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.errors import MalformedResponse, WrongAccount
from providers.reading import country_of, fold, without_secrets
from providers.twilio_words import (
    NUMBER_TYPES,
    SERVICES,
    Row,
    e164,
    inferred,
    is_tendlc_number,
    is_verifiable,
    offered,
    read_date,
    read_number_type,
    read_services,
    required,
    written,
)

MESSAGING_SERVICE = "messaging_service"
TRUNK_ROW = "trunk_phone_number"
"""Where the payload keeps the number's row of the SIP Trunking API, next to what the v2010 API says."""
CNAM_LOOKUPS = {"true": "enabled", "false": "disabled"}
KNOWN_VALUES: Mapping[str, frozenset[str]] = {
    "address_requirements": frozenset({"none", "any", "local", "foreign"}),
    "origin": frozenset({"twilio", "hosted"}),
    "emergency_status": frozenset({"active", "inactive"}),
    "voice_receive_mode": frozenset({"voice", "fax"}),
}


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


SHARED_FIELDS = _names("""
    account_sid address_requirements api_version beta capabilities date_created date_updated friendly_name phone_number
    sid sms_application_sid sms_fallback_method sms_fallback_url sms_method sms_url status_callback
    status_callback_method trunk_sid voice_application_sid voice_caller_id_lookup voice_fallback_method
    voice_fallback_url voice_method voice_url
""")
NUMBER_FIELDS = SHARED_FIELDS | _names("""
    address_sid bundle_sid emergency_address_sid emergency_address_status emergency_status identity_sid origin status
    subresource_uris type uri voice_receive_mode
""")
TRUNK_FIELDS = SHARED_FIELDS | {"links", "url"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingService:
    sid: str
    defers: bool
    """It leaves incoming messages to the webhook of the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What other resources of the account say of its numbers, by PN sid. None: this API could not be read."""

    trunk_rows: Mapping[str, Row] | None = field(default_factory=dict)
    memberships: Mapping[str, MessagingService] | None = field(default_factory=dict)


def read_number(row: Row, account_sid: str, around: Around) -> RemoteNumber:
    if (owner := written(row, "account_sid")) and owner != account_sid:
        raise WrongAccount("Twilio sent a number of another account.")
    sid, number = required(row, "sid"), e164(row)
    country, number_type = country_of(number[1:]), read_number_type(written(row, "type"), number)
    services = read_services(row.get("capabilities"))
    trunk_row = (around.trunk_rows or {}).get(sid, {})
    service = (around.memberships or {}).get(sid) if Service.SMS in services else None
    voice, *unheard = _voice_routes(row, written(row if "trunk_sid" in row else trunk_row, "trunk_sid"))
    messages, *unread = _message_routes(row, service)
    return RemoteNumber(
        id=sid,
        e164=number,
        alias=written(row, "friendly_name"),
        number_type=number_type,
        country=country,
        provider_status=written(row, "status"),
        services=services,
        voice=voice,
        messages=messages,
        shadowed_voice=tuple(unheard),
        shadowed_messages=tuple(route for route in unread if route.kind),
        tendlc=None if service else _tendlc(country, number_type, services, around),
        toll_free=None if is_verifiable(number_type, services) else TollFreeStatus.NOT_APPLICABLE,
        added_on=read_date(written(row, "date_created")),
        cnam_lookup=CNAM_LOOKUPS.get(fold(row.get("voice_caller_id_lookup")), ""),
        e911=written(row, "emergency_status").lower(),
        surprises=(*_surprises(row, NUMBER_FIELDS), *_trunk_surprises(trunk_row)),
        payload=without_secrets({**row, TRUNK_ROW: trunk_row} if trunk_row else row),
    )


def _voice_routes(row: Row, trunk_sid: str) -> list[Route]:
    """The one in force first: trunk over application over URL. Always at least one."""
    routes = [
        Route(kind=RouteKind.TRUNK, target=trunk_sid),
        Route(kind=RouteKind.APPLICATION, target=written(row, "voice_application_sid")),
        _url(row, "voice_url", "voice_fallback_url"),
    ]
    return [route for route in routes if route.target] or [NOWHERE]


def _message_routes(row: Row, service: MessagingService | None) -> list[Route]:
    """The one in force first: Messaging Service, unless it defers, over application over URL."""
    own = [
        Route(kind=RouteKind.APPLICATION, target=written(row, "sms_application_sid")),
        _url(row, "sms_url", "sms_fallback_url"),
    ]
    routes = [route for route in own if route.target] or [NOWHERE]
    if service is None:
        return routes
    served = Route(kind=MESSAGING_SERVICE, target=service.sid)
    return [*routes, served] if service.defers else [served, *routes]


def _url(row: Row, name: str, fallback: str) -> Route:
    return Route(kind=RouteKind.URL, target=written(row, name), fallback=written(row, fallback))


def _surprises(row: Row, known: frozenset[str]) -> Iterator[str]:
    yield from sorted(name for name in row if name not in known)
    for name, values in KNOWN_VALUES.items():
        if (value := written(row, name)) and fold(value) not in values:
            yield f"{name}={value}"
    if (word := written(row, "type")) and fold(word) not in NUMBER_TYPES:
        yield f"type={word}"
    yield from (f"capabilities={name}" for name in offered(row.get("capabilities")) if fold(name) not in SERVICES)


def _trunk_surprises(trunk_row: Row) -> Iterator[str]:
    return (f"{TRUNK_ROW}.{surprise}" for surprise in _surprises(trunk_row, TRUNK_FIELDS))


def _tendlc(country: str, number_type: NumberType, services: frozenset[Service], around: Around) -> TenDlc:
    """Of a number in no Messaging Service. Twilio has no registration status of a number: it follows from there."""
    if not is_tendlc_number(country, number_type, services):
        return inferred(TenDlcStatus.NOT_APPLICABLE)
    return inferred(TenDlcStatus.UNKNOWN if around.memberships is None else TenDlcStatus.UNREGISTERED)


def read_membership(service: Row) -> MessagingService:
    return MessagingService(sid=required(service, "sid"), defers=bool(service.get("use_inbound_webhook_on_number")))


def read_application(row: Row) -> RemoteApplication:
    return RemoteApplication(
        id=required(row, "sid"),
        name=written(row, "friendly_name"),
        voice_url=written(row, "voice_url"),
        message_url=written(row, "sms_url"),
        fallback_url=written(row, "voice_fallback_url"),
        payload=without_secrets(row),
    )


def read_trunk(row: Row) -> RemoteApplication:
    return RemoteApplication(
        id=required(row, "sid"),
        kind=RouteKind.TRUNK,
        name=written(row, "friendly_name") or written(row, "domain_name"),
        fallback_url=written(row, "disaster_recovery_url"),
        payload=without_secrets(row),
    )


def read_messaging_service(row: Row) -> RemoteApplication:
    return RemoteApplication(
        id=required(row, "sid"),
        kind=MESSAGING_SERVICE,
        name=written(row, "friendly_name"),
        message_url=written(row, "inbound_request_url"),
        fallback_url=written(row, "fallback_url"),
        assignable=False,
        why_not="Numbers join and leave Messaging Services in Twilio's console.",
        payload=without_secrets(row),
    )


def read_page(body: Any) -> tuple[list[Row], str]:
    """The rows and the link to the next page, "" at the end, from either envelope."""
    try:
        meta = body.get("meta")
        rows = body[meta["key"]] if meta else body[_v2010_key(body)]
        link = meta["next_page_url"] if meta else body["next_page_uri"]
    except (AttributeError, KeyError, TypeError, StopIteration):
        raise MalformedResponse("Twilio sent a list without its paging information.") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedResponse("Twilio sent a list that is not a list of objects.")
    if not isinstance(link, str | None):
        raise MalformedResponse("Twilio sent a link that is not text.")
    if link and not rows:
        raise MalformedResponse("Twilio sent an empty page and said that others follow it.")
    return rows, link or ""


def _v2010_key(body: Row) -> str:
    """v2010 puts the rows under the resource's name, among the paging fields."""
    return next(key for key, value in body.items() if isinstance(value, list))
