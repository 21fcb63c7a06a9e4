"""Sync runs, to look at. They are asked for on an account, never made here."""

from datetime import timedelta

from django.contrib import admin

from phone_numbers.admin.readonly import ReadOnlyAdmin
from phone_numbers.models import SyncRun


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "account",
        "state",
        "trigger",
        "created_at",
        "duration",
        "numbers_seen",
        "numbers_new",
        "numbers_changed",
        "detail",
    )
    list_filter = ("account", "state", "trigger")
    list_select_related = ("account",)
    fieldsets = (
        (None, {"fields": ("account", "state", "phase", "detail", "error_slug")}),
        (
            "When",
            {"fields": ("trigger", "requested_by", "slot", "created_at", "started_at", "finished_at", "duration")},
        ),
        (
            "Numbers",
            {
                "fields": (
                    "numbers_total",
                    "numbers_seen",
                    "numbers_new",
                    "numbers_changed",
                    "numbers_unconfirmed",
                    "numbers_returned",
                    "numbers_left_alone",
                )
            },
        ),
        ("Work", {"fields": ("attempt", "pages_read", "requests", "retries", "lease_expires_at")}),
    )

    @admin.display(description="took")
    def duration(self, run: SyncRun) -> timedelta | None:
        if run.started_at is None or run.finished_at is None:
            return None
        return timedelta(seconds=round((run.finished_at - run.started_at).total_seconds(), 1))
