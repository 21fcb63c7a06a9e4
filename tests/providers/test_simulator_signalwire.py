"""SignalWire's own SDK against the simulator, and plain requests for what the SDK never sends."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from providers.simulator import (
    OTHER_SIGNALWIRE_PROJECT_ID,
    OTHER_SIGNALWIRE_TOKEN,
    SIGNALWIRE_NUMBERS_TOKEN,
    SIGNALWIRE_PROJECT_ID,
    SIGNALWIRE_TOKEN,
    Simulator,
)
from tests.providers.signalwire_client import SignalWireClient, call, signalwire_client
from tests.simulators import NUMBERS

NUMBERS_PATH = "/api/relay/rest/phone_numbers"
COMPAT = f"/api/laml/2010-04-01/Accounts/{SIGNALWIRE_PROJECT_ID}"
RELAY_HANDLERS = "context topic script application connector sip_endpoint verto_endpoint"
OTHER_HANDLERS = "laml_webhooks laml_application dialogflow video_room"
FABRIC_HANDLERS = "call_flow ai_agent fabric_subscriber sip_gateway call_queue"


@pytest.fixture
def client(simulator: Simulator) -> SignalWireClient:
    return signalwire_client(simulator)


@pytest.fixture
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with signed_in(simulator, SIGNALWIRE_TOKEN) as client:
        yield client


def signed_in(simulator: Simulator, token: str, project: str = SIGNALWIRE_PROJECT_ID) -> httpx.Client:
    return httpx.Client(base_url=f"{simulator.root}/signalwire/api", auth=(project, token))


def rows(http: httpx.Client, **filters: Any) -> list[dict[str, Any]]:
    return http.get(NUMBERS_PATH, params={"page_size": 1000, **filters}).json()["data"]


def one(http: httpx.Client, **wanted: Any) -> dict[str, Any]:
    return next(row for row in rows(http) if all(row[name] == value for name, value in wanted.items()))


def put(http: httpx.Client, row: dict[str, Any], **body: Any) -> httpx.Response:
    return http.put(f"{NUMBERS_PATH}/{row['id']}", json=body)


def details(response: httpx.Response) -> list[str]:
    assert response.status_code == 422
    return [error["detail"] for error in response.json()["errors"]]


def test_it_is_paged_by_the_official_client(client, simulator):
    (walked,) = client.ask(call("phone_numbers.paginate", page_size=20))

    numbers = [row["number"] for row in walked["value"]]
    assert numbers == [f"+{number.digits}" for number in simulator.world.account("signalwire")]
    assert simulator.requests.by_status == {200: 3}


def test_it_lists_and_gets_the_same_to_the_official_client(client, http):
    row = rows(http)[0]

    listed, got = client.ask(call("phone_numbers.list", page_size=1), call("phone_numbers.get", row["id"]))

    assert listed["value"]["data"] == [row]
    assert got["value"] == row


def test_it_is_updated_by_the_official_client(client, http, simulator):
    row = one(http, call_handler="laml_application")
    change = {"name": "Front desk", "call_handler": "relay_topic", "call_relay_topic": "office"}

    (updated,) = client.ask(call("phone_numbers.update", row["id"], **change))

    assert change.items() <= updated["value"].items()
    assert [entry.after["alias"] for entry in simulator.world.journal] == ["Front desk"]


def test_it_is_set_by_the_official_clients_own_shorthands(client, http):
    row = one(http, call_handler="laml_application")

    script, webhook = client.ask(
        call("phone_numbers.set_swml_webhook", row["id"], "https://swml.example/one"),
        call("phone_numbers.set_cxml_webhook", row["id"], "https://cxml.example/two"),
    )

    assert script["value"]["call_relay_script_url"] == "https://swml.example/one"
    assert webhook["value"]["call_handler"] == "laml_webhooks"
    assert webhook["value"]["call_request_url"] == "https://cxml.example/two"


def test_it_refuses_the_official_client_in_signalwires_words(client, http):
    row = rows(http)[0]

    gone, too_many, agent = client.ask(
        call("phone_numbers.get", row["id"][:-1] + "x"),
        call("phone_numbers.list", page_size=1001),
        call("phone_numbers.update", row["id"], call_handler="ai_agent"),
    )

    assert gone == {"status": 404, "body": {"error": "Not Found"}}
    assert too_many == {"status": 400, "body": {"error": "Bad Request"}}
    assert agent["status"] == 422
    assert agent["body"]["errors"][0]["title"] == "Invalid Attribute"


def test_it_shows_the_registry_to_the_official_client(client, simulator):
    account = simulator.world.account("signalwire")
    campaign = next(iter(account.campaigns.values()))

    brands, campaigns, assigned = client.ask(
        call("registry.brands.list"),
        call("registry.brands.list_campaigns", campaign.brand),
        call("registry.campaigns.list_numbers", campaign.id),
    )

    assert campaign.brand in [row["id"] for row in brands["value"]["data"]]
    assert campaign.id in [row["id"] for row in campaigns["value"]["data"]]
    expected = [f"+{number.digits}" for number in account if number.campaign == campaign.id]
    assert [row["phone_number"]["number"] for row in assigned["value"]["data"]] == expected


def test_it_opens_nothing_to_a_wrong_token(client):
    (refused,) = client.ask(call("phone_numbers.list"), token="PTwrong")

    assert refused == {"status": 401, "body": {"error": "Unauthorized"}}


def test_it_opens_only_what_the_scopes_of_a_token_allow(simulator):
    with signed_in(simulator, SIGNALWIRE_NUMBERS_TOKEN) as http:
        paths = (NUMBERS_PATH, f"{COMPAT}/IncomingPhoneNumbers", "/api/relay/rest/registry/beta/brands")
        statuses = [http.get(path).status_code for path in paths]
        applications = http.get(f"{COMPAT}/Applications")

    assert statuses == [200, 200, 401]
    assert applications.status_code == 401
    assert applications.json()["code"] == 20003


def test_it_keeps_projects_apart(simulator):
    with signed_in(simulator, OTHER_SIGNALWIRE_TOKEN, OTHER_SIGNALWIRE_PROJECT_ID) as http:
        other = {row["number"] for row in rows(http)}
        foreign = http.get(f"{COMPAT}/Applications")
    with signed_in(simulator, SIGNALWIRE_TOKEN) as http:
        own = {row["number"] for row in rows(http)}

    assert not own & other
    assert foreign.status_code == 404


def test_it_shows_every_handler_of_the_reference(http):
    handlers = {row["call_handler"] for row in rows(http)}

    relay = {f"relay_{name}" for name in RELAY_HANDLERS.split()}
    assert handlers == {*relay, *OTHER_HANDLERS.split(), *FABRIC_HANDLERS.split(), None}


def test_it_lists_newest_first(http):
    created = [row["created_at"] for row in rows(http)]

    assert created == sorted(created, reverse=True)


def test_it_names_the_next_page_relatively_and_leaves_it_out_at_the_end(http):
    first = http.get(NUMBERS_PATH, params={"page_size": 40}).json()["links"]
    last = http.get(first["next"]).json()["links"]

    assert first["next"].startswith(f"{NUMBERS_PATH}?page_number=1&page_size=40&page_token=PA")
    assert "next" not in last


def test_it_wants_the_token_of_a_further_page(http):
    refused = [http.get(NUMBERS_PATH, params={"page_number": 1, "page_token": token}) for token in ("", "PAx")]

    assert [response.status_code for response in refused] == [400, 400]


def test_it_neither_repeats_nor_skips_when_the_list_moves_between_pages(http, simulator):
    account = simulator.world.account("signalwire")
    expected = [row["id"] for row in rows(http)]
    first = http.get(NUMBERS_PATH, params={"page_size": 20}).json()
    simulator.world.add(account)
    simulator.world.remove(account, account.at(5).digits)

    second = http.get(first["links"]["next"]).json()

    assert [row["id"] for row in second["data"]] == expected[20:40]


@pytest.mark.parametrize("size", ["0", "1001", "many", "-1"])
def test_it_refuses_a_page_size_out_of_range(http, size):
    assert http.get(NUMBERS_PATH, params={"page_size": size}).status_code == 400


def test_it_filters_by_part_of_a_name_and_of_a_number(http):
    everything = rows(http)

    named, numbered = rows(http, filter_name="Support"), rows(http, filter_number="+1415")

    assert named == [row for row in everything if "Support" in (row["name"] or "")]
    assert numbered == [row for row in everything if row["number"].startswith("+1415")]
    assert named


def test_it_leaves_what_an_update_does_not_name(http):
    row = one(http, call_handler="laml_webhooks")

    changed = put(http, row, name="Night desk").json()

    assert {name for name in row if row[name] != changed[name]} == {"name"}


def test_it_keeps_the_target_of_the_handler_before(http):
    row = one(http, call_handler="laml_webhooks")

    changed = put(http, row, call_handler="relay_topic", call_relay_topic="office").json()

    assert changed["call_request_url"] == row["call_request_url"]
    assert changed["call_handler"] == "relay_topic"


def test_it_makes_a_resource_when_a_handler_is_set(http):
    row = one(http, call_handler="laml_application")

    changed = put(http, row, call_handler="relay_script", call_relay_script_url="https://swml.example/").json()

    assert row["calling_handler_resource_id"] is None
    assert changed["calling_handler_resource_id"]


def test_it_shows_a_messages_relay_application_as_its_topic(http):
    row = one(http, message_handler="laml_application")

    changed = put(http, row, message_handler="relay_application", message_relay_application="crm").json()

    assert changed["message_relay_topic"] == "crm"
    assert "message_relay_application" not in changed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"call_handler": "call_queue"}, "Call handler is not included in the list"),
        ({"message_handler": "relay_script"}, "Message handler is not included in the list"),
        ({"call_request_method": "PATCH"}, "Call request method is not included in the list"),
        ({"call_receive_mode": "telex"}, "Call receive mode is not included in the list"),
        ({"name": None}, "Name is invalid"),
        ({"call_request_url": "ftp://files.example"}, "Call request url is not a valid URL"),
        ({"call_handler": "relay_topic"}, "Call relay topic can't be blank"),
        (
            {"call_handler": "laml_application", "call_laml_application_id": "nobody"},
            "Call laml application id does not exist",
        ),
    ],
)
def test_it_refuses_what_the_reference_does_not_take(http, simulator, body, said):
    row = one(http, call_handler="relay_script")

    assert details(put(http, row, **body)) == [said]
    assert len(simulator.world.journal) == 0


def test_it_takes_json_only(http):
    row = rows(http)[0]

    form = http.put(f"{NUMBERS_PATH}/{row['id']}", data={"name": "Form"})
    broken = http.put(f"{NUMBERS_PATH}/{row['id']}", content=b"{", headers={"Content-Type": "application/json"})

    assert [form.status_code, broken.status_code] == [400, 400]


def test_it_releases_a_number_for_good(http, simulator):
    row = rows(http)[0]

    released = http.delete(f"{NUMBERS_PATH}/{row['id']}")

    assert released.status_code == 204
    assert http.get(f"{NUMBERS_PATH}/{row['id']}").status_code == 404
    assert len(rows(http)) == NUMBERS - 1


def test_it_pages_the_applications_of_the_compatibility_api(http, simulator):
    first = http.get(f"{COMPAT}/Applications.json", params={"PageSize": 20}).json()
    second = http.get(first["next_page_uri"]).json()

    listed = [row["sid"] for page in (first, second) for row in page["applications"]]
    assert listed == list(simulator.world.account("signalwire").applications)
    assert second["next_page_uri"] is None


def test_it_finds_nothing_at_other_paths(http):
    assert http.get("/api/relay/rest/phone_number").json() == {"error": "Not Found"}
    assert http.get(f"{COMPAT}/Calls").json()["status"] == 404
