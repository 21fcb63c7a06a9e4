"""What operators asked for. Every write to a provider is a change in a change set."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from phone_numbers.models.numbers import PhoneNumber


class ChangeSet(models.Model):
    """What one operator asked for at one time, with a reason."""

    class Source(models.TextChoices):
        INLINE = "inline", "List"
        FORM = "form", "Number page"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="change_sets"
    )
    created_by_name = models.CharField(max_length=150, help_text="Kept when the user is deleted.")
    source = models.CharField(max_length=10, choices=Source, default=Source.INLINE)
    reason = models.CharField(max_length=255, blank=True)
    idempotency_key = models.CharField(max_length=64)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["created_by", "idempotency_key"], name="one_change_set_per_key")]

    def __str__(self) -> str:
        return f"change set {str(self.pk)[:8]}"


class Change(models.Model):
    """One number's fields in a change set: base → desired, and how far it got."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting to send"
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown, checking"
        CONFIRMED = "confirmed", "Confirmed"
        REFUSED = "refused", "Refused"
        CONFLICT = "conflict", "Conflict"
        MISMATCH = "mismatch", "Accepted but not applied"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    LIVE = (State.PENDING, State.SENDING, State.UNKNOWN)
    held_until = 0.0
    """By the monotonic clock of the process that holds it; not stored."""

    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="changes")
    number = models.ForeignKey(PhoneNumber, on_delete=models.PROTECT, related_name="changes")
    base = models.JSONField(help_text="Field to value, as the operator saw it.")
    desired = models.JSONField(help_text="Field to value, as asked for.")
    found = models.JSONField(default=dict, help_text="Field to value, as last read at the provider.")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="How often it was sent.")
    reads = models.PositiveSmallIntegerField(
        default=0, help_text="Readings since then that still showed the old value."
    )
    failures = models.PositiveSmallIntegerField(default=0, help_text="Tries in a row that got no reading at all.")
    postponed = models.PositiveSmallIntegerField(default=0, help_text="Requests in a row to slow down, or held back.")
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Until when its worker has it; without a worker, when to ring for it again."
    )
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Not to be worked on before this.")
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When the provider said yes to it.")
    finished_at = models.DateTimeField(null=True, blank=True)
    error_slug = models.CharField(max_length=30, blank=True)
    detail = models.TextField(blank=True, help_text="One sentence on how it ended, with the provider's words.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(state__in=("pending", "sending", "unknown")),
                name="one_live_change_per_number",
            )
        ]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="change_by_due")]

    def __str__(self) -> str:
        return f"change {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE
