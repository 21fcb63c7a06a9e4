"""What is cut off shows whole while the keyboard is on it, moves nothing, and is put away with Escape."""

import pytest
from playwright.sync_api import expect

from phone_numbers.models import Account, PhoneNumber
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from phone_numbers.services.saved_views import save_view
from tests.roles import make_user

ALIAS = "The number on the old stationery, on the vans and on the sign above the door"
TAGS = ["printed on the vans", "printed on the door", "toll desk"]
COLUMNS = "alias,account,tags,services,voice,messages,registration,rate,renewal,presence"
PHONE = pytest.mark.browser_context_args(viewport={"width": 360, "height": 780}, has_touch=True)
CUT = """(root) => [...document.querySelectorAll(`${root} *`)]
  .filter((each) => !each.closest(".unseen") && getComputedStyle(each).overflowX !== "visible")
  .filter((each) => each.scrollWidth > each.clientWidth)
  .map((each) => each.innerText)"""
PLACES = "[...document.querySelectorAll('.row, .row > *, .pager')].map((each) => each.getBoundingClientRect().toJSON())"


@pytest.fixture
def number(account, operator):
    """The first of the list, with more to say than its cells can hold."""
    Account.objects.filter(pk=account.pk).update(name="Customer service West")
    number = account.numbers.earliest("e164")
    PhoneNumber.objects.filter(pk=number.pk).update(alias=ALIAS)
    edit_local_fields([number.pk], LocalEdit(add_tags=TAGS), user=operator)
    return number


def bubble(page):
    return page.locator(".bubble")


def focus_with_keys(page, locator):
    """As by Tab: what a script focuses after a key counts as reached with the keyboard."""
    page.keyboard.press("Shift")
    locator.focus()


def test_it_shows_a_cut_cell_whole_at_its_control(site, number):
    page = site.open("/numbers/")
    before = page.evaluate(PLACES)
    focus_with_keys(page, page.locator(f"#cell-{number.pk}-alias-edit"))
    expect(bubble(page)).to_have_text(ALIAS)
    expect(bubble(page)).to_be_in_viewport(ratio=1)
    assert page.evaluate(PLACES) == before
    page.keyboard.press("Escape")
    expect(bubble(page)).to_be_hidden()


def test_it_shows_at_the_number_what_nothing_in_the_row_can_be_asked_for(site, number):
    page = site.open(f"/numbers/?columns={COLUMNS}")
    page.keyboard.press("j")
    expect(page.locator(".row .number").first).to_be_focused()
    expect(bubble(page).locator("p")).to_have_text(["AccountCustomer service West", f"Tags{', '.join(sorted(TAGS))}"])
    page.keyboard.press("j")
    expect(bubble(page)).not_to_contain_text("Tags")


def test_it_shows_a_reader_everything_at_the_number(site, number):
    site.sign_in(make_user("viewer", username="vera"))
    page = site.open("/numbers/")
    page.keyboard.press("j")
    expect(bubble(page)).to_contain_text(ALIAS)


def test_it_shows_nothing_where_nothing_is_cut_off_and_at_the_mouse(site, number):
    page = site.open("/numbers/?columns=alias")
    page.locator(".row .pick").first.click()
    page.locator(f"#cell-{number.pk}-alias-edit").hover()
    expect(bubble(page)).to_be_hidden()
    PhoneNumber.objects.filter(pk=number.pk).update(alias="Short")
    page = site.open("/numbers/?columns=alias")
    focus_with_keys(page, page.locator(f"#cell-{number.pk}-alias-edit"))
    expect(bubble(page)).to_be_hidden()


def test_it_shows_nothing_over_what_is_being_edited(site, number):
    page = site.open("/numbers/")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".inventory-table input:focus")).to_have_value(ALIAS)
    expect(bubble(page)).to_be_hidden()


def test_it_shows_the_whole_name_of_a_view(site, number, operator):
    name = "A name that is as long as the name of a view may be"
    save_view(operator, name, "type=local", is_shared=False)
    page = site.open("/numbers/")
    page.locator(".views > summary").press("Enter")
    focus_with_keys(page, page.get_by_role("link", name=name))
    expect(bubble(page)).to_have_text(name)


@PHONE
def test_it_cuts_nothing_off_in_the_cards_of_a_phone(site, number):
    page = site.open("/numbers/")
    expect(page.get_by_text(ALIAS)).to_be_visible()
    assert page.evaluate(CUT, "#results") == []


@PHONE
def test_it_has_room_to_search_on_a_phone(site, number):
    page = site.open("/numbers/")
    assert page.locator("#q").bounding_box()["width"] >= 180
    expect(page.locator(".views > summary")).to_contain_text("Saved view: Views")
