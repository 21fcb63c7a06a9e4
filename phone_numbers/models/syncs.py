"""Sync runs: the job row is the truth, a message only rings for it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from phone_numbers.models.accounts import Account


class SyncRun(models.Model):
    """One reading of an account's numbers into the cache."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        COMPLETE = "complete", "Complete"
        PARTIAL = "partial", "Partial"
        HELD = "held", "Held"
        FAILED = "failed", "Failed"
        LOST = "lost", "Lost"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "Schedule"
        PERSON = "person", "Sync now"
        ACCEPTED = "accepted", "Absences accepted"

    class Decision(models.TextChoices):
        """What a person made of a held run."""

        ACCEPTED = "accepted", "Accepted"
        DISMISSED = "dismissed", "Dismissed"

    class Phase(models.TextChoices):
        CONNECTING = "connecting", "Connecting"
        APPLICATIONS = "applications", "Reading applications"
        NUMBERS = "numbers", "Reading numbers"
        ABSENCES = "absences", "Checking absences"
        DONE = "done", "Done"

    LIVE = (State.QUEUED, State.RUNNING)
    JUDGED = (State.HELD, State.COMPLETE)
    """It judged absences. The newest of an account's tells whether a person is waited for."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    phase = models.CharField(max_length=12, choices=Phase, default=Phase.CONNECTING)
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.SCHEDULE)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    slot = models.DateTimeField(null=True, blank=True, help_text="The scheduled moment this run is for.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    started_seq = models.BigIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Until when its worker has it; without a worker, when to ring for it again."
    )
    pages_read = models.PositiveIntegerField(default=0)
    numbers_total = models.PositiveIntegerField(null=True, blank=True, help_text="As the provider counts them.")
    numbers_seen = models.PositiveIntegerField(default=0)
    numbers_new = models.PositiveIntegerField(default=0)
    numbers_changed = models.PositiveIntegerField(default=0)
    numbers_absent = models.PositiveIntegerField(default=0, help_text="Believed present, and not in the listing.")
    numbers_unconfirmed = models.PositiveIntegerField(default=0)
    numbers_missing = models.PositiveIntegerField(default=0)
    numbers_released = models.PositiveIntegerField(default=0)
    numbers_returned = models.PositiveIntegerField(default=0)
    numbers_left_alone = models.PositiveIntegerField(default=0, help_text="Being edited, so re-read on their own.")
    requests = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0)
    error_slug = models.CharField(max_length=30, blank=True)
    detail = models.TextField(blank=True, help_text="One sentence on how it ended, when not well.")
    decision = models.CharField(max_length=10, choices=Decision, blank=True, help_text="Of a held run.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="decided_runs"
    )
    decided_by_name = models.CharField(max_length=150, blank=True, help_text="Kept when the user is deleted.")
    accepts = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="accepted_in",
        help_text="The held run whose absences a person accepted for this one.",
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=("queued", "running")), name="one_live_run_per_account"
            ),
            models.UniqueConstraint(fields=["account", "slot"], name="one_run_per_slot"),
        ]
        indexes = [models.Index(fields=["state", "lease_expires_at"], name="run_by_lease")]

    def __str__(self) -> str:
        return f"sync run {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    @property
    def is_undecided(self) -> bool:
        return self.state == self.State.HELD and not self.decision
