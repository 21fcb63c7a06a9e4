"""The tiles over the list: each counts exactly what its filter shows, and none that counts nothing is there."""

import random
import re

import pytest
from django.http import QueryDict

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.directory import current_edition
from phone_numbers.filters.facets import count_facets
from phone_numbers.filters.rows import list_numbers
from phone_numbers.filters.tiles import KINDS, find_tiles
from phone_numbers.models import PhoneNumber
from tests.phone_numbers.pages import PIECE, sign_in
from tests.phone_numbers.rows import make_account, make_change, make_number

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    return sign_in(client, "operator", is_staff=False)


@pytest.fixture
def inventory():
    chance, account = random.Random(3), make_account()
    for _ in range(120):
        voice, message = chance.choice(["", "application"]), chance.choice(["", "url"])
        make_number(
            account,
            alias=chance.choice(["Front desk", "Till"]),
            services=chance.choice(["voice", "voice sms", "sms mms", "fax", ""]),
            number_type=chance.choice(["local", "toll_free"]),
            country=chance.choice(["US", "CA"]),
            presence=chance.choice(["present", "present", "unconfirmed", "missing", "released"]),
            tendlc_status=chance.choice(["registered", "failed", "unregistered"]),
            voice_kind=voice,
            voice_target="1" if voice else "",
            message_kind=message,
            message_target="https://example.com/sms" if message else "",
        )


def read(text):
    return InventoryQuery.read(QueryDict(text), {})


@pytest.mark.parametrize("text", ["", "type=local", "q=desk", "q=desk&tendlc=failed&sort=-alias", "alias=Till"])
def test_it_counts_exactly_what_a_click_shows(inventory, text):
    tiles = find_tiles(read(text), current_edition())
    assert len(tiles) == len(KINDS)
    for tile in tiles:
        shown = read(text if tile.is_active else str(tile.query))
        assert shown.mistakes == ()
        counts = {tile.count, count_facets(shown, current_edition()).total, len(list(list_numbers(shown)))}
        assert (tile.kind.title, len(counts)) == (tile.kind.title, 1)


def test_it_leads_away_from_the_tile_that_is_on(inventory):
    (tile,) = [
        each for each in find_tiles(read("tendlc=failed&q=desk&sort=alias"), current_edition()) if each.is_active
    ]
    assert (tile.kind.title, str(tile.query)) == ("10DLC failed", "q=desk&sort=alias")


def test_it_shows_no_tile_that_counts_nothing(client, operator):
    account = make_account()
    routes = {"voice_kind": "application", "voice_target": "1", "message_kind": "application", "message_target": "1"}
    make_number(account, tendlc_status="registered", **routes)
    assert 'class="lookout"' not in client.get("/numbers/").content.decode()
    make_number(account, tendlc_status="failed", **routes)
    page = client.get("/numbers/").content.decode()
    assert re.findall(r'class="lookout" .*?href="(.*?)"', page) == ["/numbers/?tendlc=failed"]


def test_it_knows_of_a_change_of_the_inventory_at_once(client, operator):
    number = make_number(make_account(), tendlc_status="failed")
    assert ">1</strong> 10DLC failed" in client.get("/numbers/").content.decode()
    PhoneNumber.objects.filter(pk=number.pk).update(tendlc_status="registered")
    assert "10DLC failed" not in client.get("/numbers/").content.decode()


def test_it_counts_the_changes_under_way(client, operator):
    number = make_number(make_account())
    make_change(number, operator, state="confirmed")
    assert "under way" not in client.get("/numbers/").content.decode()
    make_change(number, operator)
    assert ">1</strong> change under way" in client.get("/numbers/").content.decode()


def test_it_shows_no_tiles_beside_a_mistake(client, operator):
    make_number(make_account(), tendlc_status="failed")
    assert 'class="lookout"' not in client.get("/numbers/?colour=red").content.decode()


def test_it_swaps_the_tiles_with_the_results(client, operator):
    make_number(make_account(), tendlc_status="failed")
    piece = client.get("/numbers/?q=zzz", headers=PIECE).content.decode()
    assert 'id="tiles"' in piece
    assert 'class="lookout"' not in piece
