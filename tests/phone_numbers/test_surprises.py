"""The field sentinel: fields and values nobody knows yet are counted by account, and shown."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from phone_numbers.models import Account, PhoneNumber, Surprise
from phone_numbers.services.surprises import LONGEST, MOST, Sentinel, example_of
from providers.contract import RemoteNumber
from providers.simulator import Simulator
from tests.phone_numbers.jobs import LIST, sync, written_tables
from tests.roles import make_user

Row = tuple[str, int, str]


def surprise(simulator: Simulator, field: str = "brand_new", value: Any = "shiny", **settings: Any) -> None:
    simulator.fault("extra_field", path=LIST, field=field, value=value, **{"times": 0, **settings})


def counted(account: Account) -> list[Row]:
    return list(account.surprises.order_by("name").values_list("name", "seen_count", "example"))


def remote(*surprises: str, payload: Mapping[str, Any] | None = None) -> RemoteNumber:
    return RemoteNumber(id="1", e164="+14155550100", surprises=surprises, payload=payload or {})


def test_it_counts_a_new_field_and_keeps_an_example(account: Account, simulator: Simulator) -> None:
    surprise(simulator, value={"deep": ["down"]})
    sync(account)
    assert counted(account) == [("brand_new", 45, '{"deep":["down"]}')]
    number = PhoneNumber.objects.select_related("payload").earliest("pk")
    assert number.payload.body["brand_new"] == {"deep": ["down"]}


def test_it_counts_a_new_word_in_a_known_field(account: Account, simulator: Simulator) -> None:
    surprise(simulator, "number_type", "satellite", times=1)
    sync(account)
    assert counted(account) == [("number_type=satellite", 20, "satellite")]


def test_it_has_nothing_to_say_of_what_it_knows(synced: Account) -> None:
    assert counted(synced) == []


def test_it_writes_nothing_while_the_counts_stay_the_same(account: Account, simulator: Simulator) -> None:
    surprise(simulator)
    sync(account)
    with written_tables() as tables:
        sync(account)
    assert "numbers_surprise" not in tables


def test_it_remembers_what_is_gone_and_since_when(account: Account, simulator: Simulator) -> None:
    surprise(simulator)
    sync(account)
    last_seen = account.fresh_at
    simulator.faults.clear()
    sync(account)
    gone = account.surprises.get()
    assert (gone.seen_count, gone.last_seen_at) == (0, last_seen)


def test_it_counts_again_what_has_come_back(account: Account, simulator: Simulator) -> None:
    surprise(simulator)
    sync(account)
    first_seen = account.surprises.get().first_seen_at
    simulator.faults.clear()
    sync(account)
    surprise(simulator, value="another", times=1)
    sync(account)
    back = account.surprises.get()
    assert (back.seen_count, back.example, back.last_seen_at, back.first_seen_at) == (20, "another", None, first_seen)


def test_it_believes_no_listing_that_broke_off(account: Account, simulator: Simulator) -> None:
    simulator.fault("html", path="offset=38", times=0)
    surprise(simulator)
    assert sync(account).state == "partial"
    assert counted(account) == []


def test_it_believes_no_listing_that_moved(account: Account, simulator: Simulator) -> None:
    simulator.fault("row_removed", path=rf"{LIST}.*offset=0")
    surprise(simulator)
    assert sync(account).state == "partial"
    assert counted(account) == []


def test_it_keeps_the_accounts_apart(account: Account, simulator: Simulator) -> None:
    other = Account.objects.create(name="Other", provider="plivo")
    Surprise.objects.create(account=other, name="brand_new", seen_count=7)
    surprise(simulator)
    sync(account)
    assert counted(other) == [("brand_new", 7, "")]


def test_it_does_not_grow_with_a_listing_full_of_surprises() -> None:
    sentinel = Sentinel()
    for position in range(50_000):
        sentinel.add([remote(f"field_{position}", "known")])
    assert (len(sentinel.counts), len(sentinel.examples)) == (MOST, MOST)
    assert sentinel.counts["known"] == 50_000


def test_it_keeps_no_more_rows_than_it_counts(account: Account, simulator: Simulator) -> None:
    Surprise.objects.bulk_create(
        Surprise(account=account, name=f"old_{position}", seen_count=1) for position in range(MOST)
    )
    surprise(simulator)
    sync(account)
    assert account.surprises.count() == MOST
    assert account.surprises.get(name="brand_new").seen_count == 45


@pytest.mark.parametrize(
    ("name", "payload", "example"),
    [
        ("plain", {"plain": "text"}, "text"),
        ("lower", {"LOWER": 5}, "5"),
        ("empty", {"empty": None}, ""),
        ("flag", {"flag": False}, "false"),
        ("trunk.inner", {"trunk": {"inner": [1]}}, "[1]"),
        ("not.there", {"not": "a row"}, ""),
        ("type=odd=word", {"type": "odd=word"}, "odd=word"),
        ("long", {"long": "x" * 500}, "x" * LONGEST),
    ],
)
def test_it_finds_an_example(name: str, payload: Mapping[str, Any], example: str) -> None:
    assert example_of(remote(name, payload=payload), name) == example


def test_it_cuts_a_name_to_its_column() -> None:
    sentinel = Sentinel()
    sentinel.add([remote("type=" + "x" * 500)])
    assert [len(name) for name in sentinel.counts] == [LONGEST]


@pytest.fixture
def page(db: None) -> Any:
    """The words of an account's page."""
    client = Client()
    client.force_login(make_user("viewer"))
    return lambda account: client.get(f"/accounts/{account.pk}/").content.decode()


def test_it_shows_them_on_the_accounts_page(account: Account, simulator: Simulator, page: Any) -> None:
    surprise(simulator, value="<b>shiny</b>")
    sync(account)
    shown = page(account)
    assert "Fields and values Numberdesk does not know yet" in shown
    assert "<code>brand_new</code>" in shown
    assert "&lt;b&gt;shiny&lt;/b&gt;" in shown
    assert "in the last sync" in shown


def test_it_shows_nothing_where_there_is_nothing(synced: Account, page: Any) -> None:
    assert "does not know yet" not in page(synced)
