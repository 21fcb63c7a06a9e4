"""Which columns the list shows: chosen per person, named in an address, and followed by the file."""

import csv
import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phone_numbers.filters.columns import DEFAULT, LIST_COLUMNS
from phone_numbers.models import ListPreferences, Subaccount
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from tests.phone_numbers.pages import sign_in, words_in
from tests.phone_numbers.rows import make_account, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db

CHOOSE = "/numbers/columns/"


@pytest.fixture
def person(client):
    return sign_in(client, "viewer", is_staff=False)


@pytest.fixture
def number(db):
    account = make_account("Main")
    Subaccount.objects.create(account=account, remote_id="SA7", name="Field team")
    columns = {"region": "Colorado", "city": "Denver", "carrier": "Inteliquent", "cnam": "NORTHWIND", "e911": "on file"}
    number = make_number(account, "+13035550100", subaccount="SA7", tendlc_campaign_id="CX41", **columns)
    edit = LocalEdit(owner="Olga", cost_centre="CC-4100", add_tags=["VIP, vans"])
    edit_local_fields([number.pk], edit, user=make_user("operator"))
    return number


def head(page):
    return re.findall(r'<th scope="col" data-column="(\w+)"', page.content.decode())


def row(page):
    return re.findall(r'<t[hd] (?:scope="row" )?data-column="(\w+)"', page.content.decode())


def words(page):
    return words_in(page.content.decode().partition("<tbody>")[2].partition("</tbody>")[0])


def choose(client, keys, path=CHOOSE, **more):
    return client.post(path, {"order": list(keys), "column": list(keys), "density": "comfortable", **more})


def test_it_shows_the_usual_columns_to_whoever_chose_none(client, person, number):
    page = client.get("/numbers/")
    assert head(page) == row(page) == list(DEFAULT)


def test_it_shows_what_a_person_chose_in_that_order(client, person, number):
    answer = choose(client, ["owner", "alias", "city"])
    assert answer["Location"] == "/numbers/"
    page = client.get("/numbers/")
    assert head(page) == row(page) == ["number", "owner", "alias", "city"]


def test_it_leaves_other_people_their_own_columns(client, person, number):
    choose(client, ["owner"])
    client.force_login(make_user("admin"))
    assert head(client.get("/numbers/")) == list(DEFAULT)


def test_it_can_show_everything_there_is_of_a_number(client, person, number):
    page = client.get(f"/numbers/?columns={','.join(LIST_COLUMNS)}")
    assert row(page) == list(LIST_COLUMNS)
    shown = ["Colorado", "Denver", "Inteliquent", "NORTHWIND", "on file", "Field team", "CX41", "Olga", "CC-4100"]
    for text in (*shown, "vans, VIP", number.remote_id):
        assert text in words(page)


def test_it_names_the_type_below_the_number_unless_it_has_a_column(client, person, number):
    assert words(client.get("/numbers/?columns=alias")).count("Local") == 1
    assert words(client.get("/numbers/?columns=type")).count("Local") == 1


@pytest.mark.parametrize("typed", ["colour", "alias,colour", "alias;owner"])
def test_it_refuses_columns_it_does_not_have(client, person, number, typed):
    page = client.get("/numbers/", {"columns": typed})
    assert (page.status_code, row(page)) == (422, [])


def test_it_changes_the_address_where_the_address_names_the_columns(client, person, number):
    answer = choose(client, ["city"], f"{CHOOSE}?type=local&columns=alias,owner")
    assert answer["Location"] == "/numbers/?type=local&columns=number,city"
    assert not ListPreferences.objects.get().columns


def test_it_goes_back_to_the_usual_columns(client, person, number):
    choose(client, ["owner"])
    choose(client, ["owner"], reset="1")
    assert head(client.get("/numbers/")) == list(DEFAULT)


def test_it_moves_a_column_without_keeping_anything_yet(client, person):
    posted = {"order": ["alias", "owner", "city"], "column": ["owner"], "move": "city up"}
    page = client.post(CHOOSE, posted).content.decode()
    assert re.findall(r'name="order" value="(\w+)"', page)[:3] == ["alias", "city", "owner"]
    assert re.findall(r'value="(\w+)" checked', page)[0] == "owner"
    assert not ListPreferences.objects.exists()


