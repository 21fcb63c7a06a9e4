"""Reading an account into the cache: what is stored, what is not written, what becomes of numbers that are gone."""

import time
import tracemalloc

import pytest
from django.contrib.auth.models import User
from django.db import connection

from phone_numbers.models import Account, Application, Event, PhoneNumber, Sequence, SyncRun
from phone_numbers.services import absences, reading
from phone_numbers.services.connections import open_account
from phone_numbers.services.listing import Listing, SeenNumbers
from phone_numbers.services.reading import keep_numbers
from phone_numbers.services.runs import claim_run, request_sync
from phone_numbers.services.sync import read_edited
from providers.simulator import PLIVO_AUTH_ID, Simulator
from providers.simulator.world import World
from tests.phone_numbers.jobs import LIST, ONE, ask, events, number_of, presences, sync, work, written_tables


def test_it_stores_every_number(account: Account, simulator: Simulator) -> None:
    run = sync(account)
    assert (run.state, run.detail) == (SyncRun.State.COMPLETE, "")
    assert {number.remote_id for number in account.numbers.all()} == {
        number.digits for number in simulator.world.account()
    }


def test_it_counts_what_it_did(account: Account) -> None:
    run = sync(account)
    assert (run.pages_read, run.numbers_total, run.numbers_seen, run.numbers_new) == (3, 45, 45, 45)
    assert (run.phase, run.attempt, run.requests, run.retries) == (SyncRun.Phase.DONE, 1, 8, 0)


def test_it_says_how_fresh_the_account_is(account: Account) -> None:
    run = sync(account)
    assert (account.health, account.health_detail, account.fresh_at) == (Account.Health.OK, "", run.started_at)


def test_it_keeps_the_account_id_of_the_first_contact(account: Account) -> None:
    sync(account)
    assert account.remote_id == PLIVO_AUTH_ID


def test_it_keeps_what_the_provider_sent(number: PhoneNumber) -> None:
    assert number.payload.body["number"] == number.remote_id


def test_it_keeps_applications_trunks_and_subaccounts(synced: Account, simulator: Simulator) -> None:
    world = simulator.world.account()
    kept = set(synced.applications.values_list("remote_id", flat=True))
    assert kept == {*world.applications, *world.trunks}
    assert set(synced.subaccounts.values_list("remote_id", flat=True)) == set(world.subaccounts)


def test_it_keeps_an_application_that_is_gone_but_does_not_offer_it(synced: Account, simulator: Simulator) -> None:
    gone = simulator.world.account().applications.popitem()[0]
    sync(synced)
    assert list(Application.objects.filter(is_present=False).values_list("remote_id", flat=True)) == [gone]


def test_it_takes_no_event_for_the_numbers_of_a_first_sync(synced: Account) -> None:
    assert not Event.objects.exists()


def test_it_announces_a_number_that_came_later(synced: Account, simulator: Simulator) -> None:
    digits = simulator.world.add(simulator.world.account())
    run = sync(synced)
    assert events(number_of(digits)) == [Event.Kind.FIRST_SEEN]
    assert (run.numbers_new, run.state) == (1, SyncRun.State.COMPLETE)


def test_it_writes_no_row_when_nothing_changed(synced: Account) -> None:
    with written_tables() as tables:
        sync(synced)
    assert set(tables) == {"numbers_syncrun", "numbers_account", "numbers_sequence"}


def test_it_tells_what_changed_at_the_provider(number: PhoneNumber, simulator: Simulator) -> None:
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Front door")
    run = sync(number.account)
    event = Event.objects.get(number=number)
    assert (event.kind, event.field, event.before, event.after) == (
        Event.Kind.DRIFT,
        "alias",
        number.alias,
        "Front door",
    )
    assert (event.run, run.numbers_changed) == (run, 1)


def test_it_stores_a_change_nobody_sees_without_history(number: PhoneNumber, simulator: Simulator) -> None:
    simulator.world.change(simulator.world.account(), number.remote_id, profile="another profile")
    run = sync(number.account)
    assert (events(number), run.numbers_changed) == ([], 0)
    assert number_of(number.remote_id).digest != number.digest


def test_it_believes_the_number_itself_more_than_the_list(number: PhoneNumber, simulator: Simulator) -> None:
    """One that leaves before its page is read, and is back after it: the list is whole by every count, and wrong."""
    world = simulator.world.account()
    last = world.at(len(world) - 1).digits
    simulator.fault("act", path=rf"{LIST}.*offset=0", action=lambda it: (it.remove(world, last), it.add(world)))
    simulator.fault("act", path=rf"{LIST}.*offset=38", action=lambda it: it.add(world, last))
    run = sync(number.account)
    assert (run.state, run.numbers_unconfirmed) == (SyncRun.State.COMPLETE, 0)
    assert number_of(last).presence == PhoneNumber.Presence.PRESENT


