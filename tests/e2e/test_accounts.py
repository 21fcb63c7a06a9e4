"""Syncing in a browser: a progress that survives a reload and ends by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from phone_numbers.models import SyncRun
from tests.phone_numbers.jobs import make_account


@pytest.fixture
def polls(page):
    """The addresses that were polled."""
    seen = []
    page.on("request", lambda request: seen.append(request.url) if "/progress/" in request.url else None)
    return seen


def test_it_shows_a_sync_until_its_end_across_a_reload(site, account, page, polls, work):
    site.open("/accounts/")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    page.reload()
    run = SyncRun.objects.latest("pk")
    lease = timezone.now() + timedelta(minutes=1)
    SyncRun.objects.filter(pk=run.pk).update(
        state="running", phase="numbers", numbers_seen=20, numbers_total=45, pages_read=1, lease_expires_at=lease
    )
    expect(page.get_by_text("20 of 45 numbers, 1 page")).to_be_visible()
    SyncRun.objects.filter(pk=run.pk).update(state="queued")
    work()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    polled = len(polls)
    page.wait_for_timeout(1500)
    assert len(polls) == polled


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
