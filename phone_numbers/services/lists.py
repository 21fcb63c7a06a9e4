"""Keeps lists of numbers that people put together, for a week."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from phone_numbers.models import NumberList

BATCH = 2000


def keep_list(user: User, numbers: Iterable[int], remarks: Mapping[str, Any]) -> NumberList:
    """A new list; those that have expired go at the same time."""
    listed = NumberList.numbers.through
    with transaction.atomic():
        NumberList.objects.filter(expires_at__lt=timezone.now()).delete()
        kept = NumberList.objects.create(user=user, remarks=dict(remarks))
        listed.objects.bulk_create(
            (listed(numberlist_id=kept.pk, phonenumber_id=number) for number in numbers), batch_size=BATCH
        )
    return kept


def is_kept(pk: str) -> bool:
    return NumberList.objects.filter(pk=pk, expires_at__gt=timezone.now()).exists()
