"""An edit is never lost, never doubled, never called done or failed without a reading, whatever goes wrong."""

import datetime as dt
import itertools
import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from phone_numbers.models import Account, Change, Event, PhoneNumber
from phone_numbers.services import change_states, changes
from phone_numbers.services.change_states import claim_change, may_send, settle
from phone_numbers.services.leases import LeaseLost
from providers.simulator import Simulator
from tests.phone_numbers.jobs import ONE, ask, edits, events, number_of, sync, work, work_to_the_end

ONCE = [("alias", "New")]


def applied(simulator: Simulator) -> list[tuple[str, Any]]:
    """Each field the provider really set for us."""
    return [field for _, fields in edits(simulator) for field in fields.items()]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("error", {"status": 500, "after": True}),
        ("error", {"status": 502, "after": True}),
        ("reset", {"after": True}),
        ("html", {}),
        ("cut_short", {}),
    ],
)
def test_it_finds_out_that_an_edit_was_applied(
    number: PhoneNumber, operator: User, simulator: Simulator, kind: str, options: dict[str, Any]
) -> None:
    simulator.fault(kind, method="POST", **options)
    change = work_to_the_end(ask(number, operator, alias="New"))
    assert change.state == Change.State.CONFIRMED
    assert applied(simulator) == ONCE


def test_it_waits_for_an_answer_no_longer_than_its_lease(
    number: PhoneNumber, operator: User, simulator: Simulator, settings: Settings
) -> None:
    settings.LEASE_SECONDS = 1
    simulator.fault("latency", method="POST", seconds=1.5, after=True)
    change = work(ask(number, operator, alias="New"))
    assert change.state == Change.State.CONFIRMED
    assert events(number) == ["requested", "sent", "unknown", "confirmed"]


@pytest.mark.parametrize("kind", ["error", "reset"])
def test_it_sends_again_only_after_the_old_value_was_seen_for_long(
    number: PhoneNumber, operator: User, simulator: Simulator, kind: str
) -> None:
    simulator.fault(kind, method="POST")
    change = work(ask(number, operator, alias="New"), calls=4)
    assert (change.state, change.reads, applied(simulator)) == (Change.State.UNKNOWN, 4, [])
    work(change)
    assert (change.state, change.attempt, applied(simulator)) == (Change.State.CONFIRMED, 2, ONCE)


