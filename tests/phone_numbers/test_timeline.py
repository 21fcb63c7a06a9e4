"""The history on a number's page: one stream, by kind, in pages."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phone_numbers.models import SyncRun
from tests.phone_numbers.pages import PIECE, words_in
from tests.phone_numbers.rows import make_account, make_application, make_change, make_event, make_number


@pytest.fixture
def number(db):
    return make_number(make_account(), currency="USD")


@pytest.fixture
def show(client, operator, number):
    client.force_login(operator)

    def words(query="", **headers):
        page = client.get(f"/numbers/{number.pk}/{query}", headers=headers)
        text = page.content.decode().partition('id="timeline"')[2].partition("</section>")[0]
        return words_in(text)

    return words


def one_of_each(number, operator):
    run = SyncRun.objects.create(account=number.account, state="complete")
    make_event(number, "first_seen", run=run)
    change = make_change(number, operator, state="confirmed", desired="Front desk")
    make_event(number, "confirmed", change=change, field="alias", before="", after="Front desk")
    make_event(number, "drift", field="cnam", before="OLD", after="NEW")
    make_event(number, "drift", field="tendlc_status", before="in_progress", after="registered", run=run)
    make_event(number, "drift", field="monthly_rate", before="0.8", after="1.15")
    make_event(number, "drift", field="renewal_date", before="2026-12-01", after="2027-01-01")
    make_event(number, "presence", before="present", after="unconfirmed", run=run)
    make_event(number, "read", detail="Nothing differs.", actor_name="olga")
    make_event(number, "local", field="owner", before="", after="Olga", actor_name="olga")
    make_event(number, "noted", after="On the vans", actor_name="olga")


EVERY = {
    "Edit confirmed": "edits",
    "Caller ID name OLD → NEW": "drift",
    "10DLC status In progress → Registered": "drift compliance syncs",
    "Rate": "",
    "$0.80 → $1.15": "drift money",
    "Renewal 2026-12-01 → 2027-01-01": "drift money",
    "Present → Unconfirmed": "presence syncs",
    "First seen": "presence syncs",
    "Nothing differs.": "syncs",
    "Owner None → Olga": "notes",
    "On the vans": "notes",
}


def test_it_is_one_stream_of_everything(number, operator, show):
    one_of_each(number, operator)
    shown = show()
    assert [words for words, kinds in EVERY.items() if kinds and words not in shown] == []


@pytest.mark.parametrize("kind", ["edits", "drift", "compliance", "money", "presence", "syncs", "notes"])
def test_it_shows_one_kind_alone(number, operator, show, kind):
    one_of_each(number, operator)
    shown = show(f"?kind={kind}").partition("Notes and tags")[2]
    assert {words for words in EVERY if words in shown} == {
        words for words, kinds in EVERY.items() if kind in kinds.split()
    }


def test_it_tells_newest_first_who_changed_what_and_why(number, operator, show):
    make_application(number.account, "111", "Support IVR")
    make_event(number, "first_seen", detail="Seen for the first time.")
    change = make_change(number, operator, field="voice", desired="application:111")
    change.change_set.reason = "New tenant"
    change.change_set.save()
    route = {"field": "voice", "before": "", "after": "application:111", "change": change}
    make_event(number, "requested", actor_name="olga", request_id="req-7", **route)
    make_event(number, "refused", detail="Plivo says: “no”.", **route)
    shown = show()
    asked = "Edit requested now Voice route Nowhere → Application · Support IVR “New tenant” olga · request req-7"
    assert asked in shown
    assert shown.index("Plivo says: “no”.") < shown.index(asked) < shown.index("Seen for the first time.")


def test_it_names_every_field_of_an_edit_of_several(number, operator, show):
    make_application(number.account, "111", "Support IVR")
    change = make_change(number, operator, field="alias", desired="New")
    change.desired |= {"voice": "application:111"}
    change.save()
    make_event(
        number, "requested", change=change, before="alias: ; voice: ", after="alias: New; voice: application:111"
    )
    shown = show()
    assert "Alias None → New" in shown
    assert "Voice route Nowhere → Application · Support IVR" in shown


def test_it_tells_the_window_of_drift(number, show):
    known_at = timezone.now() - timedelta(minutes=15)
    make_event(number, "drift", field="alias", before="a", after="b", known_at=known_at)
    assert f"Some time between {timezone.localtime(known_at):%-d %b, %H:%M} and " in show()


def test_it_strikes_no_note_out_of_the_history(number, show):
    make_event(number, "withdrawn", before="On the vans", actor_name="olga")
    assert "Note withdrawn now On the vans olga" in show()


def test_it_pages_without_gap_or_overlap(number, client, show):
    for position in range(65):
        make_event(number, "drift", field="alias", before="a", after=f"b{position}-")
    found, address = [], "?kind=drift"
    while address:
        text = client.get(f"/numbers/{number.pk}/{address}").content.decode()
        found += re.findall(r"b(\d+)-", text)
        older = re.search(r'rel="next" href="/numbers/\d+/(\?kind[^"]*)"', text)
        address = older[1].replace("&amp;", "&") if older else ""
    assert found == [str(position) for position in reversed(range(65))]


@pytest.mark.parametrize("before", ["x", "-1", "²", "9" * 40, ""])
def test_it_begins_at_the_newest_for_a_place_that_is_none(number, show, before):
    make_event(number, "drift", field="alias", before="a", after="b0-")
    assert "b0-" in show(f"?before={before}")


def test_it_says_so_when_a_kind_does_not_exist(number, client, operator, show):
    make_event(number, "drift", field="alias", before="a", after="b0-")
    shown = show("?kind=gossip")
    assert "There is no history called “gossip”." in shown
    assert "b0-" not in shown
    assert client.get(f"/numbers/{number.pk}/?kind=gossip").status_code == 422


def test_it_is_a_piece_for_htmx(number, client, show):
    show()
    page = client.get(f"/numbers/{number.pk}/?kind=drift", headers=PIECE).content.decode()
    assert page.lstrip().startswith('<section class="panel" id="timeline"')


def test_it_keeps_the_list_it_was_opened_from(show, client, number):
    show()
    text = client.get(f"/numbers/{number.pk}/?from=type%3Dlocal&kind=drift").content.decode()
    assert f"/numbers/{number.pk}/?from=type%3Dlocal&amp;kind=edits" in text


def test_it_needs_as_many_queries_for_a_long_history_as_for_a_short_one(number, operator, client):
    client.force_login(operator)
    client.get(f"/numbers/{number.pk}/")
    counts = []
    for _ in range(2):
        one_of_each(number, operator)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/numbers/{number.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 26
