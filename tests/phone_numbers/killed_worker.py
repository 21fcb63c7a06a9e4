"""A worker in a process of its own, to be killed where CRASH_AT says:
`python -m tests.phone_numbers.killed_worker change 17`.

It is told by its environment which database, which simulator and which keys its parent uses.
"""

import os
import sys

import django
from django.conf import settings


def main(duty: str, pk: int) -> None:
    django.setup()
    settings.CRASH_AT = os.environ["CRASH_AT"]
    from phone_numbers.services import change_crews, changes  # noqa: PLC0415 - not before the settings are there

    {"change": changes.apply_change, "account": change_crews.work_for_account}[duty](pk)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
