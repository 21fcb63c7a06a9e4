"""Keeps what the database knows of its own tables in step with the inventory: its plans are only as good.

By itself PostgreSQL gathers it in its own time, and SQLite never; a first sync makes an empty table a large one.
"""

import structlog
from django.db import DatabaseError, connection

from phone_numbers.models import PhoneNumber

FEWEST = 500
SHARE = 10
IN_A_TRANSACTION = "ANALYZE numbers_phonenumber"
STATEMENTS = {
    # Marks pages as seen by all, too: without that, no far page is found in the index alone.
    "postgresql": ("VACUUM (ANALYZE, SKIP_LOCKED, INDEX_CLEANUP OFF, TRUNCATE OFF) numbers_phonenumber",),
    "sqlite": ("PRAGMA analysis_limit = 1000", "ANALYZE numbers_phonenumber"),
}

logger = structlog.get_logger(__name__)


def gather_statistics(written: int) -> None:
    """After so many numbers were written, when that is a tenth of the inventory or more. Never fails."""
    if written < FEWEST or written * SHARE < PhoneNumber.objects.count():
        return
    statements = STATEMENTS[connection.vendor]
    if connection.vendor == "postgresql" and connection.in_atomic_block:
        statements = (IN_A_TRANSACTION,)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError as error:
        logger.warning("statistics were not gathered", why=str(error))
