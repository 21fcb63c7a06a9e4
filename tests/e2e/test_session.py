"""Signing out, expired sessions, failing servers: nothing leaks, nothing typed is lost."""

import re

import pytest
from playwright.sync_api import expect

from phone_numbers.models import Change
from tests.phone_numbers.rows import make_change
from tests.roles import PASSWORD


def refused(status):
    return rf"status of {status}"


def test_it_moves_the_window_to_the_sign_in_page_and_back(site, account, page):
    site.open("/numbers/?type=local")
    site.sign_out()
    page.get_by_role("link", name="Alias", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("table")).to_have_count(0)
    assert "next=%2Fnumbers%2F%3Ftype%3Dlocal" in page.url


def test_it_shows_nothing_after_signing_out_and_going_back(site, account, page):
    site.open("/numbers/")
    page.get_by_role("checkbox", name="Toll-free", exact=True).first.check()
    expect(page).to_have_url(re.compile("type=toll_free"))
    page.get_by_label("theme and sign out").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.locator("tr.row")).to_have_count(0)
    assert "+1" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])")


@pytest.mark.parametrize("path", ["alias/", "voice/edit/"])
def test_it_gives_a_whole_page_at_the_address_of_a_piece(site, account, path):
    page = site.open(f"/numbers/{account.numbers.first().pk}/{path}")
    expect(page.get_by_role("heading", name="Where does this number go?")).to_be_visible()


def test_it_stops_polling_when_the_session_is_over(site, account, page, operator):
    make_change(account.numbers.order_by("e164").first(), operator)
    site.open("/numbers/")
    site.sign_out()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_it_says_that_the_server_failed_and_keeps_the_text(site, account, page, watch, monkeypatch):
    watch.expected += [refused(500), "Response Status Error Code 500"]
    site.open("/numbers/")
    row = page.locator("tr.row").first
    row.hover()
    row.locator("td[data-column=alias] .cell-edit").click()
    row.locator("input[name=alias]").fill("Precious")
    monkeypatch.setattr("phone_numbers.views.cells.find_cell", lambda *_: 1 / 0)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("What you typed is kept")
    expect(page.locator(".toast")).to_contain_text(re.compile(r"Reference: [0-9a-f-]{36}"))
    expect(row.locator("input[name=alias]")).to_have_value("Precious")
    page.get_by_role("button", name="Close notice").click()
    expect(page.locator(".toast")).to_have_count(0)


def hold(page, address):
    """Requests to it wait in the list that is returned."""
    held = []

    def keep(route):
        held.append(route)

    page.route(address, keep)
    return held


def edit_alias(page, text):
    row = page.locator("tr.row").first
    row.hover()
    row.locator("td[data-column=alias] .cell-edit").click()
    row.locator("input[name=alias]").fill(text)
    return row


def test_it_says_that_a_form_grew_old_and_sends_it_at_a_second_click(site, account, page, watch):
    watch.expected += [refused(403), "Response Status Error Code 403"]
    site.open("/numbers/")
    row = edit_alias(page, "Precious")
    page.context.clear_cookies(name="csrftoken")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Nothing was sent")
    expect(row.locator("input[name=alias]")).to_have_value("Precious")
    page.get_by_role("button", name="Try again").click()
    expect(row.locator("td[data-column=alias]")).to_contain_text("Sending")
    assert Change.objects.get().desired == {"alias": "Precious"}


