"""The sign of life of the workers: each tick writes it, the health page reads it."""

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
