"""The inventory's list in a browser: filters, search, sorting and paging without losing one's place."""

import re

import pytest
from playwright.sync_api import expect

from phone_numbers.models import PhoneNumber

MANY = pytest.mark.parametrize("simulator", [{"numbers": 120}], indirect=True)
PHONE = pytest.mark.browser_context_args(viewport={"width": 360, "height": 760}, has_touch=True)


def rows(page):
    return page.locator("tbody tr.row")


def test_it_filters_at_a_click_and_keeps_the_filter_across_reload_and_back(site, account):
    page = site.open("/numbers/")
    page.get_by_role("checkbox", name="Toll-free", exact=True).first.check()
    expect(page).to_have_url(re.compile(r"/numbers/\?type=toll_free$"))
    count = PhoneNumber.objects.filter(number_type="toll_free").count()
    expect(page.locator("#count")).to_have_text(str(count))
    expect(rows(page)).to_have_count(count)
    page.reload()
    expect(rows(page)).to_have_count(count)
    page.get_by_role("link", name="Accounts").click()
    page.go_back()
    expect(page.get_by_role("checkbox", name="Toll-free", exact=True).first).to_be_checked()
    expect(rows(page)).to_have_count(count)
    page.go_back()
    expect(page.locator("#count")).to_have_text("45")
    expect(page.get_by_role("checkbox", name="Toll-free", exact=True).first).not_to_be_checked()


def test_it_keeps_focus_and_caret_in_the_search_while_results_change(site, account):
    page = site.open("/numbers/")
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    with page.expect_response(re.compile(r"q=3035")):
        page.keyboard.type("3035", delay=30)
    page.keyboard.press("ArrowLeft")
    with page.expect_response(re.compile(r"q=305")):
        page.keyboard.press("Backspace")
    expect(page).to_have_url(re.compile(r"\?q=305$"))
    expect(box).to_be_focused()
    assert box.evaluate("box => [box.value, box.selectionStart]") == ["305", 2]


