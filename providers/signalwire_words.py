"""SignalWire's words for numbers, handlers and campaign assignments, turned into ours and back. Talks to nobody.

From the SignalWire REST reference "List phone numbers" and its specification (Nov 2026). Whatever is not known here
is kept and counted as a surprise; only a row without an id or a number is refused.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from providers.contract import (
    NOWHERE,
    NumberType,
    Provenance,
    RemoteApplication,
    RemoteNumber,
    Route,
    RouteKind,
    Service,
    SideEffect,
    TenDlc,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.errors import MalformedResponse
from providers.reading import country_of, fold, read_day, text, without_secrets

T = TypeVar("T")
Row = Mapping[str, Any]


class Handler(NamedTuple):
    """One way SignalWire handles calls or messages, and the field that holds its target."""

    kind: str
    title: str
    target: str
    fallback: str = ""
    alias: str = ""
    """Another field the target may be shown in."""
    writable: bool = True


CALL_RESOURCE = "calling_handler_resource_id"
RESOURCES = {"call_handler": CALL_RESOURCE, "message_handler": "messaging_handler_resource_id"}

# PhoneNumberCallHandler, and PhoneNumberCallHandlerRequest for what a PUT takes: the last five can be read but are
# only set through Call Fabric. signalwire-sdk 3.7.5 sends ai_agent and call_flow all the same; the documentation
# (Nov 2026) does not take them, so they stay unsupported.
CALL_HANDLERS: Mapping[str, Handler] = {
    "laml_webhooks": Handler(RouteKind.URL, "URL", "call_request_url", "call_fallback_url"),
    "laml_application": Handler(RouteKind.APPLICATION, "Application", "call_laml_application_id"),
    "relay_script": Handler("relay_script", "SWML script", "call_relay_script_url"),
    "relay_topic": Handler("relay_topic", "Relay topic", "call_relay_topic"),
    "relay_application": Handler(
        "relay_application", "Relay application", "call_relay_application", alias="call_relay_topic"
    ),
    "relay_context": Handler("relay_context", "Relay context", "call_relay_context"),
    "relay_connector": Handler("relay_connector", "Relay connector", "call_relay_connector_id"),
    "relay_sip_endpoint": Handler("relay_sip_endpoint", "SIP endpoint", "call_sip_endpoint_id"),
    "relay_verto_endpoint": Handler("relay_verto_endpoint", "Verto endpoint", "call_verto_resource"),
    "dialogflow": Handler("dialogflow", "Dialogflow agent", "call_dialogflow_agent_id"),
    "video_room": Handler("video_room", "Video room", "call_video_room_id"),
    "call_flow": Handler("call_flow", "Call flow", CALL_RESOURCE, writable=False),
    "ai_agent": Handler("ai_agent", "AI agent", CALL_RESOURCE, writable=False),
    "fabric_subscriber": Handler("fabric_subscriber", "Subscriber", CALL_RESOURCE, writable=False),
    "sip_gateway": Handler("sip_gateway", "SIP gateway", CALL_RESOURCE, writable=False),
    "call_queue": Handler("call_queue", "Call queue", CALL_RESOURCE, writable=False),
}

# message_relay_application is in the update request but not in the documented row; a topic is an alias of an
# application (specification, Nov 2026).
MESSAGE_HANDLERS: Mapping[str, Handler] = {
    "laml_webhooks": Handler(RouteKind.URL, "URL", "message_request_url", "message_fallback_url"),
    "laml_application": Handler(RouteKind.APPLICATION, "Application", "message_laml_application_id"),
    "relay_topic": Handler("relay_topic", "Relay topic", "message_relay_topic"),
    "relay_application": Handler(
        "relay_application", "Relay application", "message_relay_application", alias="message_relay_topic"
    ),
    "relay_context": Handler("relay_context", "Relay context", "message_relay_context"),
}

FABRIC_KINDS = tuple(handler.kind for handler in CALL_HANDLERS.values() if not handler.writable)
ROUTE_TITLES = {handler.kind: handler.title for handler in CALL_HANDLERS.values()}

_FIELDS = """
id number name capabilities number_type e911_address_id e911_status cnam created_at updated_at next_billed_at
call_handler calling_handler_resource_id call_receive_mode call_request_url call_request_method call_fallback_url
call_fallback_method call_status_callback_url call_status_callback_method call_laml_application_id
call_dialogflow_agent_id call_relay_topic call_relay_topic_status_callback_url call_relay_script_url call_relay_context
call_relay_context_status_callback_url call_relay_application call_relay_connector_id call_sip_endpoint_id
call_verto_resource call_video_room_id message_handler messaging_handler_resource_id message_request_url
message_request_method message_fallback_url message_fallback_method message_laml_application_id message_relay_topic
message_relay_context message_relay_application country_code
"""
FIELDS = frozenset(_FIELDS.split())
"""Those of the reference, and e911_status and cnam, which the specification gained in 2026."""

# Read as toll-free and longcode; the import request of the same API spells it tollfree, and searches say local.
NUMBER_TYPES = {"tollfree": NumberType.TOLL_FREE, "longcode": NumberType.LONGCODE}
SERVICES = {service.value: service for service in Service}
E911_STATES = {fold(state): state for state in ("pending", "active", "failed", "pending_removal", "unregistered")}
RECEIVE_MODES = ("voice", "fax")
_MODES = {mode: mode for mode in RECEIVE_MODES}

# The specification says pending, completed, failed; its prose says complete, and the callbacks number_assignment_
# pending, activated, failed. So only the stem counts, and the first that fits decides.
ASSIGNMENT_STEMS = (
    ("fail", TenDlcStatus.FAILED),
    ("pending", TenDlcStatus.IN_PROGRESS),
    ("inactive", TenDlcStatus.UNREGISTERED),
    ("deactivated", TenDlcStatus.UNREGISTERED),
    ("complete", TenDlcStatus.REGISTERED),
    ("activ", TenDlcStatus.REGISTERED),
)
BEST_FIRST = (TenDlcStatus.REGISTERED, TenDlcStatus.IN_PROGRESS, TenDlcStatus.FAILED, TenDlcStatus.UNREGISTERED)
UNASSIGNED = TenDlc(status=TenDlcStatus.UNREGISTERED, provenance=Provenance.INFERRED)
UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_E164 = re.compile(r"\+[1-9][0-9]{5,14}")


def rows_of(body: Any, key: str) -> list[dict[str, Any]]:
    rows = body.get(key) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedResponse(f"SignalWire answered without its list of {key.replace('_', ' ')}.")
    return rows


def read_id(row: Row, field: str = "id") -> str:
    """Every id of SignalWire is a UUID. Raises MalformedResponse."""
    found = row.get(field)
    if not isinstance(found, str) or not re.fullmatch(UUID, found):
        raise MalformedResponse("SignalWire listed a row without an id.")
    return found


def read_number(row: Row) -> RemoteNumber:
    """Raises MalformedResponse for a row that does not say which number it is."""
    e164 = text(row.get("number"))
    if not _E164.fullmatch(e164):
        raise MalformedResponse("SignalWire listed a row without a number.")
    surprises = [name for name in row if name not in FIELDS]
    number_type = _known(NUMBER_TYPES, row, "number_type", surprises) or NumberType.UNKNOWN
    country = text(row.get("country_code")).upper() or country_of(e164[1:])
    voice = _route(CALL_HANDLERS, row, "call_handler", surprises)
    messages = _route(MESSAGE_HANDLERS, row, "message_handler", surprises)
    e911 = _known(E911_STATES, row, "e911_status", surprises)
    receive_mode = _known(_MODES, row, "call_receive_mode", surprises)
    return RemoteNumber(
        id=read_id(row),
        e164=e164,
        alias=text(row.get("name")),
        number_type=number_type,
        country=country,
        services=_services(row.get("capabilities"), surprises),
        voice=voice,
        messages=messages,
        shadowed_voice=tuple(_shadowed(CALL_HANDLERS, row, voice)),
        shadowed_messages=tuple(_shadowed(MESSAGE_HANDLERS, row, messages)),
        tendlc=None if _needs_campaign(number_type, country) else TenDlc(),
        toll_free=TollFreeStatus.UNKNOWN if number_type is NumberType.TOLL_FREE else TollFreeStatus.NOT_APPLICABLE,
        added_on=_day(row, "created_at", surprises),
        renewal_date=_day(row, "next_billed_at", surprises),
        cnam=text(row.get("cnam")),
        e911=e911 or text(row.get("e911_status")),
        extras={"call_receive_mode": receive_mode or text(row.get("call_receive_mode"))},
        surprises=tuple(surprises),
        payload=without_secrets(row),
    )


def _needs_campaign(number_type: NumberType, country: str) -> bool:
    """10DLC is about ten-digit numbers of the United States; the row itself never says how far it got."""
    return number_type is not NumberType.TOLL_FREE and country in ("US", "")


def _known(words: Mapping[str, T], row: Row, field: str, surprises: list[str]) -> T | None:
    found = words.get(fold(row.get(field)))
    if found is None and fold(row.get(field)):
        surprises.append(f"{field}={row[field]}")
    return found


def _day(row: Row, field: str, surprises: list[str]) -> dt.date | None:
    """Moments are given in UTC."""
    day = read_day(row.get(field))
    if day is None and text(row.get(field)):
        surprises.append(f"{field}={row[field]}")
    return day


def _services(value: object, surprises: list[str]) -> frozenset[Service]:
    """A list of words on numbers; the search of the same API answers an object of booleans, so both are taken."""
    names = [name for name, offered in value.items() if offered] if isinstance(value, Mapping) else value
    if not isinstance(names, list):
        names = text(names).split(",")
    surprises += [f"capabilities={name}" for name in names if fold(name) and fold(name) not in SERVICES]
    return frozenset(SERVICES[fold(name)] for name in names if fold(name) in SERVICES)


def _route(handlers: Mapping[str, Handler], row: Row, field: str, surprises: list[str]) -> Route:
    name = text(row.get(field))
    if not name:
        return NOWHERE
    handler = handlers.get(name) or {fold(each): handlers[each] for each in handlers}.get(fold(name))
    if handler is None:
        surprises.append(f"{field}={name}")
        handler = Handler(name[:30], name, RESOURCES[field])
    return _target(handler, row)


def _target(handler: Handler, row: Row) -> Route:
    target = text(row.get(handler.target)) or text(row.get(handler.alias))
    return Route(kind=handler.kind, target=target, fallback=text(row.get(handler.fallback)))


def _shadowed(handlers: Mapping[str, Handler], row: Row, effective: Route) -> Iterator[Route]:
    """Targets of handlers not in force. The topic of a Relay application is its alias, so it is not one of them."""
    for handler in handlers.values():
        target = text(row.get(handler.target))
        if handler.writable and target not in ("", effective.target):
            yield _target(handler, row)


def write_edit(edit: Mapping[str, str]) -> dict[str, str]:
    """The body of the PUT for an edit already checked: a handler always goes with its target, and nothing else goes."""
    body: dict[str, str] = {}
    for name, value in edit.items():
        if name == "voice":
            body |= _handler(CALL_HANDLERS, "call_handler", value)
        elif name == "messages":
            body |= _handler(MESSAGE_HANDLERS, "message_handler", value)
        else:
            body["name" if name == "alias" else name] = value
    return body


def _handler(handlers: Mapping[str, Handler], field: str, key: str) -> dict[str, str]:
    route = Route.from_key(key)
    name, handler = next((name, handler) for name, handler in handlers.items() if handler.kind == route.kind)
    return {field: name, handler.target: route.target}


def side_effects(current: Mapping[str, str], edit: Mapping[str, str]) -> Iterator[SideEffect]:
    for name in ("voice", "messages"):
        before, after = Route.from_key(current.get(name, "")), Route.from_key(edit.get(name, ""))
        if after.kind and before.kind in FABRIC_KINDS:
            sentence = f"{ROUTE_TITLES[before.kind]} {before.target} can only be put back at SignalWire."
            yield SideEffect(field=name, sentence=sentence)
        if after.kind in (RouteKind.URL, "relay_script") and after.kind != before.kind:
            sentence = "SignalWire makes a resource of its own for this number; an application can be shared."
            yield SideEffect(field=name, sentence=sentence)


def read_application(row: Row) -> RemoteApplication:
    return RemoteApplication(
        id=read_id(row, "sid"),
        name=text(row.get("friendly_name")),
        voice_url=text(row.get("voice_url")),
        message_url=text(row.get("sms_url")),
        fallback_url=text(row.get("voice_fallback_url")) or text(row.get("sms_fallback_url")),
        payload=without_secrets(row),
    )


def read_assignment(assignment: Row, campaign: Row) -> tuple[str, TenDlc]:
    """The number's id, and how far its assignment to the campaign got.

    A campaign that is switched off carries no traffic, whatever its assignments say.
    """
    number = assignment.get("phone_number")
    number_id = read_id(number if isinstance(number, dict) else {})
    status, provenance = _stem(assignment.get("state")), Provenance.REPORTED
    if status is TenDlcStatus.REGISTERED and _stem(campaign.get("state")) is TenDlcStatus.UNREGISTERED:
        status, provenance = TenDlcStatus.UNREGISTERED, Provenance.INFERRED
    campaign_id = text(assignment.get("campaign_id")) or text(campaign.get("id"))
    return number_id, TenDlc(status=status, campaign_id=campaign_id, provenance=provenance)


def standing(tendlc: TenDlc) -> int:
    """The best of a number's assignments counts: the registry may still list one that failed before."""
    return BEST_FIRST.index(tendlc.status) if tendlc.status in BEST_FIRST else len(BEST_FIRST)


def _stem(state: object) -> TenDlcStatus:
    return next((status for stem, status in ASSIGNMENT_STEMS if stem in fold(state)), TenDlcStatus.UNKNOWN)
