"""Plivo's own client against the simulator; every filter against a brute-force search of the rows it listed."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import plivo
import pytest
from plivo.exceptions import AuthenticationError

from providers.simulator import OTHER_PLIVO_AUTH_ID, OTHER_PLIVO_AUTH_TOKEN, Simulator
from tests.providers.plivo_client import first, plivo_client
from tests.simulators import NUMBERS, TODAY

Row = dict[str, Any]
SOON = (TODAY + dt.timedelta(days=14)).isoformat()


@pytest.fixture
def client(simulator: Simulator) -> Iterator[plivo.RestClient]:
    with plivo_client(simulator) as client:
        yield client


def all_rows(client: plivo.RestClient, **filters: Any) -> list[Row]:
    rows: list[Row] = []
    while True:
        page = client.numbers.list(limit=20, offset=len(rows), **filters)
        rows += [vars(number) for number in page.objects]
        if page.meta.next is None:
            return rows


def numbers_of(rows: list[Row]) -> set[str]:
    return {row["number"] for row in rows}


def test_it_lists_every_number_once(client):
    rows = all_rows(client)

    assert len(numbers_of(rows)) == len(rows) == NUMBERS


def test_it_walks_the_pages_the_client_follows(client, simulator):
    walked = [number.number for number in client.numbers]

    assert walked == [number.digits for number in simulator.world.account()]
    assert simulator.requests.by_status == {200: 3}


def test_it_describes_pages_in_relative_links(client):
    meta = client.numbers.list(limit=20, offset=40).meta

    assert meta.next is None
    assert meta.previous == "/v1/Account/MANUMBERDESKDEMO0001/Number/?limit=20&offset=20"
    assert (meta.limit, meta.offset, meta.total_count) == (20, 40, NUMBERS)


ROW_FIELDS = frozenset(
    field
    for line in (
        "active added_on alias application caller_reputation_status carrier city cnam cnam_lookup",
        "cnam_registration_status compliance_application_id compliance_status country mms_enabled mms_rate",
        "monthly_rental_rate number number_type profile_uuid region renewal_date resource_uri sms_enabled sms_rate",
        "sub_account tendlc_campaign_id tendlc_registration_status toll_free_sms_verification",
        "toll_free_sms_verification_id toll_free_sms_verification_order_status type verification_info voice_enabled",
        "voice_rate",
    )
    for field in line.split()
)


@pytest.mark.parametrize("simulator", [{"numbers": 400}], indirect=True)
def test_it_writes_rows_with_plivos_fields_and_its_inconsistencies(plivo_http):
    pages = [plivo_http.get(f"Number/?offset={offset}").json()["objects"] for offset in range(0, 400, 20)]

    assert {frozenset(row) for page in pages for row in page} == {
        ROW_FIELDS,
        ROW_FIELDS - {"active"},
        (ROW_FIELDS - {"tendlc_campaign_id"}) | {"tendlc_campaign_Id"},
    }


def services(*wanted: str) -> Any:
    return lambda row: all(row[f"{service}_enabled"] for service in wanted)


def campaign_of(row: Row) -> str | None:
    return row.get("tendlc_campaign_id", row.get("tendlc_campaign_Id"))


FILTERS = [
    *[({"type": kind}, lambda row, kind=kind: row["number_type"] == kind)
      for kind in ("local", "mobile", "fixed", "national", "tollfree")],
    ({"number_startswith": "1"}, lambda row: row["number"].startswith("1")),
    ({"number_startswith": "4420"}, lambda row: row["number"].startswith("4420")),
    ({"services": ["voice"]}, services("voice")),
    ({"services": ["sms"]}, services("sms")),
    ({"services": ["mms"]}, services("mms")),
    ({"services": ["voice", "sms"]}, services("voice", "sms")),
    ({"services": ["voice", "sms", "mms"]}, services("voice", "sms", "mms")),
    ({"cnam_lookup": "enabled"}, lambda row: row["cnam_lookup"] == "enabled"),
    ({"cnam_lookup": "disabled"}, lambda row: row["cnam_lookup"] == "disabled"),
    ({"renewal_date": SOON}, lambda row: row["renewal_date"] == SOON),
    ({"renewal_date__gt": SOON}, lambda row: row["renewal_date"] > SOON),
    ({"renewal_date__gte": SOON}, lambda row: row["renewal_date"] >= SOON),
    ({"renewal_date__lt": SOON}, lambda row: row["renewal_date"] < SOON),
    ({"renewal_date__lte": SOON}, lambda row: row["renewal_date"] <= SOON),
    ({"tendlc_registration_status": "unregistered"}, lambda row: row["tendlc_registration_status"] == "UNREGISTERED"),
    ({"tendlc_registration_status": "in_progress"}, lambda row: row["tendlc_registration_status"] == "PROCESSING"),
    ({"tendlc_registration_status": "registered"},
     lambda row: row["tendlc_registration_status"] in ("COMPLETED", "REGISTERED")),
    *[({"toll_free_sms_verification": word},
       lambda row, word=word: (row["toll_free_sms_verification"] or "").lower() == word)
      for word in ("unverified", "pending_verification", "verified")],
    *[({"toll_free_sms_verification_order_status": word},
       lambda row, word=word: row["toll_free_sms_verification_order_status"] == word)
      for word in ("SUBMITTED", "APPROVED")],
    ({"type": "tollfree", "services": ["voice", "sms"], "number_startswith": "18"},
     lambda row: row["number_type"] == "tollfree" and row["sms_enabled"] and row["voice_enabled"]),
]  # fmt: skip


@pytest.mark.parametrize("simulator", [{"numbers": 400}], indirect=True)
@pytest.mark.parametrize(("filters", "matches"), FILTERS, ids=[str(filters) for filters, _ in FILTERS])
def test_it_honours_every_filter(client, filters, matches):
    everything = all_rows(client)
    wanted = numbers_of([row for row in everything if matches(row)])

    found = all_rows(client, **filters)

    assert 0 < len(wanted) < len(everything)
    assert numbers_of(found) == wanted


@pytest.mark.parametrize("name", ["sub_account", "alias", "tendlc_campaign_id"])
def test_it_honours_filters_by_a_value_of_the_account(client, name):
    everything = all_rows(client)
    value = next(row[name] for row in everything if row.get(name))
    wanted = numbers_of([row for row in everything if row.get(name) == value])

    found = all_rows(client, **{{"sub_account": "subaccount"}.get(name, name): value})

    assert wanted <= numbers_of(found)
    assert len(found) < NUMBERS


@pytest.mark.parametrize(
    "filters",
    [
        {"type": "toll-free"},
        {"type": "LOCAL"},
        {"services": "fax"},
        {"cnam_lookup": "on"},
        {"tendlc_registration_status": "COMPLETED"},
        {"tendlc_campaign_id": "CNONE"},
        {"toll_free_sms_verification": "VERIFIED"},
        {"toll_free_sms_verification_order_status": "nothing"},
        {"subaccount": "SANOBODY000000000000"},
        {"alias": "no number is called this"},
        {"number_startswith": "999"},
        {"renewal_date": "next week"},
    ],
    ids=str,
)
def test_it_answers_unknown_filter_values_with_an_empty_page(plivo_http, filters):
    answer = plivo_http.get("Number/", params=filters)

    assert answer.status_code == 200
    assert answer.json()["objects"] == []
    assert answer.json()["meta"]["total_count"] == 0


@pytest.mark.parametrize("window", ["limit=21", "limit=0", "limit=x", "offset=-1", "offset=x"])
def test_it_refuses_a_window_out_of_bounds(plivo_http, window):
    answer = plivo_http.get(f"Number/?{window}")

    assert answer.status_code == 400
    assert set(answer.json()) == {"api_id", "error"}


def test_it_answers_an_offset_past_the_end_with_an_empty_page(plivo_http):
    assert plivo_http.get("Number/?offset=1000").json()["objects"] == []


def test_it_gets_one_number(client, simulator):
    digits = first(simulator)

    number = client.numbers.get(digits)

    assert number.number == digits
    assert number.resource_uri == f"/v1/Account/MANUMBERDESKDEMO0001/Number/{digits}/"


def test_it_lists_applications(client, simulator):
    pages = [client.applications.list(limit=20, offset=offset) for offset in (0, 20)]

    listed = [application.app_id for page in pages for application in page.objects]
    assert listed == list(simulator.world.account().applications)
    assert client.applications.get(listed[0]).sip_uri == f"sip:{listed[0]}@app.plivo.com"


def test_it_filters_applications_by_subaccount(client, simulator):
    owner = next(app.subaccount for app in simulator.world.account().applications.values() if app.subaccount)

    found = client.applications.list(subaccount=owner).objects

    assert {application.sub_account for application in found} == {owner}


def test_it_shows_subaccounts_with_their_tokens(client, simulator):
    rows = client.subaccounts.list().objects

    assert [row.auth_id for row in rows] == list(simulator.world.account().subaccounts)
    assert all(len(row.auth_token) == 40 for row in rows)


def test_it_lists_campaigns_and_their_numbers(client, simulator):
    campaigns = client.campaign.list(limit=20, offset=0).campaigns
    linked = client.campaign.get_numbers(campaigns[0].campaign_id, limit=20, offset=0).phone_numbers

    assert [campaign.campaign_id for campaign in campaigns] == list(simulator.world.account().campaigns)
    assert {entry.number for entry in linked} == {
        number.digits for number in simulator.world.account() if number.campaign == campaigns[0].campaign_id
    }


def test_it_shows_one_campaign_number(client, simulator):
    number = next(number for number in simulator.world.account() if number.tendlc == "in_progress")

    shown = client.campaign.get_number(number.campaign, number.digits)

    assert (shown.phone_number.number, shown.phone_number.status) == (number.digits, "PROCESSING")


def test_it_lists_trunks_by_direction(plivo_http):
    directions = [
        [trunk["trunk_direction"] for trunk in plivo_http.get("Zentrunk/Trunk/", params=query).json()["objects"]]
        for query in ({}, {"trunk_direction": "outbound"})
    ]

    assert directions == [["inbound", "inbound", "outbound"], ["outbound"]]


def test_it_shows_the_account(client):
    account = client.account.get()

    assert (account.auth_id, account.billing_mode) == ("MANUMBERDESKDEMO0001", "prepaid")


def test_it_keeps_accounts_apart(simulator):
    with plivo_client(simulator, OTHER_PLIVO_AUTH_ID, OTHER_PLIVO_AUTH_TOKEN) as other:
        theirs = numbers_of(all_rows(other))

    assert len(theirs) == 5
    assert theirs.isdisjoint(number.digits for number in simulator.world.account())


def test_it_lets_a_subaccount_see_its_own_numbers(simulator):
    subaccount = next(sub for sub in simulator.world.account().subaccounts.values() if sub.enabled)
    own = {number.digits for number in simulator.world.account() if number.subaccount == subaccount.id}

    with plivo_client(simulator, subaccount.id, subaccount.token) as client:
        assert numbers_of(all_rows(client)) == own


def test_it_refuses_a_wrong_token(simulator):
    with plivo_client(simulator, auth_token="wrong") as client, pytest.raises(AuthenticationError):
        client.numbers.get("14155550100")


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic %%%", "Basic 4oI=", "Bearer stk_1"])
def test_it_answers_401_to_what_is_no_sign_in(plivo_http, authorization):
    answer = plivo_http.get("Number/", headers={"Authorization": authorization}, auth=None)

    assert answer.status_code == 401
    assert set(answer.json()) == {"api_id", "error"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Number", 404),
        ("GET", "Number/14155550199/", 404),
        ("GET", "Number/%2B14155550199/", 404),
        ("GET", "Nothing/", 404),
        ("GET", "Application/1/", 404),
        ("GET", "10dlc/Campaign/CNONE/Number/", 404),
        ("GET", "../MANOBODY00000000000X/Number/", 404),
        ("PUT", "Number/", 405),
        ("POST", "Subaccount/", 405),
    ],
)
def test_it_refuses_what_is_not_there(plivo_http, method, path, status):
    answer = plivo_http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"] == {404: "not found", 405: "method not allowed"}[status]


@pytest.mark.parametrize("simulator", [{"cursors": True}], indirect=True)
def test_it_can_page_by_cursor(plivo_http, simulator):
    path, seen = "Number/?limit=20", []
    while path:
        page = plivo_http.get(path).json()
        seen += [row["number"] for row in page["objects"]]
        path = (page["meta"]["next"] or "").rpartition("/v1/Account/MANUMBERDESKDEMO0001/")[2]
        assert "offset=" not in path

    assert seen == [number.digits for number in simulator.world.account()]


@pytest.mark.parametrize("simulator", [{"cursors": True}], indirect=True)
def test_it_stays_on_page_one_when_an_offset_rides_along_with_a_cursor(plivo_http):
    cursor = plivo_http.get("Number/").json()["meta"]["next"].rpartition("cursor=")[2]

    pinned = plivo_http.get(f"Number/?offset=0&cursor={cursor}").json()

    assert pinned["meta"]["offset"] == 0


@pytest.mark.parametrize("simulator", [{"cursors": True}], indirect=True)
def test_it_refuses_a_cursor_it_never_gave(plivo_http):
    assert plivo_http.get("Number/?cursor=abc").status_code == 400


@pytest.mark.parametrize("simulator", [{"rate_limit": True}], indirect=True)
def test_it_enforces_the_documented_rate_limit(plivo_http):
    statuses = [plivo_http.get("Number/?limit=1").status_code for _ in range(305)]

    assert statuses == [200] * 300 + [429] * 5
