"""Numbers for measuring the list: as many as wished, alike in every run, put into the table as fast as it takes them.

Shaped like an organisation's inventory: a few accounts, some dozens of applications each, most numbers alike.
"""

import bisect
import datetime as dt
import itertools
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from phone_numbers.models import Account, Application, PhoneNumber
from phone_numbers.services import bookkeeping

ACCOUNTS = (
    ("Plivo main", "plivo", "US", 0.42),
    ("Plivo retail", "plivo", "US", 0.16),
    ("Twilio EMEA", "twilio", "GB", 0.14),
    ("Twilio labs", "twilio", "US", 0.10),
    ("SignalWire", "signalwire", "US", 0.08),
    ("SignalWire lab", "signalwire", "CA", 0.04),
    ("Fone Dynamics", "fone_dynamics", "AU", 0.04),
    ("Plivo Europe", "plivo", "DE", 0.02),
)
APPLICATIONS = 25
DIAL = {"US": "1", "CA": "1", "GB": "44", "AU": "61", "DE": "49"}
WORDS = [
    "Support",
    "Sales",
    "Billing",
    "Returns",
    "Delivery",
    "Clinic",
    "Harbour",
    "North",
    "South",
    "Airport",
    "Night",
    "Desk",
    "Campaign",
    "Store",
]
CHUNK = 20_000
DRAWN = 50_000
"""Numbers made one by one; more of them are copies that differ in what numbers differ in."""
COPIED = {
    "remote_id": "'N' || substr(CAST(1000000000 + place AS varchar(12)), 2)",
    "digest": "substr(drawn.digest, 1, 22) || substr(CAST(1000000000 + place AS varchar(12)), 2)",
    "e164": "substr(drawn.e164, 1, length(drawn.e164) - 7) || line",
    "national": "substr(drawn.national, 1, 6) || substr(line, 1, 3) || '-' || substr(line, 4)",
    "alias": "CASE drawn.alias WHEN '' THEN '' ELSE drawn.alias || '-' || copy END",
    "voice_target": "drawn.voice_target || CASE drawn.voice_kind WHEN 'url' THEN '/' || copy ELSE '' END",
}
HASTE = {
    "postgresql": ["SET maintenance_work_mem = '400MB'"],
    "sqlite": ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -400000", "PRAGMA temp_store = MEMORY"],
}
SETTLE = {
    "postgresql": ["VACUUM ANALYZE"],
    "sqlite": ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
}
KEPT = ("tally_insert", "tally_update", "tally_delete")
UNKEPT = {
    "postgresql": [
        *(f"DROP TRIGGER numbers_{name} ON numbers_phonenumber" for name in KEPT),
        "DROP INDEX number_by_trigrams",
        "COMMENT ON FUNCTION numbers_keep_tally() IS 'to be installed anew'",
    ],
    "sqlite": [f"DROP TRIGGER numbers_{name}" for name in (*KEPT, "search_update", "mark_update")],
}
COLUMNS = tuple(field for field in PhoneNumber._meta.concrete_fields if field.name != "id")


def seed_numbers(count: int) -> None:
    """Accounts, applications and `count` numbers, with the statistics a database gathers of them by itself in time.

    Indexes and triggers are put in place afterwards, which takes a fraction of the time and ends the same.
    """
    chance = random.Random(6)
    rows = number_rows(min(count, DRAWN), chance, make_accounts(chance))
    indexes = PhoneNumber._meta.indexes
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(PhoneNumber, index)
    execute(HASTE[connection.vendor] + UNKEPT[connection.vendor])
    store = copy_rows if connection.vendor == "postgresql" else insert_rows
    store(rows)
    multiply(count)
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(PhoneNumber, index)
    bookkeeping.install()
    execute(SETTLE[connection.vendor])


