"""What signing in needs to remember. Everything about numbers is in `phone_numbers.models`."""

from django.db import models


class SignInAttempt(models.Model):
    """A sign-in that failed, or is being decided. Names neither the user nor the address, only a digest of both."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="sign_in_by_key")]

    def __str__(self) -> str:
        return f"sign-in attempt {self.pk}"
