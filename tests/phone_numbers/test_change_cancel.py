"""A change that waits is cancelled from wherever it is seen; whoever comes too late is told so."""

import uuid

import pytest

from phone_numbers.models import Change
from tests.phone_numbers.jobs import ask, carry_out, edits, plan, start, states, work
from tests.phone_numbers.pages import PIECE, words_of
from tests.roles import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(number, operator):
    return ask(number, operator, alias="New")


def cancel(client, change, *, piece=False, **fields):
    return client.post(f"/changes/{change.pk}/cancel/", fields, headers=PIECE if piece else {}, follow=not piece)


def has_button(page, change):
    return f'action="/changes/{change.pk}/cancel/"' in page.content.decode()


def test_it_cancels_what_was_not_sent(signed_in, change, number, simulator):
    assert has_button(signed_in.get(f"/numbers/{number.pk}/"), change)
    page = cancel(signed_in, change)
    assert "Cancelled. Nothing was sent." in words_of(page)
    assert not has_button(page, change)
    assert (work(change).state, edits(simulator)) == ("cancelled", [])


def test_it_lets_go_of_what_a_slow_provider_takes_its_time_over(signed_in, change, number, operator):
    Change.objects.filter(pk=change.pk).update(state="sending", attempt=1, detail="It is asked again for a day.")
    assert "Stop waiting" in words_of(signed_in.get(f"/numbers/{number.pk}/"))
    assert "It was sent, and is no longer watched" in words_of(cancel(signed_in, change))
    assert work(ask(number, operator, alias="Newer")).state == "confirmed"


def test_it_answers_a_piece_with_the_state(signed_in, change):
    page = cancel(signed_in, change, piece=True)
    assert (page.status_code, page.content.decode().count("<html")) == (200, 0)
    assert "Cancelled Nothing was sent." in words_of(page)


def test_it_is_offered_in_the_list_of_changes(signed_in, change):
    assert has_button(signed_in.get("/changes/?state=live"), change)


def test_it_tells_whoever_comes_too_late(signed_in, change):
    work(change)
    page = cancel(signed_in, change, piece=True)
    assert page.status_code == 409
    assert "This change is confirmed just now and cannot be cancelled" in words_of(page)
    assert "cannot be cancelled" in words_of(cancel(signed_in, change))


def test_it_leaves_a_worker_what_it_holds(signed_in, change):
    Change.objects.filter(pk=change.pk).update(lease_token=uuid.uuid4(), state="sending")
    assert not has_button(signed_in.get(f"/numbers/{change.number_id}/"), change)


def test_it_cancels_one_number_of_a_plan(signed_in, synced, operator, simulator):
    numbers = list(synced.numbers.exclude(alias="").order_by("pk")[:3])
    change_set = start(plan(numbers, operator, alias="New"), operator)
    change = change_set.changes.get(number=numbers[1])
    address = f"/changes/plans/{change_set.pk}/"
    assert has_button(signed_in.get(address), change)
    page = cancel(signed_in, change, **{"from": "plan"})
    assert page.redirect_chain[-1][0] == address
    assert states(carry_out(change_set)) == {"confirmed": 2, "cancelled": 1}
    assert numbers[1].remote_id not in dict(edits(simulator))


def test_it_offers_nothing_in_a_plan_that_was_not_sent(signed_in, number, operator):
    draft = plan([number], operator, alias="New")
    assert not has_button(signed_in.get(f"/changes/plans/{draft.pk}/"), draft.changes.get())


def test_it_shows_the_edit_under_way_though_a_newer_plan_names_the_number(signed_in, change, number, operator):
    plan([number], operator, alias="Planned")
    page = signed_in.get(f"/numbers/{number.pk}/")
    assert "Latest edit" in words_of(page)
    assert has_button(page, change)


def test_it_takes_no_mere_plan_for_an_edit(signed_in, number, operator):
    plan([number], operator, alias="Planned")
    assert "Latest edit" not in words_of(signed_in.get(f"/numbers/{number.pk}/"))


def test_it_shows_what_waits_in_a_plan(signed_in, number, operator):
    change_set = start(plan([number], operator, alias="Planned"), operator)
    assert has_button(signed_in.get(f"/numbers/{number.pk}/"), change_set.changes.get())


def test_it_lets_viewers_cancel_nothing(client, change, number):
    client.force_login(make_user("viewer"))
    assert not has_button(client.get(f"/numbers/{number.pk}/"), change)
    assert cancel(client, change).status_code == 403
    change.refresh_from_db()
    assert change.state == "pending"
