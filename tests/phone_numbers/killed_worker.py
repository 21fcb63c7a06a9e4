"""A worker in a process of its own, to be killed where CRASH_AT says: `python -m tests.phone_numbers.killed_worker 17`.

It is told by its environment which database, which simulator and which keys its parent uses.
"""

import os
import sys

import django
from django.conf import settings


def main(change_id: int) -> None:
    django.setup()
    settings.CRASH_AT = os.environ["CRASH_AT"]
    from phone_numbers.services.changes import apply_change  # noqa: PLC0415 - not before the settings are there

    apply_change(change_id)


if __name__ == "__main__":
    main(int(sys.argv[1]))
