"""What can be asked for, and what becomes of it when nothing goes wrong."""

import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from phone_numbers.models import Account, Application, Change, ChangeSet, Event, PhoneNumber
from phone_numbers.services import changes, editing
from phone_numbers.services.changes import ChangeRefused, StaleBase
from phone_numbers.services.leases import RING_AGAIN
from providers.simulator import Simulator
from tests.phone_numbers.jobs import ask, edits, events, make_account, number_of, sync, work


def request(number: PhoneNumber, user: User, desired: Mapping[str, str], **options: object) -> Change:
    number = number_of(number.remote_id)
    asked = {
        "base": {name: number.value(name) for name in desired},
        "idempotency_key": uuid.uuid4().hex,
        "source": ChangeSet.Source.FORM,
        **options,
    }
    return changes.request_change(number=number, desired=desired, user=user, **asked)


def other_application(number: PhoneNumber) -> Application:
    offered = number.account.applications.filter(kind="application", is_assignable=True)
    return offered.exclude(remote_id=number.voice_target).earliest("pk")


def test_it_stores_what_was_asked_for(number: PhoneNumber, operator: User) -> None:
    change = request(number, operator, {"alias": "New"}, reason="As agreed", request_id="r-1")
    assert (change.state, change.base, change.desired) == ("pending", {"alias": number.alias}, {"alias": "New"})
    asked = change.change_set
    assert (asked.created_by, asked.created_by_name, asked.reason, asked.source) == (
        operator,
        "olga",
        "As agreed",
        "form",
    )


def test_it_writes_down_who_asked(number: PhoneNumber, operator: User) -> None:
    request(number, operator, {"alias": "New"}, request_id="r-1")
    event = Event.objects.get(number=number)
    assert (event.kind, event.field, event.before, event.after) == ("requested", "alias", number.alias, "New")
    assert (event.actor, event.actor_name, event.request_id) == (operator, "olga", "r-1")


def test_it_shows_nothing_as_done_that_was_only_asked_for(number: PhoneNumber, operator: User) -> None:
    request(number, operator, {"alias": "New"})
    assert number_of(number.remote_id).alias == number.alias


