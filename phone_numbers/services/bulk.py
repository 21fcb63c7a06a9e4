"""The few statements a listing of a hundred thousand numbers waits for, each in the quickest form its database has.

Everything else goes through Django's models: these two are worth it by measurement (docs/performance.md).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models

from phone_numbers.models import NumberPayload, PhoneNumber
from providers.reading import canonical

KNOWN = "SELECT remote_id, id, digest, presence FROM numbers_phonenumber WHERE account_id = %s AND remote_id "
AMONG = "IN (SELECT value FROM json_each(%s))"
AMONG_POSTGRESQL = "= ANY(string_to_array(%s, chr(31)))"
SEPARATOR = chr(31)
NUMBER_DEFAULTS = {
    field.attname: field.get_default() for field in PhoneNumber._meta.concrete_fields if not field.primary_key
}
PAYLOAD_COLUMNS = ("number_id", "body", "extras", "shadowed")


def find_known(account_id: int, remote_ids: Iterable[str]) -> Sequence[tuple[str, int, str, str]]:
    """Remote id, our id, digest and presence of those that are in the cache.

    One text asks for all: psycopg takes longer to write a list of a thousand down than PostgreSQL to look them up.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(KNOWN + AMONG_POSTGRESQL, [account_id, SEPARATOR.join(remote_ids)])
        else:
            cursor.execute(KNOWN + AMONG, [account_id, canonical(list(remote_ids)).decode()])
        found: list[tuple[str, int, str, str]] = cursor.fetchall()
    return found


def insert_numbers(rows: Iterable[Mapping[str, Any]]) -> None:
    """New numbers, each by the names of its columns; what is not named takes its default."""
    insert(PhoneNumber, tuple(NUMBER_DEFAULTS), ({**NUMBER_DEFAULTS, **row}.values() for row in rows))


def insert_payloads(payloads: Iterable[NumberPayload]) -> None:
    insert(NumberPayload, PAYLOAD_COLUMNS, ([getattr(row, name) for name in PAYLOAD_COLUMNS] for row in payloads))


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Collection[Any]]) -> None:
    """COPY takes a tenth of the time of an INSERT with many values, most of which is spent on writing that down."""
    if connection.vendor != "postgresql":
        model._meta.base_manager.bulk_create(model(**dict(zip(columns, row, strict=True))) for row in rows)
        return
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([canonical(value).decode() if isinstance(value, dict) else value for value in row])
