"""How Twilio writes things down: one row per resource, in the dialect of the API that lists it.

Field names and shapes are those of the Twilio API references and of what twilio-python 9.13 reads (Nov 2026). Some
rows leave a thing unset as null where others use "", and spell capabilities and types differently: live ones do.
"""

import datetime as dt
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any

from providers.simulator.numbers import Number
from providers.simulator.twilio_world import DEFERRING, new_sid
from providers.simulator.world import Account, Application, Campaign, Trunk

Row = dict[str, Any]

API, TRUNKING, MESSAGING = (f"https://{product}.twilio.com" for product in ("api", "trunking", "messaging"))
SINCE = dt.datetime(2021, 1, 4, 9, 30, tzinfo=dt.UTC)

# Any odd factor is undone by its inverse, so that a SID leads back to its number without a table.
_SCRAMBLE = 0x9E3779B97F4A7C15F39CC0605CEDC835
_UNSCRAMBLE = pow(_SCRAMBLE, -1, 1 << 128)

TYPES: Mapping[str, tuple[str, ...]] = {
    "local": ("local",),
    "fixed": ("local",),
    "mobile": ("mobile",),
    "national": ("national",),
    "toll_free": ("tollfree", "toll free", "Toll-Free"),
}
BY_TYPE = {"Local": ("local", "fixed", "national"), "Mobile": ("mobile",), "TollFree": ("toll_free",)}


def number_sid(digits: str) -> str:
    return f"PN{int(digits) * _SCRAMBLE % (1 << 128):032x}"


def digits_of(sid: str) -> str:
    return str(int(sid[2:], 16) * _UNSCRAMBLE % (1 << 128))


def service_sid(campaign: Campaign) -> str:
    return new_sid("MG", campaign.id)


def rfc2822(moment: dt.datetime) -> str:
    return format_datetime(moment)


def iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _rented(number: Number) -> dt.datetime:
    return dt.datetime.combine(number.added_on, SINCE.timetz())


def friendly_name(number: Number) -> str:
    """What it was named, or else the number written nationally, as Twilio does of its own accord."""
    digits = number.digits
    if number.alias:
        return number.alias
    return f"({digits[1:4]}) {digits[4:7]}-{digits[7:]}" if digits.startswith("1") else f"+{digits}"


def _shared(number: Number, account_sid: str) -> Row:
    kind, _, target = number.voice.partition(":")
    unset = None if number.quirk % 2 else ""
    settings = number.settings
    return {
        "sid": number_sid(number.digits),
        "account_sid": account_sid,
        "friendly_name": friendly_name(number),
        "phone_number": f"+{number.digits}",
        "api_version": "2010-04-01",
        "voice_caller_id_lookup": number.cnam_lookup == "enabled",
        "voice_url": settings.get("voice_url") or unset,
        "voice_method": settings.get("voice_method", "POST"),
        "voice_fallback_url": settings.get("voice_fallback_url") or unset,
        "voice_fallback_method": settings.get("voice_fallback_method", "POST"),
        "voice_application_sid": target if kind == "application" else unset,
        "trunk_sid": target if kind == "trunk" else unset,
        "sms_url": settings.get("sms_url", ""),
        "sms_method": settings.get("sms_method", "POST"),
        "sms_fallback_url": settings.get("sms_fallback_url", ""),
        "sms_fallback_method": settings.get("sms_fallback_method", "POST"),
        "sms_application_sid": settings.get("sms_application_sid") or unset,
        "status_callback": settings.get("status_callback", ""),
        "status_callback_method": settings.get("status_callback_method", "POST"),
        "address_requirements": "none" if number.country in ("US", "CA") else "any",
        "beta": False,
        "capabilities": _capabilities(number),
    }


def _capabilities(number: Number) -> Row:
    names = ("voice", "SMS", "MMS") if number.quirk in range(90, 96) else ("voice", "sms", "mms", "fax")
    return {name: name.lower() in number.services.split() for name in names}


