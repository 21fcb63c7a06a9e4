"""The accounts: their state, their syncs, and a progress that ends by itself."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phone_numbers.models import Account, Subaccount, SyncRun
from phone_numbers.services.sync import run_sync
from phone_numbers.views.causes import CAUSES
from providers import errors
from tests.phone_numbers.pages import PIECE, text_of, words_of
from tests.phone_numbers.rows import make_account, make_event, make_number
from tests.phone_numbers.scenes import make_held, make_run, make_scene
from tests.roles import make_user

pytestmark = pytest.mark.django_db


def start_run(account, **columns):
    lease = timezone.now() + timedelta(minutes=1)
    return SyncRun.objects.create(account=account, **{"state": "running", "lease_expires_at": lease, **columns})


class TestList:
    def test_it_shows_how_each_account_is_doing(self, signed_in):
        make_number(make_account("Fine"))
        make_account("Locked out", health="auth_failed", health_detail="Plivo refused the credentials.")
        shown = words_of(signed_in.get("/accounts/"))
        assert "Fine Plivo" in shown
        assert "Credentials refused Plivo refused the credentials." in shown

    def test_it_expects_no_sync_of_an_account_that_is_paused(self, signed_in):
        make_account(is_paused=True)
        assert "Next sync paused" in words_of(signed_in.get("/accounts/"))

    def test_it_counts_the_numbers_the_account_still_holds(self, signed_in):
        account = make_account()
        make_number(account)
        make_number(account, presence="released")
        assert f'href="/numbers/?account={account.pk}">1<' in text_of(signed_in.get("/accounts/"))

    def test_it_marks_demo_paused_and_stale_accounts(self, signed_in):
        make_account("Old", is_demo=True, is_paused=True, fresh_at=timezone.now() - timedelta(hours=1))
        shown = words_of(signed_in.get("/accounts/"))
        assert "Old Demo Paused" in shown
        assert "Out of date It is paused, so its numbers may be out of date." in shown

    def test_it_begins_with_what_needs_a_person(self, signed_in):
        make_held()
        make_scene()
        names = re.findall(r'id="account-\d+-link"[^>]*>([^<]+)', text_of(signed_in.get("/accounts/")))
        needing, waiting = ["Warehouse", "Northwind main", "Field sales", "Support Europe"], ["Logistics"]
        assert names == [*needing, *waiting, "Dental practices", "Labs", "Seasonal", "Trades"]

    def test_it_says_of_every_trouble_what_to_do(self, signed_in):
        held = make_held()
        make_scene()
        shown = words_of(signed_in.get("/accounts/"))
        for told in (
            "Credentials refused Plivo refused the credentials. Enter the credentials anew.",
            "Administrators do that under Admin, Accounts.",
            "more than leave in the ordinary way. Look at what would vanish, then accept it or keep all.",
            "Rate limited Twilio answers that it is asked too often. Nothing to do: Numberdesk waits",
            "SignalWire answered 503. It failed 5 times in a row",
            "Out of date The list moved while it was read. Nothing to do: the next sync reads it again.",
            "Its worker was lost, another takes it up.",
        ):
            assert told in shown
        assert f'href="/syncs/{held.pk}/">See what would vanish' in text_of(signed_in.get("/accounts/"))

    def test_it_says_until_when_a_failing_provider_is_spared(self, signed_in):
        until = timezone.now() + timedelta(minutes=17)
        make_account(health="failing", retry_at=until, next_sync_at=timezone.now())
        shown = words_of(signed_in.get("/accounts/"))
        assert f"Spared until {until:%H:%M}" in shown
        assert "Next sync in 16 min" in shown

    def test_it_leads_administrators_to_the_credentials(self, client):
        account = make_account(health="auth_failed")
        client.force_login(make_user("admin"))
        assert f'/admin/numbers/account/{account.pk}/change/">Open its settings' in text_of(client.get("/accounts/"))

    def test_it_tells_of_a_hold_that_a_later_failure_hides(self, signed_in):
        held = make_held()
        make_run(held.account, "failed")
        Account.objects.update(health="failing")
        assert "A held sync waits for a person, too." in words_of(signed_in.get("/accounts/"))

    def test_it_counts_what_is_missing_and_the_subaccounts(self, signed_in):
        account = make_account()
        make_number(account, presence="missing")
        Subaccount.objects.create(account=account, remote_id="SA1")
        page = text_of(signed_in.get("/accounts/"))
        assert f'href="/numbers/?account={account.pk}&amp;presence=missing">1<' in page
        assert f'href="/accounts/{account.pk}/#subaccounts">1<' in page

    def test_it_gives_the_cards_alone_to_a_page_that_looks_again(self, signed_in, account):
        page = text_of(signed_in.get("/accounts/", headers=PIECE))
        assert page.startswith('<div class="accounts"')
        assert "<html" not in page

    def test_it_says_what_to_do_without_an_account(self, client):
        client.force_login(make_user("admin"))
        assert "/admin/numbers/account/add/" in text_of(client.get("/accounts/"))

    def test_it_asks_no_more_of_the_database_for_more_accounts(self, signed_in):
        counts = []
        for size in range(2):
            for position in range(5):
                start_run(make_account(f"{size} {position}"))
            with CaptureQueriesContext(connection) as queries:
                signed_in.get("/accounts/")
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestSyncNow:
    def test_it_starts_a_run_and_shows_it(self, signed_in, account):
        page = text_of(signed_in.post(f"/accounts/{account.pk}/sync/", headers=PIECE))
        assert "Waiting for a worker" in page
        assert 'hx-trigger="every 1s"' in page
        assert SyncRun.objects.get().requested_by.username == "olga"

    def test_it_starts_one_run_however_often_it_is_pressed(self, signed_in, account):
        for _ in range(2):
            signed_in.post(f"/accounts/{account.pk}/sync/", headers=PIECE)
        assert SyncRun.objects.count() == 1

    def test_it_works_without_javascript(self, signed_in, account):
        page = signed_in.post(f"/accounts/{account.pk}/sync/", follow=True)
        assert "Plivo demo is being synced." in text_of(page)

    def test_it_needs_post_and_the_permission(self, client, account):
        client.force_login(make_user("viewer"))
        assert "Sync now" not in text_of(client.get("/accounts/"))
        assert client.post(f"/accounts/{account.pk}/sync/").status_code == 403
        client.force_login(make_user("admin"))
        assert client.get(f"/accounts/{account.pk}/sync/").status_code == 405


class TestTestConnection:
    def test_it_reports_beside_the_button(self, signed_in, account):
        page = signed_in.post(f"/accounts/{account.pk}/test/", headers=PIECE)
        assert "which holds 45 numbers." in words_of(page)
        assert 'data-tone="good"' in text_of(page)

    def test_it_reports_what_the_provider_refuses(self, signed_in, account):
        Account.objects.update(provider="gone")
        page = signed_in.post(f"/accounts/{account.pk}/test/", headers=PIECE)
        assert 'data-tone="bad"' in text_of(page)
        assert "knows no provider called “gone”" in words_of(page)

    def test_it_works_without_javascript(self, signed_in, account):
        page = signed_in.post(f"/accounts/{account.pk}/test/", follow=True)
        assert "which holds 45 numbers." in words_of(page)


class TestPause:
    def test_it_pauses_and_resumes(self, signed_in):
        account = make_account()
        page = signed_in.post(f"/accounts/{account.pk}/pause/", {"paused": "yes"}, headers=PIECE)
        assert "Paused" in words_of(page)
        assert Account.objects.get().is_paused
        signed_in.post(f"/accounts/{account.pk}/pause/", {"paused": "no"})
        assert not Account.objects.get().is_paused

    def test_it_is_not_there_for_an_account_that_does_not_exist(self, signed_in):
        assert signed_in.post("/accounts/999/pause/", {"paused": "yes"}).status_code == 404

    @pytest.mark.parametrize("action", ["pause", "test"])
    def test_it_needs_post_and_the_permission(self, client, action):
        account = make_account()
        client.force_login(make_user("viewer"))
        assert client.post(f"/accounts/{account.pk}/{action}/").status_code == 403
        assert f"/{action}/" not in text_of(client.get("/accounts/"))
        client.force_login(make_user("operator"))
        assert client.get(f"/accounts/{account.pk}/{action}/").status_code == 405


class TestProgress:
    def test_it_shows_phase_pages_and_numbers(self, signed_in):
        run = start_run(make_account(), phase="numbers", numbers_seen=340, numbers_total=2000, pages_read=17)
        page = signed_in.get(f"/accounts/{run.account_id}/progress/", headers=PIECE)
        assert page.status_code == 200
        assert "Reading numbers 340 of 2,000 numbers, 17 of 100 pages" in words_of(page)
        assert re.search(r'<progress[^>]* max="2000" value="340"', text_of(page))

    def test_it_ends_with_the_run(self, signed_in, account):
        signed_in.post(f"/accounts/{account.pk}/sync/", headers=PIECE)
        run_sync(SyncRun.objects.get().pk)
        page = signed_in.get(f"/accounts/{account.pk}/progress/", headers=PIECE)
        assert page.status_code == 286
        assert "hx-trigger" not in text_of(page)
        assert "In step" in words_of(page)
        assert "Last sync Complete now" in words_of(page)
        assert page["HX-Retarget"] == f"#account-{account.pk}"
        assert "sync-ended" in page["HX-Trigger-After-Settle"]

    def test_it_asks_the_database_little_and_never_for_the_numbers(self, signed_in):
        run = start_run(make_account())
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(f"/accounts/{run.account_id}/progress/", headers=PIECE)
        assert len(queries) <= 6
        assert not any("numbers_phonenumber" in query["sql"] for query in queries)

    def test_it_goes_on_while_another_worker_may_take_the_run_up(self, signed_in):
        run = start_run(make_account(), lease_expires_at=timezone.now() - timedelta(seconds=1))
        page = signed_in.get(f"/accounts/{run.account_id}/progress/", headers=PIECE)
        assert page.status_code == 200
        assert "Its worker was lost, another takes it up." in words_of(page)
        assert 'hx-trigger="every 1s"' in text_of(page)

    def test_it_ends_when_nothing_is_heard_of_the_run(self, signed_in, settings):
        silent_since = timezone.now() - timedelta(seconds=2 * settings.LEASE_SECONDS + 1)
        run = start_run(make_account(), lease_expires_at=silent_since)
        page = signed_in.get(f"/accounts/{run.account_id}/progress/", headers=PIECE)
        assert page.status_code == 286
        assert "Is a worker running?" in words_of(page)

    @pytest.mark.parametrize("columns", [{"state": "lost"}, {"state": "failed", "detail": "No."}])
    def test_it_ends_with_a_run_that_was_lost_or_failed(self, signed_in, columns):
        run = start_run(make_account(), **columns)
        page = signed_in.get(f"/accounts/{run.account_id}/progress/", headers=PIECE)
        assert page.status_code == 286

    def test_it_refreshes_the_list_that_waited_for_a_first_sync(self, signed_in):
        run = start_run(make_account())
        path = f"/accounts/{run.account_id}/progress/?then=refresh"
        assert "hx-trigger" in text_of(signed_in.get(path, headers=PIECE))
        SyncRun.objects.update(state="complete")
        assert signed_in.get(path, headers=PIECE)["HX-Refresh"] == "true"

    def test_it_leads_a_window_to_the_account(self, signed_in):
        account = make_account()
        assert signed_in.get(f"/accounts/{account.pk}/progress/")["Location"] == f"/accounts/{account.pk}/"


class TestDetail:
    def test_it_lists_the_syncs_newest_first(self, signed_in):
        account = make_account()
        started = timezone.now() - timedelta(minutes=5)
        ended = {"started_at": started, "finished_at": started + timedelta(seconds=8.4)}
        start_run(account, state="complete", numbers_seen=1500, numbers_changed=3, requests=79, **ended)
        start_run(account, state="failed", detail="Plivo answered 503.", **ended)
        shown = words_of(signed_in.get(f"/accounts/{account.pk}/"))
        assert f"{started:%H:%M} Complete Schedule 8.4 s 1,500 3 changed 79 0" in shown
        assert shown.index("Plivo answered 503.") < shown.index("8.4 s 1,500")

    def test_it_pages_its_syncs(self, signed_in):
        account = make_account()
        for _ in range(26):
            start_run(account, state="complete")
        second = account.runs.order_by("pk")[1].pk
        assert f'href="?before={second}"' in text_of(signed_in.get(f"/accounts/{account.pk}/"))
        older = text_of(signed_in.get(f"/accounts/{account.pk}/?before={second}"))
        assert older.count('data-column="started"') == 1
        assert "Newest" in older

    def test_it_lists_missing_numbers_with_the_time_left_to_reclaim_them(self, signed_in):
        account = make_account()
        number = make_number(account, presence="missing", presence_since=timezone.now())
        make_event(number, "presence", before="present", after="unconfirmed")
        shown = words_of(signed_in.get(f"/accounts/{account.pk}/"))
        assert "Plivo keeps it for you until" in shown
        assert "4 days left ; reclaim it in Plivo’s console" in shown

    def test_it_says_where_no_reclaim_window_is_documented(self, signed_in):
        account = make_account(provider="twilio")
        make_number(account, presence="missing", presence_since=timezone.now())
        assert "No reclaim window documented" in words_of(signed_in.get(f"/accounts/{account.pk}/"))

    def test_it_lists_subaccounts_with_their_numbers(self, signed_in):
        account = make_account()
        Subaccount.objects.create(account=account, remote_id="SA1", name="Returns", is_enabled=False)
        make_number(account, subaccount="SA1")
        assert "Returns SA1 1 Switched off" in words_of(signed_in.get(f"/accounts/{account.pk}/"))

    def test_it_is_not_there_for_an_account_that_does_not_exist(self, signed_in):
        assert signed_in.get("/accounts/999/").status_code == 404

    def test_it_never_shows_credentials(self, signed_in):
        account = make_account()
        for path in ("/accounts/", f"/accounts/{account.pk}/", f"/numbers/{make_number(account).pk}/"):
            assert "TokenNotASecret" not in text_of(signed_in.get(path))


def test_it_has_words_for_every_kind_of_error():
    kinds = {each.slug for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "slug")}
    assert kinds | {"held", "lost", "moving_list", "internal_error"} <= CAUSES.keys()
