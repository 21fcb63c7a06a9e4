"""The way from a number to the next one of the list it was opened from."""

import re
from decimal import Decimal
from urllib.parse import quote

import pytest
from django.http import QueryDict

from phone_numbers.filters import InventoryQuery, neighbours
from phone_numbers.filters.neighbours import find_place
from phone_numbers.filters.rows import list_numbers
from phone_numbers.filters.table import SORTS
from tests.phone_numbers.pages import words_in
from tests.phone_numbers.rows import make_account, make_application, make_number


@pytest.fixture
def numbers(db):
    """Twelve, with ties in every column, and with and without a price, a date and a route."""
    accounts = [make_account("One"), make_account("Two")]
    make_application(accounts[0], "111", "Support IVR")
    return [
        make_number(
            accounts[position % 2],
            f"+1415555010{position % 3}",
            remote_id=str(position),
            alias=f"alias {position % 4}",
            monthly_rate=None if position % 3 else Decimal(position % 2),
            currency="USD",
            renewal_date=None if position % 4 else f"2026-12-0{1 + position % 2}",
            voice_kind="application" if position % 3 == 1 else "",
            voice_target="111" if position % 3 == 1 else "",
            number_type="local" if position % 5 else "toll_free",
        )
        for position in range(12)
    ]


def query(text):
    return InventoryQuery.read(QueryDict(text), {})


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
@pytest.mark.parametrize("filters", ["", "&type=local"])
def test_it_walks_the_list_in_its_order_both_ways(numbers, sort, filters):
    asked = query(f"sort={sort}{filters}")
    listed = list(list_numbers(asked))
    places = [find_place(asked, number) for number in listed]
    pks = [number.pk for number in listed]
    assert [place.next for place in places] == [*pks[1:], None]
    assert [place.previous for place in places] == [None, *pks[:-1]]
    assert [(place.position, place.count) for place in places] == [(n, len(pks)) for n in range(1, len(pks) + 1)]


def test_it_goes_on_from_where_a_number_would_stand_that_is_not_in_the_list(numbers):
    outside = next(number for number in numbers if number.number_type == "toll_free")
    place = find_place(query("type=local"), outside)
    inside = [number.pk for number in list_numbers(query("type=local"))]
    assert not place.is_inside
    assert place.position is None
    assert {place.previous, place.next} <= {None, *inside}
    assert place.next or place.previous


def test_it_does_not_count_a_long_list(numbers, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST_COUNTED", 11)
    place = find_place(query(""), numbers[3])
    assert (place.position, place.count) == (None, None)
    assert place.next or place.previous


class TestPage:
    @pytest.fixture
    def show(self, client, operator):
        client.force_login(operator)

        def trail(number, kept=""):
            text = client.get(f"/numbers/{number.pk}/?from={quote(kept)}").content.decode()
            part = re.search(r'<nav class="number-trail".*?</nav>', text, re.DOTALL)[0]
            return words_in(part), re.findall(r'<a [^>]*href="([^"]*)"', part)

        return trail

    def test_it_says_where_in_the_list_the_number_is_and_leads_on(self, numbers, show):
        listed = list(list_numbers(query("type=toll_free&sort=-number")))
        words, links = show(listed[1], "type=toll_free&sort=-number")
        kept = "?from=type%3Dtoll_free%26sort%3D-number"
        assert words == "Numbers 2 of 3 in Toll-free Previous Next"
        assert links == [
            "/numbers/?type=toll_free&amp;sort=-number",
            f"/numbers/{listed[0].pk}/{kept}",
            f"/numbers/{listed[2].pk}/{kept}",
        ]

    def test_it_says_when_the_number_has_left_the_list(self, numbers, show):
        outside = next(number for number in numbers if number.number_type == "local")
        assert show(outside, "type=toll_free")[0].startswith("Numbers Not in Toll-free")

    @pytest.mark.parametrize("kept", ["colour=red", "https://evil.example/", "//evil.example", "type=\0", "page=x"])
    def test_it_leads_nowhere_but_to_our_own_list(self, numbers, show, kept):
        words, links = show(numbers[0], kept)
        assert "all numbers" in words
        assert all(re.fullmatch(r"/numbers/(\d+/)?", link) for link in links)

    def test_it_is_linked_from_the_list_with_the_lists_query(self, numbers, client, show):
        show(numbers[0])
        text = client.get("/numbers/?type=toll_free&sort=-number").content.decode()
        number = next(list_numbers(query("type=toll_free")))
        assert f'href="/numbers/{number.pk}/?from=type%3Dtoll_free%26sort%3D-number"' in text
