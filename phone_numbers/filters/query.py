"""The inventory's query string as an object: read once, checked whole, able to print itself back."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from django.db.models import Q
from django.http import QueryDict
from django.utils.http import urlencode

from phone_numbers.filters import words
from phone_numbers.filters.columns import read_columns
from phone_numbers.filters.conditions import Reading, combinations
from phone_numbers.filters.table import FILTERS, PER_PAGE, SORTS
from phone_numbers.models import PhoneNumber

Known = Mapping[str, str]

EVERYTHING = "all"
"""Instead of a view: the list itself, though another one opens by default."""


def read_sort(typed: str) -> str:
    if typed.strip().removeprefix("-") not in SORTS:
        raise ValueError(f"The list cannot be sorted by “{typed}”.")
    return typed.strip()


def read_page(typed: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", typed.strip()):
        raise ValueError(f"“{typed}” is not a page.")
    return typed.strip()


def read_per_page(typed: str) -> str:
    if typed.strip() not in map(str, PER_PAGE):
        raise ValueError(f"A page has {', '.join(map(str, PER_PAGE))} rows, not “{typed}”.")
    return typed.strip()


def read_services_match(typed: str) -> str:
    if typed.strip() not in words.SERVICE_MATCHES:
        raise ValueError(f"Services can match any, all or exactly, not “{typed}”.")
    return typed.strip()


def read_cursor(typed: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,1000}", typed.strip()):
        raise ValueError("The place in the list is not one that this page gave.")
    return typed.strip()


def read_view(typed: str) -> str:
    if not re.fullmatch(rf"[0-9]{{1,18}}|{EVERYTHING}", typed.strip()):
        raise ValueError(f"“{typed}” is not a saved view.")
    return typed.strip()


OPTIONS = {
    "services_match": read_services_match,
    "sort": read_sort,
    "columns": read_columns,
    "per_page": read_per_page,
    "page": read_page,
    "after": read_cursor,
    "before": read_cursor,
    "view": read_view,
}
PLACE = ("page", "after", "before")
"""Where in the list: a page by its number, and beside it the row it follows or precedes."""
KEPT = ("sort", "columns", "per_page", "view")
"""What stays when all filters go."""
OF_A_VIEW = ("services_match", "sort", "columns")
DEFAULTS = {"services_match": "any", "sort": "number", "per_page": "50", "page": "1"}
READERS = {parameter: each.read for parameter, each in FILTERS.items()} | OPTIONS


@dataclass(frozen=True, slots=True)
class Mistake:
    """A parameter the list does not understand; with one, the list shows no rows."""

    parameter: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Chip:
    """One active filter in words, and the query that remains without it."""

    title: str
    value: str
    rest: "InventoryQuery"


@dataclass(frozen=True, slots=True)
class InventoryQuery:
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Parameter to canonical values, in the order of the table; options at their default are left out."""
    accounts: Known = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    @classmethod
    def read(cls, parameters: QueryDict, accounts: Known) -> "InventoryQuery":
        """`accounts` are the ids and names that exist. What is not understood becomes a mistake, never an exception."""
        chosen: dict[str, tuple[str, ...]] = {}
        mistakes = []
        for parameter, given in parameters.lists():
            try:
                chosen[parameter] = read_values(parameter, given, accounts)
            except ValueError as error:
                mistakes.append(Mistake(parameter, str(error)))
        kept = {p: chosen[p] for p in READERS if chosen.get(p) and chosen[p] != (DEFAULTS.get(p),)}
        return cls(kept, accounts, tuple(mistakes))

    def __str__(self) -> str:
        return printed(tuple(self.chosen.items()))

    @property
    def suffix(self) -> str:
        return f"?{self}" if self.chosen else ""

    def option(self, parameter: str) -> str:
        return self.chosen.get(parameter, (DEFAULTS[parameter],))[0]

    @property
    def sort(self) -> str:
        return self.option("sort")

    @property
    def columns(self) -> str:
        return "".join(self.chosen.get("columns", ()))

    @property
    def view(self) -> str:
        """Id of the saved view it came from, if any."""
        return "".join(self.chosen.get("view", ()))

    @property
    def page(self) -> int:
        return int(self.option("page"))

    @property
    def per_page(self) -> int:
        return int(self.option("per_page"))

    @property
    def filters(self) -> Mapping[str, tuple[str, ...]]:
        return {parameter: values for parameter, values in self.chosen.items() if parameter in FILTERS}

    def having(self, **options: str) -> "InventoryQuery":
        """The same filters with other options; a place in the list survives only when it is itself asked for."""
        chosen = {p: values for p, values in self.chosen.items() if p not in PLACE}
        chosen |= {p: (v,) for p, v in options.items()}
        kept = {p: chosen[p] for p in READERS if p in chosen and chosen[p] != (DEFAULTS.get(p),)}
        return replace(self, chosen=kept)

    def without(self, parameter: str, value: str) -> "InventoryQuery":
        left = tuple(each for each in self.chosen[parameter] if each != value)
        chosen = {p: left if p == parameter else values for p, values in self.chosen.items() if p not in PLACE}
        return replace(self, chosen={p: values for p, values in chosen.items() if values})

    def without_filter(self, parameter: str) -> "InventoryQuery":
        chosen = {p: values for p, values in self.chosen.items() if p not in {parameter, *PLACE}}
        return replace(self, chosen=chosen)

    def unfiltered(self) -> "InventoryQuery":
        kept = {p: values for p, values in self.chosen.items() if p in KEPT}
        return replace(self, chosen=kept, mistakes=())

    def narrowed(self, parameter: str, value: str) -> "InventoryQuery":
        """With this value of a facet as well, or alone where there can be only one."""
        is_many = FILTERS[parameter].choices is not None
        values = {*self.chosen.get(parameter, ()), value} if is_many else {value}
        chosen = {**self.having().chosen, parameter: in_order(parameter, values)}
        return replace(self, chosen={p: chosen[p] for p in READERS if p in chosen})

    def asking(self, filters: Mapping[str, tuple[str, ...]]) -> "InventoryQuery":
        """In the same order and with the same columns, but with these filters alone."""
        chosen = {p: values for p, values in self.chosen.items() if p in KEPT} | dict(filters)
        return replace(self, chosen={p: chosen[p] for p in READERS if p in chosen}, mistakes=())

    def only_filters(self) -> "InventoryQuery":
        kept = {p: values for p, values in self.chosen.items() if p in FILTERS or p == "services_match"}
        return replace(self, chosen=kept)

    def as_view(self) -> "InventoryQuery":
        """What a saved view keeps: which numbers, in which order, with which columns."""
        kept = {p: values for p, values in self.chosen.items() if p in FILTERS or p in OF_A_VIEW}
        return replace(self, chosen=kept)

    def beside(self, view: str) -> "InventoryQuery":
        """The same, come from this view."""
        chosen = {**self.chosen, "view": (view,)} if view else {p: v for p, v in self.chosen.items() if p != "view"}
        return replace(self, chosen=chosen)

    def beyond(self, parameters: Collection[str]) -> "InventoryQuery":
        """Its filters but for these."""
        return replace(self, chosen={p: values for p, values in self.filters.items() if p not in parameters})

    def chips(self) -> list[Chip]:
        return [
            Chip(self.chip_title(parameter), self.in_words(parameter, value), self.without(parameter, value))
            for parameter, values in self.filters.items()
            for value in values
        ]

    def chip_title(self, parameter: str) -> str:
        if parameter == "services" and len(self.chosen["services"]) + (self.option("services_match") == "exactly") > 1:
            return f"Services, {words.SERVICE_MATCHES[self.option('services_match')].lower()}"
        return f"{FILTERS[parameter].title} {FILTERS[parameter].operator}".strip()

    def in_words(self, parameter: str, value: str) -> str:
        if parameter == "list":
            return "pasted numbers"
        return self.accounts.get(value, value) if parameter == "account" else FILTERS[parameter].in_words(value)

    def condition(self, reading: Reading) -> Q:
        """Released numbers are left out until they are asked for."""
        wanted = self.wanted(reading)
        return wanted if "presence" in self.chosen else wanted & ~Q(presence=PhoneNumber.Presence.RELEASED)

    def wanted(self, reading: Reading) -> Q:
        found = Q()
        for parameter, values in self.filters.items():
            found &= FILTERS[parameter].condition(self.stored(parameter, values), reading)
        return found

    def stored(self, parameter: str, values: tuple[str, ...]) -> tuple[str, ...]:
        if parameter != "services":
            return values
        return tuple(map(str, combinations(values, self.option("services_match"))))


