"""Who a signed-in user is and what they may do, in one query each: every page asks for both."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, User

from phone_numbers.roles import permissions_of

KEPT = "all_permissions_kept"
"""On the user, as long as the request takes."""


class Backend(ModelBackend):
    """Django's own, with fewer questions."""

    def get_user(self, user_id: int) -> User | None:
        """With how they want the list to look."""
        user = User.objects.select_related("list_preferences__default_view").filter(pk=user_id).first()
        return user if self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: User | AnonymousUser, obj: Any = None) -> set[str]:
        if not isinstance(user_obj, User) or not user_obj.is_active or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        kept: set[str] | None = getattr(user_obj, KEPT, None)
        if kept is None:
            named = permissions_of(user_obj).order_by().values_list("content_type__app_label", "codename")
            kept = {f"{label}.{codename}" for label, codename in named}
            setattr(user_obj, KEPT, kept)
        return kept
