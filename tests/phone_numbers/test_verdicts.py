"""What others changed: a person keeps it, writes theirs over it, or puts it back. Our own writes are not among it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phone_numbers.filters.tiles import MOST_COUNTED
from phone_numbers.models import Account, Change, ChangeSet, DriftVerdict, Event, PhoneNumber
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_reversals import plan_again
from phone_numbers.services.change_sets import cancel_change_set
from phone_numbers.services.verdicts import find_drift, keep_theirs
from phone_numbers.views.freshness import count_undecided
from tests.phone_numbers.jobs import ask, carry_out, edits, origin, plan, start, states, sync, work
from tests.phone_numbers.pages import PIECE, words_of
from tests.phone_numbers.rows import make_account, make_event, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db

INBOX, JUDGE = "/changes/drift/", "/changes/drift/judge/"


@pytest.fixture
def conflict(number, operator, simulator):
    """Mine against theirs."""
    change = ask(number, operator, alias="Mine")
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    return work(change)


@pytest.fixture
def drift(number, simulator):
    """The number's alias and its rate became others at the provider, and a sync found out."""
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs", monthly_rate="9.00000")
    sync(number.account)
    return number.events.get(kind="drift", field="alias")


def judge(client, verdict, *events, **fields):
    form = {"event": [event.pk for event in events], "verdict": verdict, **fields}
    return client.post(JUDGE, form, follow=True)


# A conflict


@pytest.mark.parametrize("path", ["/numbers/{number}/", "/changes/?state=conflict"])
def test_it_shows_base_mine_and_theirs(signed_in, conflict, number, path):
    page = signed_in.get(path.format(number=number.pk))
    assert f"Alias before {number.alias} Asked for Mine At the provider Theirs" in words_of(page)
    assert "Keep theirs" in words_of(page)


def test_it_keeps_theirs_and_says_who_decided(signed_in, conflict, number, simulator):
    page = signed_in.post(f"/changes/{conflict.pk}/keep/", follow=True)
    assert "Conflict settled" in words_of(page)
    assert "Alias stays “Theirs”." in words_of(page)
    assert "Latest edit" not in words_of(page)
    assert number.events.get(kind="settled").actor_name == "olga"
    assert edits(simulator) == []


def test_it_settles_a_conflict_once(conflict, number, operator):
    for _ in range(2):
        keep_theirs(conflict, user=operator)
    assert number.events.filter(kind="settled").count() == 1


def test_it_keeps_nothing_where_there_is_nothing_of_theirs(signed_in, number, operator):
    change = work(ask(number, operator, alias="Mine"))
    page = signed_in.post(f"/changes/{change.pk}/keep/", follow=True)
    assert "Only where the provider has another value" in words_of(page)
    assert not number.events.filter(kind="settled").exists()


def test_it_plans_to_write_mine_over_theirs(signed_in, conflict, simulator, operator):
    page = signed_in.post(f"/changes/{conflict.pk}/again/", follow=True)
    assert "Plan: change 1 number" in words_of(page)
    again = ChangeSet.objects.latest("created_at")
    assert (again.changes.get().base, again.changes.get().desired) == ({"alias": "Theirs"}, {"alias": "Mine"})
    assert states(carry_out(start(again, operator))) == {"confirmed": 1}
    assert [after for _, after in edits(simulator)] == [{"alias": "Mine"}]


def test_it_asks_again_only_for_what_is_not_in_force(number, operator):
    change = work(ask(number, operator, alias="Mine"))
    with pytest.raises(ChangeRefused, match="did not come into force"):
        plan_again(origin(operator), change)


def test_it_plans_all_conflicts_of_a_plan_again(signed_in, synced, operator, simulator):
    numbers = list(synced.numbers.exclude(alias="").order_by("pk")[:4])
    change_set = start(plan(numbers, operator, alias="Mine"), operator)
    for number in numbers[:2]:
        simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    carry_out(change_set)
    page = signed_in.get(f"/changes/plans/{change_set.pk}/")
    assert "Plan the 2 in conflict again, over theirs" in words_of(page)
    signed_in.post(f"/changes/plans/{change_set.pk}/retry/", {"which": "conflict"})
    again = ChangeSet.objects.latest("created_at")
    assert {change.number_id for change in again.changes.all()} == {number.pk for number in numbers[:2]}


