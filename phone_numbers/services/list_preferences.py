"""Keeps how people want the list to look. What a column is, it does not know."""

from collections.abc import Sequence

from django.contrib.auth.models import User

from phone_numbers.models import ListPreferences, SavedView


def find_preferences(user: User) -> ListPreferences:
    """Unsaved, and as it comes, when the person never chose."""
    return getattr(user, "list_preferences", None) or ListPreferences(user=user)


def keep_default_view(user: User, view: SavedView | None) -> None:
    ListPreferences.objects.update_or_create(user=user, defaults={"default_view": view})


def keep_columns(user: User, columns: Sequence[str]) -> None:
    ListPreferences.objects.update_or_create(user=user, defaults={"columns": list(columns)})


def keep_density(user: User, density: str) -> None:
    """Anything that is no density is the usual one."""
    known = density if density in ListPreferences.Density else ListPreferences.Density.COMFORTABLE
    ListPreferences.objects.update_or_create(user=user, defaults={"density": known})
