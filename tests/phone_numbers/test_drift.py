"""What changed outside, since when it may have, and that our own edits are never taken for it."""

import datetime as dt
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from phone_numbers.models import Account, Change, Event, PhoneNumber, SyncRun
from phone_numbers.services.connections import open_account
from phone_numbers.services.drift import Certified, last_known
from phone_numbers.services.listing import Listing
from phone_numbers.services.reading import keep_numbers
from phone_numbers.services.runs import claim_run, request_sync
from phone_numbers.services.sync import read_edited
from providers.paging import ListedNumber
from providers.simulator import Simulator
from tests.phone_numbers.jobs import LIST, ONE, ask, number_of, sync, work

NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def drifts(number: PhoneNumber) -> list[tuple[str, str, str]]:
    found = Event.objects.filter(number=number, kind=Event.Kind.DRIFT).order_by("pk")
    return list(found.values_list("field", "before", "after"))


def listed(number: PhoneNumber) -> list[ListedNumber]:
    with open_account(number.account) as provider:
        return [row for page in provider.list_numbers() for row in page.rows]


def store_lagging(number: PhoneNumber, rows: list[ListedNumber]) -> str:
    """A sync that begins now and whose list shows these old rows; what it could not read."""
    lease, listing = claim_run(request_sync(number.account, trigger="person").pk), Listing()
    with open_account(number.account) as provider:
        keep_numbers(lease, listing, rows)
        unread = read_edited(provider, lease, listing)
    lease.finish(SyncRun.State.COMPLETE, "ok")
    return unread


@pytest.mark.parametrize(
    ("changed", "edited", "presence", "known"),
    [
        (-HOUR, 4, "present", NOON),
        (HOUR, 4, "present", NOON + HOUR),
        (-HOUR, 6, "present", NOON - HOUR),
        (-HOUR, 4, "missing", NOON - HOUR),
    ],
)
def test_it_knows_when_the_old_value_was_last_in_force(
    changed: dt.timedelta, edited: int, presence: str, known: dt.datetime
) -> None:
    """Shown by the last whole listing, unless that lacked the number or left it alone; or written by a reading."""
    number = PhoneNumber(changed_at=NOON + changed, edited_seq=edited, presence=presence)
    assert last_known(number, Certified(NOON, 5)) == known


def test_it_says_between_which_moments_a_field_changed(number: PhoneNumber, simulator: Simulator) -> None:
    before = sync(number.account)
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Front door")
    run = sync(number.account)
    event = Event.objects.get(number=number)
    assert event.known_at == before.started_at
    assert run.started_at < event.at < timezone.now()


def test_it_learns_nothing_from_a_list_that_broke_off(number: PhoneNumber, simulator: Simulator) -> None:
    whole = number.account.runs.get()
    simulator.fault("duplicate_page", path=rf"{LIST}.*offset=19")
    assert sync(number.account).state == SyncRun.State.PARTIAL
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Front door")
    PhoneNumber.objects.update(changed_at=whole.started_at)
    sync(number.account)
    assert Event.objects.get(number=number).known_at == whole.started_at


def test_it_believes_no_list_that_lags_behind_our_edit(number: PhoneNumber, operator: User) -> None:
    old = listed(number)
    assert work(ask(number, operator, alias="Ours")).state == "confirmed"
    assert store_lagging(number, old) == ""
    assert (number_of(number.remote_id).alias, drifts(number)) == ("Ours", [])


def test_it_believes_it_no_more_a_day_later(number: PhoneNumber, operator: User) -> None:
    """However slow the list: nothing here looks at a clock."""
    old = listed(number)
    work(ask(number, operator, alias="Ours"))
    Change.objects.update(finished_at=timezone.now() - 24 * HOUR)
    for _ in range(3):
        store_lagging(number, old)
    assert (number_of(number.remote_id).alias, drifts(number)) == ("Ours", [])


