"""Fone Dynamics' words for numbers and their routing, turned into ours and back. Talks to nobody.

From the REST API pages Get Numbers, Configure Numbers and Errors (Nov 2026). Whatever is not known here is kept and
counted as a surprise; only a row without a number is refused.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from providers.contract import (
    NOWHERE,
    NumberType,
    RemoteNumber,
    RemoteSubaccount,
    Route,
    Service,
    TenDlc,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.errors import MalformedResponse
from providers.reading import country_of, fold, text, without_secrets

T = TypeVar("T")
Row = Mapping[str, Any]

E164 = re.compile(r"\+[1-9][0-9]{5,14}")
ENDPOINT = "endpoint"

# Four types are documented; mobile numbers are sold as well (page "Find Available Numbers").
NUMBER_TYPES = {
    "local": NumberType.LOCAL,
    "tollfree": NumberType.TOLL_FREE,
    "sharedrate": NumberType.SHARED_RATE,
    "national": NumberType.NATIONAL,
    "mobile": NumberType.MOBILE,
}
SERVICES = {"voice": Service.VOICE, "sms": Service.SMS, "mms": Service.MMS}

# "Get Numbers" knows only Endpoint, "Configure Numbers" Flow as well, and the number-block page also application: the
# field that holds the target of each.
METHODS = {ENDPOINT: "EndpointNumber", "flow": "Flow", "application": "Application"}
ROUTE_TITLES = {ENDPOINT: "Endpoint number", "flow": "Flow", "application": "Application"}

# Off and Call on the numbers' pages; the number-block page writes disabled and enabled.
RECORDING = {"off": "Off", "call": "Call", "disabled": "Off", "enabled": "Call"}
HIGHEST_TOTAL = 2**31 - 1
STATUSES = {"active": "active", "pending": "pending"}

FIELD_OF: Mapping[str, str] = {
    "alias": "Friendly",
    "recording": "Recording",
    "attribution_source": "Attribution_Source",
    "attribution_medium": "Attribution_Medium",
    "attribution_campaign": "Attribution_Campaign",
    "attribution_content": "Attribution_Content",
}
ATTRIBUTIONS = tuple(name for name in FIELD_OF if name.startswith("attribution_"))
FIELDS = frozenset(
    (
        *("Number", "PropertySid", "AccountSid", "RoutingMethod", "Type", "Capabilities", "CountryCode", "Region"),
        *("City", "Status", "AddressSid", *FIELD_OF.values(), *METHODS.values()),
    )
)


def read_number(row: Row) -> RemoteNumber:
    """Raises MalformedResponse for a row that does not say which number it is."""
    e164 = text(row.get("Number"))
    if not E164.fullmatch(e164):
        raise MalformedResponse("Fone Dynamics listed a row without a number.")
    surprises = [name for name in row if name not in FIELDS]
    number_type = _known(NUMBER_TYPES, row, "Type", surprises) or NumberType.UNKNOWN
    status = _known(STATUSES, row, "Status", surprises) or text(row.get("Status"))
    recording = _known(RECORDING, row, "Recording", surprises) or text(row.get("Recording"))
    country = text(row.get("CountryCode")).upper() or country_of(e164[1:])
    voice = _route(row, surprises)
    return RemoteNumber(
        id=e164[1:],
        e164=e164,
        alias=text(row.get("Friendly")),
        number_type=number_type,
        country=country,
        region=text(row.get("Region")),
        city=text(row.get("City")),
        subaccount=text(row.get("PropertySid")),
        provider_status=status,
        services=_services(row, surprises),
        voice=voice,
        shadowed_voice=_shadowed(row, voice),
        tendlc=_tendlc(country, number_type),
        toll_free=_toll_free(country, number_type),
        extras={"recording": recording, **{name: text(row.get(FIELD_OF[name])) for name in ATTRIBUTIONS}},
        surprises=tuple(surprises),
        payload=without_secrets(row),
    )


def _known(words: Mapping[str, T], row: Row, field: str, surprises: list[str]) -> T | None:
    found = words.get(fold(row.get(field)))
    if found is None and fold(row.get(field)):
        surprises.append(f"{field}={row[field]}")
    return found


def _services(row: Row, surprises: list[str]) -> frozenset[Service]:
    """A comma-delimited list; taken as a JSON list too."""
    value = row.get("Capabilities")
    names = value if isinstance(value, list) else text(value).split(",")
    surprises += [f"Capabilities={name}" for name in names if fold(name) and fold(name) not in SERVICES]
    return frozenset(SERVICES[fold(name)] for name in names if fold(name) in SERVICES)


def _route(row: Row, surprises: list[str]) -> Route:
    method = text(row.get("RoutingMethod"))
    if not method:
        return NOWHERE
    if fold(method) not in METHODS:
        surprises.append(f"RoutingMethod={method}")
    return Route(kind=fold(method)[:30], target=text(row.get(METHODS.get(fold(method), ""))))


def _shadowed(row: Row, effective: Route) -> tuple[Route, ...]:
    """Targets of methods not in force."""
    targets = {kind: text(row.get(field)) for kind, field in METHODS.items() if kind != effective.kind}
    return tuple(Route(kind=kind, target=target) for kind, target in targets.items() if target)


def _tendlc(country: str, number_type: NumberType) -> TenDlc:
    """Fone Dynamics reports nothing of 10DLC, which concerns ten-digit numbers of the United States."""
    concerned = country == "US" and number_type is not NumberType.TOLL_FREE
    return TenDlc(status=TenDlcStatus.UNKNOWN if concerned else TenDlcStatus.NOT_APPLICABLE)


def _toll_free(country: str, number_type: NumberType) -> TollFreeStatus:
    concerned = country in ("US", "CA") and number_type is NumberType.TOLL_FREE
    return TollFreeStatus.UNKNOWN if concerned else TollFreeStatus.NOT_APPLICABLE


def write_edit(edit: Mapping[str, str]) -> dict[str, str]:
    """The body of the configuration request for an edit already checked."""
    body = {FIELD_OF[name]: value for name, value in edit.items() if name in FIELD_OF}
    if "voice" in edit:
        body |= {"RoutingMethod": "Endpoint", "EndpointNumber": Route.from_key(edit["voice"]).target}
    return body


def read_property(row: Row) -> RemoteSubaccount:
    if not text(row.get("PropertySid")):
        raise MalformedResponse("Fone Dynamics listed a property without its id.")
    return RemoteSubaccount(id=text(row["PropertySid"]), name=text(row.get("Name")))


def rows_of(body: Any, *wrappers: str) -> list[Row]:
    """The rows of an answer: wrapped, a bare list, or one bare object. Raises MalformedResponse.

    The pages show all three. `Number` is a wrapper when it holds an object and a field of the row when it holds text.
    """
    inner = [body[key] for key in wrappers if isinstance(body.get(key), (list, dict))] if isinstance(body, dict) else []
    found = inner[0] if inner else body
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedResponse("Fone Dynamics answered with something that is not a list of objects.")
    return rows


def total_of(body: Any) -> int | None:
    total = body.get("TotalCount") if isinstance(body, Mapping) else None
    return total if isinstance(total, int) and not isinstance(total, bool) and 0 <= total <= HIGHEST_TOTAL else None


def error_words(body: Any) -> str:
    """The code first: it tells a number that is gone, which also comes as status 400, from a wrong value."""
    status = body.get("ResponseStatus") if isinstance(body, dict) else None
    if not isinstance(status, dict):
        return ""
    errors = status.get("Errors") or []
    fields = [text(error.get("FieldName")) for error in errors if isinstance(error, dict)]
    said = ": ".join(filter(None, (text(status.get("ErrorCode")), text(status.get("Message")))))
    return f"{said} ({', '.join(fields)})" if any(fields) else said
