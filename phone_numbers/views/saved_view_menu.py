"""The menu of saved views beside the search: which one is open, and whether it still is as it was saved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.http import QueryDict
from django.urls import reverse

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.query import EVERYTHING, Known, Mistake
from phone_numbers.models import ListPreferences, SavedView
from phone_numbers.services.saved_views import is_visible, visible_views
from phone_numbers.views.pages import read_id

GONE = "There is no such view, or it is not shared with you any more."


@dataclass(frozen=True, slots=True)
class ViewMenu:
    user: User
    active: SavedView | None
    query: str
    """What saving would keep."""
    is_modified: bool
    views: Sequence[SavedView]
    """Those of the person first; read only for a whole page."""
    everything: str
    """The address of the list itself."""

    @property
    def own(self) -> list[SavedView]:
        return [view for view in self.views if view.owner_id == self.user.pk]

    @property
    def shared(self) -> list[SavedView]:
        return [view for view in self.views if view.owner_id != self.user.pk]

    @property
    def may_replace(self) -> bool:
        return self.is_modified and self.active is not None and self.active.owner_id == self.user.pk


def address_of(view: SavedView) -> str:
    return f"{reverse('numbers:list')}?{view.query}{'&' if view.query else ''}view={view.pk}"


def default_view_of(preferences: ListPreferences, user: User) -> SavedView | None:
    """Unless its owner has stopped sharing it."""
    view = preferences.default_view
    return view if view is not None and is_visible(view, user) else None


def beside_view(
    query: InventoryQuery, views: Sequence[SavedView], *, has_default: bool
) -> tuple[InventoryQuery, SavedView | None]:
    """The query with what it says of views made plain, and the view it came from, if that is there."""
    if query.view in ("", EVERYTHING):
        return query.beside(EVERYTHING if has_default else ""), None
    active = next((view for view in views if str(view.pk) == query.view), None)
    if active is None:
        return replace(query.beside(""), mistakes=(*query.mistakes, Mistake("view", GONE))), None
    return query, active


def view_menu(
    query: InventoryQuery,
    active: SavedView | None,
    views: Sequence[SavedView],
    user: User,
    columns: Sequence[str],
    *,
    has_default: bool,
) -> ViewMenu:
    here = query.as_view()
    return ViewMenu(
        user=user,
        active=active,
        query=str(with_columns(here, columns)),
        is_modified=active is not None and str(here) != saved(active, query.accounts),
        views=views,
        everything=reverse("numbers:list") + (f"?view={EVERYTHING}" if has_default else ""),
    )


def with_columns(query: InventoryQuery, columns: Sequence[str]) -> InventoryQuery:
    return query.having(columns=",".join(columns))


def saved(view: SavedView, accounts: Known) -> str:
    """In today's spelling, so that a view saved by an older release is not modified for it."""
    return str(InventoryQuery.read(QueryDict(view.query), accounts).as_view())


def views_for(user: User, query: InventoryQuery, *, is_piece: bool) -> list[SavedView]:
    """All that the person may open, in one query; for a piece of the page only the one that is open."""
    if not is_piece:
        return list(visible_views(user))
    named = read_id(query.view)
    return list(visible_views(user).filter(pk=named)) if named else []
