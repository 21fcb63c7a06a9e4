"""The history of syncs, one sync with the numbers it was about, and the question a held one asks."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phone_numbers.models import Account, HeldNumber, SyncRun
from phone_numbers.services.sync import run_sync
from tests.phone_numbers.pages import PIECE, text_of, words_of
from tests.phone_numbers.rows import make_account, make_application, make_event, make_number
from tests.phone_numbers.scenes import make_eventful, make_held, make_run
from tests.phone_numbers.test_holds import hold
from tests.roles import make_user

pytestmark = pytest.mark.django_db


def older(page):
    return unescape(re.search(r'rel="next" href="([^"#]+)', text_of(page))[1])


def count_queries(client, path):
    client.get(path)  # so that nothing is looked up that is remembered ever after
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


class TestHistory:
    def test_it_tells_everything_of_a_sync(self, signed_in, operator):
        counts = {"new": 12, "changed": 3, "unconfirmed": 4, "missing": 2, "released": 1, "returned": 5}
        run = make_run(
            make_account("Main"),
            "partial",
            trigger="person",
            requested_by=operator,
            retries=2,
            error_slug="unavailable",
            detail="Plivo answered 503.",
            numbers_left_alone=6,
            **{f"numbers_{kind}": count for kind, count in counts.items()},
        )
        page = signed_in.get("/syncs/")
        found = "12 new , 3 changed , 4 unconfirmed , 2 missing , 1 released , 5 returned , 6 left alone"
        told = f"Main Partial olga sync now 8.4 s 340 {found} 22 2 Provider unavailable. Plivo answered 503."
        assert told in words_of(page)
        assert f'href="/syncs/{run.pk}/?show=missing#numbers"' in text_of(page)

    def test_it_filters_by_account_and_state(self, signed_in):
        mine, other = make_account("Mine"), make_account("Other")
        wanted = make_run(mine, "failed")
        make_run(mine, "complete")
        make_run(other, "failed")
        page = text_of(signed_in.get(f"/syncs/?account={mine.pk}&state=failed"))
        assert re.findall(r'data-column="started"><a href="/syncs/(\d+)/', page) == [str(wanted.pk)]

    def test_it_filters_those_under_way(self, signed_in):
        live = make_run(make_account(), "running")
        make_run(live.account)
        page = text_of(signed_in.get("/syncs/?state=live"))
        assert re.findall(r'data-column="started"><a href="/syncs/(\d+)/', page) == [str(live.pk)]

    @pytest.mark.parametrize("query", ["state=asleep", "account=9", "account=x", "state=failed&account=%00"])
    def test_it_shows_nothing_for_what_it_does_not_understand(self, signed_in, query):
        make_run(make_account(), "failed")
        page = signed_in.get(f"/syncs/?{query}")
        assert page.status_code == 422
        assert "There is no" in words_of(page)
        assert "data-column" not in text_of(page)

    def test_it_goes_back_in_time_without_losing_a_run(self, signed_in):
        account = make_account()
        runs = [make_run(account).pk for _ in range(51)]
        first = signed_in.get(f"/syncs/?account={account.pk}")
        pages = text_of(first) + text_of(signed_in.get(f"/syncs/{older(first)}"))
        shown = re.findall(r'data-column="started"><a href="/syncs/(\d+)/', pages)
        assert [int(pk) for pk in shown] == runs[::-1]

    @pytest.mark.parametrize("before", ["x", "-1", "²", "9" * 40, ""])
    def test_it_begins_at_the_newest_for_a_place_that_is_none(self, signed_in, before):
        run = make_run(make_account())
        assert f"/syncs/{run.pk}/" in text_of(signed_in.get(f"/syncs/?before={before}"))

    def test_it_says_what_to_do_when_empty(self, signed_in):
        assert "Go to the accounts" in words_of(signed_in.get("/syncs/"))
        assert "See all syncs" in words_of(signed_in.get("/syncs/?state=held"))
        assert "See the newest syncs" in words_of(signed_in.get("/syncs/?before=1"))

    def test_it_asks_no_more_of_the_database_for_more_runs(self, signed_in):
        make_run(make_account("a"), "held", numbers_absent=3)
        few = count_queries(signed_in, "/syncs/")
        for place in range(20):
            make_run(make_account(f"b {place}"))
        assert count_queries(signed_in, "/syncs/") == few


class TestRun:
    def test_it_shows_what_changed_with_its_window(self, signed_in):
        account = make_account()
        make_application(account)
        number = make_number(account, "+14155550100", national="(415) 555-0100", alias="Reception")
        run = make_run(account, numbers_changed=1)
        event = make_event(
            number,
            "drift",
            run=run,
            field="voice",
            before="application:111",
            after="",
            known_at=timezone.now() - timedelta(minutes=6),
        )
        page = signed_in.get(f"/syncs/{run.pk}/?show=changed")
        told = "(415) 555-0100 Reception Voice route Application · Support IVR → Nowhere"
        assert f"{told} between {event.known_at:%H:%M} and {event.at:%H:%M}" in words_of(page)
        assert f'href="/numbers/{number.pk}/"' in text_of(page)

    @pytest.mark.parametrize(
        ("show", "presence"),
        [("unconfirmed", "unconfirmed"), ("missing", "missing"), ("released", "released"), ("returned", "present")],
    )
    def test_it_lists_the_numbers_of_each_step(self, signed_in, show, presence):
        account = make_account()
        run = make_run(account, **{f"numbers_{show}": 1})
        number = make_number(account)
        make_event(number, "presence", before="unconfirmed", after=presence, run=run)
        make_event(make_number(account), "presence", after=presence)
        page = text_of(signed_in.get(f"/syncs/{run.pk}/?show={show}"))
        assert re.findall(r'href="/numbers/(\d+)/"', page) == [str(number.pk)]

    def test_it_lists_new_numbers(self, signed_in):
        account = make_account()
        run = make_run(account, numbers_new=1)
        number = make_number(account, alias="Just bought")
        make_event(number, "first_seen", run=run)
        assert "Just bought Local" in words_of(signed_in.get(f"/syncs/{run.pk}/"))

    def test_it_says_that_a_first_sync_lists_nothing_one_by_one(self, signed_in):
        run = make_run(make_account(), numbers_new=1500)
        page = signed_in.get(f"/syncs/{run.pk}/")
        assert "so its 1,500 numbers are not listed as news one by one." in words_of(page)
        assert f'href="/numbers/?account={run.account_id}"' in text_of(page)

    def test_it_says_what_became_of_those_left_alone(self, signed_in):
        run = make_run(make_account(), numbers_left_alone=1)
        assert "1 number was being edited" in words_of(signed_in.get(f"/syncs/{run.pk}/"))

    def test_it_says_when_there_was_nothing_new(self, signed_in):
        run = make_run(make_account())
        assert "Nothing new: every number is as it was." in words_of(signed_in.get(f"/syncs/{run.pk}/"))

    def test_it_says_why_it_failed_and_what_to_do(self, signed_in):
        run = make_run(make_account(), "failed", error_slug="rejected", detail="Plivo answered 403.")
        shown = words_of(signed_in.get(f"/syncs/{run.pk}/"))
        assert "Plivo answered 403. Request refused. Look whether the credentials may read numbers." in shown
        assert "It learnt nothing new" in shown

    def test_it_pages_its_numbers(self, signed_in):
        account = make_account()
        run = make_run(account, numbers_new=51)
        for _ in range(51):
            make_event(make_number(account), "first_seen", run=run)
        first = signed_in.get(f"/syncs/{run.pk}/")
        pages = text_of(first) + text_of(signed_in.get(f"/syncs/{run.pk}/{older(first)}"))
        shown = re.findall(r'href="/numbers/(\d+)/"', pages)
        assert len(shown) == len(set(shown)) == 51

    def test_it_asks_no_more_of_the_database_for_more_numbers(self, signed_in):
        account = make_account()
        run = make_run(account, numbers_changed=1)
        counts = []
        for _ in range(2):
            for _ in range(10):
                event = {"run": run, "field": "voice", "before": "application:1", "after": "application:2"}
                make_event(make_number(account), "drift", **event)
            counts.append(count_queries(signed_in, f"/syncs/{run.pk}/"))
        assert counts[0] == counts[1]

    def test_it_is_not_there_for_a_run_that_does_not_exist(self, signed_in):
        assert signed_in.get("/syncs/999/").status_code == 404
        assert signed_in.get(f"/syncs/{9**30}/").status_code == 404

    def test_it_follows_a_live_run_and_ends_with_it(self, signed_in, account):
        run = SyncRun.objects.create(account=account, lease_expires_at=timezone.now())
        page = signed_in.get(f"/syncs/{run.pk}/", headers=PIECE)
        assert (page.status_code, 'hx-trigger="every 1s"' in text_of(page)) == (200, True)
        run_sync(run.pk)
        page = signed_in.get(f"/syncs/{run.pk}/", headers=PIECE)
        assert (page.status_code, "hx-trigger" in text_of(page)) == (286, False)
        assert "Complete" in words_of(page)

    def test_it_ends_with_a_run_that_was_lost(self, signed_in):
        run = make_run(make_account(), "lost", error_slug="lost", detail="Its worker was lost 3 times.")
        page = signed_in.get(f"/syncs/{run.pk}/", headers=PIECE)
        assert page.status_code == 286
        assert "Its worker was lost 3 times. Worker lost. The next sync starts afresh." in words_of(page)

    def test_it_can_be_followed_without_javascript(self, signed_in):
        run = make_run(make_account(), "running")
        assert '<noscript><p><a href="">Look again</a>' in text_of(signed_in.get(f"/syncs/{run.pk}/"))


class TestHeld:
    def test_it_says_why_it_is_held_and_what_would_vanish(self, signed_in):
        held = make_held()
        shown = words_of(signed_in.get(f"/syncs/{held.pk}/"))
        assert "38 of 500 missing from the list; more than 10 are held (2 %, at least 3)." in shown
        assert "Line 37 Local Application · Support IVR Nowhere" in shown
        assert "is asked for each of them on its own first" in shown

    def test_it_says_when_nothing_at_all_was_listed(self, signed_in):
        held = make_held(3)
        SyncRun.objects.filter(pk=held.pk).update(numbers_seen=0)
        assert "the provider listed no number at all" in words_of(signed_in.get(f"/syncs/{held.pk}/"))

    def test_it_starts_the_run_that_asks_for_each(self, signed_in):
        held = make_held(5)
        page = signed_in.post(f"/syncs/{held.pk}/accept/", {"count": " 5 "})
        run = SyncRun.objects.latest("pk")
        assert page["Location"] == f"/syncs/{run.pk}/"
        assert (run.accepts, run.trigger, run.requested_by.username) == (held, "accepted", "olga")
        assert "5 absent numbers olga accepted" in words_of(signed_in.get(page["Location"]))

    @pytest.mark.parametrize("typed", ["4", "six", "", "²", "9" * 30, "5.0", "-5"])
    def test_it_keeps_a_wrong_count_and_decides_nothing(self, signed_in, typed):
        held = make_held(5)
        page = signed_in.post(f"/syncs/{held.pk}/accept/", {"count": typed})
        assert page.status_code == 422
        assert f'name="count" value="{typed}"' in text_of(page)
        assert "Nothing was decided." in words_of(page)
        assert SyncRun.objects.get().decision == ""

    def test_it_keeps_all_numbers(self, signed_in):
        held = make_held(5)
        page = signed_in.post(f"/syncs/{held.pk}/dismiss/", follow=True)
        assert "Dismissed by olga now : all numbers were kept." in words_of(page)
        assert SyncRun.objects.get().decision == "dismissed"

    def test_it_says_who_decided_and_leads_on(self, signed_in):
        held = make_held(5)
        signed_in.post(f"/syncs/{held.pk}/accept/", {"count": "5"})
        page = signed_in.get(f"/syncs/{held.pk}/")
        assert "Accepted by olga now ." in words_of(page)
        assert f'href="/syncs/{SyncRun.objects.latest("pk").pk}/">See the sync' in text_of(page)
        assert "/accept/" not in text_of(page)

    @pytest.mark.parametrize("action", ["accept", "dismiss"])
    def test_it_tells_who_comes_second(self, signed_in, action):
        held = make_held(5)
        signed_in.post(f"/syncs/{held.pk}/dismiss/")
        page = signed_in.post(f"/syncs/{held.pk}/{action}/", {"count": "5"})
        assert page.status_code == 422
        assert "olga has dismissed these absences already." in words_of(page)
        assert SyncRun.objects.count() == 1

    def test_it_asks_nothing_after_a_later_sync(self, signed_in):
        held = make_held(5)
        make_run(held.account)
        page = signed_in.get(f"/syncs/{held.pk}/")
        assert "a later sync has told anew what is there" in words_of(page)
        assert "/accept/" not in text_of(page)

    def test_it_leads_to_a_later_hold(self, signed_in):
        held = make_held(5)
        later = make_run(held.account, "held", numbers_absent=5)
        assert f'href="/syncs/{later.pk}/">decide on that one' in text_of(signed_in.get(f"/syncs/{held.pk}/"))

    def test_it_lets_viewers_see_and_not_decide(self, client):
        held = make_held(5)
        client.force_login(make_user("viewer"))
        page = client.get(f"/syncs/{held.pk}/")
        assert "Operators decide what becomes of them." in words_of(page)
        assert "/accept/" not in text_of(page)
        for action in ("accept", "dismiss"):
            assert client.post(f"/syncs/{held.pk}/{action}/", {"count": "5"}).status_code == 403
        assert SyncRun.objects.get().decision == ""

    @pytest.mark.parametrize("action", ["accept", "dismiss"])
    def test_it_decides_by_post_only(self, signed_in, action):
        assert signed_in.get(f"/syncs/{make_held(5).pk}/{action}/").status_code == 405

    def test_it_pages_what_would_vanish_in_as_many_queries(self, signed_in):
        held = make_held(12)
        few = count_queries(signed_in, f"/syncs/{held.pk}/")
        route = {"voice_kind": "application", "voice_target": "111"}
        numbers = [make_number(held.account, **route) for _ in range(60)]
        HeldNumber.objects.bulk_create(HeldNumber(run=held, number=number) for number in numbers)
        assert count_queries(signed_in, f"/syncs/{held.pk}/") == few
        assert "Older" in words_of(signed_in.get(f"/syncs/{held.pk}/"))


def test_it_counts_in_the_navigation_where_a_person_is_needed(signed_in):
    make_held()
    make_account("Locked", health="auth_failed")
    assert "Accounts 2 need a person" in words_of(signed_in.get("/changes/"))
    Account.objects.update(health="ok")
    assert "need a person" not in words_of(signed_in.get("/changes/"))


def test_it_tells_every_kind_of_news_of_one_sync(signed_in, synced):
    run = make_eventful(synced)
    shown = words_of(signed_in.get(f"/syncs/{run.pk}/"))
    assert "New 2 Changed 2 Unconfirmed 1 Missing 1 Released 1 Returned 1 Left alone 3" in shown


def test_it_leads_from_a_held_list_to_numbers_that_are_unconfirmed(signed_in, synced, simulator):
    held = hold(synced, simulator)
    page = signed_in.get("/accounts/")
    assert f'href="/syncs/{held.pk}/">See what would vanish' in text_of(page)
    assert "5 of 45 missing from the list; more than 3 are held" in words_of(signed_in.get(f"/syncs/{held.pk}/"))
    accepted = signed_in.post(f"/syncs/{held.pk}/accept/", {"count": "5"})["Location"]
    run_sync(SyncRun.objects.latest("pk").pk)
    shown = words_of(signed_in.get(f"{accepted}?show=unconfirmed"))
    assert "Unconfirmed 5" in shown
    assert "In step" in words_of(signed_in.get("/accounts/"))
