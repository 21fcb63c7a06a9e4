"""Plivo's words for numbers, routes and registrations, turned into ours. Talks to nobody.

From the Plivo API reference, "Account Phone Number" (latest and legacy pages, Nov 2026), and what plivo-python 4.63 and
plivo-cli 1.x read. Whatever is not known here is kept and counted as a surprise; a row is refused only when it has no
number, or is another account's.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from providers.contract import (
    NOWHERE,
    NumberType,
    Provenance,
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
from providers.paging import ListedNumber
from providers.reading import (
    canonical,
    country_of,
    decoded,
    digest_of,
    fold,
    read_day,
    read_flag,
    read_rate,
    text,
    without_secrets,
)

Row = Mapping[str, Any]

READING = b"plivo 1"
"""Count it up whenever a row comes to be read as something else: all numbers are then read anew, once."""

NUMBER_TYPES: Mapping[str, NumberType] = {
    "local": NumberType.LOCAL,
    "mobile": NumberType.MOBILE,
    "national": NumberType.NATIONAL,
    "fixed": NumberType.FIXED,
    "tollfree": NumberType.TOLL_FREE,
}
TENDLC_STATUSES: Mapping[str, TenDlcStatus] = {
    "unregistered": TenDlcStatus.UNREGISTERED,
    "processing": TenDlcStatus.IN_PROGRESS,
    "inprogress": TenDlcStatus.IN_PROGRESS,
    "completed": TenDlcStatus.REGISTERED,
    "registered": TenDlcStatus.REGISTERED,
    "failed": TenDlcStatus.FAILED,
}
TOLL_FREE_STATUSES: Mapping[str, TollFreeStatus] = {
    "unverified": TollFreeStatus.UNVERIFIED,
    "pendingverification": TollFreeStatus.PENDING,
    "pending": TollFreeStatus.PENDING,
    "verified": TollFreeStatus.VERIFIED,
    "rejected": TollFreeStatus.REJECTED,
}
CNAM_LOOKUPS: Mapping[str, str] = {"enabled": "enabled", "disabled": "disabled", "null": "", "": ""}
VOCABULARIES: Mapping[str, Mapping[str, object]] = {
    "number_type": NUMBER_TYPES,
    "type": NUMBER_TYPES,
    "tendlc_registration_status": TENDLC_STATUSES,
    "toll_free_sms_verification": TOLL_FREE_STATUSES,
    "cnam_lookup": CNAM_LOOKUPS,
}
READERS: Mapping[str, Callable[[object], object]] = {
    "monthly_rental_rate": read_rate,
    "sms_rate": read_rate,
    "mms_rate": read_rate,
    "voice_rate": read_rate,
    "added_on": read_day,
    "renewal_date": read_day,
}
SETTLED_COMPLIANCE = {"", "accepted", "approved", "completed"}
KNOWN_FIELDS = frozenset(
    """
    active added_on alias api_id app_id application caller_reputation_status carrier city cnam cnam_lookup
    cnam_registration_status compliance_application_id compliance_status country description fallback_number
    mms_enabled mms_rate monthly_rental_rate number number_type object_id object_type plivo_number profile_uuid region
    renewal_date resource_uri sms_enabled sms_rate sub_account sub_account_name subaccount tendlc_campaign_id
    tendlc_registration_status toll_free_sms_verification toll_free_sms_verification_id
    toll_free_sms_verification_order_status type verification_info voice_enabled voice_rate
    """.split()  # noqa: SIM905 - as text it stays readable
)


def list_rows(rows: Iterable[Row], account_id: str) -> Iterator[ListedNumber]:
    """Raises for the same rows as `read_number`. Keeps them as JSON, which takes a quarter of the room."""
    reader = partial(read_source, account_id)
    for row in rows:
        fields = row if "number" in row and "resource_uri" in row else own_names(row)
        digits = read_digits(fields.get("number"))
        check_account(fields.get("resource_uri"), account_id)
        source = canonical(row)
        yield ListedNumber(digits, digest_of(source, READING), source, reader)


def read_source(account_id: str, source: bytes) -> RemoteNumber:
    return read_number(decoded(source), account_id, source)


def read_number(row: object, account_id: str, source: bytes = b"") -> RemoteNumber:
    """Raises MalformedResponse for a row without a number, WrongAccount for one of another account.

    `source`: the same as canonical JSON, where it is known already.
    The pages and the clients disagree on two names: `sub_account` or `subaccount`, `number_type` or `type`.
    """
    if not isinstance(row, dict):
        raise MalformedResponse("Plivo sent something else where a number's row belongs.")
    fields = own_names(row)
    digits = read_digits(fields.get("number"))
    check_account(fields.get("resource_uri"), account_id)
    country = country_of(digits)
    services = read_services(fields)
    number_type = NUMBER_TYPES.get(fold(fields.get("number_type") or fields.get("type")), NumberType.UNKNOWN)
    voice = read_route(fields)
    return RemoteNumber(
        id=digits,
        e164=f"+{digits}",
        alias=text(fields.get("alias")),
        number_type=number_type,
        country=country,
        region=text(fields.get("region")),
        city=read_city(fields),
        subaccount=last_segment(text(fields.get("sub_account") or fields.get("subaccount"))),
        carrier=text(fields.get("carrier")),
        provider_status=read_status(fields),
        services=services,
        voice=voice,
        messages=read_message_route(voice, services),
        tendlc=read_tendlc(fields, number_type, country, services),
        toll_free=read_toll_free(fields, number_type, country, services),
        monthly_rate=read_rate(fields.get("monthly_rental_rate")),
        sms_rate=read_rate(fields.get("sms_rate")),
        mms_rate=read_rate(fields.get("mms_rate")),
        voice_rate=read_rate(fields.get("voice_rate")),
        currency="USD",
        added_on=read_day(fields.get("added_on")),
        renewal_date=read_day(fields.get("renewal_date")),
        cnam=text(fields.get("cnam")),
        cnam_lookup=CNAM_LOOKUPS.get(fold(fields.get("cnam_lookup")), text(fields.get("cnam_lookup"))),
        surprises=tuple(sorted(surprises(fields))),
        payload=without_secrets(row),
        digest=digest_of(source or canonical(row), READING),
    )


def own_names(row: Row) -> Row:
    """The row, its fields' names in small letters: the legacy page writes `tendlc_campaign_Id`."""
    return row if KNOWN_FIELDS.issuperset(row) else {name.lower(): value for name, value in row.items()}


