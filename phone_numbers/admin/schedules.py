"""Celery beat's own tables, without the kinds of schedule nothing here uses."""

from django.contrib import admin
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import ClockedSchedule, PeriodicTask, SolarSchedule

for model in (ClockedSchedule, SolarSchedule, PeriodicTask):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class ScheduleAdmin(PeriodicTaskAdmin):  # type: ignore[misc]
    change_form_template = None  # The package's own brings an inline script, which the content security policy blocks.
    date_hierarchy = None
    actions = ("enable_tasks", "disable_tasks")
    list_display = ("name", "enabled", "scheduler", "last_run_at")
    list_filter = ("enabled",)
    fieldsets = (
        (None, {"fields": ("name", "regtask", "task", "enabled", "description")}),
        ("Schedule", {"fields": ("interval", "crontab", "start_time", "last_run_at", "one_off")}),
        ("Arguments", {"fields": ("args", "kwargs")}),
        ("Expiry", {"fields": ("expires", "expire_seconds")}),
    )
