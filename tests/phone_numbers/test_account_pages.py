"""The accounts: their state, their syncs, and a progress that ends by itself."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phone_numbers.models import SyncRun
from phone_numbers.services.sync import run_sync
from tests.phone_numbers.rows import make_account, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db

PIECE = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client, operator):
    client.force_login(operator)
    return client


def text_of(page):
    return page.content.decode()


def words_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", text_of(page)).split())


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

    def test_it_counts_the_numbers_the_account_still_holds(self, signed_in):
        account = make_account()
        make_number(account)
        make_number(account, presence="released")
        assert f'href="/numbers/?account={account.pk}">1<' in text_of(signed_in.get("/accounts/"))

    def test_it_marks_demo_paused_and_stale_accounts(self, signed_in):
        make_account("Old", is_demo=True, is_paused=True, fresh_at=timezone.now() - timedelta(hours=1))
        shown = words_of(signed_in.get("/accounts/"))
        assert "Old Demo Paused" in shown
        assert "1 h ago Out of date" in shown

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


class TestProgress:
    def test_it_shows_phase_pages_and_numbers(self, signed_in):
        run = start_run(make_account(), phase="numbers", numbers_seen=340, numbers_total=2000, pages_read=17)
        page = signed_in.get(f"/accounts/{run.account_id}/progress/", headers=PIECE)
        assert page.status_code == 200
        assert "Reading numbers 340 of 2,000 numbers, 17 pages" in words_of(page)
        assert re.search(r'<progress[^>]* max="2000" value="340"', text_of(page))

    def test_it_ends_with_the_run(self, signed_in, account):
        signed_in.post(f"/accounts/{account.pk}/sync/", headers=PIECE)
        run_sync(SyncRun.objects.get().pk)
        page = signed_in.get(f"/accounts/{account.pk}/progress/", headers=PIECE)
        assert page.status_code == 286
        assert "hx-trigger" not in text_of(page)
        assert "In step" in words_of(page)
        assert "45 read" in words_of(page)

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
        assert "5 min ago Complete Schedule 8.4 s 1,500 0 3 0 79 0" in shown
        assert shown.index("Plivo answered 503.") < shown.index("8.4 s 1,500")

    def test_it_pages_its_syncs(self, signed_in):
        account = make_account()
        for _ in range(26):
            start_run(account, state="complete")
        assert 'href="?page=2"' in text_of(signed_in.get(f"/accounts/{account.pk}/"))

    def test_it_is_not_there_for_an_account_that_does_not_exist(self, signed_in):
        assert signed_in.get("/accounts/999/").status_code == 404

    def test_it_never_shows_credentials(self, signed_in):
        account = make_account()
        for path in ("/accounts/", f"/accounts/{account.pk}/", f"/numbers/{make_number(account).pk}/"):
            assert "TokenNotASecret" not in text_of(signed_in.get(path))
