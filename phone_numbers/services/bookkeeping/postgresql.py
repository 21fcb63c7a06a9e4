"""The triggers of PostgreSQL: one call per statement, however many rows it wrote.

They only ever add rows, so writers neither wait for nor deadlock with each other over a counter. Every now and then
one of them folds what has gathered; an advisory lock makes it one at a time, and nobody waits for it.

The trigrams are our own: pg_trgm does the same, but is an extension that not every server has, or lets us create.
"""

import hashlib
from typing import TYPE_CHECKING

from phone_numbers.services.bookkeeping.cells import COLUMNS, NAMED_IN, NAMES, SEARCHED, cell, searched_text

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

FOLD_EVERY = 256
FOLD_LOCK = 7_210_460_001
SEPARATOR = "\\x01"
CELL = ", ".join(cell().values())
PLACES = ", ".join(map(str, range(1, len(COLUMNS) + 1)))

TEXT = f"""
CREATE OR REPLACE FUNCTION numbers_text({", ".join(f"{name} text" for name in SEARCHED)}) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT lower({searched_text()}) $$
"""
TRIGRAMS = f"""
CREATE OR REPLACE FUNCTION numbers_trigrams(said text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 5000 AS $$ BEGIN RETURN string_to_array(
    regexp_replace(said, '(...)', E'\\\\1{SEPARATOR}', 'g')
    || E'{SEPARATOR}' || regexp_replace(substr(said, 2), '(...)', E'\\\\1{SEPARATOR}', 'g')
    || E'{SEPARATOR}' || regexp_replace(substr(said, 3), '(...)', E'\\\\1{SEPARATOR}', 'g'),
    E'{SEPARATOR}'); END $$
"""
"""Dear by its cost, and in a language that is not folded into queries: the planner must never call it row by row."""
TRIGRAM_INDEX = f"""
CREATE INDEX IF NOT EXISTS number_by_trigrams ON numbers_phonenumber
USING gin (numbers_trigrams(numbers_text({", ".join(SEARCHED)})) COLLATE "C")
"""
FOLD = f"""
CREATE OR REPLACE FUNCTION numbers_mark_edition() RETURNS void LANGUAGE plpgsql AS $$
DECLARE mark bigint;
BEGIN
    INSERT INTO numbers_edition (value) VALUES (1) RETURNING id INTO mark;
    IF mark % {FOLD_EVERY} = 0 AND pg_try_advisory_xact_lock({FOLD_LOCK}) THEN
        WITH several AS (SELECT {NAMES} FROM numbers_tally GROUP BY {NAMES} HAVING count(*) > 1),
        gone AS (
            DELETE FROM numbers_tally WHERE ({NAMES}) IN (SELECT {NAMES} FROM several) RETURNING {NAMES}, count
        )
        INSERT INTO numbers_tally ({NAMES}, count)
        SELECT {NAMES}, sum(count) FROM gone GROUP BY {NAMES} HAVING sum(count) <> 0;
        DELETE FROM numbers_edition WHERE id < mark;
        INSERT INTO numbers_edition (value) VALUES (1);
    END IF;
END $$
"""
TALLY = f"""
CREATE OR REPLACE FUNCTION numbers_keep_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
        INSERT INTO numbers_tally ({NAMES}, count) SELECT {CELL}, count(*) FROM new_rows GROUP BY {PLACES};
    ELSIF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM old_rows) THEN RETURN NULL; END IF;
        INSERT INTO numbers_tally ({NAMES}, count) SELECT {CELL}, -count(*) FROM old_rows GROUP BY {PLACES};
    ELSE
        IF NOT EXISTS (SELECT FROM new_rows) THEN RETURN NULL; END IF;
        INSERT INTO numbers_tally ({NAMES}, count)
        SELECT {NAMES}, sum(n) FROM (
            SELECT {", ".join(f"{value} AS {name}" for name, value in cell().items())}, 1 AS n FROM new_rows
            UNION ALL SELECT {CELL}, -1 FROM old_rows
        ) AS moved GROUP BY {NAMES} HAVING sum(n) <> 0;
    END IF;
    PERFORM numbers_mark_edition();
    RETURN NULL;
END $$
"""
MARK = """
CREATE OR REPLACE FUNCTION numbers_mark_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM numbers_mark_edition();
    RETURN NULL;
END $$
"""
COUNT_ANEW = (
    f"INSERT INTO numbers_tally ({NAMES}, count) SELECT {CELL}, count(*) FROM numbers_phonenumber GROUP BY {PLACES}"
)

ROWS = {
    "insert": "REFERENCING NEW TABLE AS new_rows",
    "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "REFERENCING OLD TABLE AS old_rows",
}
MEASURES = (
    "LOCK TABLE numbers_phonenumber IN SHARE ROW EXCLUSIVE MODE",
    "DROP INDEX IF EXISTS number_by_trigrams",
    "DROP FUNCTION IF EXISTS numbers_text",
    TEXT,
    TRIGRAMS,
    TRIGRAM_INDEX,
    FOLD,
    TALLY,
    MARK,
    *(
        f"CREATE OR REPLACE TRIGGER numbers_tally_{event} AFTER {event} ON numbers_phonenumber {rows} "
        "FOR EACH STATEMENT EXECUTE FUNCTION numbers_keep_tally()"
        for event, rows in ROWS.items()
    ),
    *(
        f"CREATE OR REPLACE TRIGGER numbers_mark AFTER {events} ON numbers_{table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION numbers_mark_change()"
        for table, events in NAMED_IN.items()
    ),
    "DELETE FROM numbers_tally",
    COUNT_ANEW,
    "SELECT numbers_mark_edition()",
)

STAMP = hashlib.sha256("".join(MEASURES).encode()).hexdigest()
"""Of what is installed: other measures, of another release, are put in place anew."""
STATEMENTS = (*MEASURES, f"COMMENT ON FUNCTION numbers_keep_tally() IS '{STAMP}'")

REMOVAL = (
    "DROP INDEX IF EXISTS number_by_trigrams",
    *(
        f"DROP FUNCTION IF EXISTS {name} CASCADE"
        for name in (
            "numbers_text",
            "numbers_trigrams",
            "numbers_keep_tally",
            "numbers_mark_change",
            "numbers_mark_edition",
        )
    ),
)


def is_installed(cursor: "CursorWrapper") -> bool:
    cursor.execute("SELECT obj_description(to_regproc('numbers_keep_tally'), 'pg_proc')")
    return bool(cursor.fetchone()[0] == STAMP)