DIGITS = re.compile(r"\+?([1-9][0-9]{2,14})")


def read_digits(value: object) -> str:
    if isinstance(value, str) and (match := DIGITS.fullmatch(value)):
        return match[1]
    raise MalformedResponse("Plivo sent a row without a phone number.")


OWNER = re.compile(r"/Account/(MA[^/]*)/")


def check_account(resource_uri: object, account_id: str) -> None:
    """A row may name a subaccount, which is one's own: only another main account is foreign."""
    match = OWNER.search(text(resource_uri))
    if match and match[1] != account_id:
        raise WrongAccount("Plivo sent a row of another account than the one asked for.")


OFFERED = {"voice_enabled": Service.VOICE, "sms_enabled": Service.SMS, "mms_enabled": Service.MMS}


def read_services(fields: Row) -> frozenset[Service]:
    return frozenset(service for name, service in OFFERED.items() if read_flag(fields.get(name)))


def read_route(fields: Row) -> Route:
    """`application` is the address of an application, or of a Zentrunk trunk (plivo-cli, Nov 2026)."""
    address = text(fields.get("application"))
    target = last_segment(address) or text(fields.get("app_id"))
    if not target:
        return NOWHERE
    return Route(kind=RouteKind.TRUNK if "/Zentrunk/" in address else RouteKind.APPLICATION, target=target)


def read_message_route(voice: Route, services: frozenset[Service]) -> Route:
    """Messages go to the application that takes the calls; a trunk carries calls only."""
    takes_messages = voice.kind == RouteKind.APPLICATION and not services.isdisjoint({Service.SMS, Service.MMS})
    return voice if takes_messages else NOWHERE


