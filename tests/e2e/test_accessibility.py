"""Every page in its states, light and dark, wide and narrow, as axe judges it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from phone_numbers.models import Account
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from phone_numbers.services.notes import add_note
from phone_numbers.services.saved_views import save_view
from tests.phone_numbers.rows import make_change, make_event

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # What passes need not be told in full.
}
PAGES = (
    *("/numbers/", "/numbers/{number}/", "/changes/", "/accounts/", "/accounts/{account}/", "/providers/"),
    *("/numbers/columns/", "/numbers/views/", "/numbers/paste/", "/changes/plans/", "/changes/log/", "/changes/drift/"),
    *("/changes/import/", "/syncs/"),
)
STATES = ("/numbers/?type=local&services=sms", "/numbers/?type=mobile&q=none", "/numbers/?colour=red", "/nowhere/")


def violations(page):
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


@pytest.fixture(autouse=True, params=["light", "dark"])
def scheme(request, page, watch):
    watch.expected.append("status of (404|422)")
    page.emulate_media(color_scheme=request.param)


@pytest.fixture
def addresses(account, operator):
    """Of pages with a history of every colour, and an account in trouble."""
    number = account.numbers.filter(voice_kind="application").earliest("e164")
    for kind in ("first_seen", "drift", "confirmed", "refused", "conflict", "noted", "withdrawn", "read"):
        make_event(number, kind, field="alias", before="a", after="b", actor_name="olga", detail="A sentence.")
    edit_local_fields([number.pk], LocalEdit(owner="Olga", add_tags=["VIP, vans"]), user=operator)
    add_note(number, "Printed on the vans.", user=operator)
    save_view(operator, "Toll-free desk", "type=toll_free", is_shared=True)
    make_change(number, operator, state="conflict", found={"alias": "Theirs"}, detail="Somebody was faster.")
    Account.objects.filter(pk=account.pk).update(health="failing", health_detail="Plivo answered 503.", is_paused=True)
    return [path.format(number=number.pk, account=account.pk) for path in PAGES]


def test_it_is_clean_on_every_page(site, addresses):
    found = {path: violations(site.open(path)) for path in (*addresses, *STATES)}
    assert {path: each for path, each in found.items() if each} == {}


def test_it_is_clean_on_the_sign_in_page(site):
    site.sign_out()
    assert violations(site.open("/login/")) == []


def test_it_is_clean_while_editing(site, addresses):
    page = site.open("/numbers/")
    row = page.locator("tr.row").nth(2)
    row.hover()
    row.locator("td[data-column=alias] .cell-edit").click()
    row.locator("input[name=alias]").fill("x" * 151)
    page.keyboard.press("Enter")
    expect(row.get_by_role("alert")).to_be_visible()
    assert violations(page) == []


def test_it_is_clean_with_everything_open(site, addresses):
    page = site.open("/numbers/")
    page.locator("summary").filter(has_text="More filters").click()
    page.get_by_label("theme and sign out").click()
    assert violations(page) == []


def test_it_is_clean_while_choosing_columns_saving_a_view_and_tagging(site, addresses):
    page = site.open("/numbers/")
    page.locator(".views > summary").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Columns").click()
    expect(page.get_by_role("dialog", name="Columns")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Cancel").click()
    page.locator("tbody .pick").first.check()
    assert violations(page) == []
    page.get_by_role("button", name="Tag …").click()
    expect(page.get_by_role("heading", name="Whose they are")).to_be_visible()
    assert violations(page) == []


@pytest.mark.browser_context_args(viewport={"width": 360, "height": 760})
def test_it_is_clean_and_fits_on_a_phone(site, addresses):
    for path in addresses:
        page = site.open(path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
