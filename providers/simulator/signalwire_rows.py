"""How SignalWire writes things down, and what its update of a phone number accepts.

Field names, enumerations and errors are those of the SignalWire REST reference and its specification (Phone Numbers,
Campaign Registry, compatibility API; Nov 2026).
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from providers.simulator.numbers import Number
from providers.simulator.world import Account, Application, Campaign

Row = dict[str, Any]

# Our kind of route: SignalWire's handler and the field its target is in.
CALLS = {
    "url": ("laml_webhooks", "call_request_url"),
    "application": ("laml_application", "call_laml_application_id"),
    "relay_script": ("relay_script", "call_relay_script_url"),
    "relay_topic": ("relay_topic", "call_relay_topic"),
    "relay_application": ("relay_application", "call_relay_application"),
    "relay_context": ("relay_context", "call_relay_context"),
    "relay_connector": ("relay_connector", "call_relay_connector_id"),
    "relay_sip_endpoint": ("relay_sip_endpoint", "call_sip_endpoint_id"),
    "relay_verto_endpoint": ("relay_verto_endpoint", "call_verto_resource"),
    "dialogflow": ("dialogflow", "call_dialogflow_agent_id"),
    "video_room": ("video_room", "call_video_room_id"),
}
MESSAGES = {
    "url": ("laml_webhooks", "message_request_url"),
    "application": ("laml_application", "message_laml_application_id"),
    "relay_topic": ("relay_topic", "message_relay_topic"),
    "relay_application": ("relay_application", "message_relay_application"),
    "relay_context": ("relay_context", "message_relay_context"),
}
METHODS = (
    "call_request_method",
    "call_fallback_method",
    "call_status_callback_method",
    "message_request_method",
    "message_fallback_method",
)
URLS = (
    "call_request_url",
    "call_fallback_url",
    "call_status_callback_url",
    "call_relay_topic_status_callback_url",
    "call_relay_script_url",
    "call_relay_context_status_callback_url",
    "message_request_url",
    "message_fallback_url",
)
TARGETS = tuple(field for _, field in (*CALLS.values(), *MESSAGES.values()))
CHOICES: Mapping[str, tuple[str, ...]] = {
    "call_handler": tuple(handler for handler, _ in CALLS.values()),
    "message_handler": tuple(handler for handler, _ in MESSAGES.values()),
    "call_receive_mode": ("voice", "fax"),
    **dict.fromkeys(METHODS, ("GET", "POST")),
}
WRITABLE = frozenset(("name", *CHOICES, *URLS, *TARGETS))
EMPTY: Row = {
    **dict.fromkeys((*URLS, *TARGETS, "e911_address_id", "e911_status", "call_handler", "message_handler")),
    **dict.fromkeys(("calling_handler_resource_id", "messaging_handler_resource_id")),
    **dict.fromkeys(METHODS, "POST"),
    "call_receive_mode": "voice",
}
ASSIGNMENT_STATES = {"registered": "completed", "in_progress": "pending", "failed": "failed"}
_ODD, _ID_BITS = 0x5DEECE66D, 48
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")


class Invalid(Exception):
    """A 422: what is wrong with each attribute."""

    def __init__(self, details: list[str]) -> None:
        super().__init__("; ".join(details))
        self.details = details


def number_row(number: Number, account_id: str) -> Row:
    capabilities = number.services.split()
    row = {
        "id": number_id(account_id, number.position),
        "number": f"+{number.digits}",
        "name": number.alias,
        "capabilities": capabilities[::-1] if number.quirk % 4 == 0 else capabilities,
        "number_type": "toll-free" if number.number_type == "toll_free" else "longcode",
        "cnam": number.cnam,
        "updated_at": number.settings.get("created_at"),
        "next_billed_at": number.renewal_date and f"{number.renewal_date}T00:00:00Z",
        "country_code": None if number.quirk == 99 else number.country,
        **configuration(number),
    }
    # The documented row has no field for a message's Relay application; the topic is its alias.
    row["message_relay_topic"] = row.pop("message_relay_application") or row["message_relay_topic"]
    if row["e911_status"] in ("active", "pending", "failed"):
        row["e911_address_id"] = number_id("address", number.position)
    return row


def configuration(number: Number) -> Row:
    """What an update can change but for the name, and what follows from it."""
    fields = {**EMPTY, **number.settings}
    _put_route(fields, number.voice, CALLS, "call_handler", "calling_handler_resource_id")
    _put_route(fields, number.messages, MESSAGES, "message_handler", "messaging_handler_resource_id")
    return fields


def _put_route(row: Row, route: str, handlers: Mapping[str, tuple[str, str]], field: str, resource: str) -> None:
    kind, _, target = route.partition(":")
    if kind in handlers:
        handler, target_field = handlers[kind]
        row[field], row[target_field] = handler, target
    elif kind:
        row[field], row[resource] = kind, target


@cache
def _id_prefix(account_id: str) -> str:
    digest = hashlib.sha256(account_id.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-a{digest[15:18]}"


def number_id(account_id: str, position: int) -> str:
    """A UUID for a position; `position_of` undoes it."""
    return f"{_id_prefix(account_id)}-{(position + 1) * _ODD % (1 << _ID_BITS):012x}"


def position_of(account_id: str, remote_id: str) -> int | None:
    prefix, _, node = remote_id.rpartition("-")
    if prefix != _id_prefix(account_id) or not re.fullmatch(r"[0-9a-f]{12}", node):
        return None
    return int(node, 16) * pow(_ODD, -1, 1 << _ID_BITS) % (1 << _ID_BITS) - 1


def read_update(account: Account, number: Number, body: Mapping[str, Any]) -> dict[str, Any]:
    """The changes to a number that the body of a PUT asks for. What is not named stays; what is unknown is ignored."""
    asked = {name: value for name, value in body.items() if name in WRITABLE}
    row = {**configuration(number), **asked}
    if details := list(_complaints(account, asked, row)):
        raise Invalid(details)
    settings = {**number.settings, **{name: value for name, value in asked.items() if name not in ("name", *HANDLERS)}}
    changes: dict[str, Any] = {"alias": asked["name"]} if "name" in asked else {}
    for field, (attribute, handlers, resource) in HANDLERS.items():
        route = _new_route(row, field, handlers)
        if route is None or not asked.keys() & {field, *(target for _, target in handlers.values())}:
            continue
        _remember_target(settings, getattr(number, attribute), handlers)
        settings.pop(dict(handlers.values())[row[field]], None)
        if field in asked:
            settings[resource] = _resource_id(account.id, number, route)
        changes[attribute] = route
    if settings != number.settings:
        changes["settings"] = settings
    return changes


HANDLERS: Mapping[str, tuple[str, Mapping[str, tuple[str, str]], str]] = {
    "call_handler": ("voice", CALLS, "calling_handler_resource_id"),
    "message_handler": ("messages", MESSAGES, "messaging_handler_resource_id"),
}


def _new_route(row: Row, field: str, handlers: Mapping[str, tuple[str, str]]) -> str | None:
    """Our route for the row's handler; None where only Call Fabric sets it, or nothing does."""
    found = ((kind, target) for kind, (handler, target) in handlers.items() if handler == row[field])
    return next((f"{kind}:{row[target]}" for kind, target in found), None)


