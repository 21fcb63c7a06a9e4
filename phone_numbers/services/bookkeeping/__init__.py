"""What the database keeps exact by itself, whoever writes: the tallies, the edition, and what the search looks through.

`install` runs after every `migrate`, because SQLite drops a table's triggers whenever a migration alters the table.
"""

from django.db import connections, transaction

from phone_numbers.services.bookkeeping import postgresql, sqlite
from phone_numbers.services.bookkeeping.cells import NAMED_IN

TABLES = {"numbers_phonenumber", "numbers_tally", "numbers_edition", *(f"numbers_{table}" for table in NAMED_IN)}
KEPT_BY = {"postgresql": postgresql, "sqlite": sqlite}


def install(*, using: str = "default", **_: object) -> None:
    """Put the triggers in place and count everything anew, unless all of it is there already. Safe to repeat."""
    connection = connections[using]
    kept_by = KEPT_BY[connection.vendor]
    with connection.cursor() as cursor:
        if not TABLES.issubset(connection.introspection.table_names(cursor)) or kept_by.is_installed(cursor):
            return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in kept_by.STATEMENTS:
            cursor.execute(statement)


def remove(*, using: str = "default") -> None:
    """Take everything away again, before a migration takes the tables away."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for statement in KEPT_BY[connection.vendor].REMOVAL:
            cursor.execute(statement)
