"""What answers of htmx bring along for elsewhere in the page: it has its place there, and is nothing that gets lost."""

import re

import pytest

from phone_numbers.models import SyncRun
from tests.phone_numbers.pages import PIECE, sign_in, text_of
from tests.phone_numbers.rows import make_account, make_application, make_change, make_number

pytestmark = pytest.mark.django_db

BESIDE = re.compile(r"<(\w+)([^>]*\shx-swap-oob=[^>]*)>")
ID = re.compile(r'\sid="([^"]+)"')


@pytest.fixture
def number(client):
    user = sign_in(client, "operator", username="olga")
    account = make_account()
    make_application(account)
    number = make_number(account, alias="Main")
    make_change(number, user)
    SyncRun.objects.create(account=account, state=SyncRun.State.RUNNING)
    return number


@pytest.mark.parametrize(
    ("page", "piece", "form"),
    [
        ("/numbers/", "/numbers/?type=local", None),
        ("/numbers/", "/numbers/?q=nothing-has-this", None),
        ("/numbers/", "/numbers/?colour=red", None),
        ("/numbers/{0}/", "/numbers/{0}/?kind=notes", None),
        ("/numbers/{0}/", "/numbers/{0}/local/", {"tags": "vip"}),
        ("/numbers/{0}/", "/numbers/{0}/local/", {"owner": "x" * 999}),
        ("/numbers/{0}/", "/numbers/{0}/notes/", {"note": "Ask Ada"}),
        ("/numbers/{0}/", "/numbers/{0}/edit/", {"alias": "New", "base-alias": "Main"}),
        ("/numbers/", "/accounts/freshness/", None),
        ("/accounts/", "/accounts/{1}/pause/", {"paused": "yes"}),
        ("/accounts/", "/accounts/{1}/progress/", None),
        ("/accounts/", "/accounts/{1}/sync/", {}),
    ],
)
def test_it_has_a_place_for_all_that_comes_beside_a_piece(client, number, page, piece, form):
    places = set(ID.findall(text_of(client.get(page.format(number.pk, number.account_id)))))
    asked = piece.format(number.pk, number.account_id)
    answer = client.get(asked, headers=PIECE) if form is None else client.post(asked, form, headers=PIECE)
    assert answer.status_code in {200, 286, 409, 422}
    beside = [(tag, ID.search(attributes)[1]) for tag, attributes in BESIDE.findall(text_of(answer))]
    assert {place for _, place in beside} <= places
    assert not {tag for tag, _ in beside} & {"tr", "td", "th", "tbody", "option", "li"}


def test_it_has_a_place_for_the_first_tag_of_all(client, number):
    places = set(ID.findall(text_of(client.get("/numbers/"))))
    client.post(f"/numbers/{number.pk}/local/", {"tags": "vip"})
    piece = text_of(client.get("/numbers/?type=local", headers=PIECE))
    assert 'value="vip"' in piece
    assert {ID.search(attributes)[1] for _, attributes in BESIDE.findall(piece)} <= places
