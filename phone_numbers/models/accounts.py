"""Accounts, and what belongs to an account besides its numbers."""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from phone_numbers.encryption import Sealed, SealedField


def default_interval() -> int:
    return int(settings.SYNC_INTERVAL_SECONDS)


class Account(models.Model):
    """One set of credentials at a provider."""

    class Health(models.TextChoices):
        NEW = "new", "Not synced yet"
        OK = "ok", "In step"
        FAILING = "failing", "Last sync failed"
        HELD = "held", "Last sync held back"
        AUTH_FAILED = "auth_failed", "Credentials refused"
        WRONG_ACCOUNT = "wrong_account", "Wrong account"

    name = models.CharField(max_length=80, unique=True)
    provider = models.CharField(max_length=20, db_index=True)
    remote_id = models.CharField(
        "provider's account id",
        max_length=80,
        blank=True,
        editable=False,
        help_text="What the provider calls this account; stored at the first contact, compared at every later one.",
    )
    credentials = SealedField(default=Sealed, blank=True, editable=False)
    is_demo = models.BooleanField(default=False, editable=False, help_text="Talks to the built-in simulator.")
    is_paused = models.BooleanField("paused", default=False, help_text="A paused account is not synced on schedule.")
    sync_interval_seconds = models.PositiveIntegerField(
        "sync every (seconds)", default=default_interval, validators=[MinValueValidator(15)]
    )
    hold_minimum = models.PositiveSmallIntegerField(
        "hold above (numbers)", default=3, help_text="A sync that lacks no more numbers than this is never held."
    )
    hold_percent = models.PositiveSmallIntegerField(
        "hold above (%)",
        default=2,
        validators=[MaxValueValidator(100)],
        help_text="A sync that lacks more of the account's numbers than this is held for a person to look.",
    )
    next_sync_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    failures_in_row = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Syncs since the provider last answered as it should."
    )
    retry_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The provider is spared until then, after failing repeatedly."
    )
    health = models.CharField(max_length=20, choices=Health, default=Health.NEW, editable=False)
    health_detail = models.TextField(blank=True, editable=False, help_text="One sentence: what went wrong last.")
    fresh_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the last certified listing of this account began."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "remote_id", "is_demo"],
                condition=~models.Q(remote_id=""),
                name="provider_account_connected_once",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=self.sync_interval_seconds)

    @property
    def is_stale(self) -> bool:
        """Older than two intervals, or never read: the page says so."""
        return self.fresh_at is None or timezone.now() - self.fresh_at > 2 * self.interval


class Application(models.Model):
    """Something at the provider that calls or messages can be routed to: an application, a trunk …"""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="applications")
    remote_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=30, default="application")
    name = models.CharField(max_length=255, blank=True)
    voice_url = models.TextField(blank=True)
    message_url = models.TextField(blank=True)
    fallback_url = models.TextField(blank=True)
    subaccount = models.CharField(max_length=100, blank=True)
    is_assignable = models.BooleanField(default=True)
    why_not = models.TextField(blank=True)
    is_present = models.BooleanField(default=True, help_text="In the provider's list when it was last read whole.")
    misses = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Lists in a row that lacked it and were not believed."
    )
    payload = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind", "name", "remote_id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "remote_id"], name="application_once_per_account")
        ]

    def __str__(self) -> str:
        return self.name or self.remote_id

    @property
    def route_key(self) -> str:
        return f"{self.kind}:{self.remote_id}"


class Subaccount(models.Model):
    """A division of an account at its provider; numbers name it by `remote_id`."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="subaccounts")
    remote_id = models.CharField(max_length=100)
    name = models.CharField(max_length=255, blank=True)
    is_enabled = models.BooleanField(default=True)
    is_present = models.BooleanField(default=True)
    misses = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Lists in a row that lacked it and were not believed."
    )

    class Meta:
        ordering = ["name", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="subaccount_once_per_account")]

    def __str__(self) -> str:
        return self.name or self.remote_id
