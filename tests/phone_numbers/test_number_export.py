"""The list as a file: this view, every column, or a selection; nothing in it runs as a formula."""

import csv
import io
import re
import zipfile
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from phone_numbers.filters import exports
from phone_numbers.models import NumberList, PhoneNumber
from phone_numbers.services.notes import add_note, withdraw_note
from phone_numbers.services.spreadsheets import protect, unprotect
from tests.phone_numbers.rows import make_account, make_application, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db

HOSTILE = [
    *("=1+1", "+1+1", "-2", "@SUM(A1)", "\tx", "\rx", "'=x", "'", "plain", "Zoë, “desk”\n2", "+14155550100"),
    *("\n=1", "＝1+1", "＠SUM(A1)"),
]
CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}c"


@pytest.fixture
def numbers(client):
    client.force_login(make_user("viewer", is_staff=False))
    account = make_account("Main")
    make_application(account, "111", "Support IVR")
    route = {"voice_kind": "application", "voice_target": "111"}
    return [make_number(account, alias=alias, monthly_rate="0.80000", currency="USD", **route) for alias in HOSTILE]


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode(), newline="")))


def test_it_exports_what_the_list_shows_in_its_order(client, numbers):
    rows = rows_of(client.get("/numbers/export/?sort=-number&type=local&page=7&per_page=25"))
    assert [row["number"] for row in rows] == [number.e164 for number in reversed(numbers)]
    assert rows[0]["voice"] == "Support IVR"
    assert (rows[0]["rate"], rows[0]["currency"], rows[0]["type"]) == ("0.8", "USD", "Local")


def test_it_exports_only_what_is_asked_for(client, numbers):
    assert rows_of(client.get("/numbers/export/?alias=plain&columns=alias,number")) == [
        {"alias": "plain", "number": numbers[HOSTILE.index("plain")].e164}
    ]


def test_it_exports_every_column_an_import_needs(client, numbers):
    (row,) = rows_of(client.get("/numbers/export/?alias=plain&columns=all"))
    needed = {"number", "account", "alias", "voice_route", "message_route", "tags", "owner", "cost_centre"}
    assert needed <= set(row)
    assert (row["account"], row["voice_route"], row["message_route"]) == ("Main", "application:111", "")


def test_it_exports_the_newest_note_that_stands(client, numbers):
    author = make_user("operator", username="olga")
    *_, withdrawn = (add_note(numbers[8], text, user=author) for text in ("Old", "=New", "Never mind"))
    withdraw_note(withdrawn, user=author)
    (row,) = rows_of(client.get("/numbers/export/?alias=plain&columns=note"))
    assert unprotect(row["note"]) == "=New"
    assert row["note"] != "=New"


def test_it_exports_a_selection(client, numbers):
    chosen = [numbers[3], numbers[1]]
    posted = {"numbers": ",".join(str(number.pk) for number in chosen), "columns": "number"}
    rows = rows_of(client.post("/numbers/export/", posted))
    assert [row["number"] for row in rows] == sorted(number.e164 for number in chosen)


@pytest.mark.parametrize("order", ["number", "-number", "voice", "-alias"])
def test_it_exports_a_selection_in_the_order_it_was_made_in(client, numbers, order):
    released = numbers[5]
    PhoneNumber.objects.filter(pk=released.pk).update(presence="released")
    chosen = [*numbers[3:7], numbers[1]]
    whole = rows_of(client.get(f"/numbers/export/?sort={order}&presence=present,released&columns=number"))
    posted = {"numbers": ",".join(str(number.pk) for number in chosen), "columns": "number", "sort": order}
    rows = rows_of(client.post("/numbers/export/", posted))
    assert rows == [row for row in whole if row["number"] in {number.e164 for number in chosen}]
    assert not NumberList.objects.exists()


def test_it_exports_all_that_match_in_the_order_of_the_list(client, numbers):
    posted = {"matching": "all", "filter": "type=local", "count": "13", "sort": "-number", "columns": "number"}
    rows = rows_of(client.post("/numbers/export/", posted))
    assert [row["number"] for row in rows] == [number.e164 for number in reversed(numbers)]


def test_it_goes_on_while_the_inventory_changes(client, numbers, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 3)
    answer = client.get("/numbers/export/?columns=number,account,voice")
    parts = iter(answer.streaming_content)
    told = [next(parts), next(parts)]
    new = make_number(make_account("Brand new"), "+99999999999", voice_kind="application", voice_target="9")
    numbers[-1].delete()
    told += list(parts)
    rows = list(csv.DictReader(io.StringIO(b"".join(told).decode(), newline="")))
    assert [row["number"] for row in rows] == [*(number.e164 for number in numbers[:-1]), new.e164]
    assert rows[-1]["account"] == "Brand new"


@pytest.mark.parametrize("text", [*HOSTILE, "\0x"])
def test_it_lets_nothing_run_as_a_formula_and_gives_it_back_as_it_was(text):
    protected = protect(text)
    assert unprotect(protected) == text
    assert not protected.startswith(("=", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"))
    assert not protected.startswith("+") or re.fullmatch(r"\+\d+", protected)


def test_it_gives_back_aliases_and_numbers_byte_by_byte(client, numbers):
    rows = rows_of(client.get("/numbers/export/"))
    assert [unprotect(row["alias"]) for row in rows] == HOSTILE
    assert [row["number"] for row in rows] == [number.e164 for number in numbers]


def test_it_writes_a_sheet_of_nothing_but_text(client, numbers):
    answer = client.get("/numbers/export/?format=xlsx")
    assert answer["Content-Disposition"].endswith(f'"numbers-{timezone.localdate()}.xlsx"')
    book = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    cells = list(ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter(CELL))
    assert {cell.get("t") for cell in cells} == {"inlineStr"}
    texts = ["".join(cell.itertext()) for cell in cells]
    assert {number.e164 for number in numbers} <= set(texts)
    assert {protect(alias) for alias in HOSTILE if "\r" not in alias} <= set(texts)


@pytest.mark.parametrize("sort", ["number", "-type", "voice", "rate", "renewal"])
def test_it_exports_every_row_once_whatever_the_size_of_a_chunk(client, numbers, sort, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 5)
    PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers[::2]]).update(monthly_rate=None, voice_kind="")
    rows = rows_of(client.get(f"/numbers/export/?sort={sort}&columns=number"))
    assert sorted(row["number"] for row in rows) == sorted(number.e164 for number in numbers)


@pytest.mark.parametrize("query", ["colour=red", "format=pdf", "columns=alias,password", "list=7", "type=x"])
def test_it_exports_nothing_of_what_it_does_not_understand(client, numbers, query):
    answer = client.get(f"/numbers/export/?{query}")
    assert (answer.status_code, "Nothing was exported" in answer.content.decode()) == (422, True)


def test_it_is_closed_to_users_without_a_role(client, numbers):
    client.force_login(make_user("nobody"))
    assert client.get("/numbers/export/").status_code == 403


def test_it_is_offered_beside_the_list_as_it_is_shown(client, numbers):
    page = client.get("/numbers/?type=local&page=1").content.decode()
    assert 'href="/numbers/export/?type=local&amp;format=csv"' in page
