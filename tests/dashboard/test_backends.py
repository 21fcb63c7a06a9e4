"""Who a signed-in user is and what they may do: as Django has it, with fewer questions."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission, User

from dashboard.backends import Backend
from tests.roles import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["nobody", "viewer", "operator", "admin", "superuser"])
def test_it_grants_what_django_grants(role):
    user = make_user(role)
    user.user_permissions.add(Permission.objects.get(codename="view_session"))
    assert Backend().get_all_permissions(user) == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))


def test_it_grants_nothing_to_the_inactive_and_to_strangers():
    user = make_user("admin")
    user.is_active = False
    assert Backend().get_all_permissions(user) == Backend().get_all_permissions(AnonymousUser()) == set()


def test_it_asks_once_for_all_permissions(django_assert_num_queries):
    user = make_user("operator")
    with django_assert_num_queries(1):
        assert user.has_perm("numbers.change_phonenumber")
        assert not user.has_perm("numbers.add_account")


def test_it_knows_a_user_with_their_preferences(django_assert_num_queries):
    user = make_user("viewer")
    with django_assert_num_queries(1):
        found = Backend().get_user(user.pk)
        assert getattr(found, "list_preferences", None) is None


def test_it_knows_nobody_who_is_gone_or_inactive():
    user = make_user("viewer")
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert Backend().get_user(user.pk) is Backend().get_user(user.pk + 1) is None
