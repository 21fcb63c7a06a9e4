"""An engine with one bug: each of these puts a broken function in the place of a right one while a block runs.

Nothing of it is in the product. One whose function has moved, or is never called, raises: it would prove nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from django.utils import timezone

from phone_numbers.models import Change, PhoneNumber, Sequence
from phone_numbers.services import absences, cache, changes, listing, reading, sync
from phone_numbers.services.change_states import settle
from phone_numbers.services.presence import Tally
from phone_numbers.services.runs import Lease
from providers.contract import Provider, RemoteNumber
from providers.errors import ProviderError, Unavailable

Presence = PhoneNumber.Presence
Mutant = Callable[[], AbstractContextManager[None]]
MUTANTS: dict[str, Mutant] = {}


class Unused(Exception):
    """The broken function was never called, so nothing was proved."""


def mutant(name: str, among: dict[str, Mutant] = MUTANTS) -> Callable[[Callable[[], Iterator[None]]], Mutant]:
    def keep(broken: Callable[[], Iterator[None]]) -> Mutant:
        among[name] = contextmanager(broken)
        return among[name]

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
    """What a list lacks is gone: no certificate, no threshold, no asking."""

    def release(_: Provider, __: Lease, absent: Iterable[int], *___: object, **____: object) -> Tally:
        numbers = PhoneNumber.objects.filter(pk__in=list(absent))
        return Tally(released=numbers.update(presence=Presence.RELEASED, presence_since=timezone.now()))

    with (
        swapped((listing.Listing, "doubt"), by=lambda _: ""),
        swapped((sync, "reason_to_hold"), by=lambda *_: ""),
        swapped((sync, "check_absent"), by=release),
    ):
        yield


@mutant("release after a partial run")
def release_after_partial_run() -> Iterator[None]:
    """A listing that broke off is judged as if it had ended."""
    right = sync.read_numbers

    def read_what_comes(provider: Provider, lease: Lease, seen: listing.Listing) -> None:
        try:
            right(provider, lease, seen)
        except ProviderError:
            return

    with (
        swapped((sync, "read_numbers"), by=read_what_comes),
        swapped((listing.Listing, "doubt"), by=lambda _: ""),
        swapped((sync, "reason_to_hold"), by=lambda *_: ""),
    ):
        yield


@mutant("clobber pending")
def clobber_pending() -> Iterator[None]:
    """A sync writes over numbers with an edit under way."""

    with swapped((cache, "being_edited"), by=lambda _: set()):
        yield


@mutant("stale overwrite")
def stale_overwrite() -> Iterator[None]:
    """A page read before an edit is stored after it. Two guards stand in for each other here: both are gone."""
    right = cache.lock_standings
    with (
        swapped((cache, "lock_standings"), by=lambda pks, **_: right(pks, edited_after=2**62)),
        swapped((cache, "taken_back"), by=lambda *_: set()),
    ):
        yield


@mutant("resume and absence")
def resume_and_absence() -> Iterator[None]:
    """A run that lost its worker goes on at its second page, and what it did not read again is judged to be absent."""
    right = reading.Listing.add_page

    def resumed(provider: Provider, lease: Lease, seen: listing.Listing) -> None:
        with closing(provider.list_numbers()) as pages:
            for rank, page in enumerate(pages):
                if rank or lease.run.attempt == 1:
                    right(seen, page)
                    reading.keep_numbers(lease, seen, page.rows)

    with (
        swapped((sync, "read_numbers"), by=resumed),
        swapped((listing.Listing, "doubt"), by=lambda _: ""),
        swapped((sync, "reason_to_hold"), by=lambda *_: ""),
    ):
        yield


@mutant("timeout is failure")
def timeout_is_failure() -> Iterator[None]:
    """An answer that never came is taken for a no."""
    right = changes.after_error

    def judge(change: Change, provider: Provider, error: ProviderError) -> None:
        if isinstance(error, Unavailable):
            settle(change, Change.State.FAILED, str(error), error_slug=error.slug)
        else:
            right(change, provider, error)

    with swapped((changes, "after_error"), by=judge):
        yield


@mutant("retry without reading")
def retry_without_reading() -> Iterator[None]:
    """An answer that never came is asked for once more, without looking first."""
    right = changes.after_error

    def again(change: Change, provider: Provider, error: ProviderError) -> None:
        if isinstance(error, Unavailable):
            provider.send_edit(change.number.remote_id, change.desired)
            changes.check(change, provider)
        else:
            right(change, provider, error)

    with swapped((changes, "after_error"), by=again):
        yield


@mutant("no fence")
def no_fence() -> Iterator[None]:
    """A worker goes on writing when its run is somebody else's."""

    def extend(lease: Lease, **columns: Any) -> None:
        type(lease.run).objects.filter(pk=lease.run.pk).update(**columns)

    with swapped((Lease, "_extend"), by=extend):
        yield


@mutant("wall-clock ordering")
def wall_clock_ordering() -> Iterator[None]:
    """What was first is told by the clock, which can be put back; and values are not compared in its stead."""
    with (
        swapped((Sequence, "next"), by=lambda: int(timezone.now().timestamp() * 1_000_000)),
        swapped((cache, "taken_back"), by=lambda *_: set()),
    ):
        yield


@mutant("no whoami")
def no_whoami() -> Iterator[None]:
    """Nobody asks whose account the credentials open."""
    with swapped((sync, "check_identity"), by=lambda account, _: account.remote_id):
        yield


@mutant("threshold off by one")
def threshold_off_by_one() -> Iterator[None]:
    """As many as may be absent are too many."""

    def is_too_many(absent: int, known: int, *, fewest: int = 3, percent: int = 2) -> bool:
        return absent >= fewest and absent * 100 >= known * percent

    with swapped((absences, "is_too_many"), by=is_too_many):
        yield


@mutant("confirmed edits are sent again")
def resume_resends_confirmed() -> Iterator[None]:
    """A message that comes twice does the work twice."""
    right = changes.claim_change

    def claim_anyway(change_id: int) -> Change | None:
        Change.objects.filter(pk=change_id, state=Change.State.CONFIRMED).update(state=Change.State.PENDING)
        return right(change_id)

    def send_anyway(change: Change, provider: Provider) -> None:
        remote: RemoteNumber = provider.get(change.number.remote_id)
        changes.send(change, provider, remote)

    with swapped((changes, "claim_change"), by=claim_anyway), swapped((changes, "start"), by=send_anyway):
        yield
