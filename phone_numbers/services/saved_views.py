"""Keeps views of the list: private ones, and those their owners share. What a query means, it does not know."""

import unicodedata

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from phone_numbers.models import SavedView
from phone_numbers.models.preferences import LONGEST_NAME

UNREADABLE = ("Cc", "Cn", "Co", "Cs")
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Would turn round what stands beside the name."""
MOST_VIEWS = 100
"""Of one person: more would be no menu."""


class ViewRefused(Exception):
    """This cannot be kept; `str()` is the sentence."""


def visible_views(user: User) -> QuerySet[SavedView]:
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")


def own_views(user: User) -> QuerySet[SavedView]:
    return SavedView.objects.filter(owner=user)


def deletable_views(user: User) -> QuerySet[SavedView]:
    """One's own; staff also clear away what others share."""
    mine = Q(owner=user)
    return SavedView.objects.filter(mine | Q(is_shared=True) if user.is_staff else mine)


def is_visible(view: SavedView, user: User) -> bool:
    return view.is_shared or view.owner_id == user.pk


def save_view(user: User, name: str, query: str, *, is_shared: bool) -> SavedView:
    """Raises ViewRefused."""
    if own_views(user).count() >= MOST_VIEWS:
        raise ViewRefused(f"You have {MOST_VIEWS} views; delete one first.")
    return store(SavedView(owner=user, name=checked(name), query=query, is_shared=is_shared))


def rename_view(view: SavedView, name: str, *, is_shared: bool) -> SavedView:
    """Raises ViewRefused."""
    view.name, view.is_shared = checked(name), is_shared
    return store(view)


def replace_view(view: SavedView, query: str) -> SavedView:
    view.query = query
    return store(view)


def store(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise ViewRefused(f"You already have a view called “{view.name}”.") from None
    return view


def checked(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise ViewRefused(f"A view needs a name of at most {LONGEST_NAME} characters.")
    if any(unicodedata.category(each) in UNREADABLE or each in TURNING for each in name):
        raise ViewRefused("The name of a view is plain text; this one has characters that cannot be read.")
    return name
