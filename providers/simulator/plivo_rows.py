"""How Plivo writes things down: the rows of its lists and the filters of its number list.

Field names and filter words are those of the Plivo API reference (Account Phone Number, latest and legacy pages,
Nov 2026) and of the clients plivo-python 4.63 and plivo-cli. A few rows show a less common spelling on purpose: the
clients' fixtures and the two pages disagree in the same places. Changes nothing.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from providers.simulator.numbering import COUNTRY_NAMES
from providers.simulator.numbers import Number
from providers.simulator.world import Account, Application, Campaign, Subaccount, Trunk

Row = dict[str, Any]
Test = Callable[[Number], bool]

NUMBER_TYPES = {"toll_free": "tollfree"}
TENDLC_WORDS = {"unregistered": "UNREGISTERED", "in_progress": "PROCESSING", "registered": "COMPLETED"}
TOLL_FREE_WORDS = {"unverified": "UNVERIFIED", "pending": "PENDING_VERIFICATION", "verified": "VERIFIED"}
ORDER_WORDS = {"pending": "SUBMITTED", "verified": "APPROVED"}
REPUTATION_WORDS = {"enabled": "PENDING", "disabled": "NOT_ENROLLED"}


def number_row(number: Number, account_id: str) -> Row:
    number_type = NUMBER_TYPES.get(number.number_type, number.number_type)
    needs_compliance = number.country not in ("US", "CA")
    row: Row = {
        "active": number.active,
        "added_on": number.added_on.isoformat(),
        "alias": number.alias,
        "application": route_uri(number.voice, account_id),
        "caller_reputation_status": REPUTATION_WORDS.get(number.caller_reputation),
        "carrier": number.carrier or "Plivo",
        "city": number.city or None,
        "cnam": number.cnam,
        "cnam_lookup": number.cnam_lookup or None,
        "cnam_registration_status": "SUCCESS" if number.cnam else None,
        "compliance_application_id": number.compliance_application or None,
        "compliance_status": ("accepted" if number.active else "pending") if needs_compliance else None,
        "country": COUNTRY_NAMES.get(number.country, number.country),
        "mms_enabled": "mms" in number.services,
        "mms_rate": number.mms_rate,
        "monthly_rental_rate": number.monthly_rate,
        "number": number.digits,
        "number_type": number_type,
        "profile_uuid": number.profile or None,
        "region": region(number),
        "renewal_date": number.renewal_date.isoformat() if number.renewal_date else None,
        "resource_uri": f"/v1/Account/{account_id}/Number/{number.digits}/",
        "sms_enabled": "sms" in number.services,
        "sms_rate": number.sms_rate,
        "sub_account": number.subaccount or None,
        "tendlc_campaign_id": number.campaign or None,
        "tendlc_registration_status": TENDLC_WORDS.get(number.tendlc),
        "toll_free_sms_verification": TOLL_FREE_WORDS.get(number.toll_free),
        "toll_free_sms_verification_id": verification_id(number),
        "toll_free_sms_verification_order_status": ORDER_WORDS.get(number.toll_free),
        "type": number_type,
        "verification_info": {},
        "voice_enabled": "voice" in number.services,
        "voice_rate": number.voice_rate,
    }
    for quirk, write_oddly in QUIRKS.items():
        if number.quirk in quirk:
            write_oddly(row)
    return row


def _without_active(row: Row) -> None:
    del row["active"]


def _legacy_campaign_key(row: Row) -> None:
    row["tendlc_campaign_Id"] = row.pop("tendlc_campaign_id")


def _registered(row: Row) -> None:
    if row["tendlc_registration_status"] == "COMPLETED":
        row["tendlc_registration_status"] = "REGISTERED"


def _lower_case_verification(row: Row) -> None:
    if row["toll_free_sms_verification"]:
        row["toll_free_sms_verification"] = row["toll_free_sms_verification"].lower()


def _application_without_slash(row: Row) -> None:
    row["application"] = row["application"] and row["application"].rstrip("/")


def _country_as_city(row: Row) -> None:
    if row["country"] == "United States":
        row["city"] = "USA"


def _empty_application(row: Row) -> None:
    row["application"] = row["application"] or ""


QUIRKS: Mapping[range, Callable[[Row], None]] = {
    range(12): _without_active,
    range(12, 15): _legacy_campaign_key,
    range(15, 21): _registered,
    range(21, 40): _lower_case_verification,
    range(40, 46): _application_without_slash,
    range(46, 50): _country_as_city,
    range(50, 75): _empty_application,
}


def route_uri(route: str, account_id: str) -> str | None:
    kind, _, target = route.partition(":")
    if kind == "trunk":
        return f"/v1/Account/{account_id}/Zentrunk/Trunk/{target}/"
    return f"/v1/Account/{account_id}/Application/{target}/" if kind else None


def region(number: Number) -> str:
    country = COUNTRY_NAMES.get(number.country, number.country).upper()
    return f"{number.region}, {country}" if number.region else country


def verification_id(number: Number) -> str | None:
    if number.toll_free in ("", "unverified"):
        return None
    return str(uuid.UUID(int=number.position + 1))


def application_row(application: Application, account_id: str) -> Row:
    return {
        "answer_method": "POST",
        "answer_url": application.voice_url or None,
        "app_id": application.id,
        "app_name": application.name,
        "application_type": "XML",
        "default_app": application.is_default,
        "default_endpoint_app": False,
        "enabled": True,
        "fallback_answer_url": application.fallback_url,
        "fallback_method": "POST",
        "hangup_method": "POST",
        "hangup_url": application.voice_url,
        "log_incoming_messages": True,
        "message_method": "POST",
        "message_url": application.message_url or None,
        "public_uri": False,
        "resource_uri": f"/v1/Account/{account_id}/Application/{application.id}/",
        "sip_uri": f"sip:{application.id}@app.plivo.com",
        "sub_account": application.subaccount or None,
    }


def subaccount_row(subaccount: Subaccount, account_id: str) -> Row:
    return {
        "account": f"/v1/Account/{account_id}/",
        "auth_id": subaccount.id,
        "auth_token": subaccount.token,
        "created": subaccount.created,
        "enabled": subaccount.enabled,
        "modified": None,
        "name": subaccount.name,
        "new_auth_token": subaccount.token,
        "resource_uri": f"/v1/Account/{account_id}/Subaccount/{subaccount.id}/",
    }


def trunk_row(trunk: Trunk, account_id: str) -> Row:
    return {
        "trunk_id": trunk.id,
        "name": trunk.name,
        "trunk_domain": trunk.domain,
        "trunk_status": "enabled",
        "trunk_direction": "inbound" if trunk.inbound else "outbound",
        "secure": False,
        "resource_uri": f"/v1/Account/{account_id}/Zentrunk/Trunk/{trunk.id}/",
    }


def campaign_row(campaign: Campaign, _: str) -> Row:
    return {
        "brand_id": campaign.brand,
        "campaign_id": campaign.id,
        "campaign_alias": campaign.name,
        "campaign_source": "plivo",
        "created_at": "2024-03-11T09:20:00Z",
        "description": f"{campaign.name} messages to customers who asked for them.",
        "error_code": None,
        "error_reason": None,
        "mno_metadata": {"AT&T": {"tpm": 240}, "T-Mobile": {"brand_tier": "LOW"}},
        "registration_status": campaign.status,
        "reseller_id": None,
        "sample1": "Your order is ready to be picked up. Reply STOP to opt out.",
        "sub_usecases": [],
        "usecase": campaign.usecase,
        "vertical": "RETAIL",
    }


def account_row(account: Account) -> Row:
    return {
        "account_type": "standard",
        "address": "1 Example Way",
        "auth_id": account.id,
        "auto_recharge": True,
        "billing_mode": "prepaid",
        "cash_credits": "250.00000",
        "city": "Austin",
        "name": account.name,
        "resource_uri": f"/v1/Account/{account.id}/",
        "state": "Texas",
        "timezone": "UTC",
    }


def _never(_: Number) -> bool:
    return False


def _among(words: Mapping[str, str], attribute: str) -> Callable[[str], Test]:
    """The filter's own words, which are case-sensitive; any other word matches nothing."""
    by_filter = {word: value for value, word in words.items()}
    return lambda word: _equals(attribute)(by_filter[word]) if word in by_filter else _never


