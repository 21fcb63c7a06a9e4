"""How far a live sync is, told from its row alone. Says nothing it cannot know: no total, no time left."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from phone_numbers.models import SyncRun
from phone_numbers.services.runs import MAX_ATTEMPTS

SHORTEST = 3.0
"""Seconds. A rate measured over less says nothing."""
FEWEST = 1 / 100
LONG = 30.0
"""Before so much of the total is read, or so many seconds have gone by, the time left is a guess."""


@dataclass(frozen=True, slots=True)
class Progress:
    run: SyncRun
    now: dt.datetime

    @classmethod
    def of(cls, run: SyncRun) -> "Progress":
        return cls(run, timezone.now())

    @property
    def words(self) -> str:
        """What is being done."""
        if self.run.state != SyncRun.State.QUEUED:
            return SyncRun.Phase(self.run.phase).label
        if self.run.attempt:
            return f"Its worker was lost. Waiting for another one, attempt {self.run.attempt + 1} of {MAX_ATTEMPTS}"
        return "Waiting for a worker"

    @property
    def is_lost(self) -> bool:
        """Its worker has not been heard of for longer than it may be; another one takes the run up, if there is one."""
        lease = self.run.lease_expires_at
        return self.run.state == SyncRun.State.RUNNING and lease is not None and lease <= self.now

    @property
    def heard_at(self) -> dt.datetime:
        """Until then, at least, somebody was to look after it."""
        return self.run.lease_expires_at or self.run.created_at

    @property
    def is_silent(self) -> bool:
        """Nobody has taken it up for so long that watching it further makes no sense."""
        return self.now > self.heard_at + dt.timedelta(seconds=2 * settings.LEASE_SECONDS)

    @property
    def seconds(self) -> float:
        started = self.run.started_at or self.run.created_at
        return max((self.now - started).total_seconds(), 0.0)

    @property
    def total(self) -> int | None:
        """As the provider counts, unless the list has outgrown that."""
        total = self.run.numbers_total
        return total if total and self.run.numbers_seen <= total else None

    @property
    def pages_expected(self) -> int | None:
        """Of the size the pages had so far."""
        if not (self.total and self.run.numbers_seen and self.run.pages_read):
            return None
        return max(self.run.pages_read, -(-self.total * self.run.pages_read // self.run.numbers_seen))

    @property
    def is_reading(self) -> bool:
        return self.run.state == SyncRun.State.RUNNING and self.run.phase == SyncRun.Phase.NUMBERS

    @property
    def rate(self) -> float | None:
        """Numbers per second since the start, while they are being read."""
        if not (self.is_reading and self.run.numbers_seen) or self.is_lost or self.seconds < SHORTEST:
            return None
        return self.run.numbers_seen / self.seconds

    @property
    def seconds_left(self) -> float | None:
        if self.rate is None or not self.total:
            return None
        if self.run.numbers_seen < self.total * FEWEST and self.seconds < LONG:
            return None
        return (self.total - self.run.numbers_seen) / self.rate

    @property
    def rate_in_words(self) -> str:
        if self.rate is None:
            return ""
        return f"{self.rate:,.0f} per second" if self.rate >= 1 else f"{self.rate * 60:,.0f} per minute"

    @property
    def left_in_words(self) -> str:
        seconds = self.seconds_left
        if seconds is None:
            return ""
        if seconds < 5:
            return "a few seconds left"
        if seconds < 60:
            return f"about {5 * round(seconds / 5)} s left"
        if seconds < 3600:
            return f"about {round(seconds / 60)} min left"
        return f"about {seconds / 3600:.1f} h left"