def number_row(number: Number, account_sid: str) -> Row:
    uri = f"/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers/{number_sid(number.digits)}"
    registered = number.country == "US" and number.quirk % 4 == 0
    spellings = TYPES[number.number_type]
    row = _shared(number, account_sid) | {
        "date_created": rfc2822(_rented(number)),
        "date_updated": rfc2822(_rented(number)),
        "identity_sid": None,
        "address_sid": None,
        "bundle_sid": new_sid("BU", account_sid, number.country) if number.country not in ("US", "CA") else None,
        "emergency_status": "Active" if registered else "Inactive",
        "emergency_address_sid": new_sid("AD", account_sid) if registered else None,
        "emergency_address_status": "registered" if registered else "unregistered",
        "origin": "hosted" if number.quirk == 99 else "twilio",
        "status": "in-use",
        "type": spellings[number.quirk % len(spellings)],
        "uri": f"{uri}.json",
        "voice_receive_mode": number.settings.get("voice_receive_mode", "voice"),
        "subresource_uris": {"assigned_add_ons": f"{uri}/AssignedAddOns.json"},
    }
    if number.quirk in range(80, 90):
        del row["type"]
    if number.quirk in range(76, 80):
        del row["trunk_sid"]
    return row


def trunk_number_row(number: Number, account_sid: str) -> Row:
    sid = number_sid(number.digits)
    api = f"{API}/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}.json"
    trunk_sid = number.voice.partition(":")[2]
    return _shared(number, account_sid) | {
        "date_created": iso(_rented(number)),
        "date_updated": iso(_rented(number)),
        "links": {"phone_number": api},
        "url": f"{TRUNKING}/v1/Trunks/{trunk_sid}/PhoneNumbers/{sid}",
    }


def service_number_row(number: Number, account_sid: str, service: str) -> Row:
    words = {"voice": "Voice", "sms": "SMS", "mms": "MMS"}
    sid = number_sid(number.digits)
    return {
        "sid": sid,
        "account_sid": account_sid,
        "service_sid": service,
        "date_created": iso(_rented(number)),
        "date_updated": iso(_rented(number)),
        "phone_number": f"+{number.digits}",
        "country_code": number.country,
        "capabilities": [words[name] for name in number.services.split() if name in words],
        "url": f"{MESSAGING}/v1/Services/{service}/PhoneNumbers/{sid}",
    }


def account_row(account_sid: str, name: str, token: str, owner: str, status: str = "active") -> Row:
    """The token is in it, as in the real one: a client must not keep it."""
    uri = f"/2010-04-01/Accounts/{account_sid}"
    return {
        "sid": account_sid,
        "friendly_name": name,
        "auth_token": token,
        "owner_account_sid": owner,
        "status": status,
        "type": "Full",
        "date_created": rfc2822(SINCE),
        "date_updated": rfc2822(SINCE),
        "uri": f"{uri}.json",
        "subresource_uris": {"incoming_phone_numbers": f"{uri}/IncomingPhoneNumbers.json"},
    }


def application_row(application: Application, account: Account) -> Row:
    return {
        "sid": application.id,
        "account_sid": account.id,
        "friendly_name": application.name,
        "api_version": "2010-04-01",
        "date_created": rfc2822(SINCE),
        "date_updated": rfc2822(SINCE),
        "message_status_callback": None,
        "public_application_connect_enabled": False,
        "sms_fallback_method": "POST",
        "sms_fallback_url": None,
        "sms_method": "POST",
        "sms_status_callback": None,
        "sms_url": application.message_url or None,
        "status_callback": None,
        "status_callback_method": "POST",
        "uri": f"/2010-04-01/Accounts/{account.id}/Applications/{application.id}.json",
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": application.fallback_url or None,
        "voice_method": "POST",
        "voice_url": application.voice_url or None,
    }


def trunk_row(trunk: Trunk, account: Account) -> Row:
    url = f"{TRUNKING}/v1/Trunks/{trunk.id}"
    return {
        "sid": trunk.id,
        "account_sid": account.id,
        "friendly_name": trunk.name,
        "domain_name": trunk.domain,
        "disaster_recovery_method": "POST",
        "disaster_recovery_url": None,
        "secure": False,
        "recording": {"mode": "do-not-record", "trim": "do-not-trim"},
        "transfer_mode": "disable-all",
        "transfer_caller_id": "from-transferee",
        "cnam_lookup_enabled": False,
        "symmetric_rtp_enabled": False,
        "auth_type": "IP_ACL",
        "auth_type_set": ["IP_ACL"],
        "date_created": iso(SINCE),
        "date_updated": iso(SINCE),
        "url": url,
        "links": {"phone_numbers": f"{url}/PhoneNumbers", "origination_urls": f"{url}/OriginationUrls"},
    }


