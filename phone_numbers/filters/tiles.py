"""What in the inventory wants a look, each with its count and the filter that shows it.

The counts come from the cells that the facets were counted from, so they agree with the list, at no query more. Of a
search only what it finds is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import IntegerField
from django.db.models.expressions import RawSQL

from phone_numbers.filters.facets import FACETS, Asked, count_also
from phone_numbers.filters.query import InventoryQuery
from phone_numbers.models import Change
from phone_numbers.services.verdicts import find_drift

MOST_COUNTED = 100
LIVE = ", ".join(f"'{state}'" for state in Change.LIVE)


@dataclass(frozen=True, slots=True)
class Kind:
    title: str
    tone: str
    icon: str
    filters: Mapping[str, tuple[str, ...]]


KINDS = (
    Kind("unconfirmed or missing", "bad", "exclamation-triangle", {"presence": ("unconfirmed", "missing")}),
    Kind("10DLC failed", "bad", "x-circle", {"tendlc": ("failed",)}),
    Kind(
        "US local that text, unregistered",
        "warn",
        "exclamation-triangle",
        {"type": ("local",), "services": ("sms",), "tendlc": ("unregistered",), "country": ("US",)},
    ),
    Kind("go nowhere", "warn", "minus-circle", {"unrouted": ("voice", "messages")}),
)


@dataclass(frozen=True, slots=True)
class Tile:
    kind: Kind
    count: int
    is_active: bool
    query: InventoryQuery
    """What a click leads to: the filter, or away from it where it is on already."""


def find_tiles(query: InventoryQuery, edition: str) -> list[Tile]:
    """Those that count anything."""
    if query.mistakes:
        return []
    rest = query.beyond(FACETS)
    counts = count_kinds(Asked(edition, str(rest), rest))
    tiles = [tile(query, rest, kind, count) for kind, count in zip(KINDS, counts, strict=True)]
    return [each for each in tiles if each.count]


def tile(query: InventoryQuery, rest: InventoryQuery, kind: Kind, count: int) -> Tile:
    shown = query.asking({**rest.filters, **kind.filters})
    is_active = str(shown.only_filters()) == str(query.only_filters())
    return Tile(kind, count, is_active, query.asking(rest.filters) if is_active else shown)


@lru_cache(maxsize=32)
def count_kinds(asked: Asked) -> tuple[int, ...]:
    rest = asked.query
    return tuple(count_also(rest.asking({**rest.filters, **kind.filters}), asked.edition) for kind in KINDS)


def changes_under_way() -> RawSQL:
    """How many changes are; to annotate another query with, which saves one of its own."""
    return RawSQL(f"(SELECT count(*) FROM numbers_change WHERE state IN ({LIVE}))", [], IntegerField())


def undecided() -> RawSQL:
    """How many settings changed outside and wait for a verdict, counted no further than `MOST_COUNTED`.

    To annotate another query with, which saves one of its own. Without an order, so that the index by field answers:
    renewals, of which there are thousands, are not looked at.
    """
    waiting = find_drift(kind="settings", state="open").order_by().values("pk")[:MOST_COUNTED]
    sql, values = waiting.query.sql_with_params()
    return RawSQL(f"(SELECT count(*) FROM ({sql}) AS waiting)", values, IntegerField())
