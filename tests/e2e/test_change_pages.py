"""The pages of changes in a browser: the log, what changed outside, conflicts, and what waits."""

import re

import pytest
from playwright.sync_api import expect

from phone_numbers.models import Change
from tests.e2e.test_accessibility import violations
from tests.phone_numbers.jobs import ask, carry_out, edits, plan, start, sync, work

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 760}


@pytest.fixture
def numbers(account):
    return list(account.numbers.filter(voice_kind="application").exclude(alias="").order_by("e164")[:4])


@pytest.fixture
def drifted(account, numbers, simulator):
    """Three numbers that somebody changed at the provider."""
    for number in numbers[:3]:
        simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
    sync(account)
    return numbers[:3]


@pytest.fixture
def conflict(numbers, operator, simulator):
    """Of a plan, of which one other number is still to be sent."""
    change_set = start(plan(numbers[3:], operator, alias="Mine"), operator)
    simulator.world.change(simulator.world.account(), numbers[3].remote_id, alias="Theirs, too")
    return carry_out(change_set).changes.get()


def test_it_puts_back_all_that_changed_outside(site, drifted, numbers, operator, simulator):
    page = site.open("/changes/drift/")
    page.get_by_label("Tick all on this page").check()
    expect(page.locator("[name=event]:checked")).to_have_count(3)
    page.get_by_role("button", name="Plan to put back").click()
    expect(page.get_by_role("heading", name="Plan: change 3 numbers")).to_be_visible()
    page.get_by_role("button", name="Send 3 changes").click()
    carry_out(Change.objects.latest("pk").change_set)
    assert dict(edits(simulator)) == {number.remote_id: {"alias": number.alias} for number in drifted}
    site.open("/changes/drift/")
    expect(page.get_by_role("heading", name="Nothing to decide")).to_be_visible()


def test_it_accepts_what_is_ticked_and_says_why_in_the_log(site, drifted):
    page = site.open("/changes/drift/")
    page.locator("[name=event]").nth(1).check()
    page.get_by_label("Reason").fill("Agreed with Plivo")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Accepted: 1 change.")).to_be_visible()
    expect(page.locator("[name=event]")).to_have_count(2)
    page.get_by_role("link", name="Log", exact=True).click()
    page.get_by_label("Number, value, reason").fill("agreed with")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".log-table tbody tr")).to_have_count(1)


def test_it_downloads_what_the_log_shows(site, drifted):
    page = site.open("/changes/log/?kind=drift")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    assert re.fullmatch(r"numberdesk-log-[-0-9]+\.csv", download.value.suggested_filename)
    assert download.value.path().read_text().count(",drift,alias,") == 3


def test_it_writes_mine_over_theirs_from_the_plan(site, conflict, simulator):
    page = site.open(f"/changes/plans/{conflict.change_set_id}/")
    expect(page.locator(".sides")).to_contain_text("Theirs, too")
    page.get_by_role("button", name="Plan to write mine again").click()
    expect(page.locator("del")).to_have_text("Theirs, too")
    page.get_by_role("button", name="Send 1 change").click()
    carry_out(Change.objects.latest("pk").change_set)
    assert [after for _, after in edits(simulator)] == [{"alias": "Mine"}]


def test_it_lets_go_of_a_number_that_a_slow_provider_holds(site, numbers, operator):
    waiting = work(ask(numbers[0], operator, alias="Mine"))
    Change.objects.filter(pk=waiting.pk).update(state="sending")
    page = site.open(f"/numbers/{numbers[0].pk}/")
    page.get_by_role("button", name="Stop waiting").click()
    expect(page.locator(".change-state").first).to_contain_text("no longer watched")
    assert Change.objects.get().state == "cancelled"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_clean_and_fits(site, watch, drifted, conflict, scheme, size):
    watch.expected.append("status of 422")
    site.page.emulate_media(color_scheme=scheme)
    site.page.set_viewport_size(size)
    plan_page = f"/changes/plans/{conflict.change_set_id}/"
    for path in (
        "/changes/log/",
        "/changes/log/?since=x",
        "/changes/drift/",
        "/changes/plans/",
        plan_page,
        "/changes/",
    ):
        page = site.open(path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