def last_segment(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


def read_city(fields: Row) -> str:
    """Some rows repeat the country as the city."""
    city = text(fields.get("city"))
    return "" if city.upper() in {"USA", text(fields.get("country")).upper()} else city


def read_status(fields: Row) -> str:
    """Numbers awaiting activation are not active, and say how their compliance application stands."""
    active = "" if fields.get("active") is None else "active" if read_flag(fields["active"]) else "inactive"
    compliance = text(fields.get("compliance_status")).lower()
    pending = "" if compliance in SETTLED_COMPLIANCE else f"compliance {compliance}"
    return ", ".join(filter(None, (active, pending)))


def read_tendlc(fields: Row, number_type: NumberType, country: str, services: frozenset[Service]) -> TenDlc:
    """10DLC is about messages from US local numbers; other rows carry null, some UNREGISTERED all the same."""
    concerned = number_type != NumberType.TOLL_FREE and country in {"US", ""}
    word = fold(fields.get("tendlc_registration_status"))
    campaign = text(fields.get("tendlc_campaign_id"))
    status = TENDLC_STATUSES.get(word, TenDlcStatus.UNKNOWN)
    if not concerned and status in {TenDlcStatus.UNKNOWN, TenDlcStatus.UNREGISTERED}:
        return TenDlc(status=TenDlcStatus.NOT_APPLICABLE, campaign_id=campaign, provenance=Provenance.INFERRED)
    if not word and Service.SMS not in services:
        return TenDlc(status=TenDlcStatus.NOT_APPLICABLE, campaign_id=campaign, provenance=Provenance.INFERRED)
    return TenDlc(status=status, campaign_id=campaign)


def read_toll_free(fields: Row, number_type: NumberType, country: str, services: frozenset[Service]) -> TollFreeStatus:
    """The verification is about messages from toll-free numbers of the US and Canada."""
    word = fold(fields.get("toll_free_sms_verification"))
    if number_type != NumberType.TOLL_FREE:
        return TollFreeStatus.NOT_APPLICABLE
    if not word and (Service.SMS not in services or country not in {"US", "CA", ""}):
        return TollFreeStatus.NOT_APPLICABLE
    return TOLL_FREE_STATUSES.get(word, TollFreeStatus.UNKNOWN)


def surprises(fields: Row) -> Iterator[str]:
    """Fields nobody told us of, and values that could not be read."""
    yield from fields.keys() - KNOWN_FIELDS
    for name, words in VOCABULARIES.items():
        if (value := fields.get(name)) and fold(value) not in words:
            yield f"{name}={text(value)}"
    for name, read in READERS.items():
        if (value := fields.get(name)) and read(value) is None:
            yield f"{name}={text(value)}"


def read_application(row: Row) -> RemoteApplication:
    enabled = row.get("enabled") is not False
    return RemoteApplication(
        id=required(row, "app_id"),
        name=text(row.get("app_name")),
        voice_url=text(row.get("answer_url")),
        message_url=text(row.get("message_url")),
        fallback_url=text(row.get("fallback_answer_url")),
        subaccount=last_segment(text(row.get("sub_account"))),
        assignable=enabled,
        why_not="" if enabled else "This application is disabled at Plivo.",
        payload=without_secrets(row),
    )


def read_trunk(row: Row) -> RemoteApplication:
    """A number attached to an outbound trunk silently stops answering; plivo-cli 1.1 refuses to do it (Nov 2026)."""
    inbound = fold(row.get("trunk_direction")) == "inbound"
    return RemoteApplication(
        id=required(row, "trunk_id"),
        kind=RouteKind.TRUNK,
        name=text(row.get("name")),
        assignable=inbound,
        why_not="" if inbound else "Only an inbound trunk can take calls; on this one the number would go silent.",
        payload=without_secrets(row),
    )


def required(row: Row, name: str) -> str:
    if value := text(row.get(name)):
        return value
    raise MalformedResponse(f"Plivo sent a row without {name}.")
