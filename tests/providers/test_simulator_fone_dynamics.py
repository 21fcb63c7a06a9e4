"""The simulated Fone Dynamics, request by request: it has no client library for numbers that could judge it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from providers.simulator import (
    FONE_DYNAMICS_ACCOUNT_SID,
    FONE_DYNAMICS_TOKEN,
    OTHER_FONE_DYNAMICS_ACCOUNT_SID,
    OTHER_FONE_DYNAMICS_TOKEN,
    Simulator,
)
from tests.simulators import NUMBERS

NUMBERS_PATH = f"/v2/Accounts/{FONE_DYNAMICS_ACCOUNT_SID}/Numbers"


@pytest.fixture
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with signed_in(simulator, FONE_DYNAMICS_ACCOUNT_SID, FONE_DYNAMICS_TOKEN) as client:
        yield client


def signed_in(simulator: Simulator, account_sid: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=f"{simulator.root}/fone_dynamics/api", auth=(account_sid, token))


def rows(http: httpx.Client, path: str = NUMBERS_PATH, **asked: Any) -> list[dict[str, Any]]:
    return http.get(path, params=asked).json()["Numbers"]


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["ResponseStatus"]["ErrorCode"]


def configure(http: httpx.Client, row: dict[str, Any], **body: Any) -> httpx.Response:
    return http.post(f"/v2/Numbers/{row['Number'].removeprefix('+')}", json=body)


def a_voice_number(http: httpx.Client) -> dict[str, Any]:
    return next(row for row in rows(http) if row.get("RoutingMethod") == "Endpoint")


def test_it_lists_every_number_of_the_account_once(http):
    numbers = [row["Number"] for row in rows(http)]

    assert len(set(numbers)) == len(numbers) == NUMBERS


@pytest.mark.parametrize("simulator", [{"numbers": 250}], indirect=True)
def test_it_gives_two_hundred_at_a_time_and_skips_as_asked(http):
    first, rest = rows(http), rows(http, Results_Skip=200)

    assert [len(first), len(rest)] == [200, 50]
    assert not {row["Number"] for row in first} & {row["Number"] for row in rest}


@pytest.mark.parametrize(
    "asked",
    [{"Results_Count": 201}, {"Results_Count": 0}, {"Results_Skip": "x"}, {"Type": "Fax"}, {"Capabilites": "voice"}],
)
def test_it_refuses_what_the_reference_does_not_take(http, asked):
    assert refusal(http.get(NUMBERS_PATH, params=asked)) == (400, "PARAMETER_INVALID")


def test_it_filters_by_type_and_by_the_parameter_the_reference_misspells(http):
    everything = rows(http)

    toll_free = rows(http, Type="Toll-Free,Shared-Rate")
    texting = rows(http, Capabilites="SMS,MMS")
    misspelt = rows(http, Capabilities="SMS")

    assert toll_free == [row for row in everything if row["Type"] in ("Toll-Free", "Shared-Rate")]
    assert texting == [row for row in everything if "MS" in row["Capabilities"]]
    assert misspelt == everything


def test_it_leaves_out_what_is_empty(http):
    assert all(value for row in rows(http) for value in row.values())


def test_it_gets_a_number_as_it_lists_it(http):
    row = rows(http)[3]

    got = http.get(f"/v2/Numbers/{row['Number'].removeprefix('+')}").json()

    assert got == {"Number": row}


def test_it_knows_numbers_without_their_plus_only(http):
    row = rows(http)[0]

    assert refusal(http.get(f"/v2/Numbers/{row['Number']}")) == (400, "NUMBER_NOT_FOUND")


def test_it_divides_an_account_into_properties(http):
    properties = http.get("/v2/Properties").json()["Projects"]

    listed = [rows(http, f"/v2/Properties/{each['PropertySid']}/Numbers") for each in properties]

    assert len(properties) == 2
    assert sum(map(len, listed)) == NUMBERS
    assert all(row["PropertySid"] == properties[0]["PropertySid"] for row in listed[0])


def test_it_shows_one_property(http):
    first = http.get("/v2/Properties").json()["Projects"][0]

    assert http.get(f"/v2/Properties/{first['PropertySid']}").json() == {"Project": first}
    assert refusal(http.get("/v2/Properties/S0")) == (400, "PROPERTY_NOT_FOUND")


def test_it_configures_what_is_named_and_nothing_else(http, simulator):
    row = a_voice_number(http)

    configured = configure(http, row, Friendly="Night desk", EndpointNumber="+61255500001").json()["Number"]

    changed = {name for name in row | configured if row.get(name) != configured.get(name)}
    assert changed == {"Friendly", "EndpointNumber"}
    assert [entry.after for entry in simulator.world.journal] == [
        {"alias": "Night desk", "voice": "endpoint:+61255500001"}
    ]


def test_it_clears_a_text_by_an_empty_one(http):
    row = a_voice_number(http)

    configured = configure(http, row, Friendly="", Attribution_Source="").json()["Number"]

    assert configured.keys() & {"Friendly", "Attribution_Source"} == set()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"RoutingMethod": "Voicemail"}, "PARAMETER_INVALID"),
        ({"RoutingMethod": "Flow"}, "PARAMETER_REQUIRED"),
        ({"EndpointNumber": "0255500001"}, "PARAMETER_INVALID"),
        ({"Recording": "Maybe"}, "PARAMETER_INVALID"),
        ({"Friendly": 5}, "PARAMETER_INVALID"),
    ],
)
def test_it_refuses_a_configuration_that_makes_no_sense(http, simulator, body, code):
    assert refusal(configure(http, a_voice_number(http), **body)) == (400, code)
    assert len(simulator.world.journal) == 0


def test_it_routes_no_calls_of_a_number_that_takes_none(http):
    row = next(row for row in rows(http) if row["Capabilities"] == "SMS")

    refused = configure(http, row, RoutingMethod="Endpoint", EndpointNumber="+61255500001")

    assert refusal(refused) == (400, "CONFLICTING_PARAMETERS")


def test_it_takes_json_only(http):
    row = rows(http)[0]

    refused = http.post(f"/v2/Numbers/{row['Number'].removeprefix('+')}", data={"Friendly": "Form"})

    assert refusal(refused) == (400, "BAD_REQUEST")


def test_it_opens_nothing_to_wrong_credentials(simulator):
    with signed_in(simulator, FONE_DYNAMICS_ACCOUNT_SID, "wrong") as http:
        assert refusal(http.get(NUMBERS_PATH)) == (401, "UNAUTHORIZED")


def test_it_keeps_accounts_apart(simulator, http):
    with signed_in(simulator, OTHER_FONE_DYNAMICS_ACCOUNT_SID, OTHER_FONE_DYNAMICS_TOKEN) as other:
        assert refusal(other.get(NUMBERS_PATH)) == (403, "FORBIDDEN")
        own = rows(other, f"/v2/Accounts/{OTHER_FONE_DYNAMICS_ACCOUNT_SID}/Numbers")

    assert not {row["Number"] for row in own} & {row["Number"] for row in rows(http)}


def test_it_has_no_way_to_give_a_number_back(http):
    row = rows(http)[0]

    assert http.delete(f"/v2/Numbers/{row['Number'].removeprefix('+')}").status_code == 400
