"""What operators asked for and the history of numbers, to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from phone_numbers.admin.readonly import ReadOnly, ReadOnlyAdmin
from phone_numbers.models import Change, ChangeSet, Event


class ChangeInline(ReadOnly, admin.TabularInline):
    model = Change
    fields = ("number", "state", "base", "desired", "found", "detail", "finished_at")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        return super().get_queryset(request).select_related("number")


@admin.register(ChangeSet)
class ChangeSetAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "created_by_name", "source", "reason", "created_at")
    list_filter = ("source",)
    search_fields = ("created_by_name", "reason", "request_id")
    fields = ("created_by_name", "created_by", "source", "reason", "created_at", "request_id")
    inlines = (ChangeInline,)


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    list_display = ("id", "number", "desired", "state", "detail", "created_at")
    list_filter = ("state",)
    list_select_related = ("number",)
    search_fields = ("number__e164__contains",)
    fields = (
        "change_set",
        "number",
        "base",
        "desired",
        "found",
        "state",
        "detail",
        "error_slug",
        "attempt",
        "reads",
        "created_at",
        "sent_at",
        "finished_at",
        "next_attempt_at",
    )


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "number", "kind", "field", "before", "after", "actor_name")
    list_display_links = ("at",)
    list_filter = ("kind",)
    list_select_related = ("number",)
    search_fields = ("number__e164__contains",)
    fields = (
        "at",
        "number",
        "kind",
        "field",
        "before",
        "after",
        "detail",
        "actor",
        "actor_name",
        "change",
        "run",
        "request_id",
    )
