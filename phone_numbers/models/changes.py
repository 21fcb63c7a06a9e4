"""What operators asked for. Every write to a provider is a change in a change set."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from phone_numbers.models.accounts import Account
from phone_numbers.models.numbers import PhoneNumber


class ChangeSet(models.Model):
    """What one operator asked for at one time, with a reason: one edit, or a plan for many numbers."""

    class Source(models.TextChoices):
        INLINE = "inline", "List"
        FORM = "form", "Number page"
        BULK = "bulk", "Bulk edit"
        IMPORT = "import", "Import"
        RESTORE = "restore", "Drift restored"
        UNDO = "undo", "Undo"
        CLI = "cli", "Command line"

    class State(models.TextChoices):
        DRAFT = "draft", "Plan, nothing sent"
        APPLYING = "applying", "Under way"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    UNDER_WAY = (State.APPLYING, State.PAUSED)

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
    state = models.CharField(max_length=10, choices=State, default=State.APPLYING)
    state_detail = models.CharField(max_length=500, blank=True, help_text="Why it is paused.")
    is_planned = models.BooleanField(
        default=False, help_text="Made as a plan, and worked through by its accounts' crews; else one edit."
    )
    plan_hash = models.CharField(
        max_length=32, blank=True, help_text="Of every number, base and desired value; empty while it is being made."
    )
    asked = models.JSONField(default=dict, help_text="What was asked of every number, or the name of the file.")
    selection = models.JSONField(default=dict, help_text="The filter the numbers were chosen by, if they were.")
    canary = models.PositiveIntegerField(
        null=True, blank=True, help_text="After so many numbers it pauses for somebody to look."
    )
    follows = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="followed_by",
        help_text="The change set that this one undoes, or whose failures it tries again.",
    )
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="applied_change_sets"
    )
    applied_by_name = models.CharField(max_length=150, blank=True, help_text="Kept when the user is deleted.")
    applied_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["created_by", "idempotency_key"], name="one_change_set_per_key")]
        indexes = [
            models.Index(
                fields=["state"],
                condition=Q(is_planned=True, state__in=("draft", "applying", "paused")),
                name="plan_by_state",
            )
        ]

    def __str__(self) -> str:
        return f"change set {str(self.pk)[:8]}"

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY


class Change(models.Model):
    """One number's fields in a change set: base → desired, and how far it got."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        LEFT_OUT = "left_out", "Left out"
        PENDING = "pending", "Waiting to send"
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown, checking"
        CONFIRMED = "confirmed", "Confirmed"
        REFUSED = "refused", "Refused"
        CONFLICT = "conflict", "Conflict"
        MISMATCH = "mismatch", "Accepted but not applied"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class LeftOut(models.TextChoices):
        """Why a plan leaves a number alone."""

        CANNOT = "cannot", "Cannot be changed"
        ALREADY = "already", "Already so"
        IN_FLIGHT = "in_flight", "Being changed"
        CHANGED_SINCE = "changed", "Changed since"

    LIVE = (State.PENDING, State.SENDING, State.UNKNOWN)
    UNASKED = (State.PLANNED, State.LEFT_OUT)
    """Not asked for, or not yet: without a history."""
    held_until = 0.0
    """By the monotonic clock of the process that holds it; not stored."""
    trouble: Exception | None = None
    """What the provider last answered instead of doing it, in the hands of who works on it; not stored."""

    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="changes", db_index=False)
    number = models.ForeignKey(PhoneNumber, on_delete=models.PROTECT, related_name="changes")
    base = models.JSONField(help_text="Field to value, as the operator saw it.")
    desired = models.JSONField(help_text="Field to value, as asked for.")
    found = models.JSONField(default=dict, help_text="Field to value, as last read at the provider.")
    effects = models.JSONField(default=list, help_text="What else it brings about: field, sentence, is_inherent.")
    is_local = models.BooleanField(
        default=False, help_text="Of what only Numberdesk keeps: written here at once, and never sent."
    )
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    left_out = models.CharField(max_length=10, choices=LeftOut, blank=True)
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
    created_at = models.DateTimeField(auto_now_add=True, help_text="Of a plan's change: when its turn came.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(state__in=("pending", "sending", "unknown")),
                name="one_live_change_per_number",
            ),
            models.UniqueConstraint(
                fields=["change_set", "number", "is_local"], name="number_once_or_locally_per_change_set"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="change_by_due"),
            models.Index(fields=["change_set", "state", "id"], name="change_by_set"),
        ]

    def __str__(self) -> str:
        return f"change {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    @property
    def is_cancellable(self) -> bool:
        """It waits for its turn, another try or a slow provider, and nobody holds it just now."""
        waits_in_plan = self.state == self.State.PLANNED and self.change_set.is_under_way
        return (self.is_live or waits_in_plan) and self.lease_token is None

    @property
    def was_sent(self) -> bool:
        """Whether a provider that was asked for it may still do it."""
        return self.state in (self.State.SENDING, self.State.UNKNOWN)


class Crew(models.Model):
    """Whoever works through an account's plans: one worker at a time, with several changes in flight."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="crew")
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"crew of {self.account_id}"
