"""Reads tables that people upload, CSV or XLSX, row by row. Knows nothing of what is in them, and writes nothing.

CSV comes in several encodings and with several separators; which ones is found out, and told where it was a guess.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from phone_numbers.services.workbooks import MOST_COLUMNS, BadWorkbook, workbook_rows

HEAD_BYTES = 4096
CHUNK_BYTES = 1 << 20
ZIP = b"PK\x03\x04"
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SEPARATORS = ",;\t|"


class UnreadableSheet(Exception):
    """This file is no table; `str()` is the sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """As a text editor or a spreadsheet counts it; of a row over several lines, the first."""
    cells: list[str]


@dataclass(slots=True)
class Sheet:
    header: list[str]
    rows: Iterator[Row]
    """Without the empty ones. Raises UnreadableSheet."""
    remarks: list[str] = field(default_factory=list)


@contextmanager
def open_sheet(file: IO[bytes]) -> Iterator[Sheet]:
    """Raises UnreadableSheet. The file stays open."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if head.startswith(ZIP):
        try:
            yield sheet_of((Row(*row) for row in workbook_rows(file)), [])
        except BadWorkbook as bad:
            raise UnreadableSheet(str(bad)) from None
        return
    encoding, remarks = encoding_of(file, head)
    text = io.TextIOWrapper(getattr(file, "file", file), encoding, newline="")
    try:
        yield sheet_of(csv_rows(text), remarks)
    finally:
        text.detach()


def sheet_of(rows: Iterator[Row], remarks: list[str]) -> Sheet:
    filled = (row for row in rows if any(cell.strip() for cell in row.cells))
    header = next(filled, None)
    if header is None:
        raise UnreadableSheet("This file is empty.")
    if len(header.cells) > MOST_COLUMNS:
        raise UnreadableSheet(f"This file has {len(header.cells)} columns; at most {MOST_COLUMNS} are read.")
    return Sheet([cell.strip() for cell in header.cells], filled, remarks)


def encoding_of(file: IO[bytes], head: bytes) -> tuple[str, list[str]]:
    for bom, encoding in BOMS:
        if head.startswith(bom):
            return encoding, []
    if b"\0" in head:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be", []
    if is_utf8(file):
        return "utf-8", []
    return "cp1252", ["This file is not UTF-8 and was read as Windows-1252: look at letters with accents."]


def is_utf8(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def csv_rows(text: io.TextIOWrapper) -> Iterator[Row]:
    line = 1
    try:
        first = text.readline()
        told = first.strip().removeprefix("sep=") if first.startswith("sep=") else ""
        if not told:
            text.seek(0)
        reader = csv.reader(text, delimiter=told or separator_of(first), strict=True)
        skipped = 1 if told else 0
        while True:
            line = reader.line_num + 1 + skipped
            cells = next(reader, None)
            if cells is None:
                return
            yield Row(line, cells)
    except UnicodeError:
        raise UnreadableSheet("This file is no text that can be read. Save it as CSV in UTF-8.") from None
    except (csv.Error, TypeError) as error:
        raise UnreadableSheet(f"From line {line} on this is no CSV ({error}).") from None


def separator_of(line: str) -> str:
    """The one that is in the header most often, but for what is quoted."""
    bare = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=bare.count)