def test_it_goes_back_to_before_a_search_not_through_its_letters(site, account):
    page = site.open("/numbers/?type=local")
    for typed in ("3", "30", "303"):
        page.get_by_role("searchbox").fill(typed)
        expect(page).to_have_url(re.compile(rf"q={typed}&"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/numbers/\?type=local$"))
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.go_forward()
    expect(page.get_by_role("searchbox")).to_have_value("303")


def test_it_searches_while_a_word_is_still_being_composed(site, account):
    PhoneNumber.objects.filter(pk=account.numbers.first().pk).update(alias="서울 한국")
    page = site.open("/numbers/")
    page.get_by_role("searchbox").focus()
    keyboard = page.context.new_cdp_session(page)
    for syllable in ("ㅎ", "하", "한"):
        keyboard.send("Input.imeSetComposition", {"text": syllable, "selectionStart": 1, "selectionEnd": 1})
        expect(page.locator(".chip")).to_contain_text(syllable)
    keyboard.send("Input.insertText", {"text": "한국"})
    expect(page.locator("#count")).to_have_text("1")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    assert box.evaluate("box => [box.value, box.selectionStart]") == ["한국", 2]


def test_it_announces_the_results_and_shows_removable_chips(site, account):
    page = site.open("/numbers/")
    page.get_by_label("SMS").check()
    expect(page.locator("#announcer")).to_have_text(re.compile(r"^\d+ numbers?, page 1 of 1$"))
    page.get_by_label("How services match").select_option("all")
    page.get_by_label("MMS").check()
    expect(page.locator(".chip")).to_have_count(2)
    page.locator(".chip", has_text="SMS").first.click()
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.get_by_label("SMS")).not_to_be_checked()
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#count")).to_have_text("45")


@MANY
def test_it_sorts_and_pages_without_losing_rows_or_filters(site, account):
    page = site.open("/numbers/?per_page=25")
    page.get_by_role("link", name="Alias", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Alias")
    expect(page.locator("#sort-alias")).to_be_focused()
    seen = []
    for number in range(1, 6):
        expect(page.locator(".page-link[aria-current]")).to_have_text(str(number))
        seen += rows(page).locator(".number").evaluate_all("links => links.map(link => link.pathname)")
        if number < 5:
            page.get_by_role("link", name="Next").click()
    assert len(seen) == len(set(seen)) == 120
    page.get_by_label("Rows").select_option("50")
    expect(page).to_have_url(re.compile(r"\?sort=alias$"))
    expect(rows(page)).to_have_count(50)


def test_it_shows_a_mistake_in_the_address_and_the_way_out(site, account, watch):
    watch.expected.append("status of 422")
    page = site.open("/numbers/?type=local&colour=red")
    expect(page.get_by_role("alert")).to_contain_text("There is no filter called “colour”")
    expect(rows(page)).to_have_count(0)
    page.get_by_role("link", name="Drop it and show the rest").click()
    expect(page).to_have_url(re.compile(r"\?type=local$"))


def test_it_shows_a_mistake_typed_into_the_panel_without_losing_it(site, account, watch):
    watch.expected.append("status of 422")
    page = site.open("/numbers/")
    page.get_by_text("More filters").click()
    page.get_by_label("Number prefix").fill("abc")
    page.get_by_label("Number prefix").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("abc")
    expect(page.get_by_label("Number prefix")).to_have_value("abc")
    page.get_by_label("Number prefix").fill("+1 303")
    page.get_by_label("Number prefix").press("Enter")
    expect(page).to_have_url(re.compile(r"\?prefix=1303$"))


def test_it_copies_a_number(site, account, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    site.open("/numbers/")
    button = page.locator(".copy").first
    button.click()
    expect(page.locator(".toast")).to_contain_text("Copied +1")
    assert page.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")


@PHONE
def test_it_fits_a_phone(site, account):
    page = site.open("/numbers/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("checkbox", name="Toll-free", exact=True).first).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("checkbox", name="Toll-free", exact=True).first.check()
    expect(page.locator("#filter-count")).to_contain_text("1")
    page.get_by_role("button", name="Close filters").click()
    expect(page.get_by_role("checkbox", name="Toll-free", exact=True).first).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Changes").click()
    expect(page.get_by_role("heading", name="Changes", exact=True)).to_be_visible()


@PHONE
def test_it_is_sorted_by_a_choice_on_a_phone(site, account):
    page = site.open("/numbers/")
    expect(page.locator("thead a:visible")).to_have_count(1)
    page.get_by_label("Sort by").select_option("Alias")
    expect(page).to_have_url(re.compile(r"\?sort=alias$"))
    page.locator("#sort-alias").click()
    expect(page).to_have_url(re.compile(r"\?sort=-alias$"))
    expect(page.get_by_label("Sort by")).to_have_value("-alias")
    first = PhoneNumber.objects.order_by("-alias").first()
    expect(rows(page).first.locator("[data-column=alias]")).to_contain_text(first.alias)
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("checkbox", name="Local", exact=True).first.check()
    expect(page).to_have_url(re.compile(r"type=local&sort=-alias$|sort=-alias&type=local$"))


def test_it_remembers_the_theme(site, account, page):
    site.open("/numbers/")
    page.get_by_label("theme and sign out").click()
    page.get_by_role("button", name="Dark").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_it_counts_beside_each_filter_what_it_would_leave(site, account):
    page = site.open("/numbers/")
    local = page.locator("#options-type .option", has_text="Local").locator(".option-count")
    expect(local).to_have_text(str(account.numbers.filter(number_type="local").count()))
    page.get_by_role("checkbox", name="Toll-free", exact=True).first.check()
    expect(page.locator("#options-services .option", has_text="MMS").locator(".option-count")).to_have_text(
        str(account.numbers.filter(number_type="toll_free", service_bits__in=range(4, 8)).count())
    )
    expect(local).to_have_text(str(account.numbers.filter(number_type="local").count()))
    expect(page.get_by_role("checkbox", name="Toll-free", exact=True).first).to_be_focused()
