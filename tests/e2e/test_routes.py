"""Re-routing in a browser, up to what the provider really applied."""

import json
import re
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from phone_numbers.models import Change
from tests.phone_numbers.jobs import demo_account, sync
from tests.phone_numbers.rows import make_account, make_application

HOOK = "https://calls.example/answer"
FOREIGN = "AP" + "0" * 32


@pytest.fixture
def number(transactional_db, simulator, settings):
    """A Twilio number on a trunk."""
    settings.SIMULATOR_URL = simulator.root
    account = demo_account("twilio")
    sync(account)
    return account.numbers.filter(voice_kind="trunk").earliest("pk")


@pytest.fixture
def row(site, number):
    return site.open(f"/numbers/?q={number.e164[1:]}").locator("tbody tr.row")


@pytest.fixture
def voice(row):
    return row.locator("td[data-column=voice]")


def open_editor(row):
    row.hover()
    row.locator("td[data-column=voice] .cell-edit").click()
    return row.locator(".editor")


def journal_of(simulator):
    with urlopen(f"{simulator.root}/_simulator/journal") as answer:
        return [(entry["method"], entry["number"], entry["after"]) for entry in json.load(answer)]


@pytest.mark.usefixtures("refusals_expected")
def test_it_re_routes_from_a_trunk_to_an_application_to_a_url(row, voice, number, simulator, work):
    application = number.account.applications.filter(kind="application").first()
    trunk = number.account.applications.get(remote_id=number.voice_target)
    editor = open_editor(row)
    text = editor.get_by_label(re.compile("goes to"))
    expect(text).to_be_hidden()
    editor.locator("select").select_option(application.route_key)
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_contain_text(f"takes the number off trunk “{trunk}”")
    assert journal_of(simulator) == []
    editor.get_by_role("button", name="Confirm").click()
    expect(voice.locator(".status")).to_have_text("Sending")
    work()
    expect(voice).to_contain_text("Confirmed")
    expect(voice).to_contain_text(application.name)

    editor = open_editor(row)
    editor.locator("select").select_option("url:")
    expect(text).to_be_visible()
    text.fill("calls.example")
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_contain_text("“calls.example” is not a whole address")
    expect(text).to_have_value("calls.example")
    text.fill(HOOK)
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_contain_text(f"removes application “{application}” from the number")
    editor.get_by_role("button", name="Confirm").click()
    expect(voice.locator(".status")).to_have_text("Sending")
    work()
    expect(voice).to_contain_text("Confirmed")
    expect(voice).to_contain_text(HOOK)

    first, second = journal_of(simulator)
    assert first == ("POST", number.e164[1:], {"voice": application.route_key})
    assert second[:2] == ("POST", number.e164[1:])
    assert (second[2]["voice"], second[2]["settings"]["voice_url"]) == ("", HOOK)


@pytest.fixture
def refusals_expected(watch):
    watch.expected.append("status of 422")


@pytest.mark.usefixtures("refusals_expected")
def test_it_refuses_an_application_of_another_account(row, number, simulator):
    make_application(make_account("Other", provider="twilio"), FOREIGN)
    editor = open_editor(row)
    option = editor.locator("option[value^='application:']").first
    option.evaluate("(option, id) => { option.value = `application:${id}`; }", FOREIGN)
    editor.locator("select").select_option(f"application:{FOREIGN}")
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_contain_text("Twilio main has no application of that id.")
    expect(editor.locator("select")).to_have_value(number.voice.key)
    assert not Change.objects.exists()
    assert journal_of(simulator) == []


class TestWithoutJavaScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_it_sets_a_url_on_the_numbers_page(self, site, page, number, simulator, work):
        site.open(f"/numbers/{number.pk}/")
        page.get_by_label(f"Voice of {number.e164}", exact=True).select_option("url:")
        page.get_by_label(f"Voice of {number.e164} goes to").fill(HOOK)
        page.get_by_role("button", name="Send to Twilio").click()
        expect(page.locator(".effects")).to_contain_text("takes the number off trunk")
        page.get_by_role("button", name="Confirm and send to Twilio").click()
        expect(page.get_by_role("heading", name="Latest edit")).to_be_visible()
        work()
        page.reload()
        expect(page.locator(".paths")).to_contain_text(HOOK)
        assert len(journal_of(simulator)) == 1
