"""The rows `make chaos` must show, and how a test reports a row's figure."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FULL = os.environ.get("CHAOS") == "full"
"""Whether the rows run in full; else few rounds of each, for `make test`."""

ROWS = {
    "S1": "Sweeps over a list that moves while it is read",
    "S2": "Every call and statement of a sync fails once",
    "S3": "Workers killed in the middle of a sync",
    "S4": "Listings that must not be believed",
    "S5": "The threshold that holds a run, and its override",
    "S6": "Answers that are no answers",
    "S7": "Rate limits and every kind of Retry-After",
    "S8": "Credentials revoked in the middle of a listing",
    "S9": "Drawn histories against the real engine; seeded bugs",
    "S10": "A second sync of an unchanged account",
    "S11": "Simultaneous starts, and workers that wake up too late",
    "S12": "Clocks that jump",
    "S13": "A disk that is full",
    "W1": "Workers killed at every step of an edit",
    "W2": "Answers to a write that tell nothing, or lie",
    "W3": "Two operators at one number",
    "W4": "Edits against older pages of a sync",
    "W5": "One form sent twenty times",
    "W6": "A plan of a thousand among errors and kills",
    "W7": "Values that changed since they were looked at",
    "W8": "Five thousand numbers selected in the page",
    "W9": "Plans that must stop",
    "W10": "Undoing over what others did since",
    "W11": "Every call that any row made at a provider",
    "Q1": "The broker killed with jobs in it",
    "Q2": "The broker restarted under load",
    "Q3": "Worker processes killed",
    "Q4": "Jobs longer than the broker's patience",
    "Q5": "Two schedules at once",
    "Q6": "The database restarted",
    "Q7": "SQLite with several writers",
    "Q8": "Edits while the broker is down",
    "Q9": "A worker that stands still",
    "Q10": "A worker's memory over many jobs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured line of a row."""

    row: str
    what: str
    figure: str
    bar: str
    holds: bool


def report_bite(row: str, bug: str, caught: str) -> None:
    """`caught`: what told of the bug that was put in, or nothing."""
    report(row, f"seeded bug: {bug}", caught or "NOT caught", "caught", holds=bool(caught))


def report(row: str, what: str, figure: object, bar: str, *, holds: bool) -> None:
    """Keep the figure for the table, then fail the test when it falls short."""
    line = Figure(row=row, what=what, figure=str(figure), bar=bar, holds=holds)
    if target := os.environ.get("CHAOS_FIGURES"):
        with Path(target).open("a") as figures:
            figures.write(json.dumps(asdict(line)) + "\n")
    assert holds, f"{row} {what}: {figure}, wished {bar}"
