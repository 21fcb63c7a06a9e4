"""The triggers of SQLite: one call per row. There is only ever one writer, so a cell of the tally is one row."""

from typing import TYPE_CHECKING

from phone_numbers.services.bookkeeping.cells import COLUMNS, NAMED_IN, NAMES, SEARCHED, cell, searched_text

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

MARK = "DELETE FROM numbers_edition; INSERT INTO numbers_edition (id, value) VALUES (1, random())"
"""A random mark comes never again, not even when a transaction is undone."""


def count_in(row: str) -> str:
    return (
        f"INSERT INTO numbers_tally ({NAMES}, count) VALUES ({', '.join(cell(row).values())}, 1) "
        f"ON CONFLICT ({NAMES}) DO UPDATE SET count = count + 1"
    )


def count_out(row: str) -> str:
    same = " AND ".join(f"{name} = {value}" for name, value in cell(row).items())
    return f"UPDATE numbers_tally SET count = count - 1 WHERE {same}"


def index_in(row: str) -> str:
    return f"INSERT INTO numbers_search (rowid, said) VALUES ({row}id, {searched_text(row)})"


def index_out(row: str) -> str:
    return f"INSERT INTO numbers_search (numbers_search, rowid, said) VALUES ('delete', {row}id, {searched_text(row)})"


def trigger(name: str, event: str, *body: str, table: str = "phonenumber", when: str = "") -> tuple[str, str]:
    condition = f"WHEN {when} " if when else ""
    return (
        f"DROP TRIGGER IF EXISTS {name}",
        f"CREATE TRIGGER {name} AFTER {event} ON numbers_{table} {condition}BEGIN {'; '.join(body)}; END",
    )


def differ(columns: "tuple[str, ...] | dict[str, str]") -> str:
    return " OR ".join(f"old.{name} IS NOT new.{name}" for name in columns)


IN_CELL = (*(name for name in COLUMNS if name not in {"rate_currency", "renews"}), "currency", "renewal_date")
TRIGGERS = (
    *trigger("numbers_tally_insert", "INSERT", count_in("new."), index_in("new."), MARK),
    *trigger("numbers_tally_delete", "DELETE", count_out("old."), index_out("old."), MARK),
    *trigger(
        "numbers_tally_update",
        "UPDATE",
        count_out("old."),
        count_in("new."),
        when=f"{differ(IN_CELL)} OR (old.monthly_rate IS NULL) IS NOT (new.monthly_rate IS NULL)",
    ),
    *trigger("numbers_search_update", "UPDATE", index_out("old."), index_in("new."), when=differ(SEARCHED)),
    *trigger("numbers_mark_update", "UPDATE", MARK),
    *(
        statement
        for table, events in NAMED_IN.items()
        for event in events.split(" OR ")
        for statement in trigger(f"numbers_mark_{table}_{event.split()[0].lower()}", event, MARK, table=table)
    ),
)
COUNT_ANEW = f"""
INSERT INTO numbers_tally ({NAMES}, count) SELECT {", ".join(cell().values())}, count(*)
FROM numbers_phonenumber GROUP BY {", ".join(map(str, range(1, len(COLUMNS) + 1)))}
"""
STATEMENTS = (
    "DROP TABLE IF EXISTS numbers_search",
    "CREATE VIRTUAL TABLE numbers_search USING fts5(said, content='', columnsize=0, tokenize='trigram')",
    f"INSERT INTO numbers_search (rowid, said) SELECT id, {searched_text()} FROM numbers_phonenumber",
    "DELETE FROM numbers_tally",
    f"CREATE UNIQUE INDEX IF NOT EXISTS tally_cell ON numbers_tally ({NAMES})",
    COUNT_ANEW,
    *TRIGGERS,
    *MARK.split("; "),
)

REMOVAL = (
    *(statement for statement in TRIGGERS if statement.startswith("DROP")),
    "DROP TABLE IF EXISTS numbers_search",
    "DROP INDEX IF EXISTS tally_cell",
)


def is_installed(cursor: "CursorWrapper") -> bool:
    """As SQLite keeps the words of what made them, they can be compared."""
    cursor.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    return set(made(STATEMENTS)) <= {sql for (sql,) in cursor.fetchall()}


def made(statements: "tuple[str, ...]") -> list[str]:
    return [statement for statement in statements if statement.startswith(("CREATE TRIGGER", "CREATE VIRTUAL"))]
