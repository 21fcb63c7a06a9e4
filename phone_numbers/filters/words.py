"""The words people read for the values the database keeps."""

from collections.abc import Iterable, Mapping
from enum import Enum

from phone_numbers.models import PhoneNumber
from providers.contract import NumberType, Service, TenDlcStatus, TollFreeStatus

SPELLINGS = {"toll_free": "Toll-free", "sms": "SMS", "mms": "MMS"}


def in_words(value: str) -> str:
    return SPELLINGS.get(value) or value.replace("_", " ").capitalize()


def titled(values: Iterable[Enum]) -> Mapping[str, str]:
    return {str(each.value): in_words(str(each.value)) for each in values}


NUMBER_TYPES = titled(NumberType)
SERVICES = titled(Service)
SERVICE_MATCHES = {"any": "Any of", "all": "All of", "exactly": "Exactly"}
TENDLC_STATUSES = titled(TenDlcStatus)
TOLL_FREE_STATUSES = titled(TollFreeStatus)
PRESENCES = titled(PhoneNumber.Presence)
UNROUTED = {"voice": "Calls", "messages": "Messages"}
CNAM_LOOKUPS = {"enabled": "Enabled", "disabled": "Disabled"}
