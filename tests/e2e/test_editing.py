"""Editing in a browser, up to what the provider really applied."""

import json
import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from phone_numbers.models import Change, PhoneNumber
from tests.roles import PASSWORD


@pytest.fixture
def number(account):
    return account.numbers.filter(voice_kind="application").exclude(alias="").earliest("e164")


@pytest.fixture
def row(site, number):
    return site.open(f"/numbers/?q={number.e164[1:]}").locator("tbody tr.row")


def cell(row, field):
    return row.locator(f"td[data-column={field}]")


def open_editor(row, field="alias"):
    row.hover()
    cell(row, field).locator(".cell-edit").click()
    return row.locator(".editor")


def journal_of(simulator):
    with urlopen(f"{simulator.root}/_simulator/journal") as answer:
        return [entry for entry in json.load(answer) if entry["method"] == "POST"]


def test_it_carries_an_operator_from_signing_in_to_a_changed_provider(
    live_server, page, operator, account, simulator, work
):
    page.goto(live_server.url)
    page.get_by_label("User name").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    for label, query in (("Toll-free", "type=toll_free"), ("Unregistered", "tendlc=unregistered")):
        box = page.get_by_role("checkbox", name=label, exact=True).first
        box.check()
        expect(page).to_have_url(re.compile(rf"\?{query}$"))
        box.uncheck()
    page.get_by_label("How services match").select_option("all")
    page.get_by_role("checkbox", name="SMS", exact=True).check()
    page.get_by_role("checkbox", name="MMS", exact=True).check()
    expect(page).to_have_url(re.compile(r"\?services=sms,mms&services_match=all$"))

    number = PhoneNumber.objects.filter(voice_kind="application", service_bits__in=[6, 7]).earliest("e164")
    other = account.applications.filter(kind="application").exclude(remote_id=number.voice_target)[0]
    row = page.locator("tbody tr.row", has_text=number.national)
    open_editor(row).locator("input[name=alias]").fill("Front desk")
    page.keyboard.press("Enter")
    expect(cell(row, "alias")).to_contain_text("Sending")
    work()
    expect(cell(row, "alias")).to_contain_text("Confirmed")
    editor = open_editor(row, "voice")
    editor.locator("select").select_option(other.route_key)
    editor.get_by_role("button", name="Save").click()
    expect(cell(row, "voice")).to_contain_text("Sending")
    work()
    expect(cell(row, "voice")).to_contain_text("Confirmed")
    expect(cell(row, "voice")).to_contain_text(other.name)
    assert [entry["number"] for entry in journal_of(simulator)] == [number.remote_id] * 2
    assert journal_of(simulator)[0]["after"] == {"alias": "Front desk"}


def test_it_opens_saves_and_cancels_by_keyboard_and_keeps_the_focus(row, page, number, work):
    edit = cell(row, "alias").locator(".cell-edit")
    edit.focus()
    page.keyboard.press("Enter")
    field = row.locator("input[name=alias]")
    expect(field).to_be_focused()
    page.keyboard.type("Never sent")
    page.keyboard.press("Escape")
    expect(cell(row, "alias")).to_contain_text(number.alias)
    expect(edit).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type("Sent")
    page.keyboard.press("Enter")
    expect(cell(row, "alias")).to_contain_text("Sending")
    work()
    expect(cell(row, "alias")).to_contain_text("Confirmed")
    expect(cell(row, "alias").locator(".clip").first).to_have_text("Sent")
    expect(edit).to_be_focused()
    expect(page.locator("#announcer")).to_have_text(f"Alias of {number.e164}: confirmed")


def test_it_shows_our_refusal_in_the_cell_and_keeps_the_text(row, page, watch):
    watch.expected.append("status of 422")
    open_editor(row).locator("input[name=alias]").fill("x" * 151)
    page.keyboard.press("Enter")
    expect(row.get_by_role("alert")).to_contain_text("at most 150")
    expect(row.locator("input[name=alias]")).to_have_value("x" * 151)
    expect(row.locator("input[name=alias]")).to_be_focused()


def test_it_shows_the_providers_refusal_in_the_cell_and_keeps_the_text(row, page, simulator, work):
    simulator.fault("error", method="POST", status=405)
    open_editor(row).locator("input[name=alias]").fill("Front desk")
    page.keyboard.press("Enter")
    expect(cell(row, "alias")).to_contain_text("Sending")
    work()
    expect(row.get_by_role("alert")).to_contain_text("method not allowed")
    expect(row.locator("input[name=alias]")).to_have_value("Front desk")
    assert page.locator("tbody tr.row").count() == 1


def test_it_shows_mine_and_theirs_and_writes_nothing(row, page, number, watch):
    watch.expected.append("status of 409")
    open_editor(row).locator("input[name=alias]").fill("Mine")
    PhoneNumber.objects.filter(pk=number.pk).update(alias="Theirs")
    page.keyboard.press("Enter")
    expect(row.locator(".conflict")).to_contain_text("Theirs")
    expect(row.locator("input[name=alias]")).to_have_value("Mine")
    assert not Change.objects.exists()


def test_it_makes_one_change_of_a_double_click(row, page):
    editor = open_editor(row)
    editor.locator("input[name=alias]").fill("Front desk")
    editor.get_by_role("button", name="Save").dblclick()
    expect(cell(row, "alias")).to_contain_text("Sending")
    assert Change.objects.count() == 1


def test_it_goes_on_showing_an_edit_under_way_after_a_reload(row, page, work):
    open_editor(row).locator("input[name=alias]").fill("Front desk")
    page.keyboard.press("Enter")
    expect(cell(row, "alias")).to_contain_text("Sending")
    page.reload()
    expect(cell(row, "alias")).to_contain_text("Sending")
    work()
    expect(cell(row, "alias")).to_contain_text("Confirmed")


def test_it_edits_on_the_numbers_page(site, number, page, work):
    site.open(f"/numbers/{number.pk}/")
    page.get_by_label("Alias of").fill("Front desk")
    page.get_by_label("Reason").fill("New tenant")
    page.get_by_role("button", name="Send to Plivo").click()
    expect(page.get_by_role("heading", name="Latest edit")).to_be_visible()
    work()
    expect(page.locator(".change-state").first).to_contain_text("Confirmed")
    page.reload()
    expect(page.get_by_text("Edit confirmed")).to_be_visible()


class TestWithoutJavaScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_it_filters_and_edits(self, site, number, page, work):
        site.open("/numbers/")
        page.get_by_role("checkbox", name="Toll-free", exact=True).first.check()
        page.get_by_role("button", name="Apply").click()
        expect(page).to_have_url(re.compile(r"type=toll_free"))
        expect(page.locator(".chip")).to_have_count(1)
        site.open(f"/numbers/?q={number.e164[1:]}")
        page.locator("tbody tr.row").hover()
        page.locator("td[data-column=alias] .cell-edit").click()
        page.get_by_label("Alias of").fill("Front desk")
        page.get_by_role("button", name="Send to Plivo").click()
        expect(page.get_by_role("heading", name="Latest edit")).to_be_visible()
        work()
        page.reload()
        expect(page.get_by_text("Edit confirmed")).to_be_visible()
