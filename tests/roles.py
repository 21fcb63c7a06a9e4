"""Users of each role. A test with real transactions empties the tables, so the groups may have to be made again."""

from django.contrib.auth.models import Group, User

from phone_numbers.roles import ROLES, grant_roles

PASSWORD = "correct horse battery staple"


def make_user(role: str, *, username: str = "", is_staff: bool = True) -> User:
    """A user of this role; "superuser" and "nobody" (no group at all) are understood too."""
    user = User.objects.create_user(username or role, password=PASSWORD, is_staff=is_staff)
    if role == "superuser":
        user.is_superuser = True
        user.save()
    elif role in ROLES:
        if not Group.objects.filter(name=role).exists():
            grant_roles()
        user.groups.add(Group.objects.get(name=role))
    return user
