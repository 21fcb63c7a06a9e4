"""What a bench shows: one figure a line, beside what it is compared with and the bar it has to reach."""

import json
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path("var/bench")
HEAD = ("id", "what", "ours", "theirs", "ratio", "bar")
WIDTHS = (4, 52, 34, 34, 9, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    id: str
    what: str
    ours: str
    theirs: str
    ratio: str
    bar: str
    holds: bool
    measured: dict[str, object]
    """The numbers behind the line."""


def keep(name: str, figures: Iterable[Figure]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    about = {"bench": name, "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "python": platform.python_version()}
    content = {**about, "figures": [asdict(figure) for figure in figures]}
    (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=2))


def line_of(figure: Figure) -> str:
    columns = (figure.id, figure.what, figure.ours, figure.theirs, figure.ratio, figure.bar)
    return f"{in_columns(columns)} {'ok' if figure.holds else 'FALLS SHORT'}"


def in_columns(texts: Iterable[str]) -> str:
    return " ".join(text.ljust(width) for text, width in zip(texts, WIDTHS, strict=True))
