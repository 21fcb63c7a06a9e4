"""What a plan says before anything is sent, and when it may not be applied any more."""

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from phone_numbers.models import Account, Change, ChangeSet, Event, PhoneNumber, PlanEvent
from phone_numbers.services import change_plans, change_sets
from phone_numbers.services.change_plans import Wish, make_plan, selection_hash
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_sets import CountNeeded, StalePlan, apply_plan, why_count_is_typed
from providers.simulator import Simulator
from tests.phone_numbers.jobs import ask, carry_out, edits, origin, plan, start, states
from tests.phone_numbers.rows import make_account, make_number


def change_of(draft: ChangeSet, number: PhoneNumber) -> Change:
    return draft.changes.get(number=number)


def other_application(number: PhoneNumber) -> str:
    offered = number.account.applications.filter(kind="application", is_assignable=True)
    return offered.exclude(remote_id=number.voice_target).earliest("pk").route_key


def numbered(account: Account, count: int) -> list[PhoneNumber]:
    return [make_number(account, f"+1415555{rank:04d}", alias=f"Line {rank}") for rank in range(count)]


def test_it_says_what_each_number_is_and_becomes(synced: Account, operator: User) -> None:
    numbers = list(synced.numbers.exclude(alias="")[:3])
    draft = plan(numbers, operator, alias="New")
    assert (draft.state, states(draft)) == ("draft", {"planned": 3})
    found = {change.number_id: (change.base, change.desired) for change in draft.changes.all()}
    assert found == {number.pk: ({"alias": number.alias}, {"alias": "New"}) for number in numbers}


