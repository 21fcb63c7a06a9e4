"""Syncing in a browser: a progress that survives a reload and ends by itself, whatever becomes of its worker."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from phone_numbers.models import Account, SyncRun
from phone_numbers.services.runs import MAX_ATTEMPTS, reap_runs
from tests.phone_numbers.jobs import make_account


@pytest.fixture
def polls(page):
    """The addresses that were polled."""
    seen = []
    page.on("request", lambda request: seen.append(request.url) if "/progress/" in request.url else None)
    return seen


def assert_quiet(page, polls):
    polled = len(polls)
    page.wait_for_timeout(1500)
    assert len(polls) == polled


def read_on(run, **columns):
    lease = timezone.now() + timedelta(minutes=1)
    started = timezone.now() - timedelta(seconds=10)
    moved = {"state": "running", "phase": "numbers", "started_at": started, "lease_expires_at": lease, **columns}
    SyncRun.objects.filter(pk=run.pk).update(**moved)


def test_it_shows_a_sync_until_its_end_across_a_reload(site, account, page, polls, work):
    site.open("/accounts/")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    page.reload()
    run = SyncRun.objects.latest("pk")
    read_on(run, numbers_seen=20, numbers_total=45, pages_read=1)
    expect(page.get_by_text("20 of 45 numbers, 1 of 3 page")).to_be_visible()
    expect(page.get_by_text("s left")).to_be_visible()
    SyncRun.objects.filter(pk=run.pk).update(state="queued")
    work()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("Plivo demo: In step")
    assert_quiet(page, polls)


def test_it_renews_the_history_when_a_sync_ends(site, account, page, work):
    site.open(f"/accounts/{account.pk}/")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    work()
    expect(page.locator(".runs-table tbody tr")).to_have_count(2)


def test_it_tells_of_a_lost_worker_and_ends_when_the_run_is_given_up(site, account, page, polls):
    run = SyncRun.objects.create(account=account, attempt=MAX_ATTEMPTS)
    read_on(run, numbers_seen=20, numbers_total=45)
    site.open("/accounts/")
    expect(page.get_by_text("s left")).to_be_visible()
    SyncRun.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now())
    expect(page.get_by_text("Its worker was lost, another takes it up.")).to_be_visible()
    expect(page.get_by_text("s left")).to_have_count(0)
    reap_runs(timezone.now())
    expect(page.get_by_role("link", name="Lost")).to_be_visible()
    expect(page.locator("progress")).to_have_count(0)
    assert_quiet(page, polls)


def test_it_stops_watching_a_run_nobody_works_on(site, account, page, polls):
    SyncRun.objects.create(account=account, state="running", lease_expires_at=timezone.now() - timedelta(hours=1))
    site.open("/accounts/")
    expect(page.get_by_text("Is a worker running?")).to_be_visible()
    page.wait_for_timeout(1500)
    assert polls == []


def test_it_fills_the_list_when_the_first_sync_has_ended(site, simulator, settings, page, work):
    settings.SIMULATOR_URL = simulator.root
    SyncRun.objects.create(account=make_account(), state="queued", lease_expires_at=timezone.now())
    site.open("/numbers/")
    expect(page.get_by_role("heading", name="The first sync is running")).to_be_visible()
    work()
    expect(page.locator("#count")).to_have_text("45")


def test_it_keeps_the_report_of_a_connection_while_the_card_is_renewed(site, account, page, work):
    site.open("/accounts/")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("which holds 45 numbers")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_text("which holds 45 numbers")).to_be_visible()
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("which holds 45 numbers")).to_have_count(1)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_focused()


def test_it_renews_the_cards_of_a_page_left_open(site, account, page):
    page.clock.install()
    site.open("/accounts/")
    expect(page.get_by_text("In step")).to_be_visible()
    Account.objects.filter(pk=account.pk).update(health="failing", health_detail="Plivo answered 503.")
    page.clock.run_for(61_000)
    expect(page.get_by_text("Plivo answered 503.")).to_be_visible()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_it_starts_and_follows_a_sync_without_javascript(site, account, page, work):
    site.open("/accounts/")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("is being synced.")).to_be_visible()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    work()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("In step")).to_be_visible()
