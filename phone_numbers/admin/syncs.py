"""Sync runs and what they found that nobody knows yet, to look at. Runs are asked for on an account."""

from datetime import timedelta

from django.contrib import admin

from phone_numbers.admin.readonly import ReadOnlyAdmin
from phone_numbers.models import Surprise, SyncRun


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
                    "numbers_absent",
                    "numbers_unconfirmed",
                    "numbers_missing",
                    "numbers_released",
                    "numbers_returned",
                    "numbers_left_alone",
                )
            },
        ),
        ("Held", {"fields": ("decision", "decided_at", "decided_by_name", "accepts")}),
        ("Work", {"fields": ("attempt", "pages_read", "requests", "retries", "lease_expires_at")}),
    )

    @admin.display(description="took")
    def duration(self, run: SyncRun) -> timedelta | None:
        if run.started_at is None or run.finished_at is None:
            return None
        return timedelta(seconds=round((run.finished_at - run.started_at).total_seconds(), 1))


@admin.register(Surprise)
class SurpriseAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "seen_count", "example", "first_seen_at", "last_seen_at")
    list_filter = ("account",)
    list_select_related = ("account",)
