"""S4: whatever a provider shows in place of an account's list, nobody's presence changes, and the run says why."""

from collections.abc import Callable

import pytest
from django.db import transaction
from pytest_django import Settings

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account, Event, SyncRun
from phone_numbers.services.demo import DEMO_ACCOUNTS
from tests.chaos.lists import LISTS, Listed, listed
from tests.chaos.rows import FULL, report
from tests.phone_numbers.jobs import sync

State = SyncRun.State
NOT_COMPLETE = (State.HELD, State.PARTIAL, State.FAILED)
BY_OFFSET = ("plivo", "fone_dynamics")


def fault(kind: str, *, nth: int = 1, path: str = "", **settings: object) -> Callable[[Listed], None]:
    """For every page of the list."""
    return lambda it: it.simulator.fault(kind, path=path or it.list.path, nth=nth, times=0, **settings) and None


def of_kind(by_offset: Callable[[Listed], None], by_link: Callable[[Listed], None]) -> Callable[[Listed], None]:
    return lambda it: (by_offset if it.account.provider in BY_OFFSET else by_link)(it)


def remove(it: Listed, count: int) -> None:
    for digits in [number.digits for number in it.world][:count]:
        it.simulator.world.remove(it.world, digits)


def half_gone(it: Listed) -> None:
    remove(it, len(it.world) // 2)


def one_too_many_gone(it: Listed) -> None:
    remove(it, max(3, len(it.world) * 2 // 100) + 1)


def one_subaccount_left(it: Listed) -> None:
    remove(it, len(it.world) * 9 // 10)


def all_others(it: Listed) -> None:
    """As many as ever, and none of them known."""
    for digits in [number.digits for number in it.world]:
        it.simulator.world.add(it.world)
        it.simulator.world.remove(it.world, digits)


def other_credentials(it: Listed) -> None:
    other = [each for each in DEMO_ACCOUNTS if each.provider == it.account.provider][1]
    Account.objects.filter(pk=it.account.pk).update(credentials=Sealed.seal(other.credentials))


def other_rows(it: Listed) -> None:
    """SignalWire's rows name their project only where the project is asked for."""
    path = "/IncomingPhoneNumbers" if it.account.provider == "signalwire" else it.list.path
    fault("wrong_account", path=path)(it)


SNAPSHOTS: dict[str, tuple[Callable[[Listed], object], set[str]]] = {
    "no rows, the same total": (fault("empty_page"), {"held", "moving_list", "malformed_response"}),
    "no rows and a total of zero": (fault("total_zero"), {"held"}),
    "half of them": (half_gone, {"held"}),
    "one too few": (one_too_many_gone, {"held"}),
    "those of one subaccount": (one_subaccount_left, {"held"}),
    "others altogether": (all_others, {"held"}),
    "another account's credentials": (other_credentials, {"wrong_account"}),
    "another account's rows": (other_rows, {"wrong_account"}),
    "only the first page": (
        of_kind(fault("empty_page", nth=2), fault("no_link")),
        {"held", "moving_list", "malformed_response"},
    ),
    "a page again and again": (
        of_kind(fault("duplicate_page", nth=2), fault("looping_link")),
        {"moving_list", "malformed_response"},
    ),
    "a row twice, another not": (fault("duplicate_row"), {"moving_list"}),
    "a page of maintenance": (fault("html"), {"malformed_response"}),
}
PROVIDERS = tuple(LISTS) if FULL else ("plivo",)


def show(it: Listed, arrange: Callable[[Listed], object]) -> tuple[SyncRun, bool]:
    """The run that met the snapshot, and whether it changed anybody's presence. Nothing of it lasts."""
    whole = {number.digits for number in it.world}
    known = dict(it.account.numbers.values_list("pk", "presence"))
    with transaction.atomic():
        arrange(it)
        run = sync(it.account)
        after = dict(it.account.numbers.filter(pk__in=known).values_list("pk", "presence"))
        moved = after != known or Event.objects.filter(run=run, kind=Event.Kind.PRESENCE).exists()
        transaction.set_rollback(True)
    it.simulator.faults.clear()
    it.account.refresh_from_db()
    for digits in whole - {number.digits for number in it.world}:
        it.simulator.world.add(it.world, digits)
    for digits in {number.digits for number in it.world} - whole:
        it.simulator.world.remove(it.world, digits)
    return run, moved


@pytest.mark.parametrize("provider", PROVIDERS)
def test_s4_snapshots(db: None, settings: Settings, provider: str) -> None:
    moved, unexplained = [], []
    with listed(provider, settings) as it:
        for name, (arrange, reasons) in SNAPSHOTS.items():
            run, changed = show(it, arrange)
            moved += [name] * changed
            if run.state not in NOT_COMPLETE or run.error_slug not in reasons or not run.detail:
                unexplained.append(f"{name}: {run.state} {run.error_slug}")
        assert sync(it.account).state == State.COMPLETE
    of = len(SNAPSHOTS)
    report("S4", f"{provider}: presences changed by", ", ".join(moved) or f"0 of {of} lists", "0", holds=not moved)
    right = ", ".join(unexplained) or f"{of} of {of} lists"
    report("S4", f"{provider}: not believed, and rightly explained", right, "all", holds=not unexplained)
