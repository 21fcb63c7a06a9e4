"""One counter for the order of things: wall clocks jump, this does not."""

from django.db import connection, models


class Sequence(models.Model):
    name = models.CharField(max_length=20, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def next(cls) -> int:
        """A number greater than every number handed out before, by any process."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO numbers_sequence (name, value) VALUES ('order', 1) "
                "ON CONFLICT (name) DO UPDATE SET value = numbers_sequence.value + 1 RETURNING value"
            )
            return int(cursor.fetchone()[0])
