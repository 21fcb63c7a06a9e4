"""Tags, owner and cost centre of many numbers at once: ticked, or all that a filter finds."""

import pytest

from phone_numbers.models import Event, LocalFields, Tag
from phone_numbers.services.change_plans import selection_hash
from phone_numbers.services.local_fields import BATCH, LocalEdit, edit_many
from tests.phone_numbers.pages import sign_in
from tests.phone_numbers.rows import make_account, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db

NEW, APPLY = "/numbers/local/", "/numbers/local/apply/"


@pytest.fixture
def operator(client):
    return sign_in(client, "operator", username="olga", is_staff=False)


@pytest.fixture
def numbers(db):
    account = make_account()
    return [make_number(account, number_type="local" if place % 2 else "toll_free") for place in range(6)]


def ticked(numbers):
    return {"numbers": ",".join(str(number.pk) for number in numbers)}


def matching(numbers, text):
    chosen = [number.pk for number in numbers]
    return {"matching": "all", "filter": text, "count": str(len(chosen)), "hash": selection_hash(chosen)}


def tags_of(number):
    return sorted(number.tags.values_list("name", flat=True))


def test_it_asks_for_what_to_change_of_the_ticked_ones(client, operator, numbers):
    page = client.post(NEW, {"number": [number.pk for number in numbers[:2]]}).content.decode()
    assert "Tags, owner and cost centre of 2 numbers" in page
    assert f'name="numbers" value="{numbers[0].pk},{numbers[1].pk}"' in page


def test_it_changes_the_ticked_ones_and_says_how_many(client, operator, numbers):
    posted = {"add_tags": "VIP, vans", "owner-mode": "set", "owner": "Olga", **ticked(numbers[:2])}
    answer = client.post(APPLY, posted, follow=True)
    assert "Changed 2 numbers." in answer.content.decode()
    assert [tags_of(number) for number in numbers[:3]] == [["VIP", "vans"], ["VIP", "vans"], []]
    assert set(LocalFields.objects.values_list("owner", "cost_centre")) == {("Olga", "")}


def test_it_leaves_a_line_of_history_with_each(client, operator, numbers):
    client.post(APPLY, {"add_tags": "VIP", **ticked(numbers)})
    lines = Event.objects.values_list("kind", "field", "before", "after", "actor_name")
    assert list(lines) == [("local", "tags", "", "VIP", "olga")] * 6


def test_it_takes_off_clears_and_counts_those_that_had_it_already(client, operator, numbers):
    edit_many([number.pk for number in numbers[:2]], LocalEdit(owner="Otto", add_tags=["VIP"]), user=operator)
    posted = {"remove_tags": "vip", "owner-mode": "clear", **ticked(numbers)}
    page = client.post(APPLY, posted, follow=True).content.decode()
    assert "Changed 2 numbers. 4 had it already." in page
    assert (tags_of(numbers[0]), LocalFields.objects.get(pk=numbers[0].pk).owner) == ([], "")


def test_it_changes_all_that_match_and_goes_back_to_them(client, operator, numbers):
    locals_ = [number for number in numbers if number.number_type == "local"]
    answer = client.post(APPLY, {"add_tags": "VIP", "typed_count": "3", **matching(locals_, "type=local")})
    assert answer["Location"] == "/numbers/?type=local"
    assert [tags_of(number) for number in numbers] == [[], ["VIP"]] * 3


def test_it_refuses_when_the_filter_finds_other_numbers_by_now(client, operator, numbers):
    locals_ = [number for number in numbers if number.number_type == "local"]
    posted = {"add_tags": "VIP", **matching(locals_, "type=local")}
    make_number(numbers[0].account, number_type="local")
    answer = client.post(APPLY, posted)
    assert (answer.status_code, Tag.objects.count()) == (409, 0)


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"owner-mode": "set", "owner": "  "},
        {"add_tags": "x" * 41},
        {"cost_centre-mode": "set", "cost_centre": "x" * 41},
        {"add_tags": "a\0b"},
        {"add_tags": ",".join(f"tag {place}" for place in range(21))},
    ],
)
def test_it_stores_nothing_of_what_cannot_be_meant_and_keeps_what_was_typed(client, operator, numbers, posted):
    answer = client.post(APPLY, {"remove_tags": "", **posted, **ticked(numbers)})
    assert (answer.status_code, Event.objects.count()) == (422, 0)
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize(("typed", "status"), [("", 422), ("12", 422), ("11", 302)])
def test_it_has_the_count_typed_where_a_plan_would(client, operator, numbers, typed, status):
    many = [*numbers, *(make_number(numbers[0].account) for _ in range(9))]
    answer = client.post(APPLY, {"add_tags": "VIP", "typed_count": typed, **ticked(many[:11])})
    assert (answer.status_code, Event.objects.count()) == (status, 11 if status == 302 else 0)


def test_it_is_refused_without_a_selection(client, operator):
    assert client.post(NEW, {"numbers": ""}).status_code == 409


@pytest.mark.parametrize("path", [NEW, APPLY])
def test_it_is_closed_to_viewers(client, numbers, path):
    client.force_login(make_user("viewer"))
    assert client.post(path, {"add_tags": "VIP", **ticked(numbers)}).status_code == 403


def test_it_changes_all_or_none_of_more_than_a_batch(operator, numbers, monkeypatch):
    monkeypatch.setattr("phone_numbers.services.local_fields.BATCH", 4)
    assert BATCH > 4
    full = LocalEdit(add_tags=[",".join(f"tag {place}" for place in range(20))])
    edit_many([numbers[-1].pk], full, user=operator)
    before = Event.objects.count()
    with pytest.raises(Exception, match="at most 20 tags"):
        edit_many([number.pk for number in numbers], LocalEdit(add_tags=["one more"]), user=operator)
    assert Event.objects.count() == before


def test_it_exports_all_that_match(client, operator, numbers):
    posted = {"matching": "all", "filter": "type=local", "numbers": "", "columns": "number"}
    text = b"".join(client.post("/numbers/export/", posted).streaming_content).decode()
    assert len(text.splitlines()) == 4