def test_it_gives_up_after_three_lost_writes(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    simulator.fault("error", method="POST", times=0)
    change = work_to_the_end(ask(number, operator, alias="New"))
    assert (change.state, change.attempt) == (Change.State.FAILED, 3)
    assert change.detail == "Sent 3 times, and the provider still shows the old value."
    assert number_of(number.remote_id).alias == number.alias


def test_it_tells_a_third_value_after_a_lost_answer(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    simulator.fault("error", method="POST")
    change = work(ask(number, operator, alias="New"))
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    work(change)
    assert (change.state, change.found) == (Change.State.CONFLICT, {"alias": "Theirs"})


def test_it_tells_when_the_provider_says_yes_and_does_nothing(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.fault("not_applied", method="POST")
    change = work_to_the_end(ask(number, operator, alias="New"))
    assert (change.state, change.attempt, change.found) == (Change.State.MISMATCH, 1, {"alias": number.alias})
    assert change.detail == f"The provider said yes. Alias is “{number.alias}” at the provider."


def test_it_waits_for_a_provider_that_is_slow_to_show_it(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.fault("applied_late", method="POST", seconds=0.3)
    change = work(ask(number, operator, alias="New"))
    assert (change.state, change.reads) == (Change.State.SENDING, 1)
    assert 1 < (change.next_attempt_at - timezone.now()).total_seconds() <= 2
    time.sleep(0.4)
    assert work(change).state == Change.State.CONFIRMED
    assert applied(simulator) == ONCE


def test_it_tells_the_providers_words_when_refused(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    """The application vanished at the provider since the last sync."""
    target = number.account.applications.filter(kind="application").exclude(remote_id=number.voice_target)[0]
    del simulator.world.account().applications[target.remote_id]
    change = work(ask(number, operator, voice=target.route_key))
    assert change.state == Change.State.REFUSED
    assert f"app_id {target.remote_id} not found" in change.detail
    assert events(number) == ["requested", "sent", "refused"]
    assert number_of(number.remote_id).edited_seq > number.edited_seq


@pytest.mark.parametrize(("status", "slug"), [(401, "authentication_failed"), (404, "not_found")])
def test_it_fails_when_the_write_is_turned_away(
    number: PhoneNumber, operator: User, simulator: Simulator, status: int, slug: str
) -> None:
    simulator.fault("error", status=status, method="POST")
    change = work(ask(number, operator, alias="New"))
    assert (change.state, change.error_slug, applied(simulator)) == (Change.State.FAILED, slug, [])


@pytest.mark.parametrize("kind", ["revoked", "html", "invalid_json", "redirect", "wrong_account"])
def test_it_fails_before_sending_when_nothing_can_be_read(
    number: PhoneNumber, operator: User, simulator: Simulator, kind: str
) -> None:
    simulator.fault(kind, method="GET", times=0)
    change = work(ask(number, operator, alias="New"))
    assert change.state == Change.State.FAILED
    assert change.detail.endswith("Nothing was sent.")
    assert applied(simulator) == []


def test_it_fails_when_the_number_is_gone(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = ask(number, operator, alias="New")
    simulator.world.remove(simulator.world.account(), number.remote_id)
    work(change)
    assert (change.state, change.error_slug) == (Change.State.FAILED, "not_found")


def test_it_tries_again_when_the_provider_is_out_of_order(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.fault("error", status=503, method="GET", times=2)
    change = work(ask(number, operator, alias="New"))
    assert (change.state, change.failures, events(number)) == (Change.State.PENDING, 1, ["requested"])
    assert work(change, calls=2).state == Change.State.CONFIRMED


def test_it_gives_up_a_provider_that_stays_away(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    simulator.fault("error", status=503, method="GET", times=0)
    change = work_to_the_end(ask(number, operator, alias="New"))
    assert (change.state, change.failures) == (Change.State.FAILED, changes.MOST_FAILURES_UNSENT)
    assert change.detail.endswith("Nothing was sent.")
    assert change.detail.startswith(f"Given up after {asked(simulator)} tries. ")


def asked(simulator: Simulator) -> int:
    """How often the provider was asked for one number."""
    return sum(bool(re.search(ONE, entry.target)) for entry in simulator.requests.kept)


@pytest.mark.parametrize(
    ("times", "fault", "said"),
    [
        (0, "error", "Given up after a day in which it was never its turn. "),
        (1, "error", "Given up after one try. "),
        (3, "error", "Given up after 3 tries. "),
        (3, "rate_limited", "Given up after 3 tries. "),
    ],
)
def test_it_says_how_often_it_tried(
    number: PhoneNumber, operator: User, simulator: Simulator, times: int, fault: str, said: str
) -> None:
    simulator.fault(fault, method="GET", path=ONE, times=0, **({"status": 503} if fault == "error" else {}))
    change = work(ask(number, operator, alias="New"), calls=times)
    Change.objects.update(created_at=timezone.now() - changes.LONGEST_LIFE * 2)
    assert (work(change).detail.startswith(said), asked(simulator)) == (True, times)


def test_it_sends_nothing_that_was_asked_for_long_ago(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    change = ask(number, operator, alias="New")
    Change.objects.update(created_at=timezone.now() - changes.LONGEST_LIFE * 2)
    assert work(change).state == Change.State.FAILED
    assert (change.error_slug, applied(simulator)) == ("given_up", [])


def test_it_finds_out_what_became_of_what_was_sent_long_ago(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.fault("error", method="POST", after=True)
    simulator.fault("error", method="GET", nth=2)
    change = work(ask(number, operator, alias="New"))
    Change.objects.update(created_at=timezone.now() - changes.LONGEST_LIFE * 2)
    assert work(change).state == Change.State.CONFIRMED


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_counts_no_request_to_slow_down_as_a_failure(
    number: PhoneNumber, operator: User, simulator: Simulator, method: str
) -> None:
    simulator.fault("rate_limited", method=method, path=ONE, times=20, retry_after="30")
    change = work(ask(number, operator, alias="New"), calls=20)
    assert (change.state, change.attempt, change.failures) == (Change.State.PENDING, 0, 0)
    assert events(number).count("postponed") == (method == "POST")
    assert work(change).state == Change.State.CONFIRMED
    assert applied(simulator) == ONCE


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_waits_longer_with_every_request_to_slow_down(
    number: PhoneNumber, operator: User, simulator: Simulator, method: str
) -> None:
    simulator.fault("rate_limited", method=method, path=ONE, times=7, retry_after="")
    change = ask(number, operator, alias="New")
    assert [wait_after(change) for _ in range(7)] == [2, 5, 15, 60, 300, 300, 300]


def test_it_waits_as_long_as_it_is_told_to(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    simulator.fault("rate_limited", method="POST", path=ONE, retry_after="30")
    assert wait_after(ask(number, operator, alias="New")) == 30


def test_it_reads_back_later_when_asked_to_slow_down(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    simulator.fault("rate_limited", method="GET", path=ONE, nth=2, retry_after="30")
    change = work(ask(number, operator, alias="New"))
    assert (change.state, change.failures) == (Change.State.SENDING, 0)
    assert work(change).state == Change.State.CONFIRMED


def wait_after(change: Change) -> int:
    """The seconds until it is to be worked on again, after it was once more."""
    return round((work(change).next_attempt_at - timezone.now()).total_seconds())


def test_it_takes_one_not_found_after_a_yes_for_no_answer(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.fault("error", status=404, method="GET", path=ONE, nth=2)
    change = ask(number, operator, alias="New")
    assert (wait_after(change), change.state) == (2, Change.State.SENDING)
    assert work(change).state == Change.State.CONFIRMED


def test_it_fails_when_the_number_left_after_a_yes(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    simulator.fault("error", status=404, method="GET", path=ONE, nth=2, times=0)
    change = ask(number, operator, alias="New")
    assert [wait_after(change) for _ in range(3)] == [2, 5, 15]
    assert work(change).error_slug == "not_found"


def test_it_waits_a_day_for_a_caller_name(synced: Account, operator: User, simulator: Simulator) -> None:
    number = synced.numbers.filter(country="US").exclude(cnam="ACME").earliest("pk")
    simulator.fault("not_applied", method="POST")
    change = work(ask(number, operator, cnam="ACME"), calls=9)
    assert (change.state, change.detail[:60]) == (
        Change.State.SENDING,
        "The provider said yes, and takes its time over Caller ID nam",
    )
    assert wait_after(change) == 3600
    Change.objects.update(accepted_at=timezone.now() - changes.LONGEST_LIFE)
    assert work(change).state == Change.State.MISMATCH


def test_it_confirms_a_caller_name_that_came_late(synced: Account, operator: User, simulator: Simulator) -> None:
    number = synced.numbers.filter(country="US").exclude(cnam="ACME").earliest("pk")
    simulator.fault("not_applied", method="POST")
    change = work(ask(number, operator, cnam="ACME"), calls=9)
    simulator.world.change(simulator.world.account(), number.remote_id, cnam="ACME")
    assert changes.due_changes(timezone.now()) == []
    sync(synced)
    assert changes.due_changes(timezone.now()) == [change.pk]
    assert (work(change).state, change.detail) == (Change.State.CONFIRMED, "")


def test_it_holds_a_write_back_when_its_time_is_over(
    number: PhoneNumber, operator: User, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was stopped for a while right before it sends."""
    ticks = itertools.count(0.0, 60.0)
    with monkeypatch.context() as patch:
        patch.setattr(change_states, "time", SimpleNamespace(monotonic=ticks.__next__))
        change = work(ask(number, operator, alias="New"))
    assert (change.state, change.attempt, applied(simulator)) == (Change.State.PENDING, 0, [])
    assert work(change).state == Change.State.CONFIRMED
    assert events(number) == ["requested", "sent", "postponed", "sent", "confirmed"]


def test_it_may_send_only_what_it_holds(number: PhoneNumber, operator: User) -> None:
    change = claim_change(ask(number, operator, alias="New").pk)
    assert may_send(change, 15)
    assert not may_send(change, 61)
    Change.objects.update(lease_expires_at=timezone.now())
    assert not may_send(change, 15)


def test_it_may_not_send_what_another_worker_has(number: PhoneNumber, operator: User) -> None:
    zombie = claim_change(ask(number, operator, alias="New").pk)
    Change.objects.update(lease_expires_at=timezone.now())
    claim_change(zombie.pk)
    assert not may_send(zombie, 15)


def test_it_takes_times_too_far_ahead_for_a_clock_put_back(number: PhoneNumber, operator: User) -> None:
    change = ask(number, operator, alias="New")
    claim_change(change.pk)
    tomorrow = timezone.now() + dt.timedelta(days=1)
    Change.objects.update(lease_expires_at=tomorrow, next_attempt_at=tomorrow)
    assert changes.due_changes(timezone.now()) == [change.pk]
    assert claim_change(change.pk) is not None


def test_it_does_not_ask_before_it_may(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    simulator.fault("rate_limited", method="GET", path=ONE, retry_after="30")
    change = work(ask(number, operator, alias="New"))
    assert changes.apply_change(change.pk) is None
    assert changes.due_changes(timezone.now()) == []


def test_it_goes_on_reading_while_the_outcome_cannot_be_read(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.fault("error", method="POST", after=True)
    simulator.fault("error", method="GET", nth=2, times=15)
    change = work(ask(number, operator, alias="New"), calls=15)
    assert change.state == Change.State.UNKNOWN
    assert work(change).state == Change.State.CONFIRMED


def test_it_tells_what_changed_without_being_asked(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    """A provider that resets the application when only the alias is sent."""
    world = simulator.world.account()
    simulator.fault("act", method="POST", action=lambda it: it.change(world, number.remote_id, voice=""))
    change = work(ask(number, operator, alias="New"))
    assert change.state == Change.State.CONFIRMED
    assert change.detail == "The provider also changed voice, messages, which nobody asked for."
    drift = Event.objects.get(kind=Event.Kind.DRIFT, field="voice")
    assert (drift.before, drift.after, drift.change) == (number.voice.key, "", change)
    assert drift.detail == "Changed together with an edit of alias, which did not ask for it."


def test_it_blames_the_edit_for_nothing_that_changed_before(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.world.change(simulator.world.account(), number.remote_id, carrier="Another")
    change = work(ask(number, operator, alias="New"))
    assert (change.detail, Event.objects.get(kind=Event.Kind.DRIFT).detail) == ("", "")


def test_it_writes_nothing_once_another_worker_has_it(number: PhoneNumber, operator: User) -> None:
    change = ask(number, operator, alias="New")
    zombie = claim_change(change.pk)
    Change.objects.update(lease_expires_at=timezone.now())
    assert work(change).state == Change.State.CONFIRMED
    with pytest.raises(LeaseLost):
        settle(zombie, Change.State.FAILED)
    assert events(number) == ["requested", "sent", "confirmed"]


def test_it_leaves_a_change_to_the_worker_that_has_it(number: PhoneNumber, operator: User) -> None:
    change = ask(number, operator, alias="New")
    assert claim_change(change.pk) is not None
    assert claim_change(change.pk) is None
    assert changes.due_changes(timezone.now()) == []


def test_it_leaves_other_numbers_alone(synced: Account, operator: User, simulator: Simulator) -> None:
    simulator.fault("error", method="POST", after=True)
    first, second = synced.numbers.exclude(alias="")[:2]
    one, other = ask(first, operator, alias="One"), ask(second, operator, alias="Other")
    assert (work(one).state, work(other).state) == (Change.State.CONFIRMED, Change.State.CONFIRMED)