def test_it_offers_another_try_of_what_was_refused(signed_in, number, operator):
    change = ask(number, operator, alias="Mine")
    Change.objects.filter(pk=change.pk).update(state="refused", detail="Plivo said no.")
    page = signed_in.get(f"/numbers/{number.pk}/")
    assert "Plan it again" in words_of(page)
    assert "Keep theirs" not in words_of(page)


# The inbox


def test_it_lists_what_changed_outside(signed_in, drift, number):
    page = signed_in.get(INBOX)
    assert f"{number.account.name} Alias {number.alias} Theirs none yet" in words_of(page)
    assert "9.00" not in words_of(page)
    assert "$9.00" in words_of(signed_in.get(f"{INBOX}?kind=money"))


def test_it_never_lists_our_own_writes(signed_in, synced: Account, number: PhoneNumber, operator):
    work(ask(number, operator, alias="Ours"))
    carry_out(start(plan(synced.numbers.order_by("pk")[:5], operator, alias="Ours too"), operator))
    sync(synced)
    assert not find_drift().exists()
    assert "Nothing to decide" in words_of(signed_in.get(INBOX))


@pytest.mark.parametrize(("verdict", "kind"), [("accept", "accepted"), ("ignore", "ignored")])
def test_it_takes_a_verdict(signed_in, drift, verdict, kind, simulator):
    page = judge(signed_in, verdict, drift, reason="As agreed")
    assert "Nothing to decide" in words_of(page)
    assert DriftVerdict.objects.get().kind == kind
    line = Event.objects.get(kind="reviewed")
    assert (line.actor_name, line.detail) == ("olga", f"{kind.capitalize()}. As agreed")
    assert f"{kind.capitalize()} by olga" in words_of(signed_in.get(f"{INBOX}?state=decided"))
    assert edits(simulator) == []


def test_it_keeps_of_a_reason_what_a_database_can_keep(signed_in, drift):
    judge(signed_in, "accept", drift, reason="As\0 agreed")
    assert Event.objects.latest("pk").detail == "Accepted. As agreed"


def test_it_lets_the_last_word_count(signed_in, drift):
    for verdict in ("accept", "ignore", "ignore"):
        judge(signed_in, verdict, drift)
    assert DriftVerdict.objects.get().kind == "ignored"
    assert Event.objects.filter(kind="reviewed").count() == 2


def test_it_plans_to_put_back_what_is_ticked(signed_in, drift, number, operator, simulator):
    page = judge(signed_in, "restore", drift)
    assert "Plan: change 1 number" in words_of(page)
    assert "none yet" in words_of(signed_in.get(INBOX))
    restored = carry_out(start(ChangeSet.objects.latest("created_at"), operator))
    assert [after for _, after in edits(simulator)] == [{"alias": number.alias}]
    assert DriftVerdict.objects.get().plan == restored
    assert "Put back by olga" in words_of(signed_in.get(f"{INBOX}?state=decided"))


def test_it_puts_back_a_route_with_what_follows_from_it(signed_in, number, operator, simulator):
    simulator.world.change(simulator.world.account(), number.remote_id, voice="")
    sync(number.account)
    drifted = number.events.filter(kind="drift")
    assert {event.field for event in drifted} == {"voice", "messages"}
    judge(signed_in, "restore", *drifted)
    restored = ChangeSet.objects.latest("created_at")
    assert restored.changes.get().desired == {"voice": number.voice.key}
    assert states(carry_out(start(restored, operator))) == {"confirmed": 1}
    assert not find_drift(state="open").exists()


def test_it_says_why_a_field_cannot_be_put_back(signed_in, number, simulator):
    simulator.world.change(simulator.world.account(), number.remote_id, monthly_rate="9.00000")
    sync(number.account)
    page = judge(signed_in, "restore", number.events.get(kind="drift"))
    assert "Nobody can set this at the provider" in words_of(page)
    assert not ChangeSet.objects.exists()


def test_it_waits_again_when_the_plan_to_put_it_back_was_cancelled(signed_in, drift, operator):
    judge(signed_in, "restore", drift)
    cancel_change_set(start(ChangeSet.objects.latest("created_at"), operator), user=operator)
    assert list(find_drift(state="open", kind="settings")) == [drift]
    assert not find_drift(state="decided").exists()


