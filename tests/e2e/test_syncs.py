"""The pages of syncs in a browser: following one, deciding on a held one, and the banner over the inventory."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from phone_numbers.models import Account, SyncRun
from tests.e2e.test_accessibility import violations
from tests.phone_numbers.scenes import make_eventful, make_held, make_scene


def test_it_follows_a_sync_to_its_end_and_then_falls_silent(site, account, page, work):
    run = SyncRun.objects.create(account=account, lease_expires_at=timezone.now())
    polls = []
    page.on("request", lambda request: polls.append(request.url))
    site.open(f"/syncs/{run.pk}/")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    page.wait_for_timeout(1200)
    work()
    expect(page.get_by_text("Nothing new: every number is as it was.")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("Sync of Plivo demo: Complete")
    polled = len(polls)
    assert polled > 1
    page.wait_for_timeout(1500)
    assert len(polls) == polled


def test_it_keeps_a_wrong_count_and_takes_the_right_one(site, page, watch, account):
    watch.expected.append("status of 422")
    held = make_held(5)
    site.open("/numbers/")
    page.get_by_role("link", name="See what would vanish").click()
    expect(page.locator(".affected-table tbody tr")).to_have_count(5)
    page.get_by_label("Type how many there are").fill("6")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was decided.")
    expect(page.get_by_label("Type how many there are")).to_have_value("6")
    page.get_by_label("Type how many there are").fill("5")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("5 absent numbers olga accepted")).to_be_visible()
    page.get_by_role("link", name="the held sync").click()
    expect(page.get_by_text("Accepted", exact=True)).to_be_visible()
    assert SyncRun.objects.latest("pk").accepts == held


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_it_lets_a_held_sync_be_dismissed_without_javascript(site, page, account):
    held = make_held(5)
    site.open(f"/syncs/{held.pk}/")
    page.get_by_role("button", name="Keep all").click()
    expect(page.get_by_text("all numbers were kept.")).to_be_visible()


def test_it_warns_within_90_seconds_without_a_reload(site, account, page):
    page.clock.install()
    site.open("/numbers/")
    expect(page.locator("tr.row").first).to_be_visible()
    expect(page.locator("#freshness .notice")).to_have_count(0)
    Account.objects.filter(pk=account.pk).update(health="held", health_detail="The list lacks 9 numbers.")
    page.clock.run_for(61_000)
    expect(page.locator("#freshness")).to_contain_text("The list lacks 9 numbers.")
    expect(page.locator("#needing-person")).to_contain_text("1")
    Account.objects.filter(pk=account.pk).update(health="ok", health_detail="")
    page.clock.run_for(61_000)
    expect(page.locator("#freshness .notice")).to_have_count(0)
    expect(page.locator("#needing-person")).to_be_hidden()


def test_it_moves_an_open_page_to_the_sign_in_page_when_the_session_is_over(site, account, page):
    page.clock.install()
    site.open("/numbers/?type=local")
    expect(page.locator("tr.row").first).to_be_visible()
    site.sign_out()
    page.clock.run_for(61_000)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "next=%2Fnumbers%2F%3Ftype%3Dlocal" in page.url


def test_it_filters_the_history(site, account, page):
    make_scene()
    site.open("/syncs/")
    page.get_by_role("link", name="Failed", exact=True).click()
    expect(page.locator(".runs-table tbody tr")).to_have_count(2)
    page.get_by_label("Account").select_option("Warehouse")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".runs-table tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Failed", exact=True)).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_it_is_clean_and_fits_in_every_state(site, account, watch, scheme, width):
    watch.expected.append("status of 422")
    run, held, accounts = make_eventful(account), make_held(), make_scene()
    site.page.set_viewport_size({"width": width, "height": 800})
    site.page.emulate_media(color_scheme=scheme)
    paths = [f"/accounts/{each.pk}/" for each in (account, accounts["lost"])]
    paths += ["/accounts/", "/syncs/", "/syncs/?state=x"]
    paths += [f"/syncs/{held.pk}/", f"/syncs/{accounts['first'].runs.get().pk}/", "/numbers/?presence=missing"]
    paths += [f"/syncs/{run.pk}/?show={kind}" for kind in ("new", "changed", "missing", "left_alone")]
    for path in paths:
        page = site.open(path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
