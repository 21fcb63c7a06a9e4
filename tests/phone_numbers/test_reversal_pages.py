"""Undo, put back, try again and import: each shows a plan first."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from phone_numbers.models import Change, ChangeSet, Event, PhoneNumber
from tests.phone_numbers.jobs import ask, work_to_the_end
from tests.phone_numbers.pages import words_of
from tests.phone_numbers.test_change_set_pages import latest, make_plan, numbers
from tests.roles import make_user

__all__ = ["numbers"]


def upload(client, text, **fields):
    file = SimpleUploadedFile("numbers.csv", text.encode())
    return client.post("/changes/import/", {"file": file, "idempotency_key": "k", **fields}, follow=True)


def test_it_plans_to_undo_one_change(signed_in, number, operator):
    before = number.alias
    change = work_to_the_end(ask(number, operator, alias="Other"))
    page = signed_in.post(f"/changes/{change.pk}/undo/", follow=True)
    assert "Plan: change 1 number" in words_of(page)
    assert latest().changes.get().desired == {"alias": before}


def test_it_says_why_there_is_nothing_to_undo(signed_in, number, operator):
    change = ask(number, operator, alias="Other")
    page = signed_in.post(f"/changes/{change.pk}/undo/", follow=True)
    assert "there is nothing to undo" in words_of(page)


def test_it_plans_to_put_back_what_drifted(signed_in, number):
    event = Event.objects.create(number=number, kind="drift", field="alias", before="Old", after=number.alias)
    assert "Plan to put it back" in words_of(signed_in.get(f"/numbers/{number.pk}/"))
    signed_in.post("/changes/drift/judge/", {"event": event.pk, "verdict": "restore"})
    assert latest().changes.get().desired == {"alias": "Old"}


def test_it_offers_no_way_back_where_the_provider_has_none(signed_in, number):
    Event.objects.create(number=number, kind="drift", field="monthly_rate", before="1", after="2")
    assert "Plan to put it back" not in words_of(signed_in.get(f"/numbers/{number.pk}/"))


def test_it_plans_what_failed_once_more(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    plan = latest()
    plan.changes.update(state=Change.State.CONFIRMED)
    plan.changes.filter(number=numbers[0]).update(state=Change.State.FAILED)
    ChangeSet.objects.filter(pk=plan.pk).update(state=ChangeSet.State.DONE)
    assert "Plan the 1 that failed again" in words_of(signed_in.get(f"/changes/plans/{plan.pk}/"))
    signed_in.post(f"/changes/plans/{plan.pk}/retry/")
    assert [change.number for change in latest().changes.all()] == [numbers[0]]


def test_it_offers_to_undo_what_was_tried_again_too(signed_in, numbers):
    make_plan(signed_in, numbers[:3])
    plan = latest()
    plan.changes.update(state=Change.State.CONFIRMED, attempt=1)
    plan.changes.filter(number=numbers[0]).update(state=Change.State.FAILED)
    ChangeSet.objects.filter(pk=plan.pk).update(state=ChangeSet.State.DONE)
    signed_in.post(f"/changes/plans/{plan.pk}/retry/")
    latest().changes.update(state=Change.State.CONFIRMED, attempt=1)
    assert "1 change of it came into force only when tried again" in words_of(
        signed_in.get(f"/changes/plans/{plan.pk}/")
    )
    PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers[:3]]).update(alias="Sales")
    for asked, count in (({}, 2), ({"retries": "1"}, 3)):
        signed_in.post(f"/changes/plans/{plan.pk}/undo/", asked)
        assert latest().changes.filter(state=Change.State.PLANNED).count() == count


def test_it_plans_what_a_file_asks_for(signed_in, numbers):
    page = upload(signed_in, f"Number,Alias\n{numbers[0].national},Reception\n", reason="Ticket 7")
    assert "Plan: change 1 number" in words_of(page)
    assert "numbers.csv" in words_of(page)


def test_it_tells_all_mistakes_of_a_file_with_their_lines(signed_in, numbers):
    page = upload(signed_in, "number,alias\nhello,A\n+15005550006,B\n")
    assert page.status_code == 422
    assert "2 mistakes in the file" in words_of(page)
    assert not ChangeSet.objects.exists()


def test_it_asks_what_an_unknown_column_is(signed_in, numbers):
    page = upload(signed_in, f"tel,alias\n{numbers[0].e164},A\n")
    assert 'name="column-tel"' in page.content.decode()
    page = upload(signed_in, f"tel,alias\n{numbers[0].e164},A\n", **{"column-tel": "number"})
    assert "Plan: change 1 number" in words_of(page)


def test_it_says_when_a_file_changes_nothing(signed_in, numbers):
    page = upload(signed_in, f"number,alias\n{numbers[0].e164},{numbers[0].alias}\n")
    assert "Nothing to change" in words_of(page)


def test_it_asks_for_a_file(signed_in, synced):
    page = signed_in.post("/changes/import/", {})
    assert page.status_code == 422
    assert "Choose a file first." in words_of(page)


def test_it_gives_a_template(signed_in):
    assert signed_in.get("/changes/import/template/").content.startswith(b"number,account,alias")


@pytest.mark.parametrize("path", ["import/", "1/undo/", "drift/judge/"])
def test_it_lets_viewers_plan_nothing(client, db, path):
    client.force_login(make_user("viewer"))
    assert client.post(f"/changes/{path}", {"file": BytesIO(b"x")}).status_code == 403
