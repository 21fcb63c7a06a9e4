"""The rows of the list and their cells that can be edited in place. Asks the database nothing."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from phone_numbers.models import Account, Change, PhoneNumber
from phone_numbers.services.editing import capabilities_of, lock_of
from phone_numbers.views.absences import Absence
from phone_numbers.views.list_head import NO_MORE, More
from phone_numbers.views.values import ROUTES, route_in_words
from providers.contract import Capabilities, Service

if TYPE_CHECKING:
    from phone_numbers.filters.rows import ShownNumber

FIELDS = {"alias": "Alias", **ROUTES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field of one number, as the list shows it."""

    number: "ShownNumber"
    field: str
    lead: str
    """The kind of a route's target, in words."""
    text: str
    why_not: str
    """Why it cannot be edited; empty when it can."""
    live_change: int | None = None
    """The change under way for this field."""
    ended: Change | None = None
    """The change that was watched until it ended."""

    @property
    def title(self) -> str:
        return FIELDS[self.field]

    @property
    def blank(self) -> str:
        """What stands in an empty cell. A number without the service cannot be routed, which is no fault."""
        service = {"voice": Service.VOICE, "messages": Service.SMS}.get(self.field)
        return "Nowhere" if service in self.number.services else "–"

    @property
    def id(self) -> str:
        return f"cell-{self.number.pk}-{self.field}"


@dataclass(frozen=True, slots=True)
class Row:
    number: "ShownNumber"
    alias: Cell
    voice: Cell
    messages: Cell
    more: More
    """What its own columns do not hold."""
    absence: Absence | None


def rows_of(numbers: "Sequence[ShownNumber]", accounts: Mapping[int, Account], more: Mapping[int, More]) -> list[Row]:
    """`accounts` spare numbers from reading their own."""
    now = timezone.now()
    for number in numbers:
        number.account = accounts.get(number.account_id) or number.account
    return [row_of(number, more.get(number.pk, NO_MORE), now) for number in numbers]


def row_of(number: "ShownNumber", more: More, now: dt.datetime) -> Row:
    capabilities = capabilities_of(number.account)
    alias, voice, messages = (cell_of(number, field, capabilities) for field in FIELDS)
    is_present = number.presence == PhoneNumber.Presence.PRESENT
    reclaim_days = capabilities.reclaim_days if capabilities else None
    absence = None if is_present else Absence(number, number.presence_since, reclaim_days, now)
    return Row(number, alias, voice, messages, more, absence)


def cell_of(number: "ShownNumber", field: str, capabilities: Capabilities | None) -> Cell:
    lead, text = shown_value(number, field)
    return Cell(
        number=number,
        field=field,
        lead=lead,
        text=text,
        why_not=why_not(number, field, capabilities),
        live_change=number.live_change if field in (number.live_desired or ()) else None,
    )


def why_not(number: "ShownNumber", field: str, capabilities: Capabilities | None) -> str:
    if capabilities is None:
        return "This server does not know the number's provider any more."
    if edit := capabilities.edit(field):
        return lock_of(number, edit)
    return capabilities.why_not.get(field, f"{FIELDS[field]} cannot be edited at this provider.")


def shown_value(number: "ShownNumber", field: str) -> tuple[str, str]:
    if field == "alias":
        return "", number.alias
    if field == "voice":
        return route_in_words(number.account, number.voice, number.voice_label)
    return route_in_words(number.account, number.messages, number.message_label)
