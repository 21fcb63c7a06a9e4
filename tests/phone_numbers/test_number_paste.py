"""Pasted lines in any spelling: found, not found, could be several, not a number."""

import datetime as dt

import pytest
from django.utils import timezone

from phone_numbers.filters.pasted import match_pasted
from phone_numbers.models import NumberList
from tests.phone_numbers.pages import sign_in
from tests.phone_numbers.rows import make_account, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def main():
    return make_account("Main")


@pytest.mark.parametrize(
    "line",
    [
        "+14155550100",
        "+1 (415) 555-0100",
        "001 415 555 0100",
        "1-415-555-0100",
        "(415) 555-0100",
        "415.555.0100",
        "  4155550100;Front desk",
        "Front desk: +1 415 555 0100",
        "415\u00a0555\u20110100",
        "\u202a+1 415-555-0100\u202c",
        "+14155550100\t12.50\t2026",
        "4155550100\t4155550177",
        "4155550100 4155550177",
        "415-555-0100 / 415-555-0177",
        "+1 415 555 0100 ext. 12",
        "+14155550100x123",
        "tel:+1-415-555-0100;ext=9",
        "011 1 415 555 0100",
        "＋１４１５５５５０１００",
        "+١٤١٥٥٥٥٠١٠٠",
        '="+14155550100"',
    ],
)
def test_it_finds_a_number_in_any_spelling(main, line):
    number = make_number(main, "+14155550100")
    make_number(main, "+442079460018", country="GB")
    assert match_pasted(line).found == (number.pk,)


@pytest.mark.parametrize("line", ["020 7946 0018", "+44 (0)20 7946 0018", "0044 20 79460018"])
def test_it_takes_a_national_number_of_any_country_there_is(main, line):
    make_number(main, "+14155550100")
    number = make_number(main, "+442079460018", country="GB")
    assert match_pasted(line).found == (number.pk,)


def test_it_sorts_out_what_leads_to_no_one_number(main):
    first = make_number(main, "+14155550100")
    second = make_number(make_account("Other"), "+14155550100", remote_id="other")
    once = make_number(main, "+14155550101")
    pasted = match_pasted("+14155550101\n\nhello\n415 555 0101\n+14155550199\n(415) 555-0100\n12345")
    assert (pasted.found, pasted.repeated) == ((once.pk,), 1)
    assert [line.number for line in pasted.unreadable] == [3, 7]
    assert [line.number for line in pasted.not_found] == [5]
    assert [(line.number, line.options) for line in pasted.ambiguous] == [
        (6, ((first.pk, "+14155550100 (Main)"), (second.pk, "+14155550100 (Other)")))
    ]


def test_it_does_not_find_released_numbers(main):
    make_number(main, "+14155550100", presence="released")
    assert match_pasted("+14155550100").found == ()


def test_it_asks_as_little_for_10000_lines_as_for_one(main, django_assert_max_num_queries):
    number = make_number(main, "+14155550100")
    lines = "\n".join(f"+1415777{n:04d}" for n in range(9_999))
    with django_assert_max_num_queries(4):
        pasted = match_pasted(f"{lines}\n+1 415 555 0100")
    assert (pasted.found, len(pasted.not_found)) == ((number.pk,), 9_999)


@pytest.mark.parametrize(("text", "word"), [("", "nothing"), (" \n ", "nothing"), ("1\n" * 10_001, "10,001 lines")])
def test_it_refuses_nothing_and_too_much(main, text, word):
    with pytest.raises(ValueError, match=word):
        match_pasted(text)


class TestPages:
    @pytest.fixture
    def viewer(self, client):
        return sign_in(client, "viewer", is_staff=False)

    def test_it_leads_from_pasted_text_to_the_list(self, client, viewer, main):
        make_number(main, "+14155550100")
        make_number(main, "+14155550101")
        answer = client.post("/numbers/paste/", {"text": "415 555 0100\n<b>nonsense</b>"}, follow=True)
        text = answer.content.decode()
        assert "1 number found" in text
        assert "&lt;b&gt;nonsense" in text
        page = client.get(f"/numbers/?list={NumberList.objects.get().pk}").content.decode()
        assert page.count("data-copy=") == 1
        assert "pasted numbers" in page

    def test_it_leads_to_each_number_that_a_line_could_mean(self, client, viewer, main):
        twice = [make_number(each, "+14155550100") for each in (main, make_account("Other"))]
        page = client.post("/numbers/paste/", {"text": "415 555 0100"}, follow=True).content.decode()
        assert all(f'href="/numbers/{number.pk}/"' in page for number in twice)

    def test_it_tells_of_100000_lines_that_they_are_too_many(self, client, viewer):
        text = "+1 415 555 0100 something of forty characters\n" * 100_000
        page = client.post("/numbers/paste/", {"text": text})
        assert (page.status_code, "100,000 lines are too many" in page.content.decode()) == (422, True)

    def test_it_says_what_is_wrong_and_keeps_what_was_typed(self, client, viewer):
        answer = client.post("/numbers/paste/", {"text": "1\n" * 10_001})
        assert (answer.status_code, "10,001 lines" in answer.content.decode()) == (422, True)

    def test_it_takes_no_notice_of_what_no_database_keeps(self, client, viewer, main):
        page = client.post("/numbers/paste/", {"text": "no\0 number"}, follow=True)
        assert (page.status_code, "no number" in page.content.decode()) == (200, True)

    def test_it_forgets_a_list_after_a_week(self, client, viewer, main):
        make_number(main, "+14155550100")
        client.post("/numbers/paste/", {"text": "+14155550100"})
        (kept,) = NumberList.objects.all()
        NumberList.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
        page = client.get(f"/numbers/?list={kept.pk}")
        assert (page.status_code, "data-copy" in page.content.decode()) == (422, False)
        client.post("/numbers/paste/", {"text": "+14155550100"})
        assert kept not in NumberList.objects.all()

    def test_it_shows_what_was_pasted_to_nobody_else(self, client, viewer, main):
        client.post("/numbers/paste/", {"text": "hello"})
        address = f"/numbers/paste/{NumberList.objects.get().pk}/"
        assert client.get(address).status_code == 200
        client.force_login(make_user("operator", username="other"))
        assert client.get(address).status_code == 404
