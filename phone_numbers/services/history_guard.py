"""Keeps history append-only, in the database itself: triggers refuse to change or delete a line.

`lift` runs before and `install` after every `migrate`: SQLite drops the triggers of a table that a migration alters.
Forgetting which user or sync run a line was about stays possible, for when those are deleted; a user's name is in the
line.
"""

from django.db import connections, models, transaction

from phone_numbers.models import Event, PlanEvent

GUARDED: tuple[type[models.Model], ...] = (Event, PlanEvent)
FORGOTTEN = ("actor_id", "run_id")
REFUSAL = "History is append-only."
POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION numbers_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := to_jsonb(OLD);
    after jsonb := to_jsonb(NEW);
BEGIN
    IF TG_OP = 'UPDATE'
        AND after - 'actor_id' - 'run_id' = before - 'actor_id' - 'run_id'
        AND COALESCE(after ->> 'actor_id', before ->> 'actor_id') IS NOT DISTINCT FROM before ->> 'actor_id'
        AND COALESCE(after ->> 'run_id', before ->> 'run_id') IS NOT DISTINCT FROM before ->> 'run_id'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '{REFUSAL}';
END $$
"""


def install(*, using: str = "default", **_: object) -> None:
    """Safe to repeat."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    guarded = [model for model in GUARDED if model._meta.db_table in tables]
    statements = postgresql_triggers(guarded) if connection.vendor == "postgresql" else sqlite_triggers(guarded)
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def lift(*, using: str = "default", **_: object) -> None:
    """Before a migration: on SQLite a table cannot lose a column that a trigger names."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for model in GUARDED:
                for rule in ("unchanged", "undeleted"):
                    cursor.execute(f"DROP TRIGGER IF EXISTS {model._meta.db_table}_{rule}")


def postgresql_triggers(guarded: list[type[models.Model]]) -> list[str]:
    """What they refuse does not depend on the columns, so they may stay as they are."""
    return [POSTGRESQL_FUNCTION] + [
        f"CREATE OR REPLACE TRIGGER kept BEFORE UPDATE OR DELETE ON {model._meta.db_table} "
        "FOR EACH ROW EXECUTE FUNCTION numbers_keep_history()"
        for model in guarded
    ]


def sqlite_triggers(guarded: list[type[models.Model]]) -> list[str]:
    """They name every column, so they are made anew."""
    statements = []
    for model in guarded:
        table = model._meta.db_table
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        statements += [
            f"DROP TRIGGER IF EXISTS {table}_unchanged",
            f"DROP TRIGGER IF EXISTS {table}_undeleted",
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} WHEN NOT ({only_forgets(model)}) {refuse}",
            f"CREATE TRIGGER {table}_undeleted BEFORE DELETE ON {table} {refuse}",
        ]
    return statements


def only_forgets(model: type[models.Model]) -> str:
    """SQL: the new row is the old one, but for a user or a run that is forgotten."""
    conditions = []
    for column in (field.column for field in model._meta.concrete_fields):
        same = f'NEW."{column}" IS OLD."{column}"'
        conditions.append(f'({same} OR NEW."{column}" IS NULL)' if column in FORGOTTEN else same)
    return " AND ".join(conditions)