def _equals(attribute: str) -> Callable[[str], Test]:
    return lambda value: lambda number: getattr(number, attribute) == value


def _offers(value: str) -> Test:
    wanted = set(value.split(","))
    return lambda number: wanted <= set(number.services.split())


def _renews(holds: Callable[[dt.date, dt.date], bool]) -> Callable[[str], Test]:
    def build(value: str) -> Test:
        try:
            day = dt.date.fromisoformat(value)
        except ValueError:
            return _never
        return lambda number: number.renewal_date is not None and holds(number.renewal_date, day)

    return build


TYPE_FILTER = {"local": "local", "mobile": "mobile", "fixed": "fixed", "national": "national", "toll_free": "tollfree"}
VERIFICATION_FILTER = {"unverified": "unverified", "pending": "pending_verification", "verified": "verified"}

FILTERS: Mapping[str, Callable[[str], Test]] = {
    "type": _among(TYPE_FILTER, "number_type"),
    "number_startswith": lambda value: lambda number: number.digits.startswith(value),
    "subaccount": _equals("subaccount"),
    "alias": _equals("alias"),
    "services": _offers,
    "cnam_lookup": _equals("cnam_lookup"),
    "tendlc_registration_status": _among({word: word for word in TENDLC_WORDS}, "tendlc"),
    "tendlc_campaign_id": _equals("campaign"),
    "toll_free_sms_verification": _among(VERIFICATION_FILTER, "toll_free"),
    "toll_free_sms_verification_order_status": _among(ORDER_WORDS, "toll_free"),
    "renewal_date": _renews(dt.date.__eq__),
    "renewal_date__gt": _renews(dt.date.__gt__),
    "renewal_date__gte": _renews(dt.date.__ge__),
    "renewal_date__lt": _renews(dt.date.__lt__),
    "renewal_date__lte": _renews(dt.date.__le__),
}
