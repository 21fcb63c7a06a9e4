"""What an installation says of its numbers itself. Never sent to a provider, never touched by a sync.

Apart from the numbers, so that the table that lists scan stays narrow: a number without any of it has no row here.
"""

from typing import Any

from django.conf import settings
from django.db import models

from phone_numbers.models.numbers import PhoneNumber

LONGEST_TAG = 40
LONGEST_OWNER = 80
LONGEST_COST_CENTRE = 40


class Tag(models.Model):
    """A word to group numbers by. `VIP` and `vip` are one tag; the first spelling stays."""

    name = models.CharField(max_length=LONGEST_TAG)
    folded = models.CharField(
        max_length=3 * LONGEST_TAG, unique=True, editable=False, help_text="The name without its case."
    )
    numbers = models.ManyToManyField(PhoneNumber, related_name="tags", blank=True)

    class Meta:
        ordering = ["folded"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.folded = self.name.casefold()
        super().save(*args, **kwargs)


class LocalFields(models.Model):
    """Who a number belongs to here, and who pays for it."""

    number = models.OneToOneField(PhoneNumber, on_delete=models.CASCADE, primary_key=True, related_name="local")
    owner = models.CharField(max_length=LONGEST_OWNER, blank=True, db_index=True)
    cost_centre = models.CharField(max_length=LONGEST_COST_CENTRE, blank=True, db_index=True)

    class Meta:
        verbose_name_plural = "local fields"

    def __str__(self) -> str:
        return f"local fields of {self.pk}"


class Note(models.Model):
    """Something to know about a number. Never edited; its author can withdraw it, and the history keeps it."""

    number = models.ForeignKey(PhoneNumber, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    author_name = models.CharField(max_length=150, help_text="Kept when the user is deleted.")
    at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.text[:40]