def _remember_target(settings: Row, route: str, handlers: Mapping[str, tuple[str, str]]) -> None:
    """A PUT leaves what it does not name unchanged, so the target of the handler before stays on the row."""
    kind, _, target = route.partition(":")
    if kind in handlers:
        settings.setdefault(handlers[kind][1], target)


def _resource_id(account_id: str, number: Number, route: str) -> str:
    """Setting a handler makes a Call Fabric resource, one for each number or one for each shared application."""
    shared = route if route.startswith("application:") else f"{number.digits}:{route}"
    return str(uuid.uuid5(uuid.UUID(account_id), shared))


def _complaints(account: Account, asked: Row, row: Row) -> Any:
    for name, value in asked.items():
        title = name.replace("_", " ").capitalize()
        if not isinstance(value, str):
            yield f"{title} is invalid"
        elif name in CHOICES and value not in CHOICES[name]:
            yield f"{title} is not included in the list"
        elif name in URLS and value and not _URL.fullmatch(value):
            yield f"{title} is not a valid URL"
        elif name.endswith("laml_application_id") and value and value not in account.applications:
            yield f"{title} does not exist"
    for field, (_, handlers, _) in HANDLERS.items():
        target = dict(handlers.values()).get(row[field])
        if target and asked.keys() & {field, target} and not row[target]:
            yield f"{target.replace('_', ' ').capitalize()} can't be blank"


def compat_number_row(number: Number, account_id: str) -> Row:
    remote_id = number_id(account_id, number.position)
    return {
        "account_id": account_id,
        "account_sid": account_id,
        "api_version": "2010-04-01",
        "capabilities": {service: service in number.services for service in ("voice", "sms", "mms", "fax")},
        "country_code": number.country,
        "friendly_name": number.alias or f"+{number.digits}",
        "origin": "signalwire",
        "phone_number": f"+{number.digits}",
        "sid": remote_id,
        "trunk_sid": None,
        "uri": f"/api/laml/2010-04-01/Accounts/{account_id}/IncomingPhoneNumbers/{remote_id}.json",
    }


def application_row(application: Application, account_id: str) -> Row:
    return {
        "account_sid": account_id,
        "api_version": "2010-04-01",
        "date_created": "Mon, 04 Jan 2021 09:30:00 +0000",
        "date_updated": "Mon, 04 Jan 2021 09:30:00 +0000",
        "friendly_name": application.name,
        "message_status_callback": "",
        "sid": application.id,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": application.message_url or None,
        "status_callback": "",
        "status_callback_method": "POST",
        "uri": f"/api/laml/2010-04-01/Accounts/{account_id}/Applications/{application.id}.json",
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": application.fallback_url or None,
        "voice_method": "POST",
        "voice_url": application.voice_url,
    }


def brand_row(brand_id: str, account: Account) -> Row:
    return {
        "id": brand_id,
        "state": "completed",
        "name": account.name,
        "company_name": account.name,
        "contact_email": "registrations@northwind.example",
        "legal_entity_type": "PRIVATE_PROFIT",
        "ein": "00-0000000",
        "created_at": "2023-03-01T10:00:00Z",
        "updated_at": "2023-03-02T10:00:00Z",
    }


def campaign_row(campaign: Campaign) -> Row:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.status,
        "sms_use_case": campaign.usecase,
        "sub_use_cases": [],
        "sample1": "Your order is ready to be picked up. Reply STOP to opt out.",
        "created_at": "2023-03-05T10:00:00Z",
        "updated_at": "2023-03-09T10:00:00Z",
    }


def assignment_row(number: Number, account_id: str) -> Row:
    """A few say `complete`, as the reference's prose does."""
    remote_id = number_id(account_id, number.position)
    state = ASSIGNMENT_STATES[number.tendlc]
    return {
        "id": str(uuid.uuid5(uuid.UUID(remote_id), number.campaign)),
        "state": "complete" if state == "completed" and number.quirk < 10 else state,
        "campaign_id": number.campaign,
        "phone_number": {"id": remote_id, "name": number.alias, "number": f"+{number.digits}"},
        "created_at": "2024-06-01T08:00:00Z",
        "updated_at": "2024-06-02T08:00:00Z",
    }
