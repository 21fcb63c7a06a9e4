"""The list of changes, and the state that is polled while one is under way."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.phone_numbers.pages import PIECE, words_of
from tests.phone_numbers.rows import make_account, make_application, make_change, make_number

pytestmark = pytest.mark.django_db


def test_it_lists_changes_with_who_what_and_how_they_ended(signed_in, operator):
    account = make_account()
    make_application(account, "111", "Support IVR")
    number = make_number(account, national="(415) 555-0100")
    make_change(number, operator, field="voice", desired="application:111", state="refused", detail="Plivo said no.")
    shown = words_of(signed_in.get("/changes/"))
    assert "olga US (415) 555-0100 Main Voice route Nowhere → Application · Support IVR Refused Plivo said no." in shown


@pytest.mark.parametrize(("state", "shown"), [("live", {"one"}), ("refused", {"two"}), ("", {"one", "two"})])
def test_it_filters_by_state(signed_in, operator, state, shown):
    account = make_account()
    make_change(make_number(account), operator, desired="one")
    make_change(make_number(account), operator, desired="two", state="refused")
    page = signed_in.get(f"/changes/?state={state}").content.decode()
    assert set(re.findall(r"<ins>(\w+)</ins>", page)) == shown


def test_it_names_a_state_it_does_not_know_and_shows_nothing(signed_in, operator):
    make_change(make_number(make_account()), operator)
    page = signed_in.get("/changes/?state=lost")
    assert page.status_code == 422
    assert "There is no state “lost”" in page.content.decode()
    assert "<ins>" not in page.content.decode()


def test_it_pages_and_keeps_the_state(signed_in, operator):
    account = make_account()
    for _ in range(51):
        make_change(make_number(account), operator, state="confirmed")
    page = signed_in.get("/changes/?state=confirmed").content.decode()
    assert 'href="?state=confirmed&amp;page=2"' in page
    assert signed_in.get("/changes/?state=confirmed&page=2").content.decode().count("<ins>") == 1


def test_it_asks_no_more_of_the_database_for_more_changes(signed_in, operator):
    account = make_account()
    counts = []
    for _ in range(2):
        for _ in range(10):
            make_change(make_number(account), operator)
        with CaptureQueriesContext(connection) as queries:
            signed_in.get("/changes/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("state", "status"), [("sending", 200), ("unknown", 200), ("confirmed", 286), ("failed", 286)])
def test_it_is_polled_only_while_under_way(signed_in, operator, state, status):
    change = make_change(make_number(make_account()), operator, state=state)
    page = signed_in.get(f"/changes/{change.pk}/", headers=PIECE)
    assert page.status_code == status
    assert ("hx-trigger" in page.content.decode()) == (status == 200)


def test_it_leads_a_window_to_the_number(signed_in, operator):
    change = make_change(make_number(make_account()), operator)
    assert signed_in.get(f"/changes/{change.pk}/")["Location"] == f"/numbers/{change.number_id}/"


def test_it_says_what_to_do_when_there_are_none(signed_in):
    assert "No changes yet" in words_of(signed_in.get("/changes/"))
    assert "No change is in this state" in words_of(signed_in.get("/changes/?state=failed"))
