"""Who may do what: the three groups and their permissions, in one table.

Migration 0002_roles writes the table to the database once; after that the groups belong to the installation. Whoever
changes the table adds a migration that calls `grant_roles` again.

A role opens the dashboard. The admin site asks for the user's "staff status" besides.
"""

from collections.abc import Mapping

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet

READ = (
    "numbers.view_account",
    "numbers.view_application",
    "numbers.view_change",
    "numbers.view_changeset",
    "numbers.view_event",
    "numbers.view_phonenumber",
    "numbers.view_subaccount",
    "numbers.view_surprise",
    "numbers.view_syncrun",
)
OPERATE = ("numbers.add_syncrun", "numbers.change_phonenumber")
ADMINISTER = (
    "auth.add_user",
    "auth.change_user",
    "auth.delete_user",
    "auth.view_group",
    "auth.view_user",
    "django_celery_beat.add_crontabschedule",
    "django_celery_beat.add_intervalschedule",
    "django_celery_beat.add_periodictask",
    "django_celery_beat.change_crontabschedule",
    "django_celery_beat.change_intervalschedule",
    "django_celery_beat.change_periodictask",
    "django_celery_beat.delete_crontabschedule",
    "django_celery_beat.delete_intervalschedule",
    "django_celery_beat.delete_periodictask",
    "django_celery_beat.view_crontabschedule",
    "django_celery_beat.view_intervalschedule",
    "django_celery_beat.view_periodictask",
    "numbers.add_account",
    "numbers.change_account",
    "numbers.delete_account",
)
ROLES: Mapping[str, tuple[str, ...]] = {
    "viewer": READ,
    "operator": READ + OPERATE,
    "admin": READ + OPERATE + ADMINISTER,
}


def grant_roles(using: str = "default") -> None:
    """Give each role's group the permissions of the table; makes groups and permissions that are not there yet."""
    for label in ("auth", "django_celery_beat", "numbers"):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    for role, names in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set(find_permissions(names, using))


def find_permissions(names: tuple[str, ...], using: str = "default") -> list[Permission]:
    """The permissions of these names, `app.codename`. Raises LookupError when one does not exist."""
    wanted = Q()
    for name in names:
        label, _, codename = name.partition(".")
        wanted |= Q(content_type__app_label=label, codename=codename)
    found = list(Permission.objects.using(using).filter(wanted).select_related("content_type"))
    if missing := set(names) - {f"{each.content_type.app_label}.{each.codename}" for each in found}:
        raise LookupError(f"No such permission: {', '.join(sorted(missing))}.")
    return found


def permissions_of(user: User) -> QuerySet[Permission]:
    """Given to the user or to their groups; unlike Django's own answer, also while the user is inactive."""
    return Permission.objects.filter(Q(user=user) | Q(group__user=user)).distinct()


def may_manage(actor: User, user: User) -> bool:
    """Nobody manages a user who may do more than they may themselves."""
    if actor.is_superuser:
        return True
    return not user.is_superuser and not permissions_of(user).exclude(pk__in=permissions_of(actor)).exists()


def groups_within(actor: User) -> QuerySet[Group]:
    """The groups this user may hand out: those that allow nothing the user may not do."""
    if actor.is_superuser:
        return Group.objects.all()
    beyond = Permission.objects.exclude(pk__in=permissions_of(actor))
    return Group.objects.exclude(permissions__in=beyond)
