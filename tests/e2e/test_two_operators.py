"""Two people with the same number open: whoever comes second is told who did what, and keeps what was typed."""

import pytest
from playwright.sync_api import expect

from phone_numbers.models import Change
from tests.e2e.conftest import Site
from tests.roles import make_user


@pytest.fixture(autouse=True)
def refusals(watch):
    watch.expected.append("status of 409")


@pytest.fixture
def number(account):
    return account.numbers.filter(voice_kind="application").exclude(alias="").earliest("e164")


@pytest.fixture
def oscar(site, browser, browser_context_args):
    """Somebody else, in a browser of their own."""
    context = browser.new_context(**browser_context_args)
    other = Site(site.root, context.new_page())
    other.sign_in(make_user("operator", username="oscar"))
    yield other
    context.close()


def open_cell(site, number):
    row = site.open(f"/numbers/?q={number.e164[1:]}").locator("tbody tr.row")
    row.hover()
    row.locator("td[data-column=alias] .cell-edit").click()
    row.locator("input[name=alias]").wait_for()
    return row


def save_in_cell(row, text):
    row.locator("input[name=alias]").fill(text)
    row.get_by_role("button", name="Save").click()


def open_form(site, number):
    site.open(f"/numbers/{number.pk}/")
    return site.page.locator("#edit")


def save_form(form, text):
    form.get_by_label("Alias of").fill(text)
    form.get_by_role("button", name="Send to Plivo").click()


OPEN_AND_SAVE = pytest.mark.parametrize(
    ("open_it", "save"), [(open_cell, save_in_cell), (open_form, save_form)], ids=["cell", "form"]
)


@OPEN_AND_SAVE
def test_it_tells_who_was_faster_and_keeps_the_text(site, oscar, number, work, open_it, save):
    mine = open_it(site, number)
    save_form(open_form(oscar, number), "Oscar’s")
    expect(oscar.page.get_by_role("heading", name="Latest edit")).to_be_visible()
    work()
    save(mine, "Olga’s")
    expect(mine.get_by_role("alert")).to_contain_text("Alias is “Oscar’s” now, changed by oscar.")
    expect(mine.locator(".conflict")).to_contain_text("Oscar’s")
    expect(mine.locator("input[name=alias]")).to_have_value("Olga’s")
    assert Change.objects.count() == 1


@OPEN_AND_SAVE
def test_it_tells_what_is_under_way_and_leads_to_it(site, oscar, number, open_it, save):
    mine = open_it(site, number)
    save_form(open_form(oscar, number), "Oscar’s")
    expect(oscar.page.get_by_role("heading", name="Latest edit")).to_be_visible()
    save(mine, "Olga’s")
    expect(mine.get_by_role("alert")).to_contain_text("An edit by oscar is under way: Alias to “Oscar’s”.")
    expect(mine.locator("input[name=alias]")).to_have_value("Olga’s")
    mine.get_by_role("link", name="See that edit").click()
    site.page.get_by_role("button", name="Cancel", exact=True).click()
    expect(site.page.locator(".change-state").first).to_contain_text("Cancelled")
    assert list(Change.objects.values_list("state", flat=True)) == ["cancelled"]


def test_it_writes_over_theirs_when_it_is_saved_again(site, oscar, number, work):
    mine = open_cell(site, number)
    save_form(open_form(oscar, number), "Oscar’s")
    expect(oscar.page.get_by_role("heading", name="Latest edit")).to_be_visible()
    work()
    save_in_cell(mine, "Olga’s")
    expect(mine.locator(".conflict")).to_be_visible()
    mine.get_by_role("button", name="Save").click()
    expect(mine.locator("td[data-column=alias]")).to_contain_text("Sending")
    work()
    expect(mine.locator("td[data-column=alias]")).to_contain_text("Confirmed")
    number.refresh_from_db()
    assert number.alias == "Olga’s"
