"""The page that says what works at which provider."""

import re

import pytest

from phone_numbers.services.provider_sheets import FIELDS, provider_sheet
from providers.registry import PROVIDERS
from tests.phone_numbers.pages import words_in
from tests.phone_numbers.rows import make_account, make_number
from tests.roles import make_user


@pytest.fixture
def page(client, db):
    client.force_login(make_user("viewer"))
    return client.get("/providers/").content.decode()


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_it_says_what_can_be_edited_and_why_not(page, provider):
    section = page.partition(f'id="{provider.kind}"')[2].partition("</section>")[0].replace("&#x27;", "'")
    words = words_in(section)
    assert all(edit.title in words for edit in provider.capabilities.edits)
    assert all(sentence in words for sentence in provider.capabilities.why_not.values())


def test_it_compares_every_field(page):
    matrix = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"(Can be edited|Read|Not reported)</span>", row) for row in matrix.split("</tr>")[:-1]]
    sheets = [provider_sheet(provider) for provider in PROVIDERS.values()]
    rules = [[sheet.rule(name) for sheet in sheets] for name in FIELDS]
    assert rows == [[said(rule) for rule in row] for row in rules]


def said(rule):
    return "Can be edited" if rule.is_edited else "Read" if rule.is_read else "Not reported"


def test_it_is_linked_from_a_field_that_cannot_be_edited(client, operator):
    client.force_login(operator)
    number = make_number(make_account())
    text = client.get(f"/numbers/{number.pk}/").content.decode()
    assert "Plivo routes calls and messages of a number by one application: change that." in text
    assert 'href="/providers/#plivo"' in text


def test_it_is_told_from_nothing_what_a_provider_does_not_report(client, operator):
    client.force_login(operator)
    number = make_number(make_account("Twilio", provider="twilio"))
    text = client.get(f"/numbers/{number.pk}/").content.decode()
    assert re.search(r"<dt>Carrier</dt><dd><span class=\"none\">Not reported by Twilio</span>", text)
