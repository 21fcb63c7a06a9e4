"""Which column of a table is which field: by its name, or as somebody says. Reads no rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from phone_numbers.services.editing import title_of
from providers.registry import PROVIDERS

NUMBER, ACCOUNT = "number", "account"
KEPT_HERE = ("tags", "owner", "cost_centre", "note")
"""What only Numberdesk keeps of a number."""
SPELLINGS = {
    "e164": NUMBER,
    "phonenumber": NUMBER,
    "voiceroute": "voice",
    "voicegoesto": "voice",
    "messageroute": "messages",
    "messagesgoto": "messages",
    "calleridname": "cnam",
    "tag": "tags",
    "costcenter": "cost_centre",
    "notes": "note",
}
EXACT = {"voiceroute": "voice", "messageroute": "messages"}
"""Of an export that has both, this column is read, and not the one with a name for people."""


@dataclass(frozen=True, slots=True)
class Column:
    header: str
    field: str
    """What it is taken for; "" when it is not read."""


def editable_names() -> list[str]:
    """Every field that can be edited at some provider, those that most have first; then what only we keep."""
    names = [edit.name for provider in PROVIDERS.values() for edit in provider.capabilities.edits]
    sent = sorted(dict.fromkeys(names), key=lambda name: (-names.count(name), names.index(name)))
    return [*sent, *KEPT_HERE]


def import_template() -> bytes:
    """An empty table with every column that is read."""
    return f"{','.join([NUMBER, ACCOUNT, *editable_names()])}\r\n".encode()


def match_columns(header: Sequence[str], mapping: Mapping[str, str]) -> list[Column]:
    """`mapping` says for headers that are called otherwise which field they are, "" for none."""
    known = {bare(name): name for name in (NUMBER, ACCOUNT, *editable_names())} | SPELLINGS
    exact = {EXACT[name] for name in map(bare, header) if name in EXACT}
    found = [mapping.get(each, known.get(bare(each), "")) for each in header]
    for place, each in enumerate(header):
        if each not in mapping and found[place] in exact and bare(each) not in EXACT:
            found[place] = ""
    return [Column(*each) for each in zip(header, found, strict=True)]


def bare(header: str) -> str:
    """Without case, blanks and punctuation."""
    return re.sub(r"[\W_]", "", header).casefold()


def mistakes_in(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """Field and sentence of everything that is wrong with them."""
    fields = [column.field for column in columns if column.field]
    allowed = {NUMBER, ACCOUNT, *editable_names()}
    mistakes = [(name, f"There is no field called “{name}”.") for name in dict.fromkeys(fields) if name not in allowed]
    mistakes += [
        (name, f"{fields.count(name)} columns are taken for {title_of(name)}; name one of them.")
        for name in dict.fromkeys(fields)
        if fields.count(name) > 1
    ]
    if NUMBER not in fields:
        mistakes.append((NUMBER, "No column is called “number”. Say which one has the numbers."))
    elif not {*fields} - {NUMBER, ACCOUNT}:
        mistakes.append(("", f"No column is one that can be edited: {', '.join(editable_names())}."))
    return mistakes


def unread(columns: Sequence[Column]) -> str:
    """The sentence that names the columns nobody reads, or ""."""
    headers = [column.header for column in columns if column.header and not column.field]
    return f"Columns that are not read: {', '.join(headers)}." if headers else ""
