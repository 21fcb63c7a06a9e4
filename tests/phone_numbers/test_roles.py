"""The three groups, and that nobody can raise themselves."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

from phone_numbers.roles import ROLES, find_permissions, grant_roles, groups_within, may_manage
from tests.roles import make_user

pytestmark = pytest.mark.django_db


def names_of(group: Group) -> set[str]:
    return {
        f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.select_related("content_type")
    }


@pytest.mark.parametrize("role", ROLES)
def test_it_gives_each_group_exactly_its_permissions(role):
    grant_roles()
    assert names_of(Group.objects.get(name=role)) == set(ROLES[role])


def test_it_can_be_granted_again_and_mends_a_group():
    grant_roles()
    Group.objects.get(name="viewer").permissions.add(*find_permissions(("auth.add_user",)))
    grant_roles()
    assert names_of(Group.objects.get(name="viewer")) == set(ROLES["viewer"])


def test_it_makes_permissions_that_are_not_there_yet():
    Permission.objects.all().delete()
    grant_roles()
    assert find_permissions(ROLES["admin"])


def test_it_names_a_permission_that_does_not_exist():
    with pytest.raises(LookupError, match=r"numbers\.fly"):
        find_permissions(("numbers.fly",))


@pytest.mark.django_db(transaction=True)
def test_the_migration_makes_the_groups_from_nothing_and_removes_them():
    call_command("migrate", "numbers", "0001", verbosity=0)
    assert not Group.objects.filter(name__in=ROLES).exists()
    call_command("migrate", verbosity=0)
    assert Group.objects.filter(name__in=ROLES).count() == 3


@pytest.mark.parametrize(
    ("role", "edit", "sync", "accounts"),
    [
        ("nobody", False, False, False),
        ("viewer", False, False, False),
        ("operator", True, True, False),
        ("admin", True, True, True),
        ("superuser", True, True, True),
    ],
)
def test_it_lets_each_role_do_its_work(role, edit, sync, accounts):
    user = make_user(role)
    asked = ("numbers.change_phonenumber", "numbers.add_syncrun", "numbers.change_account")
    assert [user.has_perm(name) for name in asked] == [edit, sync, accounts]


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_it_lets_an_admin_manage_equals_and_lesser_users(role):
    assert may_manage(make_user("admin", username="boss"), make_user(role))


def test_it_keeps_an_admin_from_a_superuser_even_an_inactive_one():
    superuser = make_user("superuser")
    User.objects.update(is_active=False)
    superuser.refresh_from_db()
    assert not may_manage(make_user("admin"), superuser)


def test_it_keeps_an_admin_from_an_inactive_user_with_more_permissions():
    stronger = make_user("nobody")
    stronger.user_permissions.set(find_permissions(("auth.change_group",)))
    stronger.is_active = False
    stronger.save()
    assert not may_manage(make_user("admin"), stronger)


def test_it_offers_an_admin_only_groups_without_more_than_their_own():
    mighty = Group.objects.create(name="mighty")
    mighty.permissions.set(find_permissions(("auth.change_group",)))
    offered = groups_within(make_user("admin"))
    assert {group.name for group in offered} == set(ROLES)
