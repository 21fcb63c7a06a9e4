"""The sign of life of the workers: whoever works writes it, the health page reads it."""

import datetime as dt

from django.db import models
from django.utils import timezone


class Pulse(models.Model):
    """When a worker last did a piece of work for this name."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def record(cls, name: str) -> None:
        cls.objects.update_or_create(name=name, defaults={"at": timezone.now()})

    @classmethod
    def silence(cls, name: str, now: dt.datetime) -> dt.timedelta | None:
        """Since when nothing was heard of this name; None when nothing ever was."""
        at = cls.objects.filter(pk=name).values_list("at", flat=True).first()
        return None if at is None else now - at
