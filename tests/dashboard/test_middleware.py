"""What every page's response carries, and how much may be sent to one."""

import pytest
from django.test import Client

from dashboard.middleware import MOST_BODY_BYTES
from tests.roles import PASSWORD, make_user

pytestmark = pytest.mark.django_db

PIECE = {"HX-Request": "true", "HX-Current-URL": "http://testserver/numbers/?type=local"}


@pytest.mark.parametrize(("length", "status"), [(MOST_BODY_BYTES, 403), (MOST_BODY_BYTES + 1, 413), ("9" * 50, 413)])
def test_it_reads_nothing_larger_than_a_page_takes(length, status):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/login/", CONTENT_LENGTH=str(length)).status_code == status


def test_it_quotes_the_request_id_in_every_answer(client):
    first, second = (client.get("/login/")["X-Request-ID"] for _ in range(2))
    assert len(first) == 36
    assert first != second


@pytest.mark.parametrize("path", ["/login/", "/numbers/", "/changes/", "/accounts/", "/accounts/9/", "/nowhere/"])
def test_it_lets_no_cache_keep_html(client, path):
    client.force_login(make_user("superuser"))
    page = client.get(path)
    assert "no-store" in page["Cache-Control"]
    assert "HX-Request" in page["Vary"]


@pytest.mark.parametrize("path", ["/numbers/", "/numbers/1/alias/", "/accounts/1/progress/", "/changes/1/"])
def test_it_moves_the_window_to_the_sign_in_page_when_the_session_is_over(client, path):
    page = client.get(path, headers=PIECE)
    assert page.status_code == 204
    assert page["HX-Redirect"] == "/login/?next=%2Fnumbers%2F%3Ftype%3Dlocal"
    assert page.content == b""


def test_it_never_sends_people_to_another_site_after_signing_in(client):
    page = client.get("/numbers/", headers={**PIECE, "HX-Current-URL": "https://evil.example/numbers/"})
    assert page["HX-Redirect"] == "/login/?next=%2Fnumbers%2F"


def test_it_leaves_other_redirects_alone(client):
    make_user("operator", username="olga")
    form = {"username": "olga", "password": PASSWORD}
    assert client.post("/login/", form, headers={"HX-Request": "true"}).status_code == 302


def test_it_answers_every_page_with_the_same_policy(client):
    policy = client.get("/login/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
