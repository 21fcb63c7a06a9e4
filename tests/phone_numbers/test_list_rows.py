"""The list's rows are cast from moulds: what one number shows must never stand in the row of another."""

import datetime as dt
import re

import pytest
import time_machine
from django.http import QueryDict
from django.utils import timezone

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.columns import LIST_COLUMNS
from phone_numbers.filters.rows import list_numbers
from phone_numbers.models import Event
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from phone_numbers.templatetags import rows
from phone_numbers.views.absences import find_absence
from tests.phone_numbers.pages import sign_in, text_of
from tests.phone_numbers.rows import make_account, make_application, make_change, make_number

pytestmark = pytest.mark.django_db

EVERY = f"columns={','.join(LIST_COLUMNS)}"


@pytest.fixture
def operator(client):
    return sign_in(client, "operator", is_staff=False)


def drawn(client, query):
    """Each number's row, by its id, from moulds made for this page."""
    rows._moulds.clear()
    page = text_of(client.get(f"/numbers/?{query}"))
    found = re.findall(r'<tr class="row".*?</tr>', page, re.DOTALL)
    plain = [re.sub(r'/(\d+)/\?from=[^"]*"', r'/\1/"', row) for row in found]
    return {re.search(r'value="(\d+)"', row)[1]: row for row in plain}


def make_variety(operator):
    """Numbers that differ in everything a row shows, most of them like another one in something."""
    now = timezone.now() - dt.timedelta(minutes=90)
    plivo = make_account("Main")
    others = [
        make_account("{braces} & <b>", provider="twilio", fresh_at=now - dt.timedelta(hours=3)),
        make_account("Sidney", provider="fone_dynamics", fresh_at=None),
    ]
    make_application(plivo, "111", "Support {0} <IVR>")
    routed = {"voice_kind": "application", "voice_target": "111", "message_kind": "url", "message_target": "https://a"}
    fields = (
        {"alias": "Desk {pk} & <i>", **routed},
        {"alias": "Desk", "voice_kind": "url", "voice_target": "https://{b}", "national": "", "country": ""},
        {"number_type": "toll_free", "services": "voice", "toll_free_status": "pending", "country": "CA"},
        {"tendlc_status": "registered", "tendlc_provenance": "inferred", "tendlc_campaign_id": "C{1}", "city": "Aix"},
        {"tendlc_status": "registered", "tendlc_provenance": "reported", "monthly_rate": "0.80000", "currency": "USD"},
        {"renewal_date": dt.date(2026, 12, 1), "monthly_rate": "1.20000", "currency": "EUR", "services": "sms mms"},
        {"presence": "missing", "presence_since": now, "cnam": "ACME", "carrier": "Bell", "e911": "on file"},
        {"presence": "unconfirmed", "presence_since": now - dt.timedelta(days=2), "added_on": dt.date(2020, 1, 2)},
    )
    numbers = [make_number(account, **each) for each in fields for account in (plivo, *others)]
    make_change(numbers[0], operator)
    edit_local_fields([numbers[1].pk], LocalEdit(owner="Olga {x}", add_tags=["VIP"]), user=operator)
    return numbers


@pytest.mark.parametrize("columns", ["", EVERY], ids=["usual", "every"])
def test_it_draws_a_row_the_same_whichever_number_its_cells_were_cast_for(client, operator, columns):
    numbers = make_variety(operator)
    with time_machine.travel(timezone.now(), tick=False):  # Ages are among what a row shows.
        together = drawn(client, columns)
        backwards = drawn(client, f"{columns}&sort=-number")
        alone = {pk: row for number in numbers for pk, row in drawn(client, f"{columns}&q={number.e164}").items()}
    assert together.keys() == {str(number.pk) for number in numbers}
    assert together == backwards == alone


def test_it_says_since_when_a_number_is_away_as_its_own_page_does(client, operator):
    now = timezone.now()
    number = make_number(make_account(), presence="missing", presence_since=now - dt.timedelta(hours=30))
    unseen = make_number(number.account, presence="missing", presence_since=now - dt.timedelta(hours=5))
    Event.objects.bulk_create(
        Event(number=number, kind="presence", before=before, after=after)
        for before, after in (("present", "unconfirmed"), ("unconfirmed", "missing"))
    )
    listed = {row.pk: row.presence_since for row in list_numbers(InventoryQuery.read(QueryDict(""), {}))}
    assert listed == {each.pk: find_absence(each).since for each in (number, unseen)}
    assert listed[number.pk] >= now


def test_it_casts_the_choices_of_the_panel(client, operator):
    account = make_account("{0} & <b>")
    make_number(account)
    group = text_of(client.get("/numbers/")).partition('id="options-account"')[2].partition("</div>")[0]
    assert f'aria-description="1 number" id="option-account-1" name="account" value="{account.pk}">' in group
    assert '<span class="clip">{0} &amp; &lt;b&gt;</span>' in group


def test_it_offers_editing_to_whom_may_whoever_came_first(client, operator):
    make_number(make_account())
    assert "cell-edit" in text_of(client.get("/numbers/"))
    sign_in(client, "viewer", is_staff=False)
    assert "cell-edit" not in text_of(client.get("/numbers/"))


def test_it_forgets_moulds_when_there_are_many(client, operator, monkeypatch):
    monkeypatch.setattr(rows, "MOST_MOULDS", 5)
    make_variety(operator)
    for query in ("", "?columns=tendlc", "?columns=presence,rate"):
        client.get(f"/numbers/{query}")
    assert len(rows._moulds) <= 3
