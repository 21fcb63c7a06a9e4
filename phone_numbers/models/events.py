"""The history of numbers, append-only."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from phone_numbers.models.changes import Change, ChangeSet
from phone_numbers.models.numbers import PhoneNumber
from phone_numbers.models.syncs import SyncRun


class Event(models.Model):
    """One line of a number's history."""

    class Kind(models.TextChoices):
        FIRST_SEEN = "first_seen", "First seen"
        REQUESTED = "requested", "Edit requested"
        SENT = "sent", "Sent to the provider"
        POSTPONED = "postponed", "Postponed"
        CONFIRMED = "confirmed", "Edit confirmed"
        REFUSED = "refused", "Edit refused"
        CONFLICT = "conflict", "Edit conflicted"
        MISMATCH = "mismatch", "Edit accepted but not applied"
        UNKNOWN = "unknown", "Outcome of an edit unknown"
        FAILED = "failed", "Edit failed"
        CANCELLED = "cancelled", "Edit cancelled"
        DRIFT = "drift", "Changed at the provider"
        PRESENCE = "presence", "Presence"
        READ = "read", "Read on its own"
        LOCAL = "local", "Changed in Numberdesk"
        NOTED = "noted", "Note"
        WITHDRAWN = "withdrawn", "Note withdrawn"
        SETTLED = "settled", "Conflict settled"
        REVIEWED = "reviewed", "Outside change reviewed"

    number = models.ForeignKey(PhoneNumber, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    field = models.CharField(max_length=30, blank=True)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    detail = models.TextField(blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150, blank=True)
    change = models.ForeignKey(Change, null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    run = models.ForeignKey(SyncRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    request_id = models.CharField(max_length=64, blank=True)
    known_at = models.DateTimeField(
        null=True, blank=True, help_text="Of drift: when the value before was last known to be in force."
    )
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["number", "-id"], name="event_by_number"),
            models.Index(fields=["actor_name", "-id"], condition=~Q(actor_name=""), name="event_by_actor"),
            models.Index(fields=["-id"], condition=Q(change__isnull=False), name="event_of_change"),
            models.Index(fields=["-id"], condition=Q(kind="drift"), name="event_of_drift"),
            models.Index(fields=["field"], condition=Q(kind="drift"), name="event_of_drift_by_field"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.field}".strip()


class PlanEvent(models.Model):
    """One line of a plan's own history: applied, paused, resumed, cancelled, done."""

    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="events")
    before = models.CharField(max_length=10, choices=ChangeSet.State)
    after = models.CharField(max_length=10, choices=ChangeSet.State)
    detail = models.TextField(blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150, blank=True, help_text="Empty for Numberdesk itself.")
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


class DriftVerdict(models.Model):
    """What somebody made of a change at the provider. The last word counts; each one is a line of history as well."""

    class Kind(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        IGNORED = "ignored", "Ignored"
        RESTORED = "restored", "Put back"

    event = models.OneToOneField(Event, primary_key=True, on_delete=models.CASCADE, related_name="verdict")
    kind = models.CharField(max_length=10, choices=Kind)
    plan = models.ForeignKey(
        ChangeSet,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="By which it was put back.",
    )
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.event_id} {self.kind}"