def execute(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def multiply(count: int) -> None:
    """The numbers there are, again and again until there are as many as wished: each with its own number and name."""
    values = ", ".join(COPIED.get(field.column, f"drawn.{field.column}") for field in COLUMNS)
    names = ", ".join(field.column for field in COLUMNS)
    place = f"(copy * {DRAWN} + CAST(substr(drawn.remote_id, 2) AS integer))"
    line = f"substr(CAST(10000000 + {place} * CAST(104729 AS bigint) % 10000000 AS varchar(9)), 2)"
    execute(
        [
            "CREATE TEMPORARY TABLE drawn AS SELECT * FROM numbers_phonenumber",
            f"""
                WITH RECURSIVE copies (copy) AS (
                    SELECT 0 UNION ALL SELECT copy + 1 FROM copies WHERE copy < {-(-count // DRAWN)}
                )
                INSERT INTO numbers_phonenumber ({names}) SELECT {values} FROM (
                    SELECT drawn.*, copy, {place} AS place, {line} AS line FROM copies CROSS JOIN drawn WHERE copy > 0
                ) AS drawn WHERE place < {count}
            """,
            "DROP TABLE drawn",
        ]
    )


def make_accounts(chance: random.Random) -> list[tuple[Account, list[str]]]:
    made = []
    for name, provider, _, _ in ACCOUNTS:
        account = Account.objects.create(name=name, provider=provider, health="ok", fresh_at=timezone.now())
        ids = [str(chance.randrange(10**16, 10**17)) for _ in range(APPLICATIONS)]
        Application.objects.bulk_create(
            Application(account=account, remote_id=remote_id, name=f"{chance.choice(WORDS)} IVR {place}")
            for place, remote_id in enumerate(ids)
        )
        made.append((account, ids))
    return made


def number_rows(count: int, chance: random.Random, accounts: list[tuple[Account, list[str]]]) -> Iterator[list[Any]]:
    now = timezone.now()
    usual = {field.attname: field.get_default() for field in COLUMNS}
    shares = list(itertools.accumulate(share for *_, share in ACCOUNTS))
    for place in range(count):
        at = min(bisect.bisect(shares, chance.random()), len(shares) - 1)
        account, applications = accounts[at]
        values = number_values(place, chance, account, ACCOUNTS[at][2], applications)
        values |= {"first_seen_at": now, "changed_at": now, "presence_since": now}
        values = usual | values
        yield [values[field.attname] for field in COLUMNS]


def number_values(
    place: int, chance: random.Random, account: Account, country: str, applications: list[str]
) -> dict[str, Any]:
    is_toll_free = chance.random() < 0.06
    area = chance.choice((800, 833, 844, 855)) if is_toll_free else 201 + (place * 7919) % 780
    e164 = f"+{DIAL[country]}{area}{(place * 104_729) % 10_000_000:07d}"
    values: dict[str, Any] = {
        "account_id": account.pk,
        "remote_id": f"N{place:09d}",
        "e164": e164,
        "national": f"({area}) {e164[-7:-4]}-{e164[-4:]}",
        "alias": f"{chance.choice(WORDS)} {chance.choice(WORDS)} {place % 5000}" if chance.random() < 0.7 else "",
        "number_type": "toll_free" if is_toll_free else "local" if chance.random() < 0.9 else "mobile",
        "country": country,
        "service_bits": chance.choice((3, 3, 3, 7, 1)),
        "presence": chance.choices(("present", "unconfirmed", "missing", "released"), (985, 5, 5, 5))[0],
        "digest": f"{place:032x}",
    }
    return (
        values
        | route_values(place, chance, applications)
        | compliance_values(chance, country, is_toll_free)
        | bill(place)
    )


def route_values(place: int, chance: random.Random, applications: list[str]) -> dict[str, Any]:
    if chance.random() < 0.1:
        return {}
    if chance.random() < 0.1:
        return {"voice_kind": "url", "voice_target": f"https://hooks{place % 40}.example.com/voice/{place}"}
    chosen = applications[int(chance.random() ** 2 * len(applications))]
    return {
        "voice_kind": "application",
        "voice_target": chosen,
        "message_kind": "application",
        "message_target": chosen,
    }


def compliance_values(chance: random.Random, country: str, is_toll_free: bool) -> dict[str, Any]:
    if is_toll_free:
        toll_free = chance.choices(("verified", "pending", "unverified"), (8, 1, 1))[0]
        return {"tendlc_status": "not_applicable", "toll_free_status": toll_free}
    if country != "US":
        return {"tendlc_status": "not_applicable", "toll_free_status": "not_applicable"}
    status = chance.choices(("registered", "in_progress", "unregistered", "failed"), (70, 10, 15, 5))[0]
    campaign = f"C{chance.randrange(60):05d}" if status == "registered" else ""
    return {"tendlc_status": status, "tendlc_campaign_id": campaign, "toll_free_status": "not_applicable"}


def bill(place: int) -> dict[str, Any]:
    renewal = dt.date(2026, 12, 1) + dt.timedelta(days=place % 31)
    return {"monthly_rate": Decimal("0.80") + place % 4, "currency": "USD", "renewal_date": renewal}


def copy_rows(rows: Iterator[list[Any]]) -> None:
    names = ", ".join(field.column for field in COLUMNS)
    with connection.cursor() as cursor, cursor.copy(f"COPY numbers_phonenumber ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def insert_rows(rows: Iterator[list[Any]]) -> None:
    names = ", ".join(field.column for field in COLUMNS)
    places = ", ".join(["%s"] * len(COLUMNS))
    with transaction.atomic(), connection.cursor() as cursor:
        while chunk := list(itertools.islice(rows, CHUNK)):
            prepared = [
                [field.get_db_prep_save(value, connection) for field, value in zip(COLUMNS, row, strict=True)]
                for row in chunk
            ]
            cursor.executemany(f"INSERT INTO numbers_phonenumber ({names}) VALUES ({places})", prepared)
