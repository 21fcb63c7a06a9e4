"""Edits through Plivo's own client: what the simulator takes, refuses, applies and writes into its journal."""

from collections.abc import Iterator

import plivo
import pytest
from plivo.exceptions import ResourceNotFoundError, ValidationError

from providers.simulator import Simulator
from tests.providers.plivo_client import first, plivo_client
from tests.simulators import NUMBERS


@pytest.fixture
def client(simulator: Simulator) -> Iterator[plivo.RestClient]:
    with plivo_client(simulator) as client:
        yield client


def test_it_updates_what_is_asked_and_nothing_else(client, plivo_http, simulator):
    digits = first(simulator, tendlc="registered")
    before = plivo_http.get(f"Number/{digits}/").json()

    answer = client.numbers.update(digits, alias="Front desk & <café>")

    after = plivo_http.get(f"Number/{digits}/").json()
    assert answer.message == "changed"
    assert {name for name in before if before[name] != after[name]} == {"alias", "api_id"}
    assert after["alias"] == "Front desk & <café>"


def test_it_clears_alias_and_application_by_the_empty_string(client, simulator):
    digits = next(number.digits for number in simulator.world.account() if number.alias and number.voice)

    client.numbers.update(digits, alias="", app_id="")

    number = client.numbers.get(digits)
    assert not number.alias
    assert not number.application


def test_it_ignores_a_null(plivo_http, simulator):
    number = next(number for number in simulator.world.account() if number.voice)

    answer = plivo_http.post(f"Number/{number.digits}/", json={"app_id": None})

    assert answer.json()["message"] == "changed"
    assert simulator.world.account().held(number.digits) == number


@pytest.mark.parametrize("inbound", [True, False])
def test_it_routes_to_trunks_of_either_direction(client, simulator, inbound):
    trunk = next(trunk.id for trunk in simulator.world.account().trunks.values() if trunk.inbound is inbound)
    digits = first(simulator, country="US")

    client.numbers.update(digits, app_id=trunk)

    assert f"/Zentrunk/Trunk/{trunk}" in client.numbers.get(digits).application


def test_it_routes_to_an_application(client, simulator):
    application = list(simulator.world.account().applications)[-1]
    digits = first(simulator)

    client.numbers.update(digits, app_id=application)

    assert f"/Application/{application}" in client.numbers.get(digits).application


def test_it_moves_a_number_to_a_subaccount_and_back(client, simulator):
    subaccount = next(iter(simulator.world.account().subaccounts))
    digits = first(simulator, subaccount="")

    client.numbers.update(digits, subaccount=subaccount)
    moved = client.numbers.get(digits).sub_account
    client.numbers.update(digits, subaccount="")

    assert moved == subaccount
    assert client.numbers.get(digits).sub_account is None


def test_it_switches_cnam_lookup_in_the_us_only(client, simulator):
    american, british = first(simulator, country="US"), first(simulator, country="GB")

    client.numbers.update(american, cnam_lookup="enabled")

    assert client.numbers.get(american).cnam_lookup == "enabled"
    with pytest.raises(ValidationError, match="US numbers only"):
        client.numbers.update(british, cnam_lookup="enabled")


@pytest.mark.parametrize(
    "body",
    [
        {"app_id": "12345"},
        {"app_id": 12345},
        {"alias": ["x"]},
        {"subaccount": "SANOBODY000000000000"},
        {"cnam_lookup": "maybe"},
        {"caller_reputation": "enabled"},
        {"alias": "fine", "app_id": "12345"},
    ],
    ids=str,
)
def test_it_refuses_values_it_cannot_take_and_changes_nothing(plivo_http, simulator, body):
    answer = plivo_http.post(f"Number/{first(simulator, country='US')}/", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert len(simulator.world.journal) == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/x-www-form-urlencoded", "alias=x"), ("application/json", "{alias"), ("application/json", '["x"]')],
)
def test_it_refuses_bodies_that_are_not_json_objects(plivo_http, simulator, content_type, body):
    answer = plivo_http.post(f"Number/{first(simulator)}/", content=body, headers={"Content-Type": content_type})

    assert answer.status_code == 400
    assert set(answer.json()) == {"api_id", "error"}


def test_it_lets_a_number_go(client, simulator):
    digits = first(simulator)

    client.numbers.delete(digits)

    with pytest.raises(ResourceNotFoundError):
        client.numbers.get(digits)
    assert client.numbers.list().meta.total_count == NUMBERS - 1
    assert [(entry.method, entry.number, entry.after) for entry in simulator.world.journal] == [
        ("DELETE", digits, None)
    ]


def test_it_journals_what_changed(client, simulator):
    number = next(iter(simulator.world.account()))

    client.numbers.update(number.digits, alias="Renamed")

    (entry,) = simulator.world.journal
    assert (entry.account, entry.method, entry.number) == ("MANUMBERDESKDEMO0001", "POST", number.digits)
    assert entry.path == f"/v1/Account/MANUMBERDESKDEMO0001/Number/{number.digits}/"
    assert (entry.before, entry.after) == ({"alias": number.alias}, {"alias": "Renamed"})
