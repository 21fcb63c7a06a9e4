"""Questions asked of the tables, named."""

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from phone_numbers.models import PhoneNumber  # noqa: F401 - the quoted type argument below


class PhoneNumberQuerySet(models.QuerySet["PhoneNumber"]):
    def held(self) -> "PhoneNumberQuerySet":
        """Not known to be released."""
        return self.exclude(presence="released")
