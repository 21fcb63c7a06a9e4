"""Twilio's words for types, services, days and registrations, turned into ours. Knows words, not whole rows.

From the Twilio API references (v2010 IncomingPhoneNumber, Messaging, Nov 2026).
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import phonenumbers

from providers.contract import NumberType, Provenance, Service, TenDlc, TenDlcStatus, TollFreeStatus
from providers.errors import MalformedResponse
from providers.reading import country_of, fold, read_day, read_flag, text

Row = Mapping[str, Any]

# Since twilio-oai 2.6.3 (Feb 2026) `type` is a plain string of which only "local" is documented: compared folded.
NUMBER_TYPES: Mapping[str, NumberType] = {
    "local": NumberType.LOCAL,
    "mobile": NumberType.MOBILE,
    "national": NumberType.NATIONAL,
    "tollfree": NumberType.TOLL_FREE,
    "sharedcost": NumberType.SHARED_RATE,
}
PLANNED_TYPES: Mapping[int, NumberType] = {
    phonenumbers.PhoneNumberType.FIXED_LINE: NumberType.LOCAL,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.LOCAL,
    phonenumbers.PhoneNumberType.MOBILE: NumberType.MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE: NumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.SHARED_COST: NumberType.SHARED_RATE,
    phonenumbers.PhoneNumberType.UAN: NumberType.NATIONAL,
}

# `campaign_status` is a free string; the reference names VERIFIED, IN_PROGRESS, FAILED and shows PENDING, and error
# 21729 speaks of suspended campaigns.
CAMPAIGN_STATUSES: Mapping[str, TenDlcStatus] = {
    "verified": TenDlcStatus.REGISTERED,
    "inprogress": TenDlcStatus.IN_PROGRESS,
    "pending": TenDlcStatus.IN_PROGRESS,
    "failed": TenDlcStatus.FAILED,
    "suspended": TenDlcStatus.FAILED,
}
STRONGEST_FIRST = (TenDlcStatus.REGISTERED, TenDlcStatus.IN_PROGRESS, TenDlcStatus.FAILED, TenDlcStatus.UNKNOWN)
VERIFICATION_STATUSES: Mapping[str, TollFreeStatus] = {
    "pendingreview": TollFreeStatus.PENDING,
    "inreview": TollFreeStatus.PENDING,
    "twilioapproved": TollFreeStatus.VERIFIED,
    "twiliorejected": TollFreeStatus.REJECTED,
}

SERVICES = frozenset(Service)


def written(row: Row, name: str) -> str:
    """Unset comes as "" or null, even within one row."""
    return text(row.get(name))


def required(row: Row, name: str) -> str:
    if value := written(row, name):
        return value
    raise MalformedResponse(f"Twilio sent a row without {name}.")


def e164(row: Row) -> str:
    number = required(row, "phone_number")
    if re.fullmatch(r"\+[1-9][0-9]{3,14}", number):
        return number
    raise MalformedResponse("Twilio sent a phone number that is not one.")


def read_date(value: object) -> dt.date | None:
    """v2010 writes RFC 2822, the other APIs ISO 8601."""
    try:
        return read_day(value) or parsedate_to_datetime(text(value)).date()
    except (ValueError, OverflowError):
        return None


def offered(capabilities: object) -> Iterator[str]:
    """v2010 and trunking give an object of booleans, Messaging Services an array; letter case varies."""
    if isinstance(capabilities, Mapping):
        yield from (name for name, offers in capabilities.items() if read_flag(offers))
    elif isinstance(capabilities, list):
        yield from map(text, capabilities)


def read_services(capabilities: object) -> frozenset[Service]:
    return frozenset(Service(fold(name)) for name in offered(capabilities) if fold(name) in SERVICES)


def read_number_type(word: str, number: str) -> NumberType:
    """Twilio's own word where there is one, else what the number tells."""
    if fold(word) in NUMBER_TYPES:
        return NUMBER_TYPES[fold(word)]
    try:
        planned = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return NumberType.UNKNOWN
    return PLANNED_TYPES.get(planned, NumberType.UNKNOWN)


def is_tendlc_number(country: str, number_type: NumberType, services: frozenset[Service]) -> bool:
    return country == "US" and number_type is not NumberType.TOLL_FREE and Service.SMS in services


def is_verifiable(number_type: NumberType, services: frozenset[Service]) -> bool:
    return number_type is NumberType.TOLL_FREE and Service.SMS in services


def inferred(status: TenDlcStatus, campaign_id: str = "") -> TenDlc:
    return TenDlc(status=status, campaign_id=campaign_id, provenance=Provenance.INFERRED)


def read_campaigns(rows: Iterable[Row]) -> TenDlc:
    """What a Messaging Service's campaigns make of its numbers. Mock campaigns register nothing with a carrier."""
    campaigns = [_campaign(row) for row in rows if not row.get("mock")]
    none = inferred(TenDlcStatus.UNREGISTERED)
    return min(campaigns, key=lambda campaign: STRONGEST_FIRST.index(campaign.status), default=none)


def _campaign(row: Row) -> TenDlc:
    status = CAMPAIGN_STATUSES.get(fold(row.get("campaign_status")), TenDlcStatus.UNKNOWN)
    return inferred(status, written(row, "campaign_id"))


def member_tendlc(member: Row, campaign: TenDlc) -> TenDlc:
    """What the campaign of its Messaging Service makes of one number in it. Canadian numbers may join, but need not."""
    number = e164(member)
    country, number_type = country_of(number[1:]), read_number_type("", number)
    if is_tendlc_number(country, number_type, read_services(member.get("capabilities"))):
        return campaign
    unregistered = campaign.status is TenDlcStatus.UNREGISTERED
    if country != "CA" or number_type is NumberType.TOLL_FREE or unregistered:
        return inferred(TenDlcStatus.NOT_APPLICABLE)
    return campaign


def read_verifications(rows: Iterable[Row]) -> Mapping[str, TollFreeStatus]:
    """PN sid to the status of its latest verification."""
    oldest_first = sorted(rows, key=lambda row: written(row, "date_updated"))
    return {written(row, "tollfree_phone_number_sid"): _verification(row) for row in oldest_first}


def _verification(row: Row) -> TollFreeStatus:
    return VERIFICATION_STATUSES.get(fold(row.get("status")), TollFreeStatus.UNKNOWN)
