"""Twilio's own client against the simulator, and with bare requests what that client would never send."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import httpx
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from providers.simulator import (
    OTHER_TWILIO_ACCOUNT_SID,
    OTHER_TWILIO_AUTH_TOKEN,
    TWILIO_ACCOUNT_SID,
    TWILIO_AUTH_TOKEN,
    TWILIO_KEY_SECRET,
    TWILIO_KEY_SID,
    Simulator,
)
from providers.simulator.numbers import Number
from providers.simulator.world import Account
from tests.providers.twilio_client import twilio_client
from tests.simulators import NUMBERS

ACCOUNT = f"/2010-04-01/Accounts/{TWILIO_ACCOUNT_SID}"
NUMBERS_PATH = f"{ACCOUNT}/IncomingPhoneNumbers.json"
TRUNK_NUMBER_FIELDS = frozenset(
    field
    for line in (
        "account_sid address_requirements api_version beta capabilities date_created date_updated friendly_name links",
        "phone_number sid sms_application_sid sms_fallback_method sms_fallback_url sms_method sms_url status_callback",
        "status_callback_method trunk_sid url voice_application_sid voice_caller_id_lookup voice_fallback_method",
        "voice_fallback_url voice_method voice_url",
    )
    for field in line.split()
)


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    with twilio_client(simulator) as client:
        yield client


@pytest.fixture
def account(simulator: Simulator) -> Account:
    return simulator.world.account("twilio")


def bare(simulator: Simulator, host: str = "api") -> httpx.Client:
    return httpx.Client(base_url=f"{simulator.root}/twilio/{host}", auth=(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN))


def refused(status: int, code: int) -> "AbstractContextManager[pytest.ExceptionInfo[TwilioRestException]]":
    return pytest.raises(TwilioRestException, check=lambda error: (error.status, error.code) == (status, code))


def sid_where(client: Client, account: Account, **wanted: object) -> str:
    return client.incoming_phone_numbers.list(phone_number=f"+{where(account, **wanted).digits}")[0].sid


def where(account: Account, **wanted: object) -> Number:
    return next(number for number in account if all(getattr(number, name) == value for name, value in wanted.items()))


def test_it_lists_every_number_once(client, account):
    listed = [number.phone_number for number in client.incoming_phone_numbers.stream(page_size=10)]

    assert listed == [f"+{number.digits}" for number in account]


def test_it_pages_as_the_client_asks(client, simulator):
    first = client.incoming_phone_numbers.page(page_size=40)
    second = first.next_page()

    assert len(list(first)) + len(list(second)) == NUMBERS
    assert second.next_page() is None
    assert simulator.requests.by_status == {200: 2}


def test_it_gives_fifty_rows_when_not_told_how_many(simulator):
    with bare(simulator) as http:
        assert http.get(NUMBERS_PATH).json()["page_size"] == 50


def test_it_links_relatively_in_v2010_and_absolutely_elsewhere(simulator, account):
    with bare(simulator) as api, bare(simulator, "trunking") as trunking:
        relative = api.get(NUMBERS_PATH, params={"PageSize": 2}).json()["next_page_uri"]
        absolute = trunking.get("/v1/Trunks", params={"PageSize": 2}).json()["meta"]["next_page_url"]

    assert relative.startswith(f"{NUMBERS_PATH}?")
    assert absolute.startswith("https://trunking.twilio.com/v1/Trunks?")


def test_it_keeps_its_place_when_numbers_go_between_pages(client, simulator, account):
    expected = {f"+{number.digits}" for number in account}
    first = client.incoming_phone_numbers.page(page_size=20)
    seen = [number.phone_number for number in first]
    simulator.world.remove(account, account.at(3).digits)

    seen += [number.phone_number for number in first.next_page()]
    assert set(seen) < expected
    assert len(seen) == len(set(seen)) == 40


@pytest.mark.parametrize("size", ["1001", "0", "-1", "many"])
def test_it_refuses_other_page_sizes(simulator, size):
    with bare(simulator) as http:
        answer = http.get(NUMBERS_PATH, params={"PageSize": size})

    assert answer.status_code == 400
    assert answer.json()["code"] == (20007 if size == "1001" else 20001)


def test_it_refuses_a_made_up_page_token(simulator):
    with bare(simulator) as http:
        assert http.get(NUMBERS_PATH, params={"PageToken": "2"}).status_code == 400


def test_it_fetches_what_it_lists(client):
    listed = client.incoming_phone_numbers.list(limit=30)

    for number in listed:
        fetched = client.incoming_phone_numbers(number.sid).fetch()
        assert {name: value for name, value in vars(fetched).items() if name[0] != "_"} == {
            name: value for name, value in vars(number).items() if name[0] != "_"
        }


def test_it_writes_each_apis_dates_so_that_the_client_reads_them(client, account):
    number = client.incoming_phone_numbers.list(limit=1)[0]
    on_trunk = client.trunking.v1.trunks(where_trunk(account)).phone_numbers.list(limit=1)[0]

    assert number.date_created.date() == account.at(0).added_on
    assert on_trunk.date_created.date() == account.find(on_trunk.phone_number[1:]).added_on


@pytest.mark.parametrize(
    ("lists", "types"),
    [("local", {"local", "fixed", "national"}), ("mobile", {"mobile"}), ("toll_free", {"toll_free"})],
)
def test_it_lists_by_type(client, account, lists, types):
    listed = {number.phone_number for number in getattr(client.incoming_phone_numbers, lists).list()}

    assert listed == {f"+{number.digits}" for number in account if number.number_type in types}


def test_it_filters_by_name_number_and_origin(client):
    wanted, *others = client.incoming_phone_numbers.list()
    same_name = [number.sid for number in (wanted, *others) if number.friendly_name == wanted.friendly_name]

    assert [n.sid for n in client.incoming_phone_numbers.list(friendly_name=wanted.friendly_name)] == same_name
    assert [n.sid for n in client.incoming_phone_numbers.list(phone_number=wanted.phone_number)] == [wanted.sid]
    assert {n.sid for n in client.incoming_phone_numbers.list(phone_number="+1415*")} == {
        n.sid for n in (wanted, *others) if "1415" in n.phone_number
    }
    assert all(number.origin == "hosted" for number in client.incoming_phone_numbers.list(origin="hosted"))


def test_it_changes_only_what_is_sent(client, simulator, account):
    before = client.incoming_phone_numbers.list(limit=1)[0]

    after = client.incoming_phone_numbers(before.sid).update(friendly_name="Front desk – Zürich & Söhne")

    assert after.friendly_name == "Front desk – Zürich & Söhne"
    assert (after.voice_url, after.sms_url, after.trunk_sid) == (before.voice_url, before.sms_url, before.trunk_sid)
    (entry,) = simulator.world.journal
    assert (entry.account, entry.after) == (account.id, {"alias": "Front desk – Zürich & Söhne"})


def test_it_clears_with_an_empty_parameter_and_leaves_a_missing_one(client):
    sid = client.incoming_phone_numbers.list(limit=1)[0].sid
    client.incoming_phone_numbers(sid).update(voice_url="https://a.example/voice", sms_url="https://a.example/sms")

    cleared = client.incoming_phone_numbers(sid).update(voice_url="")

    assert not cleared.voice_url
    assert cleared.sms_url == "https://a.example/sms"


def test_it_deletes_the_application_when_a_trunk_is_set_and_the_other_way_round(client, account):
    sid = client.incoming_phone_numbers.list(limit=1)[0].sid
    trunk, application = next(iter(account.trunks)), next(iter(account.applications))

    on_trunk = client.incoming_phone_numbers(sid).update(trunk_sid=trunk)
    with_application = client.incoming_phone_numbers(sid).update(voice_application_sid=application)

    assert (on_trunk.trunk_sid, on_trunk.voice_application_sid or "") == (trunk, "")
    assert (with_application.voice_application_sid, with_application.trunk_sid or "") == (application, "")


def test_it_attaches_to_a_trunk_and_detaches_without_releasing(client, simulator, account):
    sid = sid_where(client, account, voice="")
    numbers = client.trunking.v1.trunks(next(iter(account.trunks))).phone_numbers

    attached = numbers.create(phone_number_sid=sid)
    assert numbers(sid).fetch().trunk_sid == attached.trunk_sid
    assert numbers(sid).delete()

    assert sid not in {number.sid for number in numbers.list()}
    assert client.incoming_phone_numbers(sid).fetch().sid == sid
    assert [entry.method for entry in simulator.world.journal] == ["POST", "DELETE"]


def test_it_lists_the_numbers_of_a_trunk(client, account):
    trunk = next(iter(account.trunks))

    listed = client.trunking.v1.trunks(trunk).phone_numbers.list(page_size=2)

    assert {number.phone_number for number in listed} == {
        f"+{number.digits}" for number in account if number.voice == f"trunk:{trunk}"
    }


def test_it_writes_a_trunk_number_with_every_field_of_the_reference(simulator, account):
    with bare(simulator, "trunking") as http:
        rows = http.get(f"/v1/Trunks/{where_trunk(account)}/PhoneNumbers").json()["phone_numbers"]

    assert {frozenset(row) for row in rows} == {TRUNK_NUMBER_FIELDS}


def where_trunk(account: Account) -> str:
    return next(number.voice for number in account if number.voice.startswith("trunk:")).partition(":")[2]


def test_it_shows_trunks_and_applications(client, account):
    trunks, applications = client.trunking.v1.trunks.list(), client.applications.list(page_size=7)

    assert {trunk.sid: trunk.friendly_name for trunk in trunks} == {t.id: t.name for t in account.trunks.values()}
    assert [application.sid for application in applications] == list(account.applications)
    assert client.trunking.v1.trunks(trunks[0].sid).fetch().domain_name == trunks[0].domain_name
    assert client.applications(applications[0].sid).fetch().voice_url == applications[0].voice_url
    assert [a.sid for a in client.applications.list(friendly_name=applications[5].friendly_name)] == [
        applications[5].sid
    ]


def test_it_lists_accounts_with_their_tokens(client):
    accounts = client.api.v2010.accounts.list()

    assert [account.status for account in accounts] == ["active", "active", "closed"]
    assert {account.owner_account_sid for account in accounts} == {TWILIO_ACCOUNT_SID}
    assert accounts[0].auth_token == TWILIO_AUTH_TOKEN
    assert [account.sid for account in client.api.v2010.accounts.list(status="closed")] == [accounts[2].sid]


def test_it_walks_from_services_to_campaigns_and_numbers(client, account):
    services = client.messaging.v1.services.list()

    campaigns = {service.sid: service.us_app_to_person.list() for service in services}
    members = {number.phone_number for service in services for number in service.phone_numbers.list(page_size=3)}

    statuses = [campaign.campaign_status for found in campaigns.values() for campaign in found]
    assert statuses == ["VERIFIED", "VERIFIED", "IN_PROGRESS", "FAILED"]
    assert members == {f"+{number.digits}" for number in account if number.campaign}
    assert [service.use_inbound_webhook_on_number for service in services] == [False, True, False, False, False]


def test_it_writes_capabilities_of_service_numbers_as_a_list(client):
    numbers = [number for service in client.messaging.v1.services.list() for number in service.phone_numbers.list()]

    assert {word for number in numbers for word in number.capabilities} == {"Voice", "SMS", "MMS"}


def test_it_lists_toll_free_verifications(client):
    found = client.messaging.v1.tollfree_verifications.list()
    one = found[0]

    assert {verification.status for verification in found} <= {
        "PENDING_REVIEW", "IN_REVIEW", "TWILIO_APPROVED", "TWILIO_REJECTED",
    }  # fmt: skip
    listed = client.messaging.v1.tollfree_verifications.list(tollfree_phone_number_sid=one.tollfree_phone_number_sid)
    assert [verification.sid for verification in listed] == [one.sid]


@pytest.mark.parametrize(
    ("code", "edit"),
    [
        (20002, {"friendly_name": "x" * 65}),
        (20002, {"friendly_name": ""}),
        (22108, {"voice_application_sid": "AP" + "0" * 32}),
        (22108, {"sms_application_sid": "AP" + "0" * 32}),
        (20001, {"trunk_sid": "TK" + "0" * 32}),
        (20001, {"voice_method": "PATCH"}),
        (20001, {"voice_receive_mode": "telex"}),
        (20001, {"voice_url": "ftp://a.example"}),
    ],
)
def test_it_refuses_an_update(client, simulator, code, edit):
    sid = client.incoming_phone_numbers.list(limit=1)[0].sid

    with refused(400, code):
        client.incoming_phone_numbers(sid).update(**edit)
    assert not list(simulator.world.journal)


def test_it_knows_nothing_of_other_sids(client):
    with refused(404, 20404):
        client.incoming_phone_numbers("PN" + "0" * 32).fetch()
    with refused(404, 20404):
        client.trunking.v1.trunks("TK" + "0" * 32).phone_numbers.create(phone_number_sid="PN" + "0" * 32)
    with refused(404, 20404):
        client.messaging.v1.services("MG" + "0" * 32).phone_numbers("PN" + "0" * 32).fetch()


def test_it_refuses_a_number_that_is_not_on_the_trunk(client, account):
    sid = sid_where(client, account, voice="")

    with refused(404, 20404):
        client.trunking.v1.trunks(next(iter(account.trunks))).phone_numbers(sid).delete()


def test_it_refuses_a_wrong_token(simulator):
    with twilio_client(simulator, password="wrong") as client, refused(401, 20003):
        client.api.v2010.accounts(TWILIO_ACCOUNT_SID).fetch()


def test_it_refuses_lists_as_the_client_reports_them(simulator):
    with twilio_client(simulator, password="wrong") as client, pytest.raises(TwilioException) as caught:
        client.incoming_phone_numbers.list()

    assert caught.value.args[1].status_code == 401


def test_it_opens_all_but_accounts_to_a_standard_key(simulator):
    with twilio_client(simulator, TWILIO_KEY_SID, TWILIO_KEY_SECRET) as client:
        assert len(client.incoming_phone_numbers.list()) == NUMBERS
        with refused(401, 20003):
            client.api.v2010.accounts(TWILIO_ACCOUNT_SID).fetch()


def test_it_keeps_accounts_apart(simulator):
    other = simulator.world.accounts["twilio", OTHER_TWILIO_ACCOUNT_SID]

    with twilio_client(
        simulator, OTHER_TWILIO_ACCOUNT_SID, OTHER_TWILIO_AUTH_TOKEN, OTHER_TWILIO_ACCOUNT_SID
    ) as client:
        assert {trunk.sid for trunk in client.trunking.v1.trunks.list()} == set(other.trunks)
        assert len(client.incoming_phone_numbers.list()) == len(other)
        with refused(401, 20003):
            client.api.v2010.accounts(TWILIO_ACCOUNT_SID).fetch()


def test_it_opens_a_subaccounts_numbers_to_the_main_token(simulator):
    other = simulator.world.accounts["twilio", OTHER_TWILIO_ACCOUNT_SID]

    with twilio_client(simulator, account_sid=OTHER_TWILIO_ACCOUNT_SID) as client:
        assert len(client.incoming_phone_numbers.list()) == len(other)


def test_it_answers_xml_without_the_json_ending(simulator):
    with bare(simulator) as http:
        answer = http.get(NUMBERS_PATH.removesuffix(".json"))

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")


def test_it_refuses_bodies_that_are_no_forms(client, simulator):
    sid = client.incoming_phone_numbers.list(limit=1)[0].sid

    with bare(simulator) as http:
        answer = http.post(f"{ACCOUNT}/IncomingPhoneNumbers/{sid}.json", json={"FriendlyName": "Front desk"})

    assert (answer.status_code, answer.json()["status"]) == (415, 415)


def test_it_refuses_a_method_it_does_not_know(simulator):
    with bare(simulator) as http:
        assert http.delete(NUMBERS_PATH).json()["code"] == 20004


def test_it_releases_a_number_for_whoever_asks(client, simulator, account):
    sid = client.incoming_phone_numbers.list(limit=1)[0].sid

    assert client.incoming_phone_numbers(sid).delete()

    assert len(account) == NUMBERS - 1
    assert simulator.world.journal[0].after is None
