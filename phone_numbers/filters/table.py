"""Every filter of the list, a row each. What is not in this table is not a filter, and the page says so."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from phonenumbers import SUPPORTED_REGIONS

from phone_numbers.filters import conditions as on
from phone_numbers.filters import words
from providers.registry import PROVIDERS

Words = Mapping[str, str]
Reader = Callable[[str], str]

PROVIDER_TITLES = {kind: provider.title for kind, provider in PROVIDERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One parameter of the query string."""

    parameter: str
    title: str
    read: Reader
    """From what was typed to its canonical spelling. Raises ValueError with a sentence that names the value."""
    condition: on.Condition
    choices: Words | None = None
    """Value to words, when there are few; several may be chosen."""
    operator: str = ""
    """What stands between title and value in words, when it is not "is"."""

    def in_words(self, value: str) -> str:
        return (self.choices or {}).get(value, value)


def choice(parameter: str, title: str, choices: Words, condition: on.Condition) -> Filter:
    def read(text: str) -> str:
        value = text.strip().lower()
        if value not in choices:
            raise ValueError(f"{title} has no value “{text}”. It can be: {', '.join(choices)}.")
        return value

    return Filter(parameter=parameter, title=title, read=read, condition=condition, choices=choices)


LONGEST_TEXT = 255


def text(parameter: str, title: str, condition: on.Condition) -> Filter:
    def read(typed: str) -> str:
        if "\0" in typed or len(typed) > LONGEST_TEXT:
            raise ValueError(f"{title} must be plain text of at most {LONGEST_TEXT} characters.")
        return typed.strip()

    return Filter(parameter=parameter, title=title, read=read, condition=condition)


def renewal(suffix: str, operator: str) -> Filter:
    def read(typed: str) -> str:
        try:
            return dt.date.fromisoformat(typed.strip()).isoformat()
        except ValueError:
            raise ValueError(f"Renewal date “{typed}” is not a date like 2026-11-21.") from None

    return Filter(
        parameter=f"renewal_date{suffix}",
        title="Renewal",
        read=read,
        condition=on.the_only(f"renewal_date{suffix}"),
        operator=operator,
    )


def read_account(typed: str) -> str:
    if not re.fullmatch(r"[0-9]{1,18}", typed.strip()):
        raise ValueError(f"Account “{typed}” is not the id of an account.")
    return str(int(typed))


def read_country(typed: str) -> str:
    value = typed.strip().upper()
    if value not in SUPPORTED_REGIONS:
        raise ValueError(f"Country “{typed}” is not a two-letter country code like US.")
    return value


def read_tag(typed: str) -> str:
    if "\0" in typed or len(typed) > LONGEST_TEXT:
        raise ValueError(f"A tag is plain text of at most {LONGEST_TEXT} characters.")
    return typed.strip().casefold()


def read_list(typed: str) -> str:
    try:
        return str(UUID(typed.strip()))
    except ValueError:
        raise ValueError(f"“{typed}” is not a list of numbers.") from None


def read_prefix(typed: str) -> str:
    digits = re.sub(r"[\s().+-]", "", typed)
    if not re.fullmatch(r"[0-9]{1,15}", digits):
        raise ValueError(f"Number prefix “{typed}” is not the beginning of a number, like +1 415.")
    return digits


FILTERS = {
    each.parameter: each
    for each in (
        text("q", "Search", on.contains),
        choice("type", "Type", words.NUMBER_TYPES, on.one_of("number_type")),
        choice("services", "Services", words.SERVICES, on.one_of("service_bits")),
        choice("tendlc", "10DLC", words.TENDLC_STATUSES, on.one_of("tendlc_status")),
        choice("toll_free", "Toll-free", words.TOLL_FREE_STATUSES, on.one_of("toll_free_status")),
        Filter(parameter="account", title="Account", read=read_account, condition=on.one_of("account_id"), choices={}),
        choice("provider", "Provider", PROVIDER_TITLES, on.of_providers),
        Filter(parameter="country", title="Country", read=read_country, condition=on.one_of("country"), choices={}),
        choice("presence", "Presence", words.PRESENCES, on.one_of("presence")),
        choice("unrouted", "Goes nowhere", words.UNROUTED, on.going_nowhere),
        Filter(parameter="prefix", title="Number prefix", read=read_prefix, condition=on.starts_with_digits),
        text("alias", "Alias", on.the_only("alias")),
        text("application", "Application", on.application_called),
        text("subaccount", "Subaccount", on.subaccount_called),
        text("campaign", "10DLC campaign", on.the_only("tendlc_campaign_id")),
        choice("cnam_lookup", "CNAM lookup", words.CNAM_LOOKUPS, on.one_of("cnam_lookup")),
        Filter(parameter="tag", title="Tag", read=read_tag, condition=on.tagged, choices={}),
        text("owner", "Owner", on.belonging_to("owner")),
        text("cost_centre", "Cost centre", on.belonging_to("cost_centre")),
        Filter(parameter="list", title="List", read=read_list, condition=on.listed_in),
        renewal("", "on"),
        renewal("__gte", "from"),
        renewal("__gt", "after"),
        renewal("__lte", "until"),
        renewal("__lt", "before"),
    )
}

SORTS = (
    "number",
    "alias",
    "account",
    "type",
    "services",
    "voice",
    "messages",
    "tendlc",
    "toll_free",
    "rate",
    "renewal",
    "presence",
    "registration",
    "country",
)
PER_PAGE = (25, 50, 100, 250)
