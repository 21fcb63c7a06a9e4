"""The filter panel, drawn from the table of filters. Validates nothing: `phone_numbers.filters` does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import QueryDict

from phone_numbers.filters import FILTERS, InventoryQuery
from phone_numbers.filters.directory import Directory
from phone_numbers.filters.facets import Facets
from phone_numbers.filters.table import PROVIDER_TITLES

ALWAYS_OPEN = {"type", "services", "tendlc"}
HINTS = {
    "prefix": "+1 415",
    "alias": "Exact alias",
    "application": "Name or id",
    "campaign": "Campaign id",
    "owner": "Exactly as written",
    "cost_centre": "Exactly as written",
}
MOST_APPLICATIONS, MOST_TAGS = 8, 30
"""The commonest; a list of hundreds would be no choice. The others are typed, or searched."""
TEXTS = ("prefix", "alias", "subaccount", "campaign", "owner", "cost_centre")
DATES = ("renewal_date__gte", "renewal_date__lte")
UNSEEN = ("list", "renewal_date", "renewal_date__gt", "renewal_date__lt")
"""Filters of the query string without a control of their own; the form carries them along."""

Titles = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    title: str
    is_chosen: bool
    count: int
    """How many numbers it leaves, with everything that is asked for besides this filter."""


@dataclass(frozen=True, slots=True)
class Group:
    """The checkboxes of one filter."""

    parameter: str
    title: str
    options: list[Option]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """The text or date field of one filter, with what was typed even when it was not understood."""

    parameter: str
    title: str
    value: str
    hint: str = ""
    suggestions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A value of a facet of which one may be chosen: leads to it, or away from it."""

    title: str
    count: int
    is_chosen: bool
    query: InventoryQuery


@dataclass(frozen=True, slots=True)
class FilterPanel:
    groups: list[Group]
    application: Entry
    applications: list[Link]
    """One of them may be chosen, or another one typed."""
    texts: list[Entry]
    dates: list[Entry]
    unseen: list[Entry]

    @property
    def has_entries(self) -> bool:
        return any(entry.value for entry in (*self.texts, *self.dates))


def filter_panel(query: InventoryQuery, typed: QueryDict, facets: Facets, directory: Directory) -> FilterPanel:
    countries = {code: code for code in sorted({*facets.by_facet["country"], *query.chosen.get("country", ())})}
    choices = {parameter: each.choices for parameter, each in FILTERS.items() if each.choices}
    offered = choices | {"account": query.accounts, "provider": PROVIDER_TITLES, "country": countries}
    offered["tag"] = commonest_tags(query, facets, directory)
    suggestions = {
        "application": tuple((name, "") for name in directory.offered),
        "subaccount": directory.subaccounts,
    }
    return FilterPanel(
        groups=[group(query, each, offered[each], facets) for each in FILTERS if each in offered],
        application=entry("application", typed, suggestions["application"]),
        applications=application_links(query, facets),
        texts=[entry(each, typed, suggestions.get(each, ())) for each in TEXTS],
        dates=[entry(each, typed) for each in DATES],
        unseen=[entry(each, typed) for each in UNSEEN if typed.get(each)],
    )


def commonest_tags(query: InventoryQuery, facets: Facets, directory: Directory) -> Titles:
    shown = {*list(facets.by_facet["tag"])[:MOST_TAGS], *query.chosen.get("tag", ())}
    return {folded: name for folded, name in directory.tags.items() if folded in shown}


def application_links(query: InventoryQuery, facets: Facets) -> list[Link]:
    counts = facets.by_facet["application"]
    chosen = "".join(query.chosen.get("application", ())).casefold()
    names = [name for place, name in enumerate(counts) if place < MOST_APPLICATIONS or name.casefold() == chosen]
    return [application_link(query, name, counts[name], is_chosen=name.casefold() == chosen) for name in names]


def application_link(query: InventoryQuery, name: str, count: int, *, is_chosen: bool) -> Link:
    there = query.without_filter("application") if is_chosen else query.narrowed("application", name)
    return Link(name, count, is_chosen, there)


def group(query: InventoryQuery, parameter: str, titles: Titles, facets: Facets) -> Group:
    chosen = query.chosen.get(parameter, ())
    counts = facets.by_facet.get(parameter, {})
    options = [Option(value, title, value in chosen, counts.get(value, 0)) for value, title in titles.items()]
    return Group(parameter, FILTERS[parameter].title, options, bool(chosen) or parameter in ALWAYS_OPEN)


def entry(parameter: str, typed: QueryDict, suggestions: Iterable[tuple[str, str]] = ()) -> Entry:
    title = f"{FILTERS[parameter].title} {FILTERS[parameter].operator}".strip()
    return Entry(parameter, title, typed.get(parameter, ""), HINTS.get(parameter, ""), tuple(suggestions))
