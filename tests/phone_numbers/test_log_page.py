"""The log: every line that the filters find, each exactly once, and nothing that can be edited."""

import csv
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phone_numbers.models import Event, PlanEvent
from phone_numbers.services import change_log
from phone_numbers.services.change_log import CHUNK, Place, Wanted, read_page
from phone_numbers.views import log
from tests.phone_numbers.jobs import ask, carry_out, plan, start, work
from tests.phone_numbers.pages import words_of
from tests.phone_numbers.rows import make_account, make_application, make_change, make_event, make_number

pytestmark = pytest.mark.django_db

LOG, EXPORT = "/changes/log/", "/changes/log/export/"


@pytest.fixture
def line():
    """Makes lines of one number of one account."""
    number = make_number(make_account(), national="(415) 555-0100", e164="+14155550100")
    return lambda kind="confirmed", **columns: make_event(number, kind, **columns)


def count_lines(page):
    return page.content.decode().count('data-column="when"')


def rows_of(page):
    return list(csv.DictReader(b"".join(page.streaming_content).decode().splitlines()))


def test_it_tells_who_changed_what_why_and_what_the_provider_said(signed_in, operator):
    account = make_account()
    make_application(account, "111", "Support IVR")
    number = make_number(account, national="(415) 555-0100")
    change = make_change(number, operator, field="voice", desired="application:111", state="refused")
    change.change_set.reason = "OPS-214"
    change.change_set.save()
    told = {"field": "voice", "after": "application:111", "detail": "Plivo said no.", "request_id": "r-1"}
    make_event(number, "refused", change=change, actor_name="olga", **told)
    shown = words_of(signed_in.get(LOG))
    assert "olga US (415) 555-0100 Main Edit refused Voice route Nowhere → Application · Support IVR" in shown
    assert "Plivo said no. “OPS-214” request r-1" in shown


def test_it_tells_what_was_done_with_plans(signed_in, number, operator):
    carry_out(start(plan([number], operator, alias="New"), operator, request_id="r-2"))
    shown = words_of(signed_in.get(f"{LOG}?kind=plans"))
    assert "Plan, nothing sent → Under way request r-2" in shown
    assert "Numberdesk Plan" in shown
    assert "Under way → Done" in shown


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", 4),
        ("?kind=edits", 1),
        ("?kind=drift", 1),
        ("?kind=notes", 1),
        ("?kind=presence", 1),
        ("?kind=plans", 0),
        ("?person=olga", 2),
        ("?person=-", 2),
        ("?person=nobody", 0),
        ("?q=%2B1+(415)+555", 4),
        ("?q=415556", 0),
        ("?q=ABC", 1),
        ("?q=%22%27%3B--", 0),
        ("?since=2000-01-01", 4),
        ("?until=2000-01-01", 0),
        ("?since=2000-01-01&until=9999-12-31", 4),
    ],
)
def test_it_filters(signed_in, operator, line, asked, found):
    change = make_change(line("first_seen").number, operator)
    line("confirmed", change=change, actor_name="olga", detail="Provider said abc")
    line("drift")
    line("noted", actor_name="olga")
    assert count_lines(signed_in.get(f"{LOG}{asked}")) == found


def test_it_searches_a_part_of_a_long_log_at_a_time(signed_in, line, monkeypatch):
    monkeypatch.setattr(change_log, "SEARCHED", 3)
    monkeypatch.setattr(log, "SEARCHED", 3)
    old = line(detail="needle")
    for _ in range(3):
        line(detail="hay")
    page = signed_in.get(f"{LOG}?q=needle")
    assert "Nothing like that among these 3 lines" in words_of(page)
    (older,) = {*re.findall(r'href="(\?q=needle&amp;before=[0-9-]+)"', page.content.decode())}
    page = signed_in.get(LOG + older.replace("&amp;", "&"))
    assert (count_lines(page), "before=" in page.content.decode()) == (1, False)
    assert "Nothing like that among" not in words_of(page)
    assert count_lines(signed_in.get(f"{LOG}?q=needle&number={old.number_id}")) == 1


def test_it_searches_on_below_where_only_plans_were_found(line, operator, monkeypatch):
    monkeypatch.setattr(change_log, "SEARCHED", 3)
    old = line(detail="needle")
    for _ in range(3):
        line(detail="hay")
    plan = make_change(old.number, operator).change_set
    PlanEvent.objects.bulk_create(PlanEvent(change_set=plan, before="draft", detail="needle") for _ in range(3))
    first = read_page(Wanted(text="needle"), None, 2)
    second = read_page(Wanted(text="needle"), first.older, 2)
    assert [type(entry) for entry in (*first.entries, *second.entries)] == [*[PlanEvent] * 3, Event]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("since=0001-01-01&until=9999-12-31", 1),
        ("since=0001-01-02&until=9999-12-30", 1),
        ("since=9999-12-31", 0),
        ("until=0001-01-01", 0),
    ],
)
def test_it_takes_the_first_and_the_last_day_there_is(signed_in, line, settings, zone, asked, found):
    settings.TIME_ZONE = zone
    line()
    assert count_lines(signed_in.get(f"{LOG}?{asked}")) == found