def test_it_loses_nothing_typed_when_the_session_is_over(site, account, page, watch, operator):
    watch.expected += [refused(403), "Response Status Error Code 403"]
    site.open("/numbers/")
    row = edit_alias(page, "Precious")
    site.sign_out()
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("You were signed out. What you typed is kept.")
    expect(row.locator("input[name=alias]")).to_have_value("Precious")
    with page.context.expect_page() as other:
        page.get_by_role("link", name="Sign in").click()
    other.value.get_by_label("User name").fill(operator.username)
    other.value.get_by_label("Password").fill(PASSWORD)
    other.value.keyboard.press("Enter")
    expect(other.value.locator("#count")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".toast")).to_contain_text("had grown old")
    page.get_by_role("button", name="Try again").click()
    expect(row.locator("td[data-column=alias]")).to_contain_text("Sending")
    assert Change.objects.get().desired == {"alias": "Precious"}


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_it_keeps_a_form_through_signing_in_without_javascript(site, account, page, watch, operator):
    watch.expected.append(refused(401))
    number = account.numbers.first()
    site.open(f"/numbers/{number.pk}/")
    page.get_by_label("A new note").fill("Long “thought” of\n<b>mine</b>")
    site.sign_out()
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    page.get_by_label("User name").fill(operator.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    assert not number.notes.exists()
    page.get_by_role("button", name="Send it now").click()
    expect(page).to_have_url(re.compile(rf"/numbers/{number.pk}/"))
    assert number.notes.get().text == "Long “thought” of\n<b>mine</b>"


def test_it_takes_no_editor_away_for_an_answer_that_comes_late(site, account, page):
    site.open("/numbers/")
    held = hold(page, "**/numbers/?sort=alias")
    page.get_by_role("link", name="Alias", exact=True).click()
    row = edit_alias(page, "Precious")
    held[0].continue_()
    expect(page.locator(".toast")).to_contain_text("you are editing it")
    expect(row.locator("input[name=alias]")).to_have_value("Precious")
    expect(page).not_to_have_url(re.compile("sort"))
    page.unroute("**/numbers/?sort=alias")
    row.locator("input[name=alias]").press("Escape")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(re.compile(r"\?sort=alias$"))


def test_it_says_that_the_server_cannot_be_reached(site, account, page, watch):
    watch.expected += ["ERR_INTERNET_DISCONNECTED", "htmx:sendError"]
    site.open("/numbers/")
    page.context.set_offline(True)
    page.get_by_label("Mobile").check()
    expect(page.locator(".toast")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(re.compile(r"\?type=mobile$"))
    expect(page.locator(".toast")).to_have_count(0)


def test_it_says_that_the_server_takes_too_long_and_tries_again(site, account, page, watch):
    watch.expected.append("htmx:timeout")
    site.open("/numbers/")
    page.evaluate("htmx.config.timeout = 1500")
    page.route("**/numbers/?sort=alias", lambda _: None)
    page.get_by_role("link", name="Alias", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("did not answer in time")
    page.unroute("**/numbers/?sort=alias")
    page.evaluate("htmx.config.timeout = 15000")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(re.compile(r"\?sort=alias$"))


def test_it_shows_the_last_of_two_searches_whichever_answer_comes_first(site, account, page):
    site.open("/numbers/")
    held = hold(page, "**/numbers/?q=*")
    for asked, typed in enumerate(("303", "303555")):
        page.get_by_role("searchbox").fill(typed)
        while len(held) == asked:
            page.wait_for_timeout(50)
    for route in reversed(held):
        route.continue_()
    expect(page).to_have_url(re.compile(r"\?q=303555$"))
    page.wait_for_load_state("networkidle")
    expect(page).to_have_url(re.compile(r"\?q=303555$"))
    expect(page.locator(".chip")).to_contain_text("303555")


def test_it_says_once_that_watching_an_edit_fails(site, account, page, watch, operator, monkeypatch):
    watch.expected += [refused(500), "Response Status Error Code 500"]
    make_change(account.numbers.order_by("e164").first(), operator)
    site.open("/numbers/")
    monkeypatch.setattr("phone_numbers.views.cells.find_cell", lambda *_: 1 / 0)
    with page.expect_response(lambda answer: answer.status == 500):
        pass
    with page.expect_response(lambda answer: answer.status == 500):
        pass
    expect(page.locator(".toast")).to_have_count(1)
