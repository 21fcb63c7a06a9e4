"""`python -m tests.bench [sync …]`: measures, prints a line a figure, and keeps them as JSON under var/bench/.

Exits with 1 when a figure falls short.
"""

import sys

from tests.bench import changes, inventory, sync
from tests.bench.figures import HEAD, in_columns, keep, line_of

BENCHES = {"sync": sync.measure, "list": inventory.measure, "changes": changes.measure}


def main(wanted: list[str]) -> int:
    if unknown := [name for name in wanted if name not in BENCHES]:
        print(f"No such bench: {', '.join(unknown)}. There are: {', '.join(BENCHES)}.")
        return 2
    short = 0
    for name in wanted or BENCHES:
        print(f"\n{name}\n{in_columns(HEAD)}", flush=True)
        figures = []
        for figure in BENCHES[name]():
            figures.append(figure)
            print(line_of(figure), flush=True)
        keep(name, figures)
        short += sum(not figure.holds for figure in figures)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
