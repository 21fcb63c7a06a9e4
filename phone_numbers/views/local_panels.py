"""What only Numberdesk keeps of a number, tags, owner, cost centre and notes: shown and changed on its page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef

from phone_numbers.models import Note, PhoneNumber, Tag
from phone_numbers.services.local_fields import LENGTHS, TEXTS, TITLES, read_values
from phone_numbers.views.pages import PageRequest

MOST_SUGGESTED = 500
MOST_NOTES = 20
"""Older ones are in the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField:
    name: str
    title: str
    value: str
    """What was typed, or what is stored."""
    base: str
    """What the operator is taken to have seen; sent back with the form."""
    max_length: int
    theirs: str | None = None
    """What somebody else stored meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPanel:
    tags: list[str]
    texts: list[TextField]
    notes: list[Note]
    suggestions: list[str]
    may_edit: bool
    typed_tags: str = ""
    typed_note: str = ""
    error: str = ""
    error_field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a form was not stored, with everything typed in it."""

    error: str
    error_field: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    current: Mapping[str, str] | None = None
    """What the number has now, when somebody else was faster."""


NO_REFUSAL = Refusal(error="")


def local_panel(request: PageRequest, number: PhoneNumber, refusal: Refusal = NO_REFUSAL) -> LocalPanel:
    values = read_values([number.pk])[number.pk]
    may_edit = request.user.has_perm("numbers.change_phonenumber")
    in_use = Exists(Tag.numbers.through.objects.filter(tag=OuterRef("pk")))
    return LocalPanel(
        tags=values["tags"].split(", ") if values["tags"] else [],
        texts=[text_field(name, values[name], refusal) for name in TEXTS],
        notes=list(number.notes.filter(withdrawn_at=None)[:MOST_NOTES]),
        suggestions=list(Tag.objects.filter(in_use).values_list("name", flat=True)[:MOST_SUGGESTED])
        if may_edit
        else [],
        may_edit=may_edit,
        typed_tags=refusal.typed.get("tags", ""),
        typed_note=refusal.typed.get("note", ""),
        error=refusal.error,
        error_field=refusal.error_field,
    )


def text_field(name: str, stored: str, refusal: Refusal) -> TextField:
    """After a conflict the next attempt starts from what there is now."""
    is_conflict = refusal.current is not None and stored != refusal.seen.get(name)
    return TextField(
        name=name,
        title=TITLES[name],
        value=refusal.typed.get(name, stored),
        base=stored if is_conflict else refusal.seen.get(name, stored),
        max_length=LENGTHS[name],
        theirs=stored if is_conflict and name in refusal.typed else None,
    )
