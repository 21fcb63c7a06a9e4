"""What the list can show of a number: every column, and those it shows when nobody chose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FIRST = "number"
"""Always shown, and always first: it is what a row is."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    key: str
    title: str
    """In the head of the table."""
    hint: str = ""
    """What the title leaves out."""
    sort: str = ""
    """What the list is sorted by at a click on the title; empty where no index makes that quick."""

    @property
    def name(self) -> str:
        return f"{self.title} ({self.hint})" if self.hint else self.title


def sortable(key: str, title: str, hint: str = "") -> ListColumn:
    return ListColumn(key, title, hint, sort=key)


LIST_COLUMNS: Mapping[str, ListColumn] = {
    column.key: column
    for column in (
        sortable(FIRST, "Number"),
        sortable("alias", "Alias"),
        sortable("account", "Account"),
        sortable("services", "Services"),
        sortable("voice", "Voice goes to"),
        sortable("messages", "Messages go to"),
        sortable("registration", "Registration", "10DLC or toll-free"),
        sortable("rate", "Monthly"),
        sortable("renewal", "Renews"),
        sortable("presence", "Presence"),
        sortable("type", "Type"),
        sortable("tendlc", "10DLC"),
        ListColumn("campaign", "Campaign", "10DLC"),
        sortable("toll_free", "Toll-free"),
        ListColumn("tags", "Tags"),
        ListColumn("owner", "Owner"),
        ListColumn("cost_centre", "Cost centre"),
        sortable("country", "Country"),
        ListColumn("region", "Region"),
        ListColumn("city", "City"),
        ListColumn("provider", "Provider"),
        ListColumn("subaccount", "Subaccount"),
        ListColumn("carrier", "Carrier"),
        ListColumn("cnam", "Caller name", "CNAM"),
        ListColumn("cnam_lookup", "CNAM lookup"),
        ListColumn("e911", "E911"),
        ListColumn("added", "Added", "at the provider"),
        ListColumn("first_seen", "First seen"),
        ListColumn("changed", "Changed", "last new value"),
        ListColumn("read", "Last read", "its account"),
        ListColumn("remote_id", "Provider’s id"),
    )
}
DEFAULT = (
    *("number", "alias", "account", "services", "voice", "messages"),
    *("registration", "rate", "renewal", "presence"),
)
"""As many as fit beside the filters on a screen 1440 pixels wide."""


def chosen(keys: Iterable[str]) -> tuple[str, ...]:
    """Those of these that there are, in this order, after the number."""
    return tuple(dict.fromkeys((FIRST, *(key for key in keys if key in LIST_COLUMNS))))


def read_columns(typed: str) -> str:
    """Keys with commas between, in canonical spelling. Raises ValueError with a sentence."""
    keys = [key.strip() for key in typed.split(",") if key.strip()]
    if unknown := [key for key in keys if key not in LIST_COLUMNS]:
        raise ValueError(f"The list has no column “{unknown[0]}”. It can show: {', '.join(LIST_COLUMNS)}.")
    return ",".join(chosen(keys))
