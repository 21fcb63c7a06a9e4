"""The page of one number in a browser: what only Numberdesk keeps, the history, the payload, the way to the next."""

import re

import pytest
from playwright.sync_api import expect

from phone_numbers.models import Note
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields, read_values
from tests.phone_numbers.rows import make_event
from tests.roles import make_user


@pytest.fixture
def number(account):
    return account.numbers.filter(voice_kind="application").earliest("e164")


@pytest.fixture
def panel(site, number):
    return site.open(f"/numbers/{number.pk}/").locator("#local")


def values(number):
    return read_values([number.pk])[number.pk]


def test_it_adds_tags_with_the_keyboard_and_tells_of_them_at_once(panel, page, number):
    panel.get_by_label("Tags to add").fill("VIP, vans")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("list", name="Tags").get_by_role("listitem")).to_have_text(["vans", "VIP"])
    expect(page.locator("#timeline")).to_contain_text("vans, VIP")
    expect(panel.get_by_label("Tags to add")).to_be_focused()
    panel.get_by_role("button", name="Take off VIP").click()
    expect(panel.get_by_role("listitem")).to_have_text(["vans"])
    assert values(number)["tags"] == "vans"


def test_it_notes_and_withdraws(panel, page):
    panel.get_by_label("A new note").fill("Printed on the vans.")
    panel.get_by_role("button", name="Add note").click()
    expect(panel.locator(".note-text")).to_have_text("Printed on the vans.")
    panel.get_by_role("button", name=re.compile("Withdraw")).click()
    expect(panel.locator(".note-text")).to_have_count(0)
    expect(page.locator("#timeline")).to_contain_text("Note withdrawn")
    assert Note.objects.filter(withdrawn_at=None).count() == 0


def test_it_tells_the_later_of_two_people_and_keeps_what_was_typed(panel, number, watch):
    watch.expected.append("status of 409")
    edit_local_fields([number.pk], LocalEdit(owner="Theirs"), user=make_user("admin"))
    panel.get_by_label("Owner").fill("Mine")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_contain_text("It is now “Theirs”")
    expect(panel.get_by_label("Owner")).to_have_value("Mine")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("alert")).to_have_count(0)
    assert values(number)["owner"] == "Mine"


def test_it_narrows_the_history_and_comes_back(site, page, number):
    for kind in ("drift", "presence"):
        make_event(number, kind, before="a", after="b")
    site.open(f"/numbers/{number.pk}/")
    page.get_by_role("link", name="Drift", exact=True).click()
    expect(page.locator("#timeline .log-line")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?kind=drift$"))
    expect(page.get_by_role("link", name="Drift", exact=True)).to_be_focused()
    page.go_back()
    expect(page.locator("#timeline .log-line")).to_have_count(2)


def test_it_finds_a_field_in_what_the_provider_sent(site, page, number):
    site.open(f"/numbers/{number.pk}/")
    page.locator("#payload summary").click()
    rows = page.locator("#payload-rows > div")
    everything = rows.count()
    page.get_by_role("searchbox", name="Find in what Plivo sent").fill("RENTAL")
    expect(rows.filter(visible=True)).to_have_count(1)
    page.get_by_role("searchbox", name="Find in what Plivo sent").fill("")
    expect(rows.filter(visible=True)).to_have_count(everything)


def test_it_reads_the_number_now(site, page, number, simulator):
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Renamed elsewhere")
    site.open(f"/numbers/{number.pk}/")
    page.get_by_role("button", name="Read now").click()
    expect(page.locator(".toast")).to_contain_text("Changed at the provider: Alias.")
    expect(page.locator(".number-alias")).to_have_text("Renamed elsewhere")


def test_it_walks_through_the_list_and_back_to_it(site, page, account):
    site.open("/numbers/?type=local")
    first, second = (text.removeprefix("US").strip() for text in page.locator("tr.row .number").all_inner_texts()[:2])
    page.locator("tr.row .number").first.click()
    expect(page.locator(".trail-place")).to_contain_text(re.compile(r"^\s*1 of \d+ in\s+Local"))
    page.get_by_role("link", name="Next").click()
    expect(page.locator("h1")).to_contain_text(second)
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("h1")).to_contain_text(first)
    page.locator(".trail-back").click()
    expect(page).to_have_url(re.compile(r"/numbers/\?type=local$"))


def test_it_prints_what_is_known_and_nothing_to_click(site, page, number):
    site.open(f"/numbers/{number.pk}/")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Where does this number go?")).to_be_visible()
    assert page.locator("button:visible, input:visible, nav:visible").count() == 0


@pytest.mark.browser_context_args(viewport={"width": 360, "height": 760})
def test_it_fits_on_a_phone_with_the_longest_texts(site, page, number, operator):
    long = "W" * 40
    edit_local_fields([number.pk], LocalEdit(owner=long, add_tags=[long, "M" * 40]), user=operator)
    account = number.account
    account.applications.update(voice_url="http://a.example/" + "x" * 300)
    number.alias = "W" * 150
    number.save()
    for path in (f"/numbers/{number.pk}/?from=q%3D{'w' * 200}", "/providers/"):
        site.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


class TestWithoutJavaScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_it_does_all_of_it(self, panel, page, number, watch):
        watch.expected.append("status of 422")
        panel.get_by_label("Tags to add").fill("VIP")
        panel.get_by_role("button", name="Add", exact=True).click()
        expect(panel.get_by_role("listitem")).to_have_text(["VIP"])
        panel.get_by_label("Owner").fill("Olga")
        panel.get_by_role("button", name="Save").click()
        panel.get_by_label("A new note").fill("x" * 4001)
        panel.get_by_role("button", name="Add note").click()
        expect(panel.get_by_label("A new note")).to_have_value("x" * 4001)
        expect(panel).to_contain_text("at most 4,000 characters")
        page.get_by_role("link", name="Notes and tags").click()
        expect(page.locator("#timeline .log-line")).to_have_count(2)
        assert values(number) == {"tags": "VIP", "owner": "Olga", "cost_centre": ""}


def test_it_shows_before_and_after_in_this_order_in_every_script(site, number, operator):
    for owner in ("שלום", "עולם (12)"):
        edit_local_fields([number.pk], LocalEdit(owner=owner), user=operator)
    page = site.open(f"/numbers/{number.pk}/")
    line = page.locator(".field-change", has_text="Owner").first
    expect(line.locator("del")).to_have_text("שלום")
    before, after = (line.locator(each).bounding_box()["x"] for each in ("del", "ins"))
    assert before < after
