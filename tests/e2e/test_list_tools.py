"""What stands around the list, in a browser: the choice of columns."""

import re

import pytest
from playwright.sync_api import expect

NO_SCRIPT = pytest.mark.browser_context_args(java_script_enabled=False)


def head(page):
    return page.locator("thead th").evaluate_all("cells => cells.map(cell => cell.dataset.column)")


def test_it_chooses_columns_in_a_dialog_without_leaving_the_list(site, account):
    page = site.open("/numbers/?type=local")
    page.get_by_role("link", name="Columns").click()
    dialog = page.get_by_role("dialog", name="Columns")
    dialog.get_by_role("checkbox", name="Monthly").uncheck()
    dialog.get_by_role("checkbox", name="City").check()
    dialog.get_by_role("button", name="Move Alias down").click()
    expect(dialog.get_by_role("button", name="Move Alias down")).to_be_focused()
    dialog.get_by_label("Compact").check()
    dialog.get_by_role("button", name="Show these").click()
    expect(page).to_have_url(re.compile(r"/numbers/\?type=local$"))
    shown = head(page)
    assert shown[:3] == ["number", "account", "alias"]
    assert ("rate" in shown, shown[-1]) == (False, "city")
    expect(page.locator(".inventory-table")).to_have_attribute("data-density", "compact")


def test_it_leaves_everything_as_it_was_when_cancelled(site, account):
    page = site.open("/numbers/")
    before = head(page)
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("checkbox", name="City").check()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.reload()
    assert head(page) == before


@NO_SCRIPT
def test_it_chooses_columns_without_javascript(site, account):
    page = site.open("/numbers/")
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("button", name="Move Account up").click()
    page.get_by_role("checkbox", name="Presence").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("thead th").nth(1)).to_have_text("Account")
    expect(page.locator("th[data-column=presence]")).to_have_count(0)


def test_it_needs_no_sideways_scroll_on_a_usual_screen(site, account):
    page = site.open("/numbers/")
    frame = page.locator(".table-scroll")
    assert frame.evaluate("frame => frame.scrollWidth - frame.clientWidth") == 0


def test_it_scrolls_sideways_rather_than_squeeze_many_columns(site, account):
    page = site.open("/numbers/?columns=alias,account,services,voice,messages,registration,city,region,carrier,owner")
    widths = page.locator("tbody tr").first.locator("> *").evaluate_all("cells => cells.map(cell => cell.offsetWidth)")
    assert min(widths) >= 60


def test_it_saves_a_view_and_tells_when_it_was_modified(site, account):
    page = site.open("/numbers/")
    page.get_by_role("checkbox", name="Toll-free", exact=True).first.check()
    expect(page).to_have_url(re.compile("type=toll_free"))
    page.locator(".views > summary").click()
    page.get_by_label("Save what the list shows now as").fill("Toll-free desk")
    page.get_by_role("button", name="Save view").click()
    expect(page.locator("#view-label")).to_have_text("Toll-free desk")
    page.get_by_label("SMS").check()
    expect(page.locator("#view-label")).to_contain_text("modified")
    page.locator(".views > summary").click()
    page.get_by_role("button", name="Replace “Toll-free desk” with this").click()
    expect(page).to_have_url(re.compile(r"services=sms.*view=\d+"))
    expect(page.locator("#view-label")).to_have_text("Toll-free desk")


def test_it_closes_the_menu_of_views_by_escape_and_by_clicking_elsewhere(site, account):
    page = site.open("/numbers/")
    menu = page.locator(".views-menu")
    page.locator(".views > summary").click()
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.locator(".views > summary").click()
    page.locator("h1").click()
    expect(menu).to_be_hidden()


@NO_SCRIPT
def test_it_saves_and_opens_a_view_without_javascript(site, account):
    page = site.open("/numbers/?type=local")
    page.locator(".views > summary").click()
    page.get_by_label("Save what the list shows now as").fill("Locals")
    page.get_by_label("Open the list with it").check()
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("link", name="Numbers", exact=True).first.click()
    expect(page).to_have_url(re.compile(r"\?type=local&columns=.*&view=\d+$"))
    page.locator(".views > summary").click()
    page.get_by_role("link", name="All numbers").click()
    expect(page).to_have_url(re.compile(r"/numbers/\?view=all$"))


def test_it_tags_what_is_selected_and_says_so(site, account):
    page = site.open("/numbers/?columns=alias,tags")
    page.locator("tbody .pick").nth(0).check()
    page.locator("tbody .pick").nth(1).check()
    page.get_by_role("button", name="Tag …").click()
    page.get_by_label("Add").fill("VIP")
    page.get_by_role("button", name="Change 2 numbers").click()
    expect(page.locator(".toast")).to_contain_text("Changed 2 numbers.")
    assert account.numbers.filter(tags__name="VIP").count() == 2


def test_it_follows_a_tile_and_comes_back(site, account):
    account.numbers.filter(pk__in=account.numbers.values("pk")[:3]).update(presence="missing")
    page = site.open("/numbers/")
    page.get_by_role("link", name="unconfirmed or missing").click()
    expect(page.locator("#count")).to_have_text("3")
    page.get_by_role("searchbox").fill("zzzz")
    expect(page.locator(".lookout")).to_have_count(0)
    page.get_by_role("searchbox").fill("")
    expect(page.get_by_role("link", name="unconfirmed or missing")).to_contain_text("3")


def test_it_chooses_an_application_at_a_click_and_by_typing(site, account):
    page = site.open("/numbers/")
    page.locator("summary", has_text="Application").click()
    link = page.locator("#options-application a.option").first
    name, count = link.locator(".clip").inner_text(), link.locator(".option-count").inner_text().split()[0]
    link.click()
    expect(page.locator("#count")).to_have_text(count)
    field = page.locator("#application")
    expect(field).to_have_value(name)
    field.fill("")
    field.press("Tab")
    expect(page.locator("#count")).to_have_text("45")


def test_it_prints_the_list_without_its_controls(site, account):
    page = site.open("/numbers/?type=toll_free")
    page.emulate_media(media="print")
    for control in (".rail", ".topbar", ".filters", ".pager", "tbody .pick-label >> nth=0", "tbody .copy >> nth=0"):
        expect(page.locator(control)).to_be_hidden()
    expect(page.locator("tbody .number").first).to_be_visible()
    expect(page.locator(".chip")).to_contain_text("Toll-free")
    last = page.locator("tbody tr").last.bounding_box()
    assert last["height"] > 0
    assert page.locator(".table-scroll").evaluate("frame => frame.scrollHeight - frame.clientHeight") <= 1


def test_it_prints_what_is_known_of_a_number(site, account):
    page = site.open(f"/numbers/{account.numbers.first().pk}/")
    page.emulate_media(media="print")
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.get_by_role("button").first).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