def test_it_shows_one_account_or_one_number(signed_in, line):
    event = line()
    other = make_event(make_number(make_account("Other")), "drift")
    assert count_lines(signed_in.get(f"{LOG}?account={other.number.account_id}")) == 1
    assert count_lines(signed_in.get(f"{LOG}?number={event.number_id}")) == 1
    assert f'href="{LOG}?number={event.number_id}"' in signed_in.get(f"/numbers/{event.number_id}/").content.decode()


def test_it_shows_one_plan_with_its_numbers(signed_in, synced, operator):
    one, two = (start(plan([number], operator, alias="New"), operator) for number in synced.numbers.all()[:2])
    carry_out(one)
    begun = plan(synced.numbers.all()[2:3], operator, alias="New")
    start(begun, operator)
    assert count_lines(signed_in.get(f"{LOG}?plan={two.pk}")) == 5
    assert count_lines(signed_in.get(f"{LOG}?plan={begun.pk}")) == 1
    assert count_lines(signed_in.get(f"{LOG}?account={synced.pk}&kind=plans")) == 5


@pytest.mark.parametrize(
    "asked",
    ["kind=colour", "account=77", "account=x", "since=tomorrow", "until=2026-02-30", "number=9", "number=x", "plan=x"],
)
def test_it_shows_nothing_of_what_it_does_not_understand(signed_in, line, asked):
    line()
    for path in (LOG, EXPORT):
        page = signed_in.get(f"{path}?{asked}")
        assert page.status_code == 422
        assert count_lines(page) == 0


def test_it_shows_every_line_once_page_after_page(number, operator):
    for _ in range(3):
        work(ask(number, operator, alias="New"))
        carry_out(start(plan([number], operator, alias=number.alias), operator))
    seen, place, pages = [], None, 0
    while pages == 0 or place:
        page = read_page(Wanted(), place, 4)
        seen += [(type(entry), entry.pk) for entry in page.entries]
        place, pages = page.older, pages + 1
    everything = {(model, pk) for model in (Event, PlanEvent) for pk in model.objects.values_list("pk", flat=True)}
    assert (len(seen), set(seen)) == (len(everything), everything)


def test_it_goes_on_where_it_was_though_new_lines_came(number, operator):
    for _ in range(5):
        make_event(number, "drift")
    place = read_page(Wanted(), None, 3).older
    rest = [entry.pk for entry in read_page(Wanted(), place, 50).entries]
    carry_out(start(plan([number], operator, alias="New"), operator))
    assert [entry.pk for entry in read_page(Wanted(), place, 50).entries] == rest


def test_it_links_older_lines_and_keeps_the_filters(signed_in, line):
    for _ in range(51):
        line("drift")
    page = signed_in.get(f"{LOG}?kind=drift").content.decode()
    older = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert older.startswith("?kind=drift&before=")
    assert count_lines(signed_in.get(f"{LOG}{older}")) == 1


@pytest.mark.parametrize("text", ["", "x", "1", "1-", "-1-2", "1-2-3", "1-x", f"{10**19}-1", "²-1"])
def test_it_takes_no_place_that_is_none(text):
    assert Place.read(text) is None


def test_it_asks_no_more_of_the_database_for_more_lines(signed_in, operator):
    counts = []
    for rank in range(2):
        for _ in range(10):
            number = make_number(make_account(f"Account {rank}-{_}"))
            change = make_change(number, operator, field="voice", desired="application:1")
            make_event(number, "confirmed", change=change, field="voice", after="application:1")
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(LOG)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_it_exports_what_it_shows(signed_in, number, operator):
    change_set = carry_out(start(plan([number], operator, alias="=1+1"), operator))
    page = signed_in.get(f"{EXPORT}?plan={change_set.pk}")
    rows = rows_of(page)
    assert [row["event"] for row in rows] == ["plan", "confirmed", "sent", "requested", "plan"]
    assert {row["change set"] for row in rows} == {str(change_set.pk)}
    assert {row["after"] for row in rows if row["number"]} == {"'=1+1"}
    assert 'filename="numberdesk-log-' in page["Content-Disposition"]


def test_it_exports_more_than_one_chunk(signed_in, line):
    number = line().number
    Event.objects.bulk_create(Event(number=number, kind="drift") for _ in range(CHUNK))
    assert len(rows_of(signed_in.get(EXPORT))) == CHUNK + 1


@pytest.mark.parametrize("path", [LOG, EXPORT])
def test_it_is_only_read(signed_in, client, path):
    assert signed_in.post(path).status_code == 405
    client.logout()
    assert client.get(path).status_code == 302
