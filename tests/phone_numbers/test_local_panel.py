"""Tags, owner, cost centre and notes on a number's page, with and without JavaScript."""

import re

import pytest

from phone_numbers.models import Note
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields, read_values
from phone_numbers.services.notes import add_note
from tests.phone_numbers.pages import PIECE, text_of
from tests.phone_numbers.rows import make_account, make_number
from tests.roles import make_user

HEADERS = pytest.mark.parametrize("headers", [{}, PIECE], ids=["page", "piece"])


@pytest.fixture
def number(db):
    return make_number(make_account())


@pytest.fixture
def post(client, operator, number):
    client.force_login(operator)

    def send(path, form, **headers):
        return client.post(f"/numbers/{number.pk}/{path}", form, headers=headers)

    return send


def values(number):
    return read_values([number.pk])[number.pk]


def texts(**typed):
    return {"base-owner": "", "base-cost_centre": "", "owner": "", "cost_centre": "", **typed}


def test_it_stores_owner_and_cost_centre_and_leads_back(post, number):
    page = post("local/?from=type%3Dlocal", texts(owner="Olga", cost_centre="CC-1"))
    assert page["Location"] == f"/numbers/{number.pk}/?from=type%3Dlocal#local"
    assert values(number) == {"tags": "", "owner": "Olga", "cost_centre": "CC-1"}


def test_it_gives_the_panel_and_the_history_to_htmx(post):
    text = text_of(post("local/", texts(owner="Olga"), **PIECE))
    assert 'id="local"' in text
    assert re.search(r'id="timeline"[^>]*hx-swap-oob="true"', text)
    assert "Changed in Numberdesk" in text


def test_it_adds_tags_and_takes_one_off(post, number):
    post("local/", {"tags": "VIP, vans"})
    post("local/", {"remove_tag": "VIP"})
    assert values(number)["tags"] == "vans"


def test_it_leads_from_a_tag_to_all_numbers_that_have_it(post, number, client):
    post("local/", {"tags": "VIP & vans"})
    make_number(number.account)
    link = re.search(r'<li class="tag"><a href="([^"]*)">', text_of(client.get(f"/numbers/{number.pk}/")))[1]
    page = client.get(link)
    assert page.status_code == 200
    assert re.findall(r'class="number" href="/numbers/(\d+)/', text_of(page)) == [str(number.pk)]


@HEADERS
@pytest.mark.parametrize(
    ("form", "kept"),
    [
        (texts(owner="x" * 81, cost_centre="CC-1"), ['value="' + "x" * 81, 'value="CC-1"', "Owner: at most 80"]),
        ({"tags": "y" * 41}, ['value="' + "y" * 41, "is too long for a tag"]),
    ],
)
def test_it_keeps_what_was_typed_when_it_is_refused(post, number, headers, form, kept):
    page = post("local/", form, **headers)
    assert page.status_code == 422
    assert [words for words in kept if words not in text_of(page)] == []
    assert ("<html" in text_of(page)) == (not headers)
    assert not any(values(number).values())


@HEADERS
def test_it_tells_the_later_of_two_people_and_lets_them_decide(post, number, headers):
    edit_local_fields([number.pk], LocalEdit(owner="Theirs"), user=make_user("admin"))
    page = post("local/", texts(owner="Mine"), **headers)
    text = text_of(page)
    assert page.status_code == 409
    assert "Somebody else changed this" in text
    assert "It is now “Theirs”" in text
    assert 'name="owner" value="Mine"' in text
    assert 'name="base-owner" value="Theirs"' in text
    assert values(number)["owner"] == "Theirs"
    post("local/", texts(owner="Mine") | {"base-owner": "Theirs"})
    assert values(number)["owner"] == "Mine"


def test_it_does_not_touch_a_field_that_was_left_as_it_was_seen(post, number):
    edit_local_fields([number.pk], LocalEdit(owner="Theirs"), user=make_user("admin"))
    post("local/", texts(cost_centre="CC-1"))
    assert values(number) == {"tags": "", "owner": "Theirs", "cost_centre": "CC-1"}


def test_it_adds_and_withdraws_a_note(post, number):
    assert post("notes/", {"note": "On the vans"})["Location"] == f"/numbers/{number.pk}/#local"
    note = Note.objects.get()
    assert "On the vans" in text_of(post(f"notes/{note.pk}/withdraw/", {}, **PIECE)).partition('id="timeline"')[2]
    assert Note.objects.filter(withdrawn_at=None).count() == 0


@HEADERS
def test_it_keeps_a_note_that_is_too_long(post, headers):
    page = post("notes/", {"note": "z" * 4001}, **headers)
    assert page.status_code == 422
    assert "z" * 4001 in text_of(page)
    assert "at most 4,000 characters" in text_of(page)


def test_it_lets_nobody_withdraw_anothers_note(post, number):
    note = add_note(number, "Theirs", user=make_user("admin"))
    assert "withdraw/" not in text_of(post("local/", texts(), **PIECE))
    page = post(f"notes/{note.pk}/withdraw/", {})
    assert page.status_code == 422
    assert "Only admin can withdraw this note." in text_of(page)


def test_it_knows_no_note_of_another_number(post, number):
    note = add_note(make_number(number.account), "Elsewhere", user=make_user("admin"))
    assert post(f"notes/{note.pk}/withdraw/", {}).status_code == 404


def test_it_shows_a_script_as_text(post, number, client):
    post("notes/", {"note": "<script>alert(1)</script>"})
    post("local/", {"tags": "<b>bold"})
    text = text_of(client.get(f"/numbers/{number.pk}/"))
    assert "<script>alert" not in text
    assert "<b>bold" not in text


@pytest.mark.parametrize("path", ["local/", "notes/", "notes/1/withdraw/"])
def test_it_is_not_for_viewers(client, number, path):
    client.force_login(make_user("viewer"))
    assert client.post(f"/numbers/{number.pk}/{path}").status_code == 403
    text = text_of(client.get(f"/numbers/{number.pk}/"))
    assert "Only in Numberdesk" in text
    assert "Add note" not in text
