"""What the database keeps of the inventory itself, by triggers, whoever writes: counters, and a mark of each version.

Nothing in Python writes these tables; `phone_numbers.services.bookkeeping` holds the triggers.
"""

from django.db import models

from phone_numbers.models.accounts import Account


class Tally(models.Model):
    """How many numbers are alike in everything the facets and the sorting ask for. Rows of the same kind add up.

    A negative count takes some away again: on PostgreSQL writers only ever add rows, so that none waits for another.
    """

    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    number_type = models.CharField(max_length=12)
    country = models.CharField(max_length=2)
    service_bits = models.PositiveSmallIntegerField()
    tendlc_status = models.CharField(max_length=16)
    toll_free_status = models.CharField(max_length=16)
    presence = models.CharField(max_length=12)
    voice_kind = models.CharField(max_length=30)
    voice_target = models.CharField(max_length=100, help_text="Empty for addresses and phone numbers: those are many.")
    message_kind = models.CharField(max_length=30)
    message_target = models.CharField(max_length=100)
    rate_currency = models.CharField(max_length=3, help_text="A dash for a number whose rate is not known.")
    renews = models.BooleanField()
    count = models.IntegerField()

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.count} numbers"


class Edition(models.Model):
    """Marks a version of the inventory: it changes whenever anything does that lists or counts could show."""

    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.pk}.{self.value}"
