"""What a listing has shown so far, and whether it may be believed to be whole. Touches no database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Self

from phone_numbers.models import Event, SyncRun
from phone_numbers.services.cache import Stored
from phone_numbers.services.surprises import Sentinel
from providers.errors import MalformedResponse
from providers.paging import Page

KEPT = "What was read is stored; nothing was taken for absent."
LONGEST_ID = 100
"""As the cache keeps it; providers' own have 36 at most."""
SLACK = 1.1, 1_000
"""A listing may end so much above its total: numbers are bought while it is read."""
MOST_UNCOUNTED = 2_000_000
"""Rows of a listing that tells no total. One that goes on after that is taken for one without an end."""


class SeenNumbers:
    """A set of row ids, one bit each: a million rows in a few hundred kilobytes."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._count = 0

    def add(self, pk: int) -> bool:
        """False when it was in already."""
        place, bit = pk >> 3, 1 << (pk & 7)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1024 - len(self._bits)))
        if self._bits[place] & bit:
            return False
        self._bits[place] |= bit
        self._count += 1
        return True

    def __contains__(self, pk: int) -> bool:
        place = pk >> 3
        return place < len(self._bits) and bool(self._bits[place] & 1 << (pk & 7))

    def __len__(self) -> int:
        return self._count


@dataclass(slots=True)
class Listing:
    pages: int = 0
    rows: int = 0
    moves: int = 0
    """Pages that do not join the page before."""
    first_total: int | None = None
    last_total: int | None = None
    seen: SeenNumbers = field(default_factory=SeenNumbers)
    sentinel: Sentinel = field(default_factory=Sentinel)
    repeated: int = 0
    new: int = 0
    changed: int = 0
    returned: int = 0
    left_alone: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, run: SyncRun) -> Self:
        """Goes on counting what was done where an earlier try of the run was lost; it is read from its first page."""
        return cls(new=run.numbers_new, changed=run.numbers_changed, returned=run.numbers_returned)

    def add_page(self, page: Page) -> None:
        """Raises MalformedResponse for ids that are none, and for a list that goes on where it should have ended."""
        if not self.pages:
            self.first_total = page.total
        self.last_total = page.total
        self.pages += 1
        self.rows += len(page.rows)
        self.moves += page.moved
        if any(len(row.id) > LONGEST_ID for row in page.rows):
            raise MalformedResponse(f"The provider gave a number an id of more than {LONGEST_ID} characters. {KEPT}")
        if self.rows > self.most_rows:
            raise MalformedResponse(f"The provider's list did not end after {self.rows:,} rows. {KEPT}")

    def add_stored(self, stored: Stored) -> None:
        self.new += stored.new
        self.changed += stored.changed
        self.returned += stored.returned
        self.left_alone.update(stored.left_alone)
        self.sentinel.add(stored.surprising)
        self.mark_seen(stored.seen)

    def add_news(self, kinds: Collection[str]) -> None:
        """The kinds of history that reading one more number on its own made."""
        self.changed += Event.Kind.DRIFT in kinds
        self.returned += Event.Kind.PRESENCE in kinds

    def mark_seen(self, pks: Iterable[int]) -> None:
        for pk in pks:
            self.repeated += not self.seen.add(pk)

    def doubt(self) -> str:
        """Why a listing that ran to its end may still have missed numbers; "" when nothing says so."""
        if self.repeated or self.moves:
            numbers = "number" if self.repeated == 1 else "numbers"
            twice = f" ({self.repeated:,} {numbers} came twice)" if self.repeated else ""
            return f"The list moved while it was read{twice}, so it may have missed some. {KEPT}"
        counts = {len(self.seen), *(total for total in (self.first_total, self.last_total) if total is not None)}
        if len(counts) > 1:
            first, last = (
                "no total" if total is None else f"{total:,}" for total in (self.first_total, self.last_total)
            )
            return (
                f"The provider counted {first} numbers at first and {last} at last, "
                f"and listed {len(self.seen):,}. {KEPT}"
            )
        return ""

    @property
    def most_rows(self) -> float:
        total = max(self.first_total or 0, self.last_total or 0)
        times, more = SLACK
        return total * times + more if total else MOST_UNCOUNTED

    def progress(self) -> dict[str, int | None]:
        """The run's columns."""
        return {
            "pages_read": self.pages,
            "numbers_total": self.last_total,
            "numbers_seen": len(self.seen),
            "numbers_new": self.new,
            "numbers_changed": self.changed,
            "numbers_returned": self.returned,
            "numbers_left_alone": len(self.left_alone),
        }
