"""Selecting numbers in the list, across pages, sorting and searching, and changing them together."""

import re

import pytest
from playwright.sync_api import expect

from phone_numbers.models import ChangeSet

MANY = pytest.mark.parametrize("simulator", [{"numbers": 120}], indirect=True)


def pick(page, row):
    return page.locator("tbody .pick").nth(row)


def selected(page):
    return page.locator("#selected")


@MANY
def test_it_keeps_what_is_ticked_through_sorting_paging_and_searching(site, account):
    page = site.open("/numbers/")
    pick(page, 0).check()
    pick(page, 1).check()
    page.get_by_role("link", name="Alias", exact=True).click()
    expect(page).to_have_url(re.compile("sort=alias"))
    page.get_by_role("link", name="2", exact=True).click()
    expect(page).to_have_url(re.compile("page=2"))
    pick(page, 0).check()
    expect(selected(page)).to_contain_text("3 numbers selected")
    page.get_by_role("searchbox").fill("zzzz")
    expect(page.get_by_role("heading", name="No number matches")).to_be_visible()
    expect(selected(page)).to_contain_text("3 numbers selected, 3 of them not on this page")


@MANY
def test_it_ticks_the_page_and_still_works_after_a_swap(site, account):
    page = site.open("/numbers/")
    page.get_by_role("link", name="Services", exact=True).click()
    expect(page.locator("th[data-column=services]")).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Select all on this page").check()
    expect(selected(page)).to_have_text("50 numbers selected")
    pick(page, 3).uncheck()
    expect(selected(page)).to_have_text("49 numbers selected")


@MANY
def test_it_ticks_a_range_with_shift(site, account):
    page = site.open("/numbers/")
    pick(page, 2).click()
    pick(page, 6).click(modifiers=["Shift"])
    expect(selected(page)).to_have_text("5 numbers selected")


@MANY
def test_it_says_what_all_matching_means(site, account):
    page = site.open("/numbers/?services=sms")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Select all").click()
    count = page.locator("#results").get_attribute("data-total")
    expect(selected(page)).to_have_text(f"{count} numbers, all matching: Services SMS")
    page.get_by_role("button", name="Change …").click()
    expect(page.get_by_role("heading", name=f"Change {count} numbers")).to_be_visible()


@MANY
def test_it_walks_ticks_and_edits_by_keyboard(site, account):
    page = site.open("/numbers/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(pick(page, 1)).to_be_checked()
    page.keyboard.press("e")
    expect(page.locator("[data-editor] input[name=alias]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[data-editor]")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()


def test_it_plans_a_change_of_the_ticked_numbers(site, account):
    page = site.open("/numbers/")
    pick(page, 0).check()
    pick(page, 1).check()
    page.get_by_role("button", name="Change …").click()
    page.get_by_label("Alias", exact=True).select_option("set")
    page.get_by_label("New Alias").fill("Line {last4}")
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_role("heading", name="Plan: change 2 numbers")).to_be_visible()
    assert ChangeSet.objects.get().changes.count() == 2


@MANY
def test_it_is_still_selected_after_a_reload_and_on_the_way_back(site, account):
    page = site.open("/numbers/")
    pick(page, 0).check()
    page.reload()
    expect(selected(page)).to_have_text("1 number selected")
    page.get_by_role("link", name="2", exact=True).click()
    expect(page).to_have_url(re.compile("page=2"))
    pick(page, 0).check()
    page.locator("tbody .number").first.click()
    expect(page.get_by_role("heading", name="Where does this number go?")).to_be_visible()
    page.go_back()
    expect(selected(page)).to_contain_text("2 numbers selected")
    page.go_back()
    expect(page).not_to_have_url(re.compile("page=2"))
    expect(selected(page)).to_contain_text("2 numbers selected, 1 of them not on this page")
    expect(pick(page, 0)).to_be_checked()
    page.get_by_role("link", name="Accounts", exact=True).click()
    page.get_by_role("link", name="Numbers", exact=True).click()
    expect(page).to_have_url(re.compile(r"/numbers/$"))
    expect(selected(page)).to_be_hidden()


@MANY
def test_it_is_still_all_that_match_on_the_way_back(site, account):
    page = site.open("/numbers/?type=local")
    page.get_by_label("Select all on this page").check()
    page.locator("#select-matching").click()
    words = selected(page).inner_text()
    assert "all matching: Type Local" in words
    page.locator("tbody .number").first.click()
    expect(page.get_by_role("heading", name="Where does this number go?")).to_be_visible()
    page.go_back()
    expect(selected(page)).to_have_text(words)


def test_it_searches_though_a_box_was_ticked_last(site, account):
    page = site.open("/numbers/")
    pick(page, 0).check()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_it_edits_on_the_numbers_page_where_the_list_has_no_alias(site, account):
    page = site.open("/numbers/?columns=number,city")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/numbers/\d+/\?from=columns.*#edit$"))


def test_it_exports_what_is_selected_as_the_list_shows_it(site, account):
    page = site.open("/numbers/?columns=number,city,tags&sort=-number")
    shown = page.locator("tbody .copy").evaluate_all("all => all.map(each => each.dataset.copy)")
    pick(page, 0).check()
    pick(page, 2).check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as CSV").click()
    head, *lines = download.value.path().read_text().splitlines()
    assert head == "number,city,tags"
    assert [line.split(",")[0] for line in lines] == [shown[0], shown[2]]
    with page.expect_download() as download:
        page.get_by_role("button", name="Export for Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
