"""Takes pictures of every page in its states: `python -m tests.e2e.screenshots [folder]`.

With a folder, everything goes there: wide, dark and phone. Without one, only the picture of the README is taken anew.
"""

import os
import sys
from pathlib import Path

import pytest

PICTURES = (
    *("pictures.py", "pictures_of_lists.py", "pictures_of_numbers.py", "pictures_of_syncs.py"),
    *("pictures_of_plans.py", "pictures_of_changes.py"),
)


def main(arguments: list[str]) -> int:
    if arguments:
        folder = Path(arguments[0]).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["PICTURES"] = str(folder)
    files = [str(Path(__file__).with_name(name)) for name in PICTURES]
    return int(pytest.main(["-p", "no:randomly", "--timeout", "600", *files]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