def test_it_takes_a_route_for_ours_too(number: PhoneNumber, operator: User) -> None:
    old = listed(number)
    other = number.account.applications.filter(kind="application").exclude(remote_id=number.voice_target)[0]
    assert work(ask(number, operator, voice=other.route_key)).state == "confirmed"
    store_lagging(number, old)
    assert (number_of(number.remote_id).voice_target, drifts(number)) == (other.remote_id, [])


def test_it_tells_of_somebody_who_undid_our_edit(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    work(ask(number, operator, alias="Ours"))
    simulator.world.change(simulator.world.account(), number.remote_id, alias=number.alias)
    run = sync(number.account)
    assert drifts(number) == [("alias", "Ours", number.alias)]
    assert (run.numbers_left_alone, run.numbers_changed) == (1, 1)


def test_it_believes_the_list_again_once_our_value_is_gone(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    work(ask(number, operator, alias="Ours"))
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    sync(number.account)
    simulator.world.change(simulator.world.account(), number.remote_id, city="Elsewhere")
    assert sync(number.account).numbers_left_alone == 0


def test_it_believes_nothing_when_the_number_cannot_be_asked(
    number: PhoneNumber, operator: User, simulator: Simulator, no_waiting: list[float]
) -> None:
    old = listed(number)
    work(ask(number, operator, alias="Ours"))
    simulator.fault("error", status=503, path=ONE, times=0)
    assert store_lagging(number, old) == "Edited numbers left for the next sync: 1."
    assert (number_of(number.remote_id).alias, drifts(number)) == ("Ours", [])


def test_it_reads_other_news_of_an_edited_number_from_the_list(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    work(ask(number, operator, alias="Ours"))
    simulator.world.change(simulator.world.account(), number.remote_id, city="Elsewhere")
    simulator.fault("error", path=ONE, times=0)
    assert sync(number.account).numbers_left_alone == 0
    assert [field for field, _, _ in drifts(number)] == ["city"]


def test_it_remembers_every_field_we_set(number: PhoneNumber, operator: User) -> None:
    """Not only the last edit's: the list shows that one, and still lags behind the one before."""
    old = next(row.read() for row in listed(number) if row.id == number.remote_id)
    assert work(ask(number, operator, alias="Ours")).state == "confirmed"
    other = number.account.applications.filter(kind="application").exclude(remote_id=number.voice_target)[0]
    assert work(ask(number, operator, voice=other.route_key)).state == "confirmed"
    new = next(row.read() for row in listed(number) if row.id == number.remote_id)
    store_lagging(number, [ListedNumber.of(replace(new, alias=old.alias, digest=""))])
    assert (number_of(number.remote_id).alias, drifts(number)) == ("Ours", [])


def test_it_remembers_the_last_of_two_edits_of_a_field(number: PhoneNumber, operator: User) -> None:
    old = listed(number)
    for alias in ("Ours", "Ours again"):
        assert work(ask(number, operator, alias=alias)).state == "confirmed"
    store_lagging(number, old)
    assert (number_of(number.remote_id).alias, drifts(number)) == ("Ours again", [])


def test_it_says_how_many_edited_numbers_have_to_wait(synced: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phone_numbers.services.sync.MOST_ASKED", 1)
    lease = claim_run(request_sync(synced, trigger="person").pk)
    listing = Listing(left_alone=set(synced.numbers.values_list("pk", flat=True)[:3]))
    with open_account(synced) as provider:
        assert read_edited(provider, lease, listing) == "Edited numbers left for the next sync: 2."


def test_it_has_a_slow_edit_looked_at_when_the_list_shows_its_number_otherwise(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    later = timezone.now() + HOUR
    change = ask(number, operator, alias="Accepted, and not there yet")
    Change.objects.update(state=Change.State.SENDING, reads=99, next_attempt_at=later)
    sync(number.account)
    assert Change.objects.get(pk=change.pk).next_attempt_at == later
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Accepted, and not there yet")
    sync(number.account)
    assert Change.objects.get(pk=change.pk).next_attempt_at is None
