"""The field sentinel: counts what of a listing its adapter does not know, and keeps the last whole listing's counts."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from phone_numbers.models import Surprise, SyncRun
from phone_numbers.services.runs import Lease
from providers.contract import RemoteNumber

MOST = 200
"""Distinct names kept of an account: a provider that sends more has changed altogether."""
LONGEST = 200
WRITTEN = ("example", "seen_count", "last_seen_at")


class Sentinel:
    """The surprises of one listing, in memory that does not grow with it."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, str] = {}

    def add(self, numbers: Iterable[RemoteNumber]) -> None:
        for number in numbers:
            for surprise in dict.fromkeys(number.surprises):
                self._count(number, surprise)

    def _count(self, number: RemoteNumber, surprise: str) -> None:
        name = surprise[:LONGEST]
        if name in self.counts:
            self.counts[name] += 1
        elif len(self.counts) < MOST:
            self.counts[name] = 1
            self.examples[name] = example_of(number, surprise)


def example_of(number: RemoteNumber, surprise: str) -> str:
    """The value that is not known, or what the field that is not known holds."""
    field, is_value, value = surprise.partition("=")
    return (value if is_value else content_of(number.payload, field))[:LONGEST]


def content_of(row: Any, path: str) -> str:
    """A field of a row, or of a row inside it (names with dots between them), as text. Capitals do not count."""
    for name in path.lower().split("."):
        fields = row if isinstance(row, Mapping) else {}
        row = next((content for key, content in fields.items() if key.lower() == name), None)
    return row if isinstance(row, str) else "" if row is None else msgspec.json.encode(row).decode()


def keep_surprises(lease: Lease, sentinel: Sentinel) -> None:
    """After a whole listing. Writes what differs from the last one, so mostly nothing. Raises LeaseLost."""
    known = Surprise.objects.filter(account=lease.run.account_id)
    counts = {row.name: row.seen_count for row in known}
    differing = {name: count for name, count in sentinel.counts.items() if count != counts.get(name)}
    gone = [name for name, count in counts.items() if count and name not in sentinel.counts]
    if differing or gone:
        with lease.transaction():
            write_counts(lease.run, differing, sentinel.examples)
            known.filter(name__in=gone).update(seen_count=0, last_seen_at=lease.run.account.fresh_at)
            forget_oldest(lease.run.account_id, MOST - len(sentinel.counts))


def write_counts(run: SyncRun, counts: Mapping[str, int], examples: Mapping[str, str]) -> None:
    rows = [
        Surprise(account_id=run.account_id, name=name, seen_count=count, example=examples[name])
        for name, count in counts.items()
    ]
    Surprise.objects.bulk_create(rows, update_conflicts=True, unique_fields=["account", "name"], update_fields=WRITTEN)


def forget_oldest(account_id: int, room: int) -> None:
    """Of those that are gone, keep the latest for which there is room."""
    past = Surprise.objects.filter(account=account_id, seen_count=0).order_by("-last_seen_at", "pk")
    Surprise.objects.filter(pk__in=list(past.values_list("pk", flat=True)[room:])).delete()
