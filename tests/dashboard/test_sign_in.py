"""One door to the site and its admin, and a limit on failed attempts."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from dashboard.models import SignInAttempt
from dashboard.sign_in import attempt_key, begin_attempt
from tests.roles import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user("admin", username="Ada")


def sign_in(password="wrong", username="Ada", address="192.0.2.1", **extra):
    form = {"username": username, "password": password}
    return Client().post(reverse("login"), form, REMOTE_ADDR=address, **extra)


def fail(times, **options):
    return [sign_in(**options).status_code for _ in range(times)]


def test_it_refuses_the_sixth_attempt_even_with_the_right_password(user):
    assert fail(5) == [200] * 5
    answer = sign_in(PASSWORD)
    assert answer.status_code == 429
    assert "Too many failed sign-ins" in answer.content.decode()


def test_it_says_how_long_to_wait(user):
    fail(5)
    assert "Try again in 15 minutes." in sign_in().content.decode()


def test_it_opens_again_after_fifteen_minutes_however_often_it_was_tried(user):
    fail(5)
    with time_machine.travel(timezone.now() + timedelta(minutes=14)):
        assert fail(3) == [429] * 3
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
        assert sign_in(PASSWORD).status_code == 302


def test_it_keeps_nobody_out_whose_clock_was_wrong(user):
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        fail(5)
    assert sign_in(PASSWORD).status_code == 302


def test_it_counts_spellings_of_a_name_together(user):
    fail(3, username="ada")
    fail(2, username="ADA")
    assert sign_in(PASSWORD).status_code == 429


def test_it_lets_the_same_user_in_from_elsewhere(user):
    fail(6)
    assert sign_in(PASSWORD, address="192.0.2.2").status_code == 302


def test_it_lets_another_user_in_from_the_same_address(user):
    fail(6, username="someone")
    assert sign_in(PASSWORD).status_code == 302


def test_it_forgets_failures_after_a_success(user):
    fail(4)
    sign_in(PASSWORD)
    assert not SignInAttempt.objects.exists()


def test_it_counts_attempts_that_are_still_being_decided(user):
    key = attempt_key(RequestFactory().post("/", REMOTE_ADDR="192.0.2.1"), "Ada")
    for _ in range(5):
        begin_attempt(key)
    assert sign_in(PASSWORD).status_code == 429


def test_it_stores_neither_name_nor_address(user):
    fail(1)
    row = str(list(SignInAttempt.objects.values()))
    assert "Ada" not in row
    assert "192.0.2.1" not in row


def test_it_drops_old_attempts(user):
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        fail(1, username="long ago")
    fail(1)
    assert SignInAttempt.objects.count() == 1


def test_behind_a_proxy_it_believes_only_the_address_the_proxy_wrote(user, settings):
    settings.BEHIND_PROXY = True
    for made_up in range(5):
        sign_in(HTTP_X_FORWARDED_FOR=f"10.0.0.{made_up}, 198.51.100.7")
    assert sign_in(PASSWORD, HTTP_X_FORWARDED_FOR="10.0.0.9, 198.51.100.7").status_code == 429
    assert sign_in(PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.8").status_code == 302


def test_without_a_proxy_it_ignores_forwarded_addresses(user):
    for made_up in range(5):
        sign_in(HTTP_X_FORWARDED_FOR=f"10.0.0.{made_up}")
    assert sign_in(PASSWORD, HTTP_X_FORWARDED_FOR="10.0.0.9").status_code == 429


def test_the_admin_sends_visitors_to_the_same_door(client):
    wanted = reverse("admin:numbers_account_changelist")
    answer = client.get(wanted, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("login", query={"next": wanted})


def test_the_admins_own_door_takes_no_password(client, user):
    answer = client.post(reverse("admin:login"), {"username": "Ada", "password": PASSWORD})
    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session


def test_it_goes_to_the_admin_page_that_was_asked_for(user):
    wanted = reverse("admin:auth_user_changelist")
    answer = Client().post(reverse("login", query={"next": wanted}), {"username": "Ada", "password": PASSWORD})
    assert answer.url == wanted


def test_it_follows_no_address_of_another_site(user, client):
    answer = client.post(
        reverse("login", query={"next": "https://evil.example/"}), {"username": "Ada", "password": PASSWORD}
    )
    assert "evil.example" not in answer.url


def test_the_admin_tells_a_signed_in_user_without_staff_status(client):
    client.force_login(make_user("admin", is_staff=False))
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403
    assert "open to users with staff status" in answer.content.decode()


def test_it_sends_again_what_was_sent_too_late(user):
    client = Client()
    sent = {"note": ["two\nlines", "<b>"], "csrfmiddlewaretoken": "x"}
    late = client.post("/numbers/7/notes/?from=type%3Dlocal", sent)
    assert late.status_code == 401
    form = {name: late.context[name] for name in ("next", "kept")}
    wrong = client.post(reverse("login"), {**form, "username": "Ada", "password": "wrong"})
    assert wrong.context["kept"] == form["kept"]
    right = client.post(reverse("login"), {**form, "username": "Ada", "password": PASSWORD})
    assert right.context["address"] == "/numbers/7/notes/?from=type%3Dlocal"
    assert right.context["fields"] == [("note", "two\nlines"), ("note", "<b>")]


@pytest.mark.parametrize("kept", ["", "{", "7", '"ab"', "[7]", '[["a"]]', '[["a", "b", "c"]]', '{"abc": 1}'])
def test_it_signs_in_all_the_same_when_what_is_kept_makes_no_sense(user, kept):
    assert Client().post(reverse("login"), {"username": "Ada", "password": PASSWORD, "kept": kept}).status_code == 302


def test_it_keeps_no_password_that_was_typed_at_the_admins_door(client, user):
    answer = client.post(reverse("admin:login"), {"username": "Ada", "password": PASSWORD}, follow=True)
    assert PASSWORD not in answer.content.decode()
