"""Plans for many numbers, from the ticks in the list to the outcome of each."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phone_numbers.models import Change, ChangeSet, PhoneNumber
from phone_numbers.services.change_crews import work_for_account
from phone_numbers.services.change_plans import selection_hash
from phone_numbers.views.selection import find_matching
from tests.phone_numbers.jobs import edits
from tests.phone_numbers.pages import PIECE, words_of
from tests.roles import make_user

NEW, MAKE = "/changes/plans/new/", "/changes/plans/make/"


@pytest.fixture
def numbers(synced):
    return list(synced.numbers.order_by("pk")[:12])


def ticked(numbers):
    return ",".join(str(number.pk) for number in numbers)


def make_plan(client, numbers, **fields):
    form = {"numbers": ticked(numbers), "idempotency_key": uuid.uuid4().hex, "alias-mode": "set", "alias": "Sales"}
    return client.post(MAKE, {**form, **fields}, follow=True)


def latest():
    return ChangeSet.objects.latest("created_at")


def apply(client, plan, **fields):
    return client.post(f"/changes/plans/{plan.pk}/apply/", {"hash": plan.plan_hash, **fields}, follow=True)


def test_it_offers_what_each_account_lets_be_changed(signed_in, numbers):
    page = signed_in.post(NEW, {"numbers": ticked(numbers)})
    assert "Change 12 numbers" in words_of(page)
    assert f'name="{numbers[0].account_id}-voice"' in page.content.decode()
    assert "Plivo routes calls and messages of a number by one application" in words_of(page)


def test_it_takes_more_ticked_numbers_than_a_form_may_have_fields(signed_in, synced):
    columns = {"account": synced, "number_type": "local", "country": "US", "digest": b"0"}
    made = [PhoneNumber(remote_id=f"1303555{n:04}", e164=f"+1303555{n:04}", **columns) for n in range(1_100)]
    numbers = PhoneNumber.objects.bulk_create(made)
    page = signed_in.post(NEW, {"numbers": ticked(numbers)})
    assert "Change 1,100 numbers" in words_of(page)
    assert page.content.decode().count(" name=") < 100
    assert "Plan: change 1,100 numbers" in words_of(make_plan(signed_in, numbers))


def test_it_takes_the_checkboxes_of_a_page_without_javascript(signed_in, numbers):
    page = signed_in.post(NEW, {"number": [number.pk for number in numbers[:3]]})
    assert "Change 3 numbers" in words_of(page)


def test_it_asks_to_tick_some_numbers_first(signed_in, synced):
    page = signed_in.post(NEW, {"numbers": ""})
    assert page.status_code == 409
    assert "No number is selected." in words_of(page)


def test_it_takes_all_that_match_a_filter(signed_in, synced):
    count = PhoneNumber.objects.filter(number_type="toll_free").count()
    page = signed_in.post(NEW, {"matching": "all", "filter": "type=toll_free", "count": str(count)})
    assert f"Change {count} number" in words_of(page)


def test_it_refuses_when_others_match_than_the_list_showed(signed_in, synced):
    page = signed_in.post(NEW, {"matching": "all", "filter": "type=toll_free", "count": "9999"})
    assert page.status_code == 409
    assert "The page showed 9,999 matching numbers" in words_of(page)


def test_it_refuses_when_the_hash_is_of_other_numbers(signed_in, synced):
    found = find_matching("type=toll_free")
    form = {"matching": "all", "filter": "type=toll_free", "count": str(len(found)), "hash": selection_hash([0])}
    page = signed_in.post(MAKE, {**form, "alias-mode": "clear"})
    assert page.status_code == 409
    assert not ChangeSet.objects.exists()


def test_it_takes_a_mistaken_filter_for_no_number_at_all(signed_in, synced):
    page = signed_in.post(NEW, {"matching": "all", "filter": "type=tollfree", "count": "3"})
    assert page.status_code == 409


def test_it_changes_nothing_when_nothing_is_chosen(signed_in, numbers):
    page = make_plan(signed_in, numbers, **{"alias-mode": "", "reason": "Ticket 7"})
    assert page.status_code == 422
    assert "Nothing is to be changed yet" in words_of(page)
    assert 'value="Ticket 7"' in page.content.decode()


def test_it_asks_for_the_text_that_is_to_be_set(signed_in, numbers):
    page = make_plan(signed_in, numbers, alias=" ")
    assert page.status_code == 422
    assert "Alias: enter what it should be" in words_of(page)


def test_it_asks_for_the_target_of_a_kind_that_is_entered(signed_in, numbers):
    account = numbers[0].account
    page = make_plan(signed_in, numbers, **{"alias-mode": "", f"{account.pk}-voice": "url:"})
    assert page.status_code == 422
    assert "enter what it should be" in words_of(page)


def test_it_shows_before_and_after_of_every_number(signed_in, numbers):
    page = make_plan(signed_in, numbers, alias="Line {last4}", reason="Ticket 7")
    assert f"<del>{numbers[0].alias}</del>" in page.content.decode()
    assert f"<ins>Line {numbers[0].e164[-4:]}</ins>" in page.content.decode()
    assert "“Ticket 7”" in words_of(page)


def test_it_sends_nothing_before_it_is_told_to(signed_in, numbers, simulator):
    make_plan(signed_in, numbers)
    assert not Change.objects.filter(state__in=Change.LIVE).exists()
    assert edits(simulator) == []


def test_it_names_what_else_a_new_route_brings_about(signed_in, synced):
    on_trunk = list(synced.numbers.filter(voice_kind="trunk")[:2])
    application = synced.applications.filter(kind="application").first()
    page = make_plan(signed_in, on_trunk, **{"alias-mode": "", f"{synced.pk}-voice": application.route_key})
    assert "The number leaves the trunk" in words_of(page)


@pytest.mark.django_db(transaction=True)
def test_it_sends_the_plan_that_was_looked_at(signed_in, numbers, simulator):
    make_plan(signed_in, numbers[:3])
    page = apply(signed_in, latest())
    work_for_account(numbers[0].account_id)
    assert "Under way" in words_of(page)
    assert [after for _, after in edits(simulator)] == [{"alias": "Sales"}] * 3
    assert "3 of 3 over, 3 confirmed" in words_of(signed_in.get(f"/changes/plans/{latest().pk}/"))


def test_it_wants_the_count_typed_for_a_large_share_of_an_account(signed_in, synced):
    make_plan(signed_in, list(synced.numbers.all()[:20]))
    page = apply(signed_in, latest(), typed_count="3")
    assert page.status_code == 422
    assert 'value="3"' in page.content.decode()
    assert latest().state == ChangeSet.State.DRAFT


def test_it_shows_what_moved_since_the_plan_was_made(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(alias="Moved")
    page = apply(signed_in, latest())
    assert page.status_code == 409
    assert "“Moved”" in words_of(page)
    assert "Make the plan anew" in words_of(page)


def test_it_makes_the_plan_anew_from_the_present_values(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    old = latest()
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(alias="Moved")
    signed_in.post(f"/changes/plans/{old.pk}/again/")
    assert latest().changes.get(number=numbers[0]).base == {"alias": "Moved"}
    assert not ChangeSet.objects.filter(pk=old.pk).exists()


def plan_of_filter(client, filter_text):
    numbers = find_matching(filter_text)
    picked = {"matching": "all", "filter": filter_text, "count": len(numbers), "hash": selection_hash(numbers)}
    make_plan(client, [], **picked)
    return latest()


def test_it_makes_the_plan_anew_for_what_its_filter_finds_by_then(signed_in, numbers):
    PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers[:3]]).update(alias="Old")
    old = plan_of_filter(signed_in, "alias=Old")
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(alias="Theirs")
    PhoneNumber.objects.filter(pk=numbers[5].pk).update(alias="Old")
    signed_in.post(f"/changes/plans/{old.pk}/again/")
    assert [change.number for change in latest().changes.order_by("number")] == [*numbers[1:3], numbers[5]]
    apply(signed_in, latest())
    assert latest().state == ChangeSet.State.APPLYING


def test_it_says_why_a_plan_cannot_be_made_anew(signed_in, numbers):
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(alias="Old")
    old = plan_of_filter(signed_in, "alias=Old")
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(alias="Theirs")
    page = signed_in.post(f"/changes/plans/{old.pk}/again/")
    assert page.status_code == 409
    assert "No number is selected." in words_of(page)
    assert latest() == old


def test_it_keeps_an_applied_plan_that_is_made_anew_from_an_old_page(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    old = latest()
    apply(signed_in, old)
    signed_in.post(f"/changes/plans/{old.pk}/again/")
    assert ChangeSet.objects.get(pk=old.pk).state == ChangeSet.State.APPLYING
    assert latest().state == ChangeSet.State.DRAFT


def test_it_pauses_and_goes_on(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    apply(signed_in, latest())
    signed_in.post(f"/changes/plans/{latest().pk}/pause/")
    assert latest().state == ChangeSet.State.PAUSED
    signed_in.post(f"/changes/plans/{latest().pk}/resume/")
    assert latest().state == ChangeSet.State.APPLYING


@pytest.mark.django_db(transaction=True)
def test_it_cancels_what_was_not_sent(signed_in, numbers, simulator):
    make_plan(signed_in, numbers[:3])
    apply(signed_in, latest())
    signed_in.post(f"/changes/plans/{latest().pk}/cancel/")
    work_for_account(numbers[0].account_id)
    assert edits(simulator) == []
    assert set(latest().changes.values_list("state", flat=True)) == {Change.State.CANCELLED}


def test_it_says_what_it_is_by_now_to_whoever_comes_too_late(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    page = signed_in.post(f"/changes/plans/{latest().pk}/resume/")
    assert page.status_code == 409
    assert "plan, nothing sent by now" in words_of(page)


def test_it_discards_a_plan_that_was_not_sent(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    signed_in.post(f"/changes/plans/{latest().pk}/discard/")
    assert not ChangeSet.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_stops_polling_once_it_is_over(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    apply(signed_in, latest())
    address = f"/changes/plans/{latest().pk}/?polled=1"
    assert signed_in.get(address, headers=PIECE).status_code == 200
    work_for_account(numbers[0].account_id)
    assert signed_in.get(address, headers=PIECE).status_code == 286


def test_it_shows_one_group_of_outcomes(signed_in, numbers):
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(alias="Sales")
    make_plan(signed_in, numbers[:3])
    page = signed_in.get(f"/changes/plans/{latest().pk}/?show=already").content.decode()
    assert page.count('scope="col">Number') == 1
    assert page.count("<ins>") == 1


def test_it_lists_plans(signed_in, numbers):
    make_plan(signed_in, numbers[:3], reason="Ticket 7")
    assert "olga Bulk edit “Ticket 7” Plan, nothing sent 3" in words_of(signed_in.get("/changes/plans/"))


def test_it_makes_no_plan_of_what_no_provider_takes(signed_in, numbers):
    page = make_plan(signed_in, numbers, alias="a\0b")
    assert (page.status_code, ChangeSet.objects.exists()) == (422, False)
    assert "Alias must be one line of plain text." in words_of(page)


def test_it_lists_no_plan_whose_making_broke_off(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    ChangeSet.objects.update(plan_hash="")
    assert "No plans yet" in words_of(signed_in.get("/changes/plans/"))


@pytest.mark.parametrize("path", ["new/", "make/"])
def test_it_lets_viewers_make_no_plan(client, synced, path):
    client.force_login(make_user("viewer"))
    assert client.post(f"/changes/plans/{path}", {"numbers": "1"}).status_code == 403


def test_it_needs_as_many_queries_for_two_numbers_as_for_ten(signed_in, numbers):
    counts = []
    for some in (numbers[:2], numbers[2:12]):
        make_plan(signed_in, some)
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(f"/changes/plans/{latest().pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_it_needs_as_many_queries_for_two_plans_as_for_ten(signed_in, numbers):
    counts = []
    for count in (2, 8):
        for _ in range(count):
            make_plan(signed_in, numbers[:2])
        with CaptureQueriesContext(connection) as queries:
            signed_in.get("/changes/plans/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