@lru_cache(maxsize=1024)
def printed(chosen: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """A page prints dozens of queries, each of them twice."""
    return urlencode({parameter: ",".join(values) for parameter, values in chosen}).replace("%2C", ",")


def read_values(parameter: str, given: Iterable[str], accounts: Known) -> tuple[str, ...]:
    """Canonical values, without the empty ones. Raises ValueError with a sentence about the first that is not one."""
    if parameter not in READERS:
        raise ValueError(f"There is no filter called “{parameter}”.")
    is_many = parameter in FILTERS and FILTERS[parameter].choices is not None
    typed = [text for each in given for text in (each.split(",") if is_many else [each]) if text.strip()]
    values = dict.fromkeys(READERS[parameter](text) for text in typed)
    if len(values) > 1 and not is_many:
        raise ValueError(f"{parameter} is given more than once; it takes one value.")
    if parameter == "account" and (unknown := set(values) - set(accounts)):
        raise ValueError(f"There is no account with the id {', '.join(sorted(unknown))}.")
    return in_order(parameter, values)


def in_order(parameter: str, values: Collection[str]) -> tuple[str, ...]:
    known = list(FILTERS[parameter].choices or ()) if parameter in FILTERS else []
    return tuple(each for each in known if each in values) if known else tuple(sorted(values))