@pytest.mark.parametrize("move", ["alias up", "nothing up", "alias sideways", "alias", ""])
def test_it_survives_a_move_that_leads_nowhere(client, person, move):
    page = client.post(CHOOSE, {"order": ["alias", "owner"], "move": move}).content.decode()
    assert re.findall(r'name="order" value="(\w+)"', page)[:2] == ["alias", "owner"]


@pytest.mark.parametrize(("asked", "kept"), [("compact", "compact"), ("tiny", "comfortable")])
def test_it_keeps_how_close_the_rows_are(client, person, number, asked, kept):
    choose(client, ["alias"], density=asked)
    assert f'data-density="{kept}"' in client.get("/numbers/").content.decode()


def test_it_forgets_columns_that_a_release_took_away(client, person, number):
    ListPreferences.objects.create(user=person, columns=["alias", "horoscope"])
    assert head(client.get("/numbers/")) == ["number", "alias"]


def test_it_keeps_the_columns_of_an_address_through_sorting_and_clearing(client, person, number):
    page = client.get("/numbers/?type=local&columns=alias,city").content.decode()
    assert 'id="sort-alias" href="/numbers/?type=local&amp;sort=alias&amp;columns=number,alias,city"' in page
    assert 'class="chips-clear" href="/numbers/?columns=number,alias,city"' in page
    assert re.search(r'type="hidden" name="columns" value="number,alias,city" form="filters"', page)


def export(client, suffix=""):
    answer = client.get(f"/numbers/export/{suffix}")
    return next(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline="")))


def test_it_exports_the_columns_that_a_person_chose(client, person, number):
    choose(client, ["owner", "registration", "subaccount"])
    assert list(export(client)) == ["number", "type", "owner", "tendlc", "toll_free", "subaccount"]


def test_it_exports_every_column_the_list_can_show(client, person, number):
    file = export(client, f"?columns={','.join(LIST_COLUMNS)}")
    assert {*LIST_COLUMNS} - {"registration"} <= {*file}
    assert file["read"] == number.account.fresh_at.astimezone(dt.UTC).isoformat(timespec="seconds")
    assert (file["cnam"], file["owner"], file["tags"]) == ("NORTHWIND", "Olga", "vans, VIP")


def test_it_asks_no_more_for_a_hundred_rows_with_every_column_than_for_ten(client, person):
    account = make_account()
    asked = []
    for _ in range(2):
        for _ in range(50):
            make_number(account, subaccount="SA7")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/numbers/?per_page=100&columns={','.join(LIST_COLUMNS)}")
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 12


@pytest.mark.parametrize(
    "sort", [column.sort for column in LIST_COLUMNS.values() if column.sort] + ["-registration", "-country"]
)
def test_it_sorts_by_every_column_it_offers_without_losing_a_row(client, person, sort):
    account = make_account()
    for place in range(30):
        tendlc, toll_free = [("registered", "not_applicable"), ("not_applicable", "verified")][place % 2]
        make_number(account, tendlc_status=tendlc, toll_free_status=toll_free, country="US" if place % 3 else "CA")
    seen = []
    for page in (1, 2):
        text = client.get(f"/numbers/?sort={sort}&per_page=25&page={page}").content.decode()
        seen += re.findall(r'data-copy="(\+\d+)"', text)
    assert len(seen) == len(set(seen)) == 30


def test_it_sorts_registrations_by_10dlc_and_then_by_verification(client, person):
    account = make_account()
    pairs = [("unregistered", "not_applicable"), ("not_applicable", "verified"), ("not_applicable", "pending")]
    for tendlc, toll_free in pairs:
        make_number(account, alias=f"{tendlc} {toll_free}", tendlc_status=tendlc, toll_free_status=toll_free)
    text = client.get("/numbers/?sort=registration").content.decode()
    assert re.findall(r'class="clip" title="(\w+ \w+)"', text) == [" ".join(pair) for pair in sorted(pairs)]


def test_it_is_closed_to_users_without_a_role(client):
    client.force_login(make_user("nobody"))
    assert client.get(CHOOSE).status_code == 403
