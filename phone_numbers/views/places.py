"""A number's place in the list it was opened from, named by the `from` parameter of its page."""

from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from phone_numbers.filters.neighbours import Place, find_place
from phone_numbers.models import PhoneNumber
from phone_numbers.views.pages import PageRequest, list_query


@dataclass(frozen=True, slots=True)
class Trail:
    """The way back to the list, and on to its next number."""

    place: Place
    back: str
    """The list, as it was asked for."""
    title: str
    """Its filters in words; empty for the whole list."""

    @property
    def previous(self) -> str:
        return self.to(self.place.previous)

    @property
    def next(self) -> str:
        return self.to(self.place.next)

    def to(self, pk: int | None) -> str:
        kept = str(self.place.query)
        suffix = f"?{urlencode({'from': kept})}" if kept else ""
        return f"{reverse('numbers:detail', args=[pk])}{suffix}" if pk else ""


def trail_of(request: PageRequest, number: PhoneNumber) -> Trail:
    """What is not understood of the list is dropped, so that nothing but our own list is ever linked to."""
    query = list_query(QueryDict(request.GET.get("from", "")))
    if query.mistakes:
        query = query.unfiltered()
    title = ", ".join(chip.value for chip in query.chips())
    return Trail(find_place(query, number), f"{reverse('numbers:list')}{query.suffix}", title)


def list_suffix(request: PageRequest) -> str:
    """Keeps the list in the address of a number's page, as it came; `trail_of` makes sense of it."""
    return f"?{urlencode({'from': kept})}" if (kept := request.GET.get("from", "")) else ""
