"""Users in the admin site: an admin without superuser status manages them, and cannot raise anyone."""

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from phone_numbers.roles import find_permissions
from tests.phone_numbers.pages import sign_in
from tests.roles import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    return sign_in(client, "admin")


def change(client, user, **fields):
    form = {
        "username": user.username,
        "is_active": "on",
        "is_staff": "on" if user.is_staff else "",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "groups": [group.pk for group in user.groups.all()],
        **fields,
    }
    return client.post(reverse("admin:auth_user_change", args=[user.pk]), form)


def test_it_lets_an_admin_add_a_user(client, admin):
    form = {
        "username": "new",
        "usable_password": "true",
        "password1": "a-long-passphrase",
        "password2": "a-long-passphrase",
    }
    assert client.post(reverse("admin:auth_user_add"), form).status_code == 302
    assert User.objects.get(username="new").check_password("a-long-passphrase")


def test_it_lets_an_admin_give_a_role(client, admin):
    user = make_user("viewer")
    operator = Group.objects.get(name="operator")
    assert change(client, user, groups=[operator.pk]).status_code == 302
    assert list(user.groups.all()) == [operator]


def test_it_ignores_a_superuser_flag_posted_by_hand(client, admin):
    user = make_user("viewer")
    assert change(client, user, is_superuser="on").status_code == 302
    user.refresh_from_db()
    assert not user.is_superuser


def test_it_ignores_permissions_posted_by_hand(client, admin):
    (permission,) = find_permissions(("auth.change_group",))
    assert change(client, admin, user_permissions=[permission.pk]).status_code == 302
    assert not admin.user_permissions.exists()


def test_it_refuses_a_group_that_allows_more_than_the_admin_may(client, admin):
    mighty = Group.objects.create(name="mighty")
    mighty.permissions.set(find_permissions(("auth.change_group",)))
    answer = change(client, admin, groups=[mighty.pk])
    assert "is not one of the available choices" in answer.content.decode()
    assert not admin.groups.filter(name="mighty").exists()


@pytest.mark.parametrize("where", ["auth_user_change", "auth_user_delete", "auth_user_password_change"])
def test_it_keeps_an_admin_off_a_superuser(client, admin, where):
    superuser = make_user("superuser")
    form = {
        "post": "yes",
        "usable_password": "true",
        "password1": "a-long-passphrase",
        "password2": "a-long-passphrase",
    }
    assert client.post(reverse(f"admin:{where}", args=[superuser.pk]), form).status_code == 403
    superuser.refresh_from_db()
    assert not superuser.check_password("a-long-passphrase")


def test_it_deletes_no_superuser_by_a_list_action(client, admin):
    superuser = make_user("superuser")
    form = {"action": "delete_selected", "_selected_action": [superuser.pk], "post": "yes"}
    client.post(reverse("admin:auth_user_changelist"), form)
    assert User.objects.filter(pk=superuser.pk).exists()


def test_it_shows_a_superuser_every_field(client):
    superuser = make_user("superuser")
    client.force_login(superuser)
    page = client.get(reverse("admin:auth_user_change", args=[superuser.pk])).content.decode()
    assert 'name="is_superuser"' in page
    assert 'name="user_permissions"' in page