def test_it_takes_a_verdict_on_the_numbers_page(signed_in, drift, number):
    page = signed_in.get(f"/numbers/{number.pk}/?kind=drift")
    assert 'name="verdict" value="accept"' in page.content.decode()
    page = judge(signed_in, "accept", drift, number=number.pk)
    assert page.redirect_chain[-1][0] == f"/numbers/{number.pk}/"
    assert "Outside change reviewed" in words_of(page)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"verdict": "accept"}, "Nothing is ticked"),
        ({"verdict": "accept", "event": ["x", "999999", "²", ""]}, "Nothing is ticked"),
        ({"verdict": "accept", "event": "first_seen"}, "Nothing is ticked"),
        ({"verdict": "burn", "event": "drift"}, "This form is damaged"),
    ],
)
def test_it_judges_nothing_that_is_not_asked_for(signed_in, drift, form, said):
    other = make_event(drift.number, "first_seen")
    meant = {"drift": drift.pk, "first_seen": other.pk}.get(str(form.get("event")), form.get("event", []))
    assert said in words_of(signed_in.post(JUDGE, {**form, "event": meant}, follow=True))
    assert not DriftVerdict.objects.exists()


@pytest.mark.parametrize("asked", ["kind=colour", "state=asleep", "account=77", "account=x"])
def test_it_shows_nothing_of_what_it_does_not_understand(signed_in, drift, asked):
    page = signed_in.get(f"{INBOX}?{asked}")
    assert page.status_code == 422
    assert "Theirs" not in words_of(page)


def test_it_filters_by_account(signed_in, drift):
    other = make_event(make_number(make_account("Other")), "drift", field="alias", after="Elsewhere")
    page = words_of(signed_in.get(f"{INBOX}?account={other.number.account_id}"))
    assert "Elsewhere" in page
    assert "Theirs" not in page


def test_it_says_what_it_is_by_now(signed_in, drift, number):
    PhoneNumber.objects.filter(pk=number.pk).update(alias="Newer")
    assert "Theirs Newer by now" in words_of(signed_in.get(INBOX))


@pytest.mark.parametrize("path", ["/numbers/", "/changes/", "/accounts/freshness/"])
def test_it_tells_on_every_page_how_much_is_to_be_decided(signed_in, drift, path):
    def badge():
        page = signed_in.get(path, headers=PIECE if "freshness" in path else {}).content.decode()
        return re.search(r'id="undecided"[^>]*>([^<]*)<', page)[1]

    assert badge() == "1"
    judge(signed_in, "accept", drift)
    assert badge() == ""


def test_it_counts_no_further_than_anybody_reads(signed_in):
    number = make_number(make_account())
    for _ in range(MOST_COUNTED + 1):
        make_event(number, "drift", field="alias", before="a", after="b")
    for path in ("/numbers/", "/accounts/"):
        assert "99+ changed outside" in words_of(signed_in.get(path))


def test_it_finds_what_is_to_be_decided_by_an_index():
    number = make_number(make_account())
    lines = [Event(number=number, kind="requested", field="alias") for _ in range(2_000)]
    Event.objects.bulk_create([*lines, Event(number=number, kind="drift", field="alias")])
    with CaptureQueriesContext(connection) as queries:
        count_undecided()
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE numbers_event")
        cursor.execute(f"{explain} {queries[0]['sql']}")
        plan = " ".join(row[-1] for row in cursor.fetchall())
    assert "event_of_drift_by_field" in plan
    assert not re.search(r"SCAN numbers_(event|driftverdict)|Seq Scan on numbers_event", plan)


def test_it_asks_no_more_of_the_database_for_more_changes(signed_in):
    counts = []
    for _ in range(2):
        for _ in range(10):
            number = make_number(make_account(f"Account {Account.objects.count()}"))
            make_event(number, "drift", field="voice", before="application:1", after="")
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(INBOX)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_it_lets_viewers_look_and_decide_nothing(client, drift, conflict):
    client.force_login(make_user("viewer"))
    assert 'name="verdict"' not in client.get(INBOX).content.decode()
    paths = (JUDGE, f"/changes/{conflict.pk}/keep/", f"/changes/{conflict.pk}/again/")
    assert {client.post(path, {"event": drift.pk}).status_code for path in paths} == {403}
