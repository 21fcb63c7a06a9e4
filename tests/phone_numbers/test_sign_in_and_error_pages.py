"""The pages without a shell: signing in, and what is shown when something went wrong."""

import re
from pathlib import Path

import pytest
from django.conf import settings as project
from django.template.loader import render_to_string
from django.test import Client

from phone_numbers.views import changes
from tests.phone_numbers.pages import text_of
from tests.roles import make_user

pytestmark = pytest.mark.django_db

TEMPLATES = Path(project.BASE_DIR) / "templates"


def test_it_shows_the_demo_login_only_in_the_demo(client, settings):
    settings.DEMO = True
    assert "password <code>demo</code>" in text_of(client.get("/login/"))
    settings.DEMO = False
    assert "<code>demo</code>" not in text_of(client.get("/login/"))


def test_it_keeps_the_user_name_and_says_why_signing_in_failed(client):
    page = text_of(client.post("/login/", {"username": "olga", "password": "wrong"}))
    assert 'value="olga"' in page
    assert 'role="alert"' in page
    assert "wrong" not in page


def test_it_says_what_is_not_allowed(client):
    client.force_login(make_user("nobody"))
    page = client.get("/numbers/")
    assert page.status_code == 403
    assert "You may not do that" in text_of(page)


def test_it_says_what_to_do_with_a_form_that_grew_old():
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("operator"))
    page = strict.post("/accounts/1/sync/")
    assert page.status_code == 403
    assert "This page has grown old" in text_of(page)


@pytest.mark.parametrize("path", ["/numbers/local/", "/changes/plans/new/", "/numbers/1/notes/", "/accounts/1/sync/"])
def test_it_says_what_to_do_at_an_address_that_only_takes_forms(client, path):
    client.force_login(make_user("operator"))
    page = client.get(path)
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "begin again where the form is" in text_of(page)


def test_it_says_what_to_do_when_more_is_sent_than_a_page_takes(client, settings):
    client.force_login(make_user("operator"))
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    page = client.post("/numbers/paste/", {"text": "1\n" * 1000})
    assert page.status_code == 400
    assert "send less at once" in text_of(page)


def test_it_names_the_request_when_the_server_failed(client, monkeypatch):
    client.force_login(make_user("operator"))
    client.raise_request_exception = False
    monkeypatch.setattr(changes, "PER_PAGE", 0)
    page = client.get("/changes/")
    assert page.status_code == 500
    assert page["X-Request-ID"]
    assert "The server failed" in text_of(page)


def test_it_can_say_that_the_server_failed_without_a_request():
    assert "The server failed" in render_to_string("500.html")


@pytest.mark.parametrize(
    "template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES))
)
def test_it_keeps_the_policy_in_every_template(template):
    text = template.read_text()
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:|hx-on|hx-boost|\|safe\b", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