def test_it_sends_and_records_nothing_yet(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    carry_out(plan([number], operator, alias="New"), slices=1)
    assert (edits(simulator), Event.objects.filter(number=number).count()) == ([], 0)


def test_it_leaves_out_what_is_so_already(number: PhoneNumber, operator: User) -> None:
    change = change_of(plan([number], operator, alias=number.alias), number)
    assert (change.state, change.left_out) == (Change.State.LEFT_OUT, Change.LeftOut.ALREADY)


def test_it_plans_only_the_fields_that_are_new(number: PhoneNumber, operator: User) -> None:
    change = change_of(plan([number], operator, alias="New", voice=number.voice.key), number)
    assert change.desired == {"alias": "New"}


def test_it_tells_why_a_number_cannot_be_changed(synced: Account, operator: User) -> None:
    number = synced.numbers.first()
    change = change_of(plan([number], operator, messages="application:1"), number)
    assert (change.left_out, change.detail) == (
        Change.LeftOut.CANNOT,
        "Plivo routes calls and messages of a number by one application: change that.",
    )


def test_it_leaves_out_what_was_released(number: PhoneNumber, operator: User) -> None:
    PhoneNumber.objects.update(presence=PhoneNumber.Presence.RELEASED)
    assert change_of(plan([number], operator, alias="New"), number).left_out == Change.LeftOut.CANNOT


def test_it_leaves_out_another_accounts_numbers(number: PhoneNumber, operator: User) -> None:
    foreign = make_number(make_account("Other"))
    draft = plan([number, foreign], operator, voice=other_application(number))
    assert change_of(draft, foreign).detail == "Other has no application of that id."
    assert change_of(draft, number).state == Change.State.PLANNED


def test_it_tells_who_is_changing_a_number_and_how(number: PhoneNumber, operator: User) -> None:
    ask(number, operator, alias="First")
    change = change_of(plan([number], operator, alias="Second"), number)
    assert (change.left_out, change.detail) == (
        Change.LeftOut.IN_FLIGHT,
        "An edit by olga is under way: Alias to “First”.",
    )


def test_it_takes_what_waits_in_another_plan_for_under_way(number: PhoneNumber, operator: User) -> None:
    start(plan([number], operator, alias="First"), operator)
    assert change_of(plan([number], operator, alias="Second"), number).left_out == Change.LeftOut.IN_FLIGHT


def test_it_takes_another_draft_for_nothing(number: PhoneNumber, operator: User) -> None:
    plan([number], operator, alias="First")
    assert change_of(plan([number], operator, alias="Second"), number).state == Change.State.PLANNED


def test_it_tells_side_effects_by_name(number: PhoneNumber, operator: User) -> None:
    trunk = number.account.applications.filter(kind="trunk").earliest("pk")
    PhoneNumber.objects.filter(pk=number.pk).update(voice_kind="trunk", voice_target=trunk.remote_id)
    change = change_of(plan([number], operator, voice=other_application(number)), number)
    told = [(effect["sentence"].partition(":")[0], effect["is_inherent"]) for effect in change.effects]
    assert told == [(f"The number leaves the trunk “{trunk}”.", False), ("Messages go to this application too", True)]


def test_it_clears_a_field(number: PhoneNumber, operator: User) -> None:
    assert change_of(plan([number], operator, alias=""), number).desired == {"alias": ""}


def test_it_takes_a_form_sent_twice_for_one(number: PhoneNumber, operator: User) -> None:
    first, again = (plan([number], operator, origin(operator, idempotency_key="k"), alias="New") for _ in range(2))
    assert (first, ChangeSet.objects.count(), Change.objects.count()) == (again, 1, 1)


def test_it_refuses_a_form_sent_again_with_other_values(number: PhoneNumber, operator: User) -> None:
    plan([number], operator, origin(operator, idempotency_key="k"), alias="One")
    with pytest.raises(ChangeRefused, match="sent before"):
        plan([number], operator, origin(operator, idempotency_key="k"), alias="Two")


def test_it_keeps_no_half_of_a_plan(number: PhoneNumber, operator: User) -> None:
    def failing():
        yield Wish(number=number.pk, desired={"alias": "New"})
        raise ValueError

    with pytest.raises(ValueError):
        make_plan(origin(operator), {}, failing())
    assert not ChangeSet.objects.exists()


@pytest.mark.parametrize("count", [10, 20])
def test_it_asks_the_database_as_often_for_many(
    db: None, operator: User, django_assert_max_num_queries, count: int
) -> None:
    numbers = numbered(make_account(), count)
    with django_assert_max_num_queries(13):
        plan(numbers, operator, alias="New")


def test_it_forgets_old_plans_that_nobody_applied(synced: Account, operator: User) -> None:
    first, second = synced.numbers.all()[:2]
    applied, _ = start(plan([first], operator, alias="One"), operator), plan([second], operator, alias="Two")
    ChangeSet.objects.update(created_at=timezone.now() - change_plans.DRAFTS_KEPT_FOR * 2)
    fresh = plan([second], operator, alias="Three")
    change_plans.prune_drafts(timezone.now())
    assert {*ChangeSet.objects.all()} == {applied, fresh}


# Applying


def test_it_applies_a_plan(number: PhoneNumber, operator: User) -> None:
    change_set = start(plan([number], operator, alias="New"), operator, request_id="r-2")
    assert (change_set.state, change_set.applied_by, change_set.applied_by_name) == ("applying", operator, "olga")
    event = PlanEvent.objects.get(change_set=change_set)
    assert (event.before, event.after, event.actor_name, event.request_id) == ("draft", "applying", "olga", "r-2")


def test_it_applies_a_plan_once(number: PhoneNumber, operator: User) -> None:
    draft = plan([number], operator, alias="New")
    assert start(draft, operator) == start(draft, operator)
    assert PlanEvent.objects.filter(change_set=draft).count() == 1


def test_it_refuses_another_plan_than_was_looked_at(number: PhoneNumber, operator: User) -> None:
    with pytest.raises(StalePlan, match="not the plan you looked at"):
        start(plan([number], operator, alias="New"), operator, expected_hash="another")


def test_it_has_another_hash_for_another_plan(number: PhoneNumber, operator: User) -> None:
    one, same, other = (plan([number], operator, alias=alias).plan_hash for alias in ("One", "One", "Other"))
    assert one == same != other


def test_it_refuses_a_plan_whose_numbers_have_other_values(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    draft = plan([number], operator, alias="New")
    PhoneNumber.objects.filter(pk=number.pk).update(alias="Theirs")
    with pytest.raises(StalePlan) as raised:
        start(draft, operator)
    assert str(raised.value) == (
        f"One number has changed since this plan was made. {number.e164}: Alias was “{number.alias}”, "
        "is “Theirs” now. Nothing was sent."
    )
    assert (raised.value.moves.first[0].number, ChangeSet.objects.get().state) == (number, "draft")


def test_it_refuses_a_plan_while_a_number_is_being_changed(number: PhoneNumber, operator: User) -> None:
    draft = plan([number], operator, alias="New")
    ask(number, operator, alias="First")
    with pytest.raises(StalePlan, match="An edit by olga is under way: Alias to “First”"):
        start(draft, operator)


def test_it_counts_all_that_changed_and_names_three(synced: Account, operator: User) -> None:
    draft = plan(synced.numbers.exclude(alias=""), operator, alias="New")
    PhoneNumber.objects.update(alias="Theirs")
    with pytest.raises(StalePlan) as raised:
        start(draft, operator)
    assert raised.value.moves.count == len(raised.value.moves.first) == draft.changes.count()
    assert f"And {draft.changes.count() - 3:,} more." in str(raised.value)


def test_it_refuses_a_plan_when_the_filter_finds_other_numbers(synced: Account, operator: User) -> None:
    numbers = list(synced.numbers.all()[:3])
    pks = [number.pk for number in numbers]
    selection = {"query": "type=local", "count": 2, "hash": selection_hash(pks[:2])}
    draft = plan(numbers[:2], operator, origin(operator, selection=selection), alias="New")
    with pytest.raises(StalePlan, match="showed 2 matching numbers; now 3 match"):
        start(draft, operator, matching=pks)
    with pytest.raises(StalePlan, match="but others"):
        start(draft, operator, matching=pks[1:])
    assert start(draft, operator, matching=pks[1::-1]).state == "applying"


def test_it_refuses_an_unfinished_plan(number: PhoneNumber, operator: User) -> None:
    draft = plan([number], operator, alias="New")
    ChangeSet.objects.update(plan_hash="")
    with pytest.raises(ChangeRefused, match="no finished plan"):
        apply_plan(draft, user=operator, expected_hash="")


def test_it_refuses_a_plan_that_changes_nothing(number: PhoneNumber, operator: User) -> None:
    with pytest.raises(ChangeRefused, match="Nothing to change"):
        start(plan([number], operator, alias=number.alias), operator)


@pytest.mark.parametrize(
    ("held", "planned", "is_typed"),
    [(9, 9, False), (10, 3, False), (10, 4, True), (300, 50, False), (300, 51, True)],
)
def test_it_has_the_count_of_a_large_plan_typed(
    db: None, operator: User, held: int, planned: int, *, is_typed: bool
) -> None:
    numbers = numbered(make_account(), held)
    draft = plan(numbers[:planned], operator, alias="New")
    assert bool(why_count_is_typed(draft)) == is_typed
    if is_typed:
        for wrong in (None, planned - 1, planned + 1):
            with pytest.raises(CountNeeded, match=f"Type {planned} to go on"):
                start(draft, operator, typed_count=wrong)
    assert start(draft, operator, typed_count=planned).state == "applying"


def test_it_discards_a_plan_and_nothing_else(number: PhoneNumber, operator: User) -> None:
    draft = plan([number], operator, alias="New")
    change_sets.discard_plan(draft)
    assert not ChangeSet.objects.exists()
    applied = start(plan([number], operator, alias="New"), operator)
    with pytest.raises(ChangeRefused, match="under way; it cannot be discarded"):
        change_sets.discard_plan(applied)


def test_it_takes_no_longer_for_what_was_drafted_yesterday(number: PhoneNumber, operator: User) -> None:
    draft = plan([number], operator, alias="New")
    Change.objects.update(created_at=timezone.now() - dt.timedelta(days=3))
    assert states(carry_out(start(draft, operator))) == {"confirmed": 1}


@pytest.mark.parametrize("count", [10, 20])
def test_it_asks_the_database_as_often_to_apply_many(
    db: None, operator: User, django_assert_max_num_queries, count: int
) -> None:
    draft = plan(numbered(make_account(), count), operator, alias="New")
    with django_assert_max_num_queries(15):
        start(draft, operator)