def test_it_sends_an_alias(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = work(ask(number, operator, alias="New"))
    assert (change.state, change.attempt, change.detail) == (Change.State.CONFIRMED, 1, "")
    assert edits(simulator) == [(number.remote_id, {"alias": "New"})]


def test_it_shows_what_the_provider_confirmed(number: PhoneNumber, operator: User) -> None:
    work(ask(number, operator, alias="New"))
    stored = number_of(number.remote_id)
    assert (stored.alias, stored.payload.body["alias"]) == ("New", "New")


def test_it_writes_one_line_of_history_for_each_step(number: PhoneNumber, operator: User) -> None:
    work(ask(number, operator, alias="New"))
    assert events(number) == ["requested", "sent", "confirmed"]
    assert set(Event.objects.values_list("actor_name", "before", "after")) == {("olga", number.alias, "New")}


def test_it_clears_an_alias(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    assert work(ask(number, operator, alias="")).state == Change.State.CONFIRMED
    assert edits(simulator) == [(number.remote_id, {"alias": ""})]


def test_it_sends_another_application(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    target = other_application(number)
    change = work(ask(number, operator, voice=target.route_key))
    assert change.state == Change.State.CONFIRMED
    assert edits(simulator) == [(number.remote_id, {"voice": target.route_key})]
    assert number_of(number.remote_id).voice.target == target.remote_id


def test_it_takes_the_messages_that_follow_the_application_for_no_drift(number: PhoneNumber, operator: User) -> None:
    work(ask(number, operator, voice=other_application(number).route_key))
    assert events(number) == ["requested", "sent", "confirmed"]


def test_it_sends_several_fields_at_once(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    target = other_application(number)
    change = work(ask(number, operator, alias="New", voice=target.route_key))
    assert change.state == Change.State.CONFIRMED
    assert edits(simulator) == [(number.remote_id, {"alias": "New", "voice": target.route_key})]


def test_it_sends_only_what_is_new(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    work(request(number, operator, {"alias": "New", "cnam": number.cnam}))
    assert edits(simulator) == [(number.remote_id, {"alias": "New"})]


def test_it_sends_nothing_when_it_is_so_already(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = ask(number, operator, alias="New")
    simulator.world.change(simulator.world.account(), number.remote_id, alias="New")
    work(change)
    assert (change.state, change.detail) == (Change.State.CONFIRMED, "It was so already; nothing was sent.")
    assert edits(simulator) == []


def test_it_sends_nothing_over_a_third_value(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = ask(number, operator, alias="Mine")
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    work(change)
    assert (change.state, change.found) == (Change.State.CONFLICT, {"alias": "Theirs"})
    assert change.detail == "Alias is “Theirs” at the provider. Nothing was sent."
    assert edits(simulator) == []


def test_it_shows_the_third_value_in_the_list(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = ask(number, operator, alias="Mine")
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    work(change)
    assert number_of(number.remote_id).alias == "Theirs"
    assert events(number) == ["requested", "drift", "conflict"]


def test_it_does_nothing_for_a_change_that_is_over(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = work(ask(number, operator, alias="New"), calls=5)
    assert (change.attempt, len(edits(simulator))) == (1, 1)


def test_it_takes_a_form_sent_twice_for_one(number: PhoneNumber, operator: User) -> None:
    first = request(number, operator, {"alias": "New"}, idempotency_key="k")
    again = request(number, operator, {"alias": "New"}, idempotency_key="k")
    assert (first, Change.objects.count()) == (again, 1)


def test_it_gives_the_first_change_even_when_it_is_over(number: PhoneNumber, operator: User) -> None:
    first = work(request(number, operator, {"alias": "New"}, idempotency_key="k"))
    again = request(number, operator, {"alias": "New"}, base={"alias": "stale"}, idempotency_key="k")
    assert (first, Change.objects.count()) == (again, 1)


@pytest.mark.django_db(transaction=True)
def test_it_makes_one_change_of_one_form_at_once(number: PhoneNumber, operator: User) -> None:
    def send(_: int) -> int:
        try:
            return request(number, operator, {"alias": "New"}, idempotency_key="k").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(8)))) == 1
    assert (Change.objects.count(), ChangeSet.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_it_tells_all_but_one_of_many_operators(number: PhoneNumber, operator: User) -> None:
    def send(rank: int) -> str:
        try:
            return request(number, operator, {"alias": f"By {rank}"}).state
        except StaleBase as stale:
            return str(stale)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(send, range(6)))
    assert found.count("pending") == 1
    told = "An edit by olga is under way: Alias to “By "
    assert sum(each.startswith(told) and each.endswith("Nothing was sent.") for each in found) == 5


def test_it_refuses_what_the_operator_saw_wrongly(number: PhoneNumber, operator: User) -> None:
    with pytest.raises(StaleBase) as raised:
        request(number, operator, {"alias": "New"}, base={"alias": "What it was yesterday"})
    assert (raised.value.current, raised.value.change) == ({"alias": number.alias}, None)


def test_it_names_the_change_that_is_under_way(number: PhoneNumber, operator: User) -> None:
    first = ask(number, operator, alias="First")
    with pytest.raises(StaleBase) as raised:
        ask(number, operator, alias="Second")
    assert raised.value.change == first


def test_it_refuses_to_change_nothing(number: PhoneNumber, operator: User) -> None:
    with pytest.raises(ChangeRefused, match="Nothing to change"):
        ask(number, operator, alias=number.alias)


@pytest.mark.parametrize(
    ("desired", "sentence"),
    [
        ({"alias": "x" * 151}, "Alias is 151 characters long; the provider takes at most 150."),
        ({"alias": "two\nlines"}, "Alias must be one line of plain text."),
        ({"cnam_lookup": "maybe"}, "CNAM lookup must be one of: enabled, disabled."),
        ({"voice": "url:https://example.com"}, "Application can only go to: Application, Trunk."),
        ({"voice": "application:0"}, "Plivo demo has no application of that id."),
        ({"subaccount": "SAOFSOMEBODYELSE0001"}, "This account has no subaccount of that id that can be used."),
        (
            {"messages": "application:0"},
            "Plivo routes calls and messages of a number by one application: change that.",
        ),
        ({"carrier": "Another"}, "Carrier cannot be edited at this provider."),
    ],
)
def test_it_refuses_what_the_provider_cannot_take(
    number: PhoneNumber, operator: User, desired: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ChangeRefused) as raised:
        ask(number, operator, **desired)
    assert (str(raised.value), [raised.value.field]) == (sentence, list(desired))
    assert not ChangeSet.objects.exists()


def test_it_refuses_an_application_of_another_account(number: PhoneNumber, operator: User) -> None:
    other = make_account("Other")
    Application.objects.create(account=other, remote_id="4711", name="Theirs")
    with pytest.raises(ChangeRefused, match="Plivo demo has no application of that id"):
        ask(number, operator, voice="application:4711")


def test_it_refuses_an_application_that_is_gone(number: PhoneNumber, operator: User) -> None:
    target = other_application(number)
    Application.objects.filter(pk=target.pk).update(is_present=False)
    with pytest.raises(ChangeRefused, match="was gone when the account was last read"):
        ask(number, operator, voice=target.route_key)


def test_it_refuses_an_application_that_cannot_be_assigned(number: PhoneNumber, operator: User) -> None:
    target = other_application(number)
    Application.objects.filter(pk=target.pk).update(is_assignable=False, why_not="It only calls out.")
    with pytest.raises(ChangeRefused, match="It only calls out"):
        ask(number, operator, voice=target.route_key)


def test_it_refuses_to_edit_what_was_released(number: PhoneNumber, operator: User) -> None:
    PhoneNumber.objects.update(presence=PhoneNumber.Presence.RELEASED)
    with pytest.raises(ChangeRefused, match="was released"):
        ask(number, operator, alias="New")


@pytest.mark.parametrize(
    "options",
    [{"idempotency_key": ""}, {"idempotency_key": "k" * 65}, {"idempotency_key": "a\0b"}, {"reason": "r" * 256}],
)
def test_it_refuses_a_damaged_form(number: PhoneNumber, operator: User, options: dict[str, str]) -> None:
    with pytest.raises(ChangeRefused):
        request(number, operator, {"alias": "New"}, **options)


def test_it_rings_for_what_is_due_and_not_again_at_once(number: PhoneNumber, operator: User) -> None:
    change = ask(number, operator, alias="New")
    now = timezone.now()
    assert changes.due_changes(now) == [change.pk]
    assert changes.due_changes(now) == []
    assert changes.due_changes(now + RING_AGAIN) == [change.pk]


def test_it_offers_what_can_be_edited(number: PhoneNumber) -> None:
    fields = {field.name: field for field in editing.editable_fields(number)}
    assert (fields["alias"].value, fields["alias"].max_length) == (number.alias, 150)
    assert fields["cnam_lookup"].choices == (("enabled", "Enabled"), ("disabled", "Disabled"))
    assert fields["messages"].why_not.startswith("Plivo routes calls and messages")


def test_it_offers_the_applications_of_the_account(number: PhoneNumber) -> None:
    offered = {field.name: field.choices for field in editing.editable_fields(number)}["voice"]
    usable = number.account.applications.filter(is_assignable=True, is_present=True)
    assert dict(offered) == {each.route_key: str(each) for each in usable}


def test_it_calls_a_route_by_its_name(number: PhoneNumber) -> None:
    name = number.account.applications.get(remote_id=number.voice_target).name
    assert editing.route_label(number.account_id, "application", number.voice_target) == name
    assert editing.route_label(number.account_id, "application", "unknown") == "unknown"


def test_it_tells_side_effects_before_anything_is_sent(number: PhoneNumber) -> None:
    effects = editing.preview(number, {"voice": other_application(number).route_key})
    assert [effect.field for effect in effects] == ["messages"]


def test_it_offers_nothing_of_a_provider_it_does_not_know(number: PhoneNumber) -> None:
    number.account.provider = "carrier pigeon"
    assert editing.editable_fields(number) == []
    assert editing.preview(number, {"alias": "New"}) == ()


def test_it_goes_on_after_a_sync(number: PhoneNumber, operator: User, simulator: Simulator) -> None:
    change = ask(number, operator, alias="New")
    sync(number.account)
    assert work(change).state == Change.State.CONFIRMED


def test_it_refuses_a_form_sent_again_with_other_values(number: PhoneNumber, operator: User) -> None:
    request(number, operator, {"alias": "One"}, idempotency_key="k")
    with pytest.raises(ChangeRefused, match="sent before, with other values"):
        request(number, operator, {"alias": "Two"}, idempotency_key="k")


def test_it_refuses_a_form_sent_again_for_another_number(synced: Account, operator: User) -> None:
    first, second = synced.numbers.exclude(alias="")[:2]
    request(first, operator, {"alias": "One"}, idempotency_key="k")
    with pytest.raises(ChangeRefused, match="sent before, with other values"):
        request(second, operator, {"alias": "One"}, idempotency_key="k")


def test_it_takes_a_form_sent_twice_for_one_whatever_was_not_changed(number: PhoneNumber, operator: User) -> None:
    asked = {"alias": "One", "cnam": number.cnam}
    first = request(number, operator, asked, idempotency_key="k")
    assert request(number, operator, asked, idempotency_key="k") == first


@pytest.mark.parametrize("alias", ["x" * 300, "two\nlines", "two\r\nlines"])
def test_it_replaces_an_alias_that_it_would_not_take(
    number: PhoneNumber, operator: User, simulator: Simulator, alias: str
) -> None:
    simulator.world.change(simulator.world.account(), number.remote_id, alias=alias)
    sync(number.account)
    assert work(ask(number, operator, alias="Short")).state == Change.State.CONFIRMED


def test_it_takes_the_line_ends_of_a_browser_for_its_own(
    number: PhoneNumber, operator: User, simulator: Simulator
) -> None:
    simulator.world.change(simulator.world.account(), number.remote_id, alias="two\nlines")
    sync(number.account)
    change = request(number, operator, {"alias": "One"}, base={"alias": "two\r\nlines"})
    assert work(change).state == Change.State.CONFIRMED
