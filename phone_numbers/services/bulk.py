"""The few statements a listing of a hundred thousand numbers waits for, each in the quickest form its database has.

Rows are made ready for them before anything is locked. Everything else goes through Django's models: these are worth
it by measurement (docs/performance.md).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import connection, models

from phone_numbers.models import Event, NumberPayload, PhoneNumber
from providers.reading import canonical

KNOWN = (
    "SELECT remote_id, id, CASE presence WHEN 'present' THEN digest ELSE '' END "
    "FROM numbers_phonenumber WHERE account_id = %s AND remote_id "
)
UNCHANGED = """
SELECT group_concat(known.id)
FROM json_each(%s) AS listed CROSS JOIN numbers_phonenumber AS known
WHERE known.account_id = %s AND known.remote_id = listed.key AND known.digest = listed.value
AND +known.presence = 'present'
"""
UNCHANGED_POSTGRESQL = """
SELECT string_agg(id::text, ',')
FROM numbers_phonenumber
WHERE account_id = %s AND remote_id = ANY(string_to_array(%s, chr(31)))
AND CASE presence WHEN 'present' THEN remote_id || ' ' || digest END = ANY(string_to_array(%s, chr(31)))
"""
"""Both are written so that each number is looked up by its own key; a join would look through the whole account."""
AMONG = "IN (SELECT value FROM json_each(%s))"
AMONG_POSTGRESQL = "= ANY(string_to_array(%s, chr(31)))"
SEPARATOR = chr(31)
NUMBER_DEFAULTS = {
    field.attname: field.get_default() for field in PhoneNumber._meta.concrete_fields if not field.primary_key
}
PAYLOAD_COLUMNS = ("number_id", "body", "extras", "shadowed")
EVENT_COLUMNS = tuple(field.attname for field in Event._meta.concrete_fields if not field.primary_key)

Write = Callable[[], object]
"""Writes what was made ready; to be called inside a transaction, once."""


def find_unchanged(account_id: int, digests: Mapping[str, str]) -> list[int]:
    """Our ids of those, by their remote ids, that are present in the cache with just this digest.

    They come as one text: a thousand rows of their own would take as long to be read as to be decoded.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            pairs = SEPARATOR.join(f"{remote_id} {digest}" for remote_id, digest in digests.items())
            cursor.execute(UNCHANGED_POSTGRESQL, [account_id, SEPARATOR.join(digests), pairs])
        else:
            cursor.execute(UNCHANGED, [canonical(digests).decode(), account_id])
        (pks,) = cursor.fetchone()
    return [int(pk) for pk in pks.split(",")] if pks else []


def find_known(account_id: int, remote_ids: Iterable[str]) -> Sequence[tuple[str, int, str]]:
    """Remote id, our id and digest of those that are in the cache; the digest of one that is not present is "".

    One text asks for all: psycopg takes longer to write a list of a thousand down than PostgreSQL to look them up.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(KNOWN + AMONG_POSTGRESQL, [account_id, SEPARATOR.join(remote_ids)])
        else:
            cursor.execute(KNOWN + AMONG, [account_id, canonical(list(remote_ids)).decode()])
        found: list[tuple[str, int, str]] = cursor.fetchall()
    return found


def inserted_numbers(rows: Iterable[Mapping[str, Any]]) -> Write:
    """New numbers, each by the names of its columns; what is not named takes its default."""
    return inserted(PhoneNumber, tuple(NUMBER_DEFAULTS), ({**NUMBER_DEFAULTS, **row}.values() for row in rows))


def inserted_payloads(payloads: Iterable[NumberPayload]) -> Write:
    return inserted(
        NumberPayload, PAYLOAD_COLUMNS, ([getattr(row, name) for name in PAYLOAD_COLUMNS] for row in payloads)
    )


def inserted(model: type[models.Model], columns: Sequence[str], rows: Iterable[Collection[Any]]) -> Write:
    """COPY takes a tenth of the time of an INSERT with many values, most of which is spent on writing that down."""
    if connection.vendor == "postgresql":
        return partial(copy_in, model, columns, rows)
    return one_by_one(
        insertion(model, columns),
        fields(model, columns),
        [model(**dict(zip(columns, row, strict=True))) for row in rows],
    )


def copy_in(model: type[models.Model], columns: Sequence[str], rows: Iterable[Collection[Any]]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([canonical(value).decode() if isinstance(value, dict) else value for value in row])


def added(rows: Sequence[Event]) -> Write:
    if connection.vendor == "postgresql":
        return partial(Event.objects.bulk_create, rows)
    return one_by_one(insertion(Event, EVENT_COLUMNS), fields(Event, EVENT_COLUMNS), rows)


def updated(numbers: Sequence[PhoneNumber], columns: Sequence[str]) -> Write:
    """Only what differs is named: SQLite writes the indexes of every column that is, whether it differs or not."""
    if connection.vendor == "postgresql":
        named: dict[str, Any] = {"unique_fields": ["id"], "update_fields": columns}
        return partial(PhoneNumber.objects.bulk_create, numbers, update_conflicts=True, **named)
    news = ", ".join(f'"{column}" = %s' for column in columns)
    statement = f"UPDATE numbers_phonenumber SET {news} WHERE id = %s"  # noqa: S608 - our own names
    return one_by_one(statement, fields(PhoneNumber, [*columns, "id"]), numbers)


def replaced(payloads: Sequence[NumberPayload]) -> Write:
    """A number that has none gets one."""
    key, *columns = PAYLOAD_COLUMNS
    if connection.vendor == "postgresql":
        named: dict[str, Any] = {"unique_fields": ["number"], "update_fields": columns}
        return partial(NumberPayload.objects.bulk_create, payloads, update_conflicts=True, **named)
    news = ", ".join(f'"{column}" = excluded."{column}"' for column in columns)
    statement = f'{insertion(NumberPayload, PAYLOAD_COLUMNS)} ON CONFLICT ("{key}") DO UPDATE SET {news}'
    return one_by_one(statement, fields(NumberPayload, PAYLOAD_COLUMNS), payloads)


def fields(model: type[models.Model], columns: Sequence[str]) -> "list[models.Field[Any, Any]]":
    by_column = {field.attname: field for field in model._meta.concrete_fields}
    return [by_column[column] for column in columns]


def insertion(model: type[models.Model], columns: Sequence[str]) -> str:
    names, places = ", ".join(f'"{column}"' for column in columns), ", ".join("%s" for _ in columns)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places})'  # noqa: S608 - our own names


def one_by_one(statement: str, named: "Sequence[models.Field[Any, Any]]", rows: Iterable[models.Model]) -> Write:
    """SQLite reads a short statement once and runs it for every row, which is quicker than one long statement."""
    ready = [[field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in named] for row in rows]

    def write() -> None:
        if ready:
            with connection.cursor() as cursor:
                cursor.executemany(statement, ready)

    return write