def service_row(campaign: Campaign, account: Account) -> Row:
    sid = service_sid(campaign)
    url = f"{MESSAGING}/v1/Services/{sid}"
    return {
        "sid": sid,
        "account_sid": account.id,
        "friendly_name": campaign.name,
        "date_created": iso(SINCE),
        "date_updated": iso(SINCE),
        "inbound_request_url": "https://services.northwind.example/messages",
        "inbound_method": "POST",
        "fallback_url": None,
        "fallback_method": "POST",
        "status_callback": None,
        "sticky_sender": True,
        "mms_converter": True,
        "smart_encoding": True,
        "scan_message_content": "inherit",
        "fallback_to_long_code": False,
        "area_code_geomatch": True,
        "synchronous_validation": False,
        "validity_period": 14400,
        "usecase": "undeclared",
        "us_app_to_person_registered": campaign.status == "VERIFIED",
        "use_inbound_webhook_on_number": campaign.name == DEFERRING,
        "url": url,
        "links": {"phone_numbers": f"{url}/PhoneNumbers", "us_app_to_person": f"{url}/Compliance/Usa2p"},
    }


def campaign_row(campaign: Campaign, account: Account) -> Row:
    service, sid = service_sid(campaign), new_sid("QE", campaign.id)
    failed = campaign.status == "FAILED"
    return {
        "sid": sid,
        "account_sid": account.id,
        "brand_registration_sid": campaign.brand,
        "messaging_service_sid": service,
        "description": f"{campaign.name} for customers who asked for them.",
        "message_samples": ["Your order is ready to be picked up. Reply STOP to opt out."] * 2,
        "us_app_to_person_usecase": campaign.usecase,
        "campaign_id": campaign.id,
        "campaign_status": campaign.status,
        "is_externally_registered": False,
        "has_embedded_links": False,
        "has_embedded_phone": False,
        "subscriber_opt_in": True,
        "age_gated": False,
        "direct_lending": False,
        "rate_limits": {"att": {"mps": 10, "msg_class": "T"}, "tmobile": {"brand_tier": "LOW"}},
        "message_flow": "Customers tick a box when they order.",
        "mock": False,
        "errors": [{"error_code": 30909, "fields": ["MESSAGE_FLOW"], "url": None, "description": "Unclear."}] * failed,
        "date_created": iso(SINCE),
        "date_updated": iso(SINCE),
        "url": f"{MESSAGING}/v1/Services/{service}/Compliance/Usa2p/{sid}",
    }


def verification_status(number: Number) -> str:
    """Of a toll-free number's verification, "" when none was asked for."""
    if number.toll_free == "pending":
        return "IN_REVIEW" if number.quirk % 2 else "PENDING_REVIEW"
    if number.toll_free == "unverified":
        return "TWILIO_REJECTED" if number.quirk % 3 == 0 else ""
    return "TWILIO_APPROVED" if number.toll_free == "verified" else ""


def verification_row(number: Number, account_sid: str) -> Row:
    sid, status = new_sid("HH", number.digits), verification_status(number)
    rejected = status == "TWILIO_REJECTED"
    return {
        "sid": sid,
        "account_sid": account_sid,
        "business_name": "Northwind Field Services",
        "tollfree_phone_number_sid": number_sid(number.digits),
        "tollfree_phone_number": f"+{number.digits}",
        "status": status,
        "rejection_reason": "Opt-in information is insufficient" if rejected else None,
        "error_code": 30445 if rejected else None,
        "edit_allowed": rejected or None,
        "date_created": iso(_rented(number)),
        "date_updated": iso(_rented(number)),
        "url": f"{MESSAGING}/v1/Tollfree/Verifications/{sid}",
    }
