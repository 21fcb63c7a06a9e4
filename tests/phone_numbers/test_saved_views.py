"""Saved views of the list: private and shared, renamed, replaced, deleted, and the one the list opens with."""

import re

import pytest

from phone_numbers.models import SavedView
from phone_numbers.services.saved_views import MOST_VIEWS
from tests.phone_numbers.pages import PIECE, sign_in, text_of
from tests.phone_numbers.rows import make_account, make_application, make_number
from tests.roles import make_user

pytestmark = pytest.mark.django_db

SAVE = "/numbers/views/save/"


@pytest.fixture
def olga(client):
    return sign_in(client, "viewer", username="olga", is_staff=False)


@pytest.fixture
def other(db):
    return make_user("viewer", username="otto", is_staff=False)


def make_view(owner, name="Toll-free", query="type=toll_free", **columns):
    return SavedView.objects.create(owner=owner, name=name, query=query, **columns)


def save(client, name="Mine", query="type=local&sort=-alias&columns=number,alias", **more):
    return client.post(SAVE, {"name": name, "query": query, **more})


def test_it_saves_filters_sorting_and_columns_and_opens_them(client, olga):
    make_number(make_account())
    answer = save(client, "  My   locals ", "type=local&sort=-alias&columns=alias&page=7&per_page=25")
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("My locals", "type=local&sort=-alias&columns=number,alias")
    assert answer["Location"] == f"/numbers/?{view.query}&view={view.pk}"
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert 'aria-sort="descending"' in text_of(page)
    assert re.findall(r'<th scope="col" data-column="(\w+)"', text_of(page)) == ["number", "alias"]


def test_it_marks_the_view_that_is_open_and_whether_it_was_modified(client, olga):
    view = make_view(olga)
    page = text_of(client.get(f"/numbers/?type=toll_free&view={view.pk}"))
    assert f'href="/numbers/?type=toll_free&amp;view={view.pk}" aria-current="true"' in page
    assert "modified</span>" not in page
    changed = text_of(client.get(f"/numbers/?type=toll_free&tendlc=failed&view={view.pk}"))
    assert "modified</span>" in changed
    assert f'formaction="/numbers/views/{view.pk}/replace/"' in changed


@pytest.mark.parametrize("place", ["page=1", "per_page=100", "services_match=any"])
def test_it_takes_no_view_for_modified_by_where_one_reads(client, olga, place):
    view = make_view(olga)
    assert "modified</span>" not in text_of(client.get(f"/numbers/?type=toll_free&view={view.pk}&{place}"))


def test_it_says_so_in_a_swap_too(client, olga):
    view = make_view(olga)
    piece = text_of(client.get(f"/numbers/?type=local&view={view.pk}", headers=PIECE))
    assert re.search(r'id="view-label" hx-swap-oob="true">.*Toll-free.*modified', piece)


def test_it_keeps_the_view_through_sorting_chips_and_clearing(client, olga):
    view = make_view(olga)
    make_number(make_account(), number_type="toll_free")
    page = text_of(client.get(f"/numbers/?type=toll_free&view={view.pk}"))
    assert f'href="/numbers/?type=toll_free&amp;sort=alias&amp;view={view.pk}"' in page
    assert f'class="chips-clear" href="/numbers/?view={view.pk}"' in page
    assert f'name="view" value="{view.pk}" form="filters"' in page


def test_it_shares_a_view_with_everybody_but_keeps_a_private_one(client, olga, other):
    make_view(other, "Shared", is_shared=True)
    make_view(other, "Private")
    page = text_of(client.get("/numbers/"))
    assert ("Shared" in page, "by otto" in page, "Private" in page) == (True, True, False)


@pytest.mark.parametrize("given", ["private", "gone", "abc", "9" * 30])
def test_it_shows_an_error_and_no_rows_for_a_view_that_is_not_there(client, olga, other, given):
    make_number(make_account())
    view = {"private": str(make_view(other).pk), "gone": "123456"}.get(given, given)
    page = client.get(f"/numbers/?view={view}")
    assert (page.status_code, "data-copy" in text_of(page)) == (422, False)
    assert "<code>view</code>" in text_of(page)


def test_it_shows_the_error_of_a_view_whose_values_became_unknown(client, olga):
    view = make_view(olga, query="account=999")
    page = client.get(f"/numbers/?account=999&view={view.pk}")
    assert page.status_code == 422
    assert "There is no account with the id 999" in text_of(page)


def test_it_shows_nobody_more_by_a_shared_view_than_they_may_see(client, other):
    view = make_view(make_user("admin"), is_shared=True)
    client.force_login(make_user("nobody"))
    assert client.get(f"/numbers/?type=toll_free&view={view.pk}").status_code == 403


@pytest.mark.parametrize("query", ["type=nonsense", "colour=red", "list=8f14e45f-ceea-467f-a83c-2f2a1f6f0f10"])
def test_it_saves_nothing_that_would_not_last(client, olga, query):
    answer = save(client, "Mine", query)
    assert (answer.status_code, SavedView.objects.count()) == (422, 0)
    assert 'name="name" value="Mine"' in text_of(answer)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\0b", "a\u202eb", "a\x1bb"])
def test_it_refuses_names_that_are_none(client, olga, name):
    assert (save(client, name).status_code, SavedView.objects.count()) == (422, 0)


