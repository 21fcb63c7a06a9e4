"""`python -m tests.chaos [S1 Q4 …]`: the rows in two lanes side by side, then those that must be alone, then the table.

Exits with 1 when a figure falls short or a row did not run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.chaos.rows import ROWS, Figure

LANES = ("not lane2 and not alone", "lane2 and not alone")
ALONE = "alone"
NO_TESTS = 5
WIDTH = 54


def main(wanted: list[str]) -> int:
    if unknown := [row for row in wanted if row not in ROWS]:
        print(f"No such row: {', '.join(unknown)}. There are: {', '.join(ROWS)}.")
        return 2
    rows = wanted or list(ROWS)
    started_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        for name in ("figures", "calls"):
            (kept / name).touch()
        lanes = [start(marks, rows, kept) for marks in LANES]
        codes = [finished(lane) for lane in lanes] + [finished(start(ALONE, rows, kept))]
        figures = [Figure(**line) for line in lines_of(kept / "figures")]
        figures += figures_of_calls(lines_of(kept / "calls")) if "W11" in rows else []
    short = print_table(rows, figures)
    print(f"\n{len(rows)} rows in {time.monotonic() - started_at:.0f} s; {short} fall short.")
    return 1 if short or any(codes) else 0


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def figures_of_calls(lines: list[dict[str, Any]]) -> list[Figure]:
    """W11, of every call that a test of this run made at a simulated provider."""
    total = sum(line["calls"] for line in lines)
    outside = [call for line in lines for call in line["outside"]]
    writes = [call for call in outside if not call.startswith("GET ")]
    told = {
        f"calls outside the allow-list, in {len(lines)} tests": outside,
        "of them to delete, to buy or to write": writes,
    }
    return [
        Figure(
            row="W11", what=what, figure=f"{len(found)} of {total:,}", bar="0 of some", holds=total > 0 and not found
        )
        for what, found in told.items()
    ]


def start(marks: str, rows: list[str], kept: Path) -> "subprocess.Popen[str]":
    names = " or ".join(f"test_{row.lower()}_" for row in rows)
    command = [sys.executable, "-m", "pytest", "tests/chaos", "-m", marks, "-k", names, "-p", "no:randomly"]
    environment = {
        **os.environ,
        "CHAOS": "full",
        "CHAOS_FIGURES": str(kept / "figures"),
        "CHAOS_CALLS": str(kept / "calls"),
    }
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finished(lane: "subprocess.Popen[str]") -> int:
    """Its exit code, 0 for one without tests; what it said is shown when it failed."""
    said, _ = lane.communicate()
    if lane.returncode not in (0, NO_TESTS):
        print(said)
    return 0 if lane.returncode == NO_TESTS else lane.returncode


def print_table(rows: list[str], figures: list[Figure]) -> int:
    """One line a figure; returns how many fall short."""
    short = 0
    for row in rows:
        lines = [line for line in figures if line.row == row]
        print(f"\n{row:4} {ROWS[row]}")
        for line in lines:
            print(f"     {line.what:{WIDTH}} {line.figure:>32}   {line.bar:28} {'ok' if line.holds else 'FALLS SHORT'}")
        if not lines:
            print(f"     {'':{WIDTH}} {'did not run':>32}   {'':28} FALLS SHORT")
        short += sum(not line.holds for line in lines) or (not lines)
    return short


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
