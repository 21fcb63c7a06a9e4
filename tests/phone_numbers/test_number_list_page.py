"""The inventory's list: whole page and fragment, and how little it asks the database."""

import base64
import datetime as dt
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from phone_numbers.models import SyncRun
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from tests.phone_numbers.pages import PIECE, sign_in, text_of, words_in, words_of
from tests.phone_numbers.rows import make_account, make_application, make_change, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    return sign_in(client, "operator", is_staff=False)


def numbers_in(page):
    return re.findall(r'data-copy="(\+\d+)"', page.content.decode())


class TestWholePage:
    def test_it_shows_every_number_of_every_account_once(self, client, operator):
        first, second = make_account("First"), make_account("Second")
        for account in (first, second):
            make_number(account, "+14155550100")
            make_number(account)
        assert len(numbers_in(client.get("/numbers/"))) == 4

    def test_it_shows_what_operators_look_for(self, client, operator):
        account = make_account("Main")
        make_application(account, "111", "Support IVR")
        make_number(
            account,
            "+14155550100",
            services="voice sms mms",
            national="(415) 555-0100",
            alias="Front desk",
            voice_kind="application",
            voice_target="111",
            tendlc_status="in_progress",
            monthly_rate="0.80000",
            currency="USD",
            renewal_date="2026-12-24",
        )
        page = words_of(client.get("/numbers/"))
        shown = "US (415) 555-0100 Front desk Plivo Main Local Voice SMS MMS Application Support IVR Nowhere"
        row = page[page.index("US (415)") :]
        for words in [*shown.split(), "In progress", "$0.80", "2026-12-24", "Present"]:
            assert words in row

    def test_it_has_chips_that_remove_one_filter_each(self, client, operator):
        page = text_of(client.get("/numbers/?type=local,toll_free&q=desk"))
        for rest in ("?q=desk&amp;type=toll_free", "?q=desk&amp;type=local", "?type=local,toll_free"):
            assert f'class="chip" href="/numbers/{rest}"' in page

    def test_it_keeps_the_choices_in_the_panel(self, client, operator):
        page = text_of(client.get("/numbers/?type=toll_free&prefix=415&services_match=all&services=sms"))
        assert re.search(r'value="toll_free" checked', page)
        assert re.search(r'name="prefix" value="415"', page)
        assert re.search(r'value="all" selected', page)

    @pytest.mark.parametrize("query", ["colour=red", "type=tollfree", "renewal_date__gt=soon", "page=7", "per_page=1"])
    def test_it_says_what_it_does_not_understand_and_shows_no_rows(self, client, operator, query):
        make_number(make_account())
        page = client.get(f"/numbers/?{query}")
        assert page.status_code == 422
        assert f"<code>{query.partition('=')[0]}</code>" in text_of(page)
        assert numbers_in(page) == []

    def test_it_escapes_what_was_typed_and_what_the_provider_says(self, client, operator):
        make_number(make_account(), alias="<script>alert(1)</script>")
        page = text_of(client.get("/numbers/?q=%3Cscript%3E"))
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page

    @pytest.mark.parametrize("per_page", [25, 50, 100, 250])
    def test_it_pages_without_doubling_or_missing_a_row(self, client, operator, per_page):
        account = make_account()
        made = [make_number(account, alias=str(position % 2)).e164 for position in range(60)]
        pages = range(1, -(-60 // per_page) + 1)
        seen = [
            number
            for page in pages
            for number in numbers_in(client.get(f"/numbers/?sort=-alias&per_page={per_page}&page={page}"))
        ]
        assert sorted(seen) == sorted(made)

    def test_it_marks_the_column_it_is_sorted_by(self, client, operator):
        make_number(make_account())
        page = text_of(client.get("/numbers/?sort=-alias"))
        assert page.count("aria-sort") == 1
        assert re.search(r'data-column="alias" aria-sort="descending"', page)

    def test_it_offers_the_shown_columns_and_the_present_order_to_be_sorted_by(self, client, operator):
        make_number(make_account())
        page = text_of(client.get("/numbers/?sort=-presence&columns=alias,tags"))
        choice = page.split('id="sort-by"')[1].split("</select>")[0]
        offered = re.findall(r'<option value="([a-z-]+)"( selected)?>', choice)
        assert offered == [("number", ""), ("alias", ""), ("-presence", " selected")]

    def test_it_says_of_a_column_that_it_cannot_be_sorted_by(self, client, operator):
        make_number(make_account())
        page = text_of(client.get("/numbers/?columns=alias,owner"))
        assert '<span title="not sortable">Owner</span>' in page
        assert "not sortable" in text_of(client.get("/numbers/columns/")).split('value="owner"')[2].split("</li>")[0]

    def test_it_says_which_accounts_are_demo_accounts(self, client, operator):
        make_account("Plivo demo", is_demo=True)
        page = text_of(client.get("/numbers/"))
        assert "Plivo demo talks to a simulator" in page

    def test_it_counts_demo_accounts_where_there_are_many(self, client, operator):
        for name in ("One", "Two", "Three", "Four"):
            make_account(name, is_demo=True)
        assert "4 accounts talk to a simulator" in text_of(client.get("/numbers/"))

    @pytest.mark.parametrize(("name", "shown"), [("Main", "Plivo Main"), ("plivo main", "plivo main")])
    def test_it_names_the_provider_of_an_account_once(self, client, operator, name, shown):
        make_number(make_account(name))
        cell = re.search(r'data-column="account">(.*?)</td>', text_of(client.get("/numbers/")))
        assert re.sub(r"<[^>]+>", "", cell[1]) == shown

    def test_it_warns_of_an_account_that_is_out_of_date(self, client, operator):
        make_account("Old", fresh_at=timezone.now() - timezone.timedelta(hours=3))
        assert "Old: out of date." in text_of(client.get("/numbers/"))

    def test_it_shows_an_edit_that_is_under_way(self, client, operator):
        number = make_number(make_account())
        change = make_change(number, operator)
        assert f"/numbers/{number.pk}/alias/?change={change.pk}" in text_of(client.get("/numbers/"))

    def test_it_offers_no_editing_to_viewers(self, client):
        client.force_login(make_user("viewer", is_staff=False))
        make_number(make_account())
        assert "cell-edit" not in text_of(client.get("/numbers/"))


class TestPanel:
    def test_it_offers_the_commonest_applications_and_the_one_that_is_chosen(self, client, operator):
        account = make_account()
        for place in range(12):
            make_application(account, str(place), f"Line {place:02}")
            for _ in range(12 - place):
                make_number(account, voice_kind="application", voice_target=str(place))
        page = text_of(client.get("/numbers/?application=line 11"))
        group = page[page.index('id="options-application"') :].partition("</div>")[0]
        assert re.findall(r'class="clip" title="(.*?)"', group) == [f"Line {place:02}" for place in (*range(8), 11)]
        assert re.search(r'href="/numbers/" [^>]*id="application-9" aria-current="true"', group)
        assert 'name="application" value="line 11"' in group
        assert 'href="/numbers/?application=Line+00"' in group

    @pytest.mark.parametrize(("query", "found"), [("owner=Olga", 1), ("cost_centre=CC-1", 1), ("owner=olg", 0)])
    def test_it_filters_by_owner_and_cost_centre(self, client, operator, query, found):
        one, _ = make_number(make_account()), make_number(make_account("Other"))
        edit_local_fields([one.pk], LocalEdit(owner="Olga", cost_centre="CC-1"), user=operator)
        assert len(numbers_in(client.get(f"/numbers/?{query}"))) == found

    def test_it_offers_no_more_tags_than_one_can_read(self, client, operator):
        number = make_number(make_account())
        for at in range(0, 45, 15):
            names = ",".join(f"tag {place}" for place in range(at, at + 15))
            edit_local_fields([make_number(number.account).pk], LocalEdit(add_tags=[names]), user=operator)
        page = text_of(client.get("/numbers/?tag=tag 44"))
        assert len(re.findall(r'name="tag"', page)) in (30, 31)
        assert re.search(r'name="tag" value="tag 44" checked', page)


class TestEmptyStates:
    def test_it_says_what_to_do_without_an_account(self, client):
        client.force_login(make_user("admin"))
        page = text_of(client.get("/numbers/"))
        assert "No account yet" in page
        assert "/admin/numbers/account/add/" in page

    def test_it_shows_the_first_sync_and_refreshes_at_its_end(self, client, operator):
        account = make_account(fresh_at=None, health="new")
        SyncRun.objects.create(account=account, state="running", numbers_seen=340, numbers_total=2000)
        page = text_of(client.get("/numbers/"))
        assert "340 of 2,000 numbers" in page
        assert f"/accounts/{account.pk}/progress/?then=refresh" in page

    def test_it_says_that_nothing_matches(self, client, operator):
        make_number(make_account())
        assert "No number matches" in text_of(client.get("/numbers/?type=mobile"))


class TestFragment:
    def test_it_gives_htmx_the_results_and_what_changes_with_them(self, client, operator):
        make_number(make_account())
        page = client.get("/numbers/?type=local", headers=PIECE)
        text = text_of(page)
        assert "<html" not in text
        for swapped in ("results", "count", "filter-count", "chips", "announcer"):
            assert re.search(f'id="{swapped}"', text)
        assert ">1 number, page 1 of 1<" in text

    def test_it_swaps_nothing_that_the_page_does_not_have(self, client, operator):
        make_number(make_account())
        piece = text_of(client.get("/numbers/?type=local", headers=PIECE))
        swapped = re.findall(r'id="([\w-]+)"[^>]*hx-swap-oob', piece)
        page = text_of(client.get("/numbers/?type=local"))
        assert len(swapped) > 10
        assert [each for each in swapped if page.count(f'id="{each}"') != 1] == []

    @pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
    def test_it_gives_a_window_the_whole_page(self, client, operator, header):
        assert "<html" in text_of(client.get("/numbers/", headers={**PIECE, header: "true"}))

    def test_it_pushes_the_address_in_its_shortest_spelling(self, client, operator):
        page = client.get("/numbers/?q=&type=local&alias=&sort=number&services_match=any", headers=PIECE)
        assert page["HX-Push-Url"] == "/numbers/?type=local"

    def test_it_pushes_a_mistake_as_it_was_typed(self, client, operator):
        page = client.get("/numbers/?prefix=abc", headers=PIECE)
        assert (page.status_code, page["HX-Push-Url"]) == (422, "/numbers/?prefix=abc")

    def test_it_is_kept_by_no_cache(self, client, operator):
        for headers in ({}, PIECE):
            page = client.get("/numbers/", headers=headers)
            assert "no-store" in page["Cache-Control"]
            assert "HX-Request" in page["Vary"]


def queries_of(client, path, headers):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path, headers=headers).status_code == 200
    return len(queries)


@pytest.mark.parametrize("headers", [{}, PIECE], ids=["page", "fragment"])
@pytest.mark.parametrize("query", ["", "&q=555", "&application=Support", "&type=local&services=sms&sort=voice"])
def test_it_asks_the_database_as_little_for_1000_numbers_as_for_10(client, operator, headers, query):
    account = make_account()
    make_application(account, "111", "Support")
    path = f"/numbers/?per_page=250{query}"
    route = {"voice_kind": "application", "voice_target": "111"}
    for _ in range(10):
        make_number(account, **route)
    at_ten = queries_of(client, path, headers)
    for _ in range(990):
        make_number(account, **route)
    assert queries_of(client, path, headers) == at_ten <= 8


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_it_is_open_to_every_role(client, role):
    client.force_login(make_user(role))
    assert client.get("/numbers/").status_code == 200


def test_it_is_closed_to_users_without_a_role_and_strangers(client):
    assert client.get("/numbers/")["Location"] == "/login/?next=/numbers/"
    client.force_login(make_user("nobody"))
    assert client.get("/numbers/").status_code == 403


@pytest.mark.parametrize(("provenance", "tone"), [("reported", "good"), ("inferred", "quiet")])
def test_it_never_shows_an_inferred_registration_as_plain_green(client, operator, provenance, tone):
    make_number(make_account(), tendlc_status="registered", tendlc_provenance=provenance)
    cell = text_of(client.get("/numbers/")).partition('<td data-column="registration">')[2].partition("</td>")[0]
    assert (f'data-tone="{tone}"' in cell, "inferred" in cell) == (True, provenance == "inferred")


def rows_in(page):
    """By number, without what leads back to the list."""
    rows = re.findall(r'<tr class="row".*?</tr>', re.sub(r"\?from=[^\"]*", "", text_of(page)), re.DOTALL)
    return {re.search(r'data-copy="([^"]*)"', row)[1]: row for row in rows}


def test_it_draws_each_row_among_others_as_it_does_alone(client, operator):
    """Cells that rows share are drawn once."""
    before = timezone.now() - timezone.timedelta(hours=30)
    accounts = [make_account("Main", fresh_at=before), make_account("EMEA", provider="twilio", fresh_at=None)]
    different = [
        {"number_type": "toll_free", "country": "CA", "services": "voice sms mms", "tendlc_status": "failed"},
        {"tendlc_status": "registered", "tendlc_provenance": "inferred", "toll_free_status": "verified"},
        {"monthly_rate": "0.80000", "currency": "USD", "renewal_date": "2026-12-24", "alias": "{pk} <b>"},
        {"presence": "missing", "presence_since": before, "voice_kind": "application", "voice_target": "111"},
        {"presence": "missing", "presence_since": before - timezone.timedelta(days=9)},
        {"monthly_rate": "0.80000", "currency": "EUR", "alias": "Desk", "services": "fax"},
    ]
    numbers = [make_number(account, **columns) for account in accounts for columns in different]
    rows = rows_in(client.get("/numbers/"))
    alone = [rows_in(client.get(f"/numbers/?prefix={number.e164[1:]}")) for number in numbers]
    assert rows == {e164: row for each in alone for e164, row in each.items()}
    assert len(rows) == len(numbers)


@pytest.mark.parametrize(
    ("shown", "asked", "header"),
    [
        ("?q=30&type=local", "?q=3035&type=local", "HX-Replace-Url"),
        ("?q=30&page=2", "?q=3035", "HX-Replace-Url"),
        ("?type=local", "?q=3&type=local", "HX-Push-Url"),
        ("?q=30", "", "HX-Push-Url"),
        ("?q=30", "?q=30&type=local", "HX-Push-Url"),
        ("?q=30", "?q=30&sort=alias", "HX-Push-Url"),
    ],
)
def test_it_makes_one_step_of_the_history_of_a_search_however_it_is_typed(client, shown, asked, header):
    sign_in(client, "viewer")
    make_number(make_account())
    answer = client.get(f"/numbers/{asked}", headers={**PIECE, "HX-Current-URL": f"http://testserver/numbers/{shown}"})
    assert {name for name in ("HX-Push-Url", "HX-Replace-Url") if name in answer} == {header}


def test_it_says_beside_each_number_how_old_it_is_and_how_long_it_can_be_got_back(client):
    sign_in(client, "viewer")
    account = make_account(fresh_at=timezone.now() - dt.timedelta(minutes=7))
    make_number(account)
    gone = timezone.now() - dt.timedelta(days=1, minutes=1)
    make_number(account, presence="missing", presence_since=gone)
    words = words_of(client.get("/numbers/"))
    assert "Present read 7 min" in words
    assert "Missing 1 d , 3 days left to reclaim it" in words


def test_it_shows_the_verification_of_toll_free_numbers_where_others_have_10dlc(client):
    sign_in(client, "viewer")
    row = {"tendlc_status": "not_applicable", "toll_free_status": "unverified", "number_type": "toll_free"}
    make_number(make_account(), "+18005550100", **row)
    page = text_of(client.get("/numbers/"))
    cell = re.search(r'<td data-column="registration">(.*?)</td>', page)[1]
    assert words_in(cell) == "Unverified toll-free"


@pytest.mark.parametrize("place", [["", "+1\0", 1], ["", "+1", 10**30], ["", {"a": 1}, 1], ["", None, -1], [1], 7])
@pytest.mark.parametrize("sort", ["number", "rate", "renewal"])
def test_it_takes_a_place_that_somebody_made_up_for_a_mistake_or_a_place(client, place, sort):
    sign_in(client, "viewer")
    make_number(make_account())
    after = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    assert client.get(f"/numbers/?after={after}&sort={sort}").status_code in {200, 422}
