"""The change log as a table: who changed what of which number, when, why, and what the provider answered."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet

from phone_numbers.models import Event
from phone_numbers.services.sheets import escaped

COLUMNS = (
    *("at", "number", "account", "event", "field", "before", "after", "by", "reason", "detail", "request id"),
    *("change", "change set"),
)


class Echo:
    """A file that only hands on what is written to it."""

    def write(self, text: str) -> str:
        return text


def log_as_csv(events: QuerySet[Event]) -> Iterator[str]:
    """The header and a line for each of these events, as they come out of the database."""
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    related = events.select_related("number__account", "change__change_set").defer("number__account__credentials")
    for event in related.iterator(2000):
        yield writer.writerow([escaped(cell) for cell in cells_of(event)])


def cells_of(event: Event) -> list[str]:
    asked = event.change.change_set if event.change else None
    return [
        event.at.isoformat(timespec="milliseconds"),
        event.number.e164,
        event.number.account.name,
        event.kind,
        event.field,
        event.before,
        event.after,
        event.actor_name,
        asked.reason if asked else "",
        event.detail,
        event.request_id,
        str(event.change_id or ""),
        str(asked.pk if asked else ""),
    ]
