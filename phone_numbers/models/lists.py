"""Lists of numbers that people put together by hand."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from phone_numbers.models.numbers import PhoneNumber

KEPT_FOR = timedelta(days=7)


def kept_until() -> datetime:
    return timezone.now() + KEPT_FOR


class NumberList(models.Model):
    """The numbers somebody pasted: addresses are too short for thousands of them, so they name this row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="number_lists")
    numbers = models.ManyToManyField(PhoneNumber, related_name="+")
    remarks = models.JSONField(default=dict, help_text="What of the pasted text led to no number, or to several.")
    expires_at = models.DateTimeField(default=kept_until, db_index=True)

    def __str__(self) -> str:
        return f"list {str(self.pk)[:8]}"