@pytest.mark.parametrize("name", ["<b>bold</b>", "שלום", "क्षेत्र", "👩\u200d👧", "a" * 60, "100 % & more?"])
def test_it_takes_names_of_every_script(client, olga, name):
    assert save(client, name).status_code == 302
    assert SavedView.objects.get().name == name
    assert "<b>bold" not in text_of(client.get("/numbers/"))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("tag=vip", "There is no tag “vip”, or not any more."),
        ("application=Old IVR", "There is no application “Old IVR”, or not any more."),
        ("subaccount=SA9", "There is no subaccount “SA9”, or not any more."),
        ("columns=number,gone", "The list has no column “gone”."),
    ],
)
def test_it_says_what_a_view_asks_for_that_is_gone(client, olga, query, sentence):
    make_number(make_account())
    view = make_view(olga, query=query)
    page = text_of(client.get(f"/numbers/?{query}&view={view.pk}"))
    assert sentence in page
    assert "data-copy" not in page


def test_it_says_nothing_is_gone_that_only_nothing_has(client, olga):
    make_application(make_account())
    page = text_of(client.get("/numbers/?application=support%20ivr"))
    assert "No number matches" in page
    assert "not any more" not in page


def test_it_refuses_a_name_one_has_already_but_not_one_of_somebody_else(client, olga, other):
    make_view(olga, "Mine")
    make_view(other, "Ours", is_shared=True)
    assert (save(client, "Mine").status_code, save(client, "Ours").status_code) == (422, 302)


def test_it_keeps_no_more_views_than_a_menu_can_hold(client, olga):
    SavedView.objects.bulk_create(SavedView(owner=olga, name=str(place)) for place in range(MOST_VIEWS))
    assert save(client).status_code == 422


def test_it_renames_shares_and_replaces_ones_own(client, olga):
    view = make_view(olga)
    client.post(f"/numbers/views/{view.pk}/rename/", {"name": "Failed", "is_shared": "1"})
    answer = client.post(f"/numbers/views/{view.pk}/replace/", {"query": f"tendlc=failed&view={view.pk}"})
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.query) == ("Failed", True, "tendlc=failed")
    assert answer["Location"] == f"/numbers/?tendlc=failed&view={view.pk}"


def test_it_keeps_what_was_typed_when_a_new_name_is_refused(client, olga):
    make_view(olga, "One")
    view = make_view(olga, "Two")
    page = client.post(f"/numbers/views/{view.pk}/rename/", {"name": "One"})
    assert (page.status_code, text_of(page).count('value="One"')) == (422, 2)


@pytest.mark.parametrize("act", ["rename", "replace", "delete"])
def test_it_lets_nobody_change_the_views_of_others(client, olga, other, act):
    view = make_view(other, is_shared=True)
    assert client.post(f"/numbers/views/{view.pk}/{act}/", {"name": "x", "query": ""}).status_code == 404
    assert SavedView.objects.get().name == "Toll-free"


@pytest.mark.parametrize(("is_shared", "left"), [(True, 0), (False, 1)])
def test_it_lets_staff_clear_away_what_others_share(client, other, is_shared, left):
    client.force_login(make_user("admin"))
    view = make_view(other, is_shared=is_shared)
    client.post(f"/numbers/views/{view.pk}/delete/")
    assert SavedView.objects.count() == left


def test_it_opens_the_list_with_the_view_that_a_person_wants(client, olga):
    view = make_view(olga)
    client.post("/numbers/views/default/", {"view": view.pk})
    assert client.get("/numbers/")["Location"] == f"/numbers/?type=toll_free&view={view.pk}"


def test_it_still_leads_to_the_whole_list_and_stays_there(client, olga):
    make_number(make_account())
    save(client, is_default="1")
    page = client.get("/numbers/?view=all")
    assert page.status_code == 200
    assert 'href="/numbers/?sort=alias&amp;view=all"' in text_of(page)
    piece = client.get("/numbers/?q=", headers=PIECE)
    assert piece["HX-Push-Url"] == "/numbers/?view=all"


def test_it_opens_the_list_as_it_is_again_when_the_view_is_gone_or_private(client, olga, other):
    view = make_view(other, is_shared=True)
    client.post("/numbers/views/default/", {"view": view.pk})
    SavedView.objects.update(is_shared=False)
    assert client.get("/numbers/").status_code == 200
    SavedView.objects.all().delete()
    assert client.get("/numbers/").status_code == 200


@pytest.mark.parametrize("view", ["private", "x", "9" * 30])
def test_it_opens_with_no_view_that_is_not_there(client, olga, other, view):
    make_view(other)
    given = str(SavedView.objects.get().pk) if view == "private" else view
    assert client.post("/numbers/views/default/", {"view": given}).status_code == 404


def test_it_lists_what_one_has_and_what_others_share(client, olga, other):
    make_view(olga, "Own <b>")
    make_view(other, "Theirs", is_shared=True)
    page = text_of(client.get("/numbers/views/"))
    assert "Own &lt;b&gt;" in page
    assert len(re.findall("/rename/", page)) == 1
    assert len(re.findall("/delete/", page)) == 1


def test_it_says_what_to_do_where_there_is_none(client, olga):
    assert "No saved views yet" in text_of(client.get("/numbers/views/"))


def test_it_is_closed_to_users_without_a_role(client):
    client.force_login(make_user("nobody"))
    assert [client.get("/numbers/views/").status_code, save(client).status_code] == [403, 403]
