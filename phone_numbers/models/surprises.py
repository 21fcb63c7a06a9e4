"""The field sentinel: what of an account's rows its adapter does not know yet."""

from django.db import models

from phone_numbers.models.accounts import Account


class Surprise(models.Model):
    """A field, or a value of a known field, that a provider has begun to send. The rows keep it in their payload."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="surprises")
    name = models.CharField(max_length=200, help_text="The field, or field=value.")
    example = models.CharField(max_length=200, blank=True, help_text="What one number has there.")
    seen_count = models.PositiveIntegerField(default=0, help_text="Numbers that have it, in the last whole listing.")
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(
        null=True, blank=True, help_text="The last whole listing that had it. Empty: the newest one has."
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="surprise_once_per_account")]

    def __str__(self) -> str:
        return self.name

    @property
    def field(self) -> str:
        return self.name.partition("=")[0]

    @property
    def is_value(self) -> bool:
        """The field is known, what it says is not."""
        return "=" in self.name
