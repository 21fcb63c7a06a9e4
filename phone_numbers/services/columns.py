"""A provider's reading of one number, as columns of the cache and as a digest. Touches no database."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self, TypeVar

import phonenumbers
from django.db import models

from phone_numbers.models import NumberPayload, PhoneNumber
from phone_numbers.models.numbers import service_bits
from providers.contract import RemoteNumber, Route
from providers.paging import ListedNumber

TEXTS = (
    "e164",
    "alias",
    "country",
    "region",
    "city",
    "subaccount",
    "carrier",
    "provider_status",
    "currency",
    "cnam",
    "cnam_lookup",
    "e911",
)
RATES = ("monthly_rate", "sms_rate", "mms_rate", "voice_rate")
AS_THEY_ARE = ("number_type", "added_on", "renewal_date")
SHOWN = (
    *TEXTS,
    *RATES,
    *AS_THEY_ARE,
    "services",
    "voice",
    "messages",
    "tendlc_status",
    "tendlc_campaign_id",
    "toll_free_status",
)
"""What people see of a number: a change in one of these is worth a line of its history."""

LENGTHS = {
    field.name: field.max_length
    for field in PhoneNumber._meta.concrete_fields
    if isinstance(field, models.CharField) and field.max_length
}
MOST_INDEXED_BYTES = 2600
"""Of the 2,704 that an entry of PostgreSQL's indexes may have, with the id and the presence beside the text."""
SMALLEST_RATE = Decimal("0.00001")
LARGEST_RATE = Decimal(10**7)

NORTH_AMERICAN = re.compile(r"\+1([2-9][0-9]{2})([0-9]{3})([0-9]{4})")
"""All written alike; most numbers of most accounts, and the library would take twenty times as long."""

Row = TypeVar("Row", bound=models.Model)

SURPRISED = "+"
"""Ends the stored digest of a number with surprises: its row is read at every sync, so that they are counted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number as a provider reported it, with the digest of all it said: equal digests need no write."""

    remote: RemoteNumber
    digest: str

    @classmethod
    def of(cls, remote: RemoteNumber) -> Self:
        digest = ListedNumber.of(remote).digest
        return cls(remote, digest + SURPRISED if remote.surprises else digest)

    def columns(self) -> dict[str, Any]:
        """What the row of the cache holds of it; a compliance status the reading does not tell is left out."""
        remote = self.remote
        columns: dict[str, Any] = {name: getattr(remote, name) for name in AS_THEY_ARE}
        columns |= {name: fitting(name, getattr(remote, name)) for name in TEXTS}
        columns |= {name: fitting_rate(getattr(remote, name)) for name in RATES}
        for prefix, route in (("voice", remote.voice), ("message", remote.messages)):
            columns[f"{prefix}_kind"] = fitting("voice_kind", route.kind)
            columns[f"{prefix}_target"] = fitting("voice_target", route.target)
        columns["service_bits"] = service_bits(remote.services)
        columns["digest"] = self.digest
        if remote.tendlc is not None:
            columns["tendlc_status"] = remote.tendlc.status
            columns["tendlc_campaign_id"] = fitting("tendlc_campaign_id", remote.tendlc.campaign_id)
            columns["tendlc_provenance"] = remote.tendlc.provenance
        if remote.toll_free is not None:
            columns["toll_free_status"] = remote.toll_free
        return columns

    def payload_row(self, pk: int) -> NumberPayload:
        remote = self.remote
        ignored = {"voice": remote.shadowed_voice, "messages": remote.shadowed_messages}
        shadowed = {name: [route.key for route in routes] for name, routes in ignored.items() if routes}
        return NumberPayload(number_id=pk, body=remote.payload, extras=dict(remote.extras), shadowed=shadowed)


def says_the_same(number: PhoneNumber, remote: RemoteNumber) -> bool:
    """Whether this reading would change nothing in the row but its digest."""
    columns = Reading.of(remote).columns()
    del columns["digest"]
    was_so = all(getattr(number, name) == value for name, value in columns.items())
    return was_so and number.presence == PhoneNumber.Presence.PRESENT and number.extras == remote.extras


def fitting(name: str, text: str) -> str:
    """PostgreSQL refuses what is longer than its column, or too many bytes for an index on it."""
    cut = text[: LENGTHS[name]]
    return cut if cut.isascii() else cut.encode()[:MOST_INDEXED_BYTES].decode(errors="ignore")


def fitting_value(remote: RemoteNumber, name: str) -> str:
    """An editable field as the cache would give it: what is longer than its column must still compare equal."""
    value = getattr(remote, name, "")
    if isinstance(value, Route):
        return Route(kind=fitting("voice_kind", value.kind), target=fitting("voice_target", value.target)).key
    text = remote.value(name)
    return text if name in remote.extras or name not in LENGTHS else fitting(name, text)


def fit_row(row: Row) -> Row:
    """The row, with every text cut to what its column takes."""
    for field in row._meta.concrete_fields:
        if isinstance(field, models.CharField | models.TextField):
            setattr(row, field.name, getattr(row, field.name)[: field.max_length])
    return row


def fitting_rate(rate: Decimal | None) -> Decimal | None:
    """To five places, as the column keeps it, so that the same rate compares equal when read again."""
    if rate is None or not rate.is_finite() or rate.copy_abs() >= LARGEST_RATE:
        return None
    return rate.quantize(SMALLEST_RATE)


def format_nationally(e164: str) -> str:
    """As people of its country write it; the number itself when it is none we know."""
    if north_american := NORTH_AMERICAN.fullmatch(e164):
        return "({}) {}-{}".format(*north_american.groups())
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)[: LENGTHS["national"]]


def shown(number: PhoneNumber) -> dict[str, str]:
    """What people see of a cached number, as text."""
    seen = {name: as_text(getattr(number, name)) for name in SHOWN}
    return {**seen, **number.extras}


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(getattr(value, "key", value))
