"""An engine with one bug: each of these puts a broken function in the place of a right one while a block runs.

Nothing of it is in the product. One whose function has moved, or is never called, raises: it would prove nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.utils import timezone

from phone_numbers.models import PhoneNumber
from phone_numbers.services import listing, sync
from phone_numbers.services.presence import Tally
from phone_numbers.services.runs import Lease
from providers.contract import Provider

Presence = PhoneNumber.Presence
Mutant = Callable[[], AbstractContextManager[None]]
MUTANTS: dict[str, Mutant] = {}


class Unused(Exception):
    """The broken function was never called, so nothing was proved."""


def mutant(name: str) -> Callable[[Callable[[], Iterator[None]]], Mutant]:
    def keep(broken: Callable[[], Iterator[None]]) -> Mutant:
        MUTANTS[name] = contextmanager(broken)
        return MUTANTS[name]

    return keep


@contextmanager
def swapped(*places: tuple[object, str], by: Callable[..., Any]) -> Iterator[None]:
    """`by` in all these places; AttributeError where there is nothing to replace, Unused when nobody called it."""
    originals = [(place, name, getattr(place, name)) for place, name in places]
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        return by(*args, **kwargs)

    try:
        for place, name, _ in originals:
            setattr(place, name, counted)
        yield
    finally:
        for place, name, original in originals:
            setattr(place, name, original)
    if not calls:
        raise Unused(f"{places[0][1]} was not called.")


@mutant("single-pass release")
def single_pass_release() -> Iterator[None]:
    """What a list lacks is gone: no certificate, no asking."""

    def release(_: Provider, __: Lease, absent: Iterable[int], *___: object, **____: object) -> Tally:
        numbers = PhoneNumber.objects.filter(pk__in=list(absent))
        return Tally(released=numbers.update(presence=Presence.RELEASED, presence_since=timezone.now()))

    with (
        swapped((listing.Listing, "doubt"), by=lambda _: ""),
        swapped((sync, "reason_to_hold"), by=lambda *_: ""),
        swapped((sync, "check_absent"), by=release),
    ):
        yield
