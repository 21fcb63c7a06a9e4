"""Signing out, expired sessions, failing servers: nothing leaks, nothing typed is lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.phone_numbers.rows import make_change


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


def test_it_says_that_a_form_grew_old_and_keeps_the_text(site, account, page, watch):
    watch.expected += [refused(403), "Response Status Error Code 403"]
    site.open("/numbers/")
    row = page.locator("tr.row").first
    row.hover()
    row.locator("td[data-column=alias] .cell-edit").click()
    row.locator("input[name=alias]").fill("Precious")
    page.context.clear_cookies(name="csrftoken")
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Nothing was sent")
    expect(row.locator("input[name=alias]")).to_have_value("Precious")


def test_it_says_that_the_server_cannot_be_reached(site, account, page, watch):
    watch.expected += ["ERR_INTERNET_DISCONNECTED", "htmx:sendError"]
    site.open("/numbers/")
    page.context.set_offline(True)
    page.get_by_label("Mobile").check()
    expect(page.locator(".toast")).to_contain_text("cannot be reached")
    page.context.set_offline(False)


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