def test_it_leaves_a_number_alone_that_is_edited_meanwhile(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    """The edit is confirmed after the page was read and before it is stored: older news must not undo it."""
    simulator.world.change(simulator.world.account(), number.remote_id, city="Elsewhere")
    lease = claim_run(request_sync(number.account, trigger="person").pk)
    listing = Listing()
    with open_account(number.account) as provider:
        old = [row for page in provider.list_numbers() for row in page.rows]
        change = work(ask(number, operator, alias="Edited meanwhile"))
        keep_numbers(lease, listing, old)
        assert (change.state, number_of(number.remote_id).alias) == ("confirmed", "Edited meanwhile")
        assert listing.left_alone == {number.pk}
        read_edited(provider, lease, listing)
    assert number_of(number.remote_id).alias == "Edited meanwhile"
    assert not Event.objects.filter(field="alias", kind=Event.Kind.DRIFT).exists()


def test_it_leaves_a_number_alone_whose_edit_is_under_way(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    ask(number, operator, alias="Not sent yet")
    simulator.world.change(simulator.world.account(), number.remote_id, alias="A third value")
    run = sync(number.account)
    assert (run.state, run.numbers_left_alone) == (SyncRun.State.COMPLETE, 1)
    assert number_of(number.remote_id).alias == number.alias


def test_it_reads_an_edited_number_on_its_own_afterwards(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    lease = claim_run(request_sync(number.account, trigger="person").pk)
    work(ask(number, operator, alias="Edited meanwhile"))
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Changed once more")
    listing = Listing(left_alone={number.pk})
    with open_account(number.account) as provider:
        read_edited(provider, lease, listing)
    assert number_of(number.remote_id).alias == "Changed once more"


@pytest.mark.django_db(transaction=True)
def test_it_ends_with_what_an_edit_meanwhile_made_of_a_number(number: PhoneNumber, simulator: Simulator) -> None:
    world = simulator.world.account()

    def edit(world_of_all: World) -> None:
        world_of_all.change(world, number.remote_id, alias="Edited meanwhile")
        PhoneNumber.objects.filter(pk=number.pk).update(edited_seq=Sequence.next())
        connection.close()

    simulator.world.change(world, number.remote_id, alias="Old news")
    simulator.fault("act", path=rf"{LIST}.*offset=38", action=edit)
    run = sync(number.account)
    assert (run.state, run.numbers_left_alone) == (SyncRun.State.COMPLETE, 1)
    assert number_of(number.remote_id).alias == "Edited meanwhile"
    assert Event.objects.get(number=number).after == "Edited meanwhile"


def test_it_never_takes_its_own_edit_for_drift(number: PhoneNumber, operator: User) -> None:
    work(ask(number, operator, alias="Ours"))
    run = sync(number.account)
    assert (run.numbers_changed, Event.objects.filter(kind=Event.Kind.DRIFT).count()) == (0, 0)


def test_it_writes_no_row_after_an_edit_either(number: PhoneNumber, operator: User) -> None:
    work(ask(number, operator, alias="Ours"))
    with written_tables() as tables:
        sync(number.account)
    assert "numbers_phonenumber" not in tables


def test_it_asks_for_no_number_that_the_list_has(synced: Account, simulator: Simulator) -> None:
    simulator.fault("error", path=ONE, times=0)
    assert sync(synced).state == SyncRun.State.COMPLETE


@pytest.mark.parametrize(
    ("known", "absent", "held"), [(100, 3, False), (100, 4, True), (200, 4, False), (200, 5, True)]
)
def test_it_holds_exactly_above_the_limit(known: int, absent: int, held: bool) -> None:
    assert absences.is_too_many(absent, known) is held


def test_it_remembers_what_it_saw() -> None:
    seen = SeenNumbers()
    assert [seen.add(pk) for pk in (7, 8, 100_000, 8)] == [True, True, True, False]
    assert (7 in seen, 9 in seen, 10**9 in seen, len(seen)) == (True, False, False, 3)


@pytest.mark.parametrize("simulator", [{"numbers": 2000}], indirect=True)
def test_it_reads_2000_numbers_in_no_time(account: Account) -> None:
    started = time.monotonic()
    run = sync(account)
    assert (run.numbers_seen, run.pages_read) == (2000, 106)
    assert time.monotonic() - started < 15
    assert presences(account) == {"present": 2000}


@pytest.mark.parametrize("simulator", [{"numbers": 4000}], indirect=True)
def test_it_holds_no_more_than_a_batch_in_memory(synced: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync that kept the 4,000 rows it reads would need twice as much."""
    monkeypatch.setattr(reading, "BATCH", 100)
    tracemalloc.start()
    try:
        sync(synced)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 7_500_000
