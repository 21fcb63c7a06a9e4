"""The age of what is shown, and the banner that says when it is older than it should be."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phone_numbers.models import Account
from tests.phone_numbers.pages import text_of, words_of
from tests.phone_numbers.rows import make_account, make_event, make_number
from tests.phone_numbers.scenes import make_held, make_run
from tests.roles import make_user

pytestmark = pytest.mark.django_db

PIECE = {"HX-Request": "true", "HX-Current-URL": "http://testserver/numbers/?type=local"}


def banner(client, query=""):
    return client.get(f"/accounts/freshness/{query}", headers=PIECE)


def intervals_ago(count):
    return timezone.now() - count * Account().interval


class TestBanner:
    @pytest.mark.parametrize(("intervals", "is_old"), [(1.9, False), (2.1, True)])
    def test_it_appears_after_two_intervals(self, signed_in, intervals, is_old):
        make_account("Main", fresh_at=intervals_ago(intervals))
        assert ("Main: out of date." in words_of(banner(signed_in))) is is_old

    @pytest.mark.parametrize("health", ["failing", "auth_failed", "wrong_account"])
    def test_it_says_why_the_last_sync_failed(self, signed_in, health):
        account = make_account("Main", health=health, health_detail="Plivo said no.")
        page = banner(signed_in)
        assert "Plivo said no." in words_of(page)
        assert f'href="/accounts/{account.pk}/">See the account' in text_of(page)

    def test_it_leads_to_a_held_sync(self, signed_in):
        held = make_held()
        assert f'href="/syncs/{held.pk}/">See what would vanish' in text_of(banner(signed_in))

    def test_it_says_what_keeps_a_listing_from_being_whole(self, signed_in):
        account = make_account(fresh_at=intervals_ago(9))
        make_run(account, "partial", detail="The list moved while it was read.")
        assert "The list moved while it was read." in words_of(banner(signed_in))

    def test_it_is_silent_about_accounts_that_are_well_or_wait_for_their_first_sync(self, signed_in):
        make_account("Fine")
        make_account("New", health="new", fresh_at=None)
        assert "notice" not in text_of(banner(signed_in))

    def test_it_says_that_no_listing_was_ever_whole(self, signed_in):
        account = make_account("Main", fresh_at=None, created_at=intervals_ago(9))
        make_run(account, "partial", detail="The list moved while it was read.")
        assert "Main: out of date. The list moved while it was read." in words_of(banner(signed_in))

    def test_it_is_about_the_accounts_a_page_shows(self, signed_in):
        mine = make_account("Mine")
        make_account("Other", health="failing")
        assert "Other" not in words_of(banner(signed_in, f"?account={mine.pk}"))
        assert "Other: " not in words_of(signed_in.get(f"/numbers/?account={mine.pk}"))
        assert "Other: " in words_of(signed_in.get("/numbers/"))
        assert "Other: " not in words_of(signed_in.get(f"/numbers/{make_number(mine).pk}/"))

    def test_it_follows_the_filters(self, signed_in):
        account = make_account("Mine", health="failing")
        piece = text_of(signed_in.get(f"/numbers/?account={account.pk}", headers=PIECE))
        assert re.search(rf'id="freshness" hx-get="/accounts/freshness/\?account={account.pk}".*hx-swap-oob', piece)

    def test_it_leaves_room_for_the_numbers(self, signed_in):
        for place in range(5):
            make_account(f"Account {place}", health="failing")
        assert "3 more accounts need a look" in words_of(banner(signed_in))

    @pytest.mark.parametrize("path", ["/numbers/", "/numbers/{number}/", "/changes/"])
    def test_it_is_looked_up_again_within_90_seconds(self, signed_in, path):
        number = make_number(make_account())
        page = text_of(signed_in.get(path.format(number=number.pk)))
        every = re.search(r'id="freshness"[^>]* hx-trigger="every (\d+)s"', page)
        assert int(every[1]) <= 90

    def test_it_survives_nonsense(self, signed_in):
        make_account("Main", health="failing")
        assert "Main" not in words_of(banner(signed_in, f"?account={9**30}&account=x"))
        assert banner(signed_in, f"?account={'9' * 5000}").status_code == 200


class TestPolling:
    def test_it_costs_one_query_while_all_is_well(self, signed_in):
        make_account()
        banner(signed_in)
        with CaptureQueriesContext(connection) as queries:
            banner(signed_in)
        assert sum("numbers_account" in query["sql"] for query in queries) == 1
        assert len(queries) <= 5

    def test_it_costs_two_more_whatever_is_wrong(self, signed_in):
        counts = []
        for size in range(2):
            for place in range(4):
                make_run(make_account(f"{size} {place}", health="failing"), "failed")
            with CaptureQueriesContext(connection) as queries:
                banner(signed_in)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 7

    def test_it_keeps_no_session_alive(self, signed_in):
        before = signed_in.session.get_expiry_date()
        page = banner(signed_in)
        assert "sessionid" not in page.cookies
        assert abs(signed_in.session.get_expiry_date() - before) < timedelta(seconds=5)
        assert not signed_in.session.modified

    def test_it_paints_no_sign_in_page(self, client):
        page = banner(client)
        assert page.status_code == 204
        assert page["HX-Redirect"] == "/login/?next=%2Fnumbers%2F%3Ftype%3Dlocal"

    def test_it_leads_a_window_to_the_accounts(self, signed_in):
        assert signed_in.get("/accounts/freshness/")["Location"] == "/accounts/"

    def test_it_needs_the_permission(self, client):
        client.force_login(make_user("nobody"))
        assert banner(client).status_code == 403

    def test_it_refreshes_age_and_navigation(self, signed_in):
        make_account("Main", health="held", fresh_at=timezone.now() - timedelta(minutes=4))
        page = text_of(banner(signed_in))
        assert re.search(r'id="age" hx-swap-oob="true">.*Synced.*4 min ago', page)
        assert re.search(r'id="needing-person" hx-swap-oob="true">1<', page)


class TestAbsence:
    def test_it_counts_down_the_reclaim_window_on_the_numbers_page(self, signed_in):
        number = make_number(make_account(), presence="missing", presence_since=timezone.now())
        shown = words_of(signed_in.get(f"/numbers/{number.pk}/"))
        assert "Missing , absent for a moment ." in shown
        assert "Plivo keeps it for you until" in shown
        assert "4 days left ; reclaim it in Plivo’s console" in shown

    def test_it_counts_from_when_the_number_was_first_found_absent(self, signed_in):
        number = make_number(make_account(), presence="missing", presence_since=timezone.now())
        with time_machine.travel(timezone.now() - timedelta(days=4, hours=1)):
            make_event(number, "presence", before="present", after="unconfirmed")
        assert "22 hours left" in words_of(signed_in.get(f"/numbers/{number.pk}/"))

    def test_it_says_when_the_window_is_over(self, signed_in):
        since = timezone.now() - timedelta(days=5, minutes=1)
        number = make_number(make_account(), presence="released", presence_since=since)
        assert "Plivo kept it until" in words_of(signed_in.get(f"/numbers/{number.pk}/"))

    def test_it_says_that_a_provider_documents_no_window(self, signed_in):
        number = make_number(make_account(provider="signalwire"), presence="missing")
        assert "No reclaim window documented" in words_of(signed_in.get(f"/numbers/{number.pk}/"))

    def test_it_promises_nothing_while_it_is_unconfirmed(self, signed_in):
        number = make_number(make_account(), presence="unconfirmed", presence_since=timezone.now())
        shown = words_of(signed_in.get(f"/numbers/{number.pk}/"))
        assert "It is asked for once more before it counts as missing." in shown
        assert "keeps it for you" not in shown

    def test_it_says_nothing_of_a_number_that_is_there(self, signed_in):
        assert 'id="presence"' not in text_of(signed_in.get(f"/numbers/{make_number(make_account()).pk}/"))

    def test_it_tells_in_the_list_since_when_and_how_long_it_can_be_reclaimed(self, signed_in):
        account = make_account()
        for presence in ("missing", "unconfirmed"):
            make_number(account, presence=presence, presence_since=timezone.now() - timedelta(hours=3))
        shown = words_of(signed_in.get("/numbers/?presence=missing,unconfirmed"))
        assert "Missing 3 h , 4 days left to reclaim it" in shown
        assert "Unconfirmed 3 h" in shown
        assert "Unconfirmed 3 h ," not in shown

    def test_it_asks_once_for_all_absent_numbers_of_a_page(self, signed_in):
        account = make_account()
        counts = []
        for _ in range(2):
            for _ in range(5):
                make_number(account, presence="missing")
            with CaptureQueriesContext(connection) as queries:
                signed_in.get("/numbers/?presence=missing")
            counts.append(len(queries))
        assert counts[0] == counts[1]
