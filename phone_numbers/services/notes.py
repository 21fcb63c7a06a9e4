"""Notes on numbers: written once, withdrawn by their author, kept in the history for ever. No provider sees them."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from phone_numbers.models import Event, Note, PhoneNumber
from phone_numbers.services.local_fields import lock_local

LONGEST_NOTE = 4000


class NoteRefused(Exception):
    """This cannot be noted, or withdrawn; `str()` is the sentence."""


def add_note(number: PhoneNumber, text: str, *, user: User, request_id: str = "") -> Note:
    """A form that is sent twice notes once. Raises NoteRefused."""
    text = checked_note(text)
    with transaction.atomic():
        lock_local([number.pk])
        newest = Note.objects.filter(number=number).first()
        if newest and (newest.text, newest.author_id, newest.withdrawn_at) == (text, user.pk, None):
            return newest
        note = Note.objects.create(number=number, text=text, author=user, author_name=user.get_username())
        record(note, Event.Kind.NOTED, user, request_id, after=text)
    return note


def checked_note(text: str) -> str:
    """As it is kept. Raises NoteRefused."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise NoteRefused("There is nothing in this note.")
    if len(text) > LONGEST_NOTE or "\0" in text:
        raise NoteRefused(f"A note is plain text of at most {LONGEST_NOTE:,} characters; this has {len(text):,}.")
    return text


def withdraw_note(note: Note, *, user: User, request_id: str = "") -> None:
    """Withdrawn once, however often it is asked for. Raises NoteRefused for somebody else's note."""
    if note.author_id != user.pk:
        raise NoteRefused(f"Only {note.author_name} can withdraw this note.")
    with transaction.atomic():
        if Note.objects.filter(pk=note.pk, withdrawn_at=None).update(withdrawn_at=timezone.now()):
            record(note, Event.Kind.WITHDRAWN, user, request_id, before=note.text)


def record(note: Note, kind: Event.Kind, user: User, request_id: str, **texts: str) -> None:
    Event.objects.create(
        number_id=note.number_id, kind=kind, actor=user, actor_name=user.get_username(), request_id=request_id, **texts
    )
