"""Plans are worked through: whatever dies or goes wrong, nothing is lost, doubled or sent after it was stopped."""

import datetime as dt
from itertools import cycle

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from phone_numbers.models import Account, Change, ChangeSet, Crew, Event, PhoneNumber, PlanEvent
from phone_numbers.services import change_crews, change_sets
from phone_numbers.services.change_crews import due_accounts, work_for_account
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_states import claim_change
from phone_numbers.services.changes import apply_change, due_changes
from providers.simulator import Simulator
from providers.simulator.world import World
from tests.phone_numbers.jobs import (
    ONE,
    ask,
    at_once,
    carry_out,
    edits,
    events,
    make_account,
    number_of,
    plan,
    start,
    states,
    work,
)


def steps(change_set: ChangeSet) -> list[tuple[str, str]]:
    return list(PlanEvent.objects.filter(change_set=change_set).order_by("pk").values_list("before", "after"))


def calls(simulator: Simulator, method: str = "") -> int:
    return sum(method in ("", request.method) for request in simulator.requests.kept)


def test_it_carries_out_a_plan(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = carry_out(start(plan(numbers[:5], operator, alias="New"), operator))
    assert (change_set.state, states(change_set)) == ("done", {"confirmed": 5})
    assert sorted(edits(simulator)) == sorted((number.remote_id, {"alias": "New"}) for number in numbers[:5])
    assert steps(change_set) == [("draft", "applying"), ("applying", "done")]


def test_it_writes_one_line_for_each_step(numbers: list[PhoneNumber], operator: User) -> None:
    carry_out(start(plan(numbers[:2], operator, alias="New"), operator))
    assert [events(number) for number in numbers[:2]] == [["requested", "sent", "confirmed"]] * 2
    assert set(Event.objects.filter(number__in=numbers).values_list("actor_name", flat=True)) == {"olga"}


@pytest.mark.django_db(transaction=True)
def test_it_works_with_many_hands(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = start(plan(numbers, operator, alias="New"), operator)
    assert work_for_account(numbers[0].account_id) is None
    assert states(change_set) == {"confirmed": len(numbers)}
    assert len(edits(simulator)) == len(numbers)


def test_it_is_one_crew_at_a_time(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    start(plan(numbers[:2], operator, alias="New"), operator)
    account = numbers[0].account
    change_crews.claim_crew(account)
    assert work_for_account(account.pk, hands=1) is None
    assert (edits(simulator), due_accounts(timezone.now())) == ([], [])
    Crew.objects.update(lease_expires_at=timezone.now())
    assert due_accounts(timezone.now()) == [account.pk]


def test_it_rings_for_plans_apart_from_single_edits(numbers: list[PhoneNumber], operator: User) -> None:
    start(plan(numbers[:2], operator, alias="New"), operator)
    change = ask(numbers[3], operator, alias="New")
    now = timezone.now()
    assert (due_changes(now), due_accounts(now)) == ([change.pk], [numbers[0].account_id])


def test_it_opens_a_few_changes_at_a_time(numbers: list[PhoneNumber], operator: User) -> None:
    change_set = start(plan(numbers, operator, alias="New"), operator)
    opened = change_crews.open_changes(numbers[0].account, 4)
    assert (len(opened), states(change_set)) == (4, {"pending": 4, "planned": len(numbers) - 4})


def test_it_gives_every_plan_its_turn(numbers: list[PhoneNumber], operator: User) -> None:
    large = start(plan(numbers[2:], operator, alias="New"), operator)
    small = start(plan(numbers[:2], operator, alias="New"), operator)
    change_crews.open_changes(numbers[0].account, 4)
    assert (states(large)["pending"], states(small)["pending"]) == (2, 2)


def test_it_lets_a_single_edit_go_first(numbers: list[PhoneNumber], operator: User) -> None:
    change_set = start(plan(numbers[:1], operator, voice=""), operator)
    change = work(ask(numbers[0], operator, alias="First"))
    assert change.state == Change.State.CONFIRMED
    assert states(carry_out(change_set)) == {"confirmed": 1}


def test_it_waits_for_the_live_edit_of_a_number(numbers: list[PhoneNumber], operator: User) -> None:
    change_set = start(plan(numbers[:1], operator, alias="New"), operator)
    change = (
        ask(numbers[0], operator, cnam="ACME") if numbers[0].country == "US" else ask(numbers[0], operator, voice="")
    )
    carry_out(change_set, slices=1)
    assert states(change_set) == {"planned": 1}
    work(change)
    Change.objects.filter(pk=change.pk).update(state=Change.State.CONFIRMED)
    assert states(carry_out(change_set)) == {"confirmed": 1}


def test_it_sends_nothing_over_a_third_value(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = start(plan(numbers[:10], operator, alias="New"), operator)
    for number in numbers[:3]:
        simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    carry_out(change_set)
    assert states(change_set) == {"conflict": 3, "confirmed": 7}
    assert {number for number, _ in edits(simulator)} == {number.remote_id for number in numbers[3:10]}


# Pausing, resuming, cancelling


def test_it_sends_nothing_while_paused(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = start(plan(numbers[:3], operator, alias="New"), operator)
    change_crews.open_changes(numbers[0].account, 1)
    change_sets.pause_change_set(change_set, user=operator)
    carry_out(change_set)
    assert (edits(simulator), states(change_set)) == ([], {"planned": 2, "pending": 1})
    assert due_accounts(timezone.now()) == []


def test_it_puts_aside_what_was_about_to_be_sent(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    change_set = start(plan(numbers[:1], operator, alias="New"), operator)
    ((pk, _),) = change_crews.open_changes(numbers[0].account, 1)
    change_sets.pause_change_set(change_set, user=operator)
    apply_change(pk)
    change = Change.objects.get()
    assert (change.state, change.failures, change.lease_token, edits(simulator)) == ("pending", 0, None, [])


@pytest.mark.django_db(transaction=True)
def test_it_sends_nothing_when_paused_between_reading_and_sending(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    change_set = start(plan(numbers[:1], operator, alias="New"), operator)

    def pause(_: World) -> None:
        ChangeSet.objects.update(state=ChangeSet.State.PAUSED)
        connection.close()

    simulator.fault("act", method="GET", path=ONE, action=pause)
    carry_out(change_set)
    assert (edits(simulator), states(change_set)) == ([], {"pending": 1})


def test_it_goes_on_when_resumed(numbers: list[PhoneNumber], operator: User) -> None:
    change_set = start(plan(numbers[:3], operator, alias="New"), operator)
    change_sets.pause_change_set(change_set, "For lunch", user=operator)
    change_sets.resume_change_set(change_set, user=operator)
    assert states(carry_out(change_set)) == {"confirmed": 3}
    assert steps(change_set)[1:3] == [("applying", "paused"), ("paused", "applying")]


def test_it_follows_up_what_was_sent_before_the_pause(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    simulator.fault("error", method="GET", path=ONE, nth=2)
    change_set = start(plan(numbers[:1], operator, alias="New"), operator)
    work_for_account(numbers[0].account_id, hands=1)
    change_sets.pause_change_set(change_set, user=operator)
    assert states(change_set) == {"sending": 1}
    assert states(carry_out(change_set)) == {"confirmed": 1}


def test_it_cancels_what_was_not_sent(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = start(plan(numbers[:4], operator, alias="New"), operator, canary=1)
    carry_out(change_set)
    change_sets.cancel_change_set(change_set, user=operator)
    assert (change_set.state, states(change_set)) == ("cancelled", {"confirmed": 1, "cancelled": 3})
    assert (len(edits(simulator)), events(numbers[3])) == (1, ["cancelled"])
    with pytest.raises(ChangeRefused, match="nothing to cancel"):
        change_sets.cancel_change_set(change_set, user=operator)


def test_it_cancels_what_a_lost_worker_held(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = start(plan(numbers[:1], operator, alias="New"), operator)
    ((pk, _),) = change_crews.open_changes(numbers[0].account, 1)
    claim_change(pk)
    change_sets.cancel_change_set(change_set, user=operator)
    assert states(change_set) == {"pending": 1}
    Change.objects.update(lease_expires_at=timezone.now())
    assert states(carry_out(change_set)) == {"cancelled": 1}
    assert edits(simulator) == []


def test_it_follows_up_what_was_sent_before_the_cancelling(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    simulator.fault("error", method="POST")
    change_set = start(plan(numbers[:1], operator, alias="New"), operator)
    work_for_account(numbers[0].account_id, hands=1)
    change_sets.cancel_change_set(change_set, user=operator)
    assert states(change_set) == {"unknown": 1}
    assert states(carry_out(change_set)) == {"cancelled": 1}
    assert (edits(simulator), change_set.changes.get().attempt) == ([], 1)


def test_it_cancels_one_change_before_it_is_sent(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = ask(number, operator, alias="New")
    change_sets.cancel_change(change, user=operator, request_id="r")
    work(change)
    assert (change.state, change.detail, edits(simulator)) == ("cancelled", "Nothing was sent.", [])
    assert (events(number), ChangeSet.objects.get().state) == (["requested", "cancelled"], "cancelled")


def test_it_gives_up_watching_what_a_slow_provider_accepted(
    synced: Account, operator: User, simulator: Simulator
) -> None:
    number = synced.numbers.filter(country="US").exclude(cnam="ACME").earliest("pk")
    simulator.fault("not_applied", method="POST")
    change = work(ask(number, operator, cnam="ACME"))
    assert change.state == Change.State.SENDING
    change_sets.cancel_change(change, user=operator)
    assert work(change).state == Change.State.CANCELLED
    assert change.detail.startswith("It was sent, and is no longer watched.")


def test_it_cannot_cancel_what_is_being_worked_on(number: PhoneNumber, operator: User) -> None:
    change = ask(number, operator, alias="New")
    Change.objects.update(lease_token="6" * 32, lease_expires_at=timezone.now() + dt.timedelta(minutes=1))
    with pytest.raises(ChangeRefused, match="waiting to send just now"):
        change_sets.cancel_change(change, user=operator)


def test_it_cannot_cancel_what_is_over(number: PhoneNumber, operator: User) -> None:
    change = work(ask(number, operator, alias="New"))
    with pytest.raises(ChangeRefused, match="confirmed just now"):
        change_sets.cancel_change(change, user=operator)


# A few first


def test_it_waits_for_a_look_at_the_first_few(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = carry_out(start(plan(numbers[:9], operator, alias="New"), operator, canary=2))
    assert (change_set.state, states(change_set)) == ("paused", {"confirmed": 2, "planned": 7})
    assert change_set.state_detail == "The first 2 are through. Look at them, then go on."
    assert len(edits(simulator)) == 2
    change_sets.resume_change_set(change_set, user=operator)
    assert states(carry_out(change_set)) == {"confirmed": 9}


@pytest.mark.django_db(transaction=True)
def test_it_sends_no_more_than_the_first_few_when_many_crews_begin_at_once(
    numbers: list[PhoneNumber], operator: User
) -> None:
    accounts = [make_account(f"Branch {rank}") for rank in range(6)]
    for number, account in zip(numbers, cycle(accounts), strict=False):
        PhoneNumber.objects.filter(pk=number.pk).update(account=account)
    change_set = start(plan(numbers, operator, alias="New"), operator, canary=2)
    begin = iter(accounts)
    at_once(len(accounts), lambda: change_crews.open_changes(next(begin), 9))
    assert change_set.changes.filter(state=Change.State.PENDING).count() == 2


# When the provider does not play along


@pytest.mark.parametrize("status", [401, 403])
def test_it_pauses_when_the_credentials_are_refused(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator, status: int
) -> None:
    change_set = start(plan(numbers[:20], operator, alias="New"), operator)
    simulator.fault("error", status=status, method="GET", path=ONE, nth=7, times=0)
    before = calls(simulator)
    carry_out(change_set)
    assert (change_set.state, calls(simulator) - before <= 10) == ("paused", True)
    assert "credentials" in change_set.state_detail


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.django_db(transaction=True)
def test_it_calls_no_more_than_three_times_once_the_credentials_are_refused(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator, method: str
) -> None:
    change_set = start(plan(numbers, operator, alias="New"), operator)
    simulator.fault("latency", method=method, path=ONE, times=4, seconds=0.8)
    simulator.fault("error", status=401, method=method, path=ONE, nth=5)
    work_for_account(numbers[0].account_id)
    change_set.refresh_from_db()
    asked = list(simulator.requests.kept)
    refused_at = next(request.answered_at for request in asked if request.status == 401)
    assert (change_set.state, sum(request.at > refused_at for request in asked) <= 3) == ("paused", True)


@pytest.mark.django_db(transaction=True)
def test_it_keeps_what_was_under_way_when_the_credentials_are_refused(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    change_set = start(plan(numbers, operator, alias="New"), operator)
    simulator.fault("latency", method="POST", path=ONE, times=4, seconds=0.8)
    simulator.fault("error", status=401, method="POST", path=ONE, nth=5)
    work_for_account(numbers[0].account_id)
    change_sets.resume_change_set(change_set, user=operator)
    assert states(carry_out(change_set)) == {"confirmed": len(numbers) - 1, "failed": 1}
    assert len(edits(simulator)) == len(numbers) - 1


def test_it_pauses_when_too_many_go_wrong(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change_set = start(plan(numbers, operator, alias="New"), operator)
    for nth in range(1, 200, 3):
        simulator.fault("error", status=400, method="POST", nth=nth)
    carry_out(change_set)
    assert change_set.state == "paused"
    assert change_set.state_detail.startswith("5 of the last 13 changes went wrong; the last one: Plivo refused")
    assert calls(simulator, "POST") == 13


def test_it_goes_on_when_one_in_five_goes_wrong(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    change_set = start(plan(numbers, operator, alias="New"), operator)
    for nth in range(1, 200, 5):
        simulator.fault("error", status=400, method="POST", nth=nth)
    carry_out(change_set)
    assert (change_set.state, states(change_set)["refused"]) == ("done", -(-len(numbers) // 5))


def test_it_takes_a_request_to_slow_down_for_no_failure(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    change_set = start(plan(numbers[:10], operator, alias="New"), operator)
    simulator.fault("rate_limited", method="POST", path=ONE, times=8, retry_after="1")
    carry_out(change_set)
    assert (change_set.state, states(change_set)) == ("done", {"confirmed": 10})


def test_it_spares_a_provider_whose_circuit_is_open(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    change_set = start(plan(numbers[:1], operator, alias="New"), operator)
    single = ask(numbers[1], operator, alias="New")
    until = timezone.now() + dt.timedelta(minutes=5)
    Account.objects.update(retry_at=until)
    asked = calls(simulator)
    assert (due_accounts(timezone.now()), work_for_account(numbers[0].account_id, hands=1)) == ([], until)
    for _ in range(20):
        apply_change(single.pk)
        Change.objects.update(next_attempt_at=None)
    apply_change(single.pk)
    single.refresh_from_db()
    assert (single.failures, single.next_attempt_at, calls(simulator)) == (0, until, asked)
    Account.objects.update(retry_at=None)
    assert states(carry_out(change_set)) == {"confirmed": 1}
    assert work(single).state == Change.State.CONFIRMED


def test_it_ends_a_slice_in_time(numbers: list[PhoneNumber], operator: User, monkeypatch) -> None:
    monkeypatch.setattr(change_crews, "SLICE_SECONDS", 0.05)
    change_set = start(plan(numbers, operator, alias="New"), operator)
    again_at = work_for_account(numbers[0].account_id, hands=1)
    assert again_at <= timezone.now()
    assert states(change_set)["planned"] > 0


def test_it_tells_when_to_look_again(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    simulator.fault("error", method="POST")
    start(plan(numbers[:1], operator, alias="New"), operator)
    again_at = work_for_account(numbers[0].account_id, hands=1)
    assert 1 < (again_at - timezone.now()).total_seconds() <= 2


def test_it_ends_a_plan_whose_last_worker_was_killed(numbers: list[PhoneNumber], operator: User) -> None:
    change_set = carry_out(start(plan(numbers[:1], operator, alias="New"), operator))
    ChangeSet.objects.update(state="applying")
    due_accounts(timezone.now())
    change_set.refresh_from_db()
    assert change_set.state == "done"


def test_it_shows_what_was_confirmed(numbers: list[PhoneNumber], operator: User) -> None:
    carry_out(start(plan(numbers[:3], operator, alias="New"), operator))
    assert {number_of(number.remote_id).alias for number in numbers[:3]} == {"New"}
