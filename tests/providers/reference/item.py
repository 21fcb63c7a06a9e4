"""The shape of the tables: a page has sections, a section has items, an item lands somewhere or says why not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One field or parameter, as the page spells it."""

    name: str
    columns: tuple[str, ...] = ()
    """Of the model PhoneNumber: this field decides, alone or with others, what is in them."""
    filters: tuple[str, ...] = ()
    """Parameters of the list that ask for the same."""
    edit: str = ""
    """The editable field that changes it."""
    extra: str = ""
    """Its name among the settings that only this provider has."""
    row_field: str = ""
    """What rows call it, where that differs from the page."""
    note: str = ""
    not_applicable: str = ""
    """The reason why it lands nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    items: tuple[Item, ...]
    is_row: bool = False
    """These are the fields of a number's row, which is kept in the number's payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    title: str
    provider: str
    sections: tuple[Section, ...]

    @property
    def row_items(self) -> list[Item]:
        return [item for section in self.sections if section.is_row for item in section.items]

    @property
    def items(self) -> list[Item]:
        return [item for section in self.sections for item in section.items]


def item(name: str, *, column: str = "", filters: str = "", **rest: str) -> Item:
    """`column` and `filters` may name several, with blanks between them."""
    return Item(name=name, columns=tuple(column.split()), filters=tuple(filters.split()), **rest)


def unused(names: str, reason: str) -> tuple[Item, ...]:
    """Several that land nowhere for one reason."""
    return tuple(item(name, not_applicable=reason) for name in names.split())


ROUTE = "voice_kind voice_target"
MESSAGE_ROUTE = "message_kind message_target"
RENEWAL = "renewal_date renewal_date__gt renewal_date__gte renewal_date__lt renewal_date__lte"
PAGING = "The sync reads every page to the end."
SIGN_IN = "It comes from the account's credentials, with every request."
