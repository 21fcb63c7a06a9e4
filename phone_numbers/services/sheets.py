"""Reads tables that people upload, CSV or XLSX, row by row. Knows nothing of what is in them, and writes nothing.

CSV comes in several encodings and with several separators; which ones is found out, and told where it was a guess.
"""

import codecs
import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import python_calamine

MOST_COLUMNS = 200
MOST_INFLATED_BYTES = 400 * 1024 * 1024
HEAD_BYTES = 4096
CHUNK_BYTES = 1 << 20
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\0")
E164 = re.compile(r"\+?[1-9][0-9]{6,14}")
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
        yield sheet_of(workbook_rows(file), [])
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
        raise UnreadableSheet(f"From line {line if told is not None else 1} on this is no CSV ({error}).") from None


def separator_of(line: str) -> str:
    """The one that is in the header most often, but for what is quoted."""
    bare = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=bare.count)


def workbook_rows(file: IO[bytes]) -> Iterator[Row]:
    """The first sheet's. It is unpacked in memory, so what would be too large there is refused."""
    try:
        with zipfile.ZipFile(file) as archive:
            inflated = sum(part.file_size for part in archive.infolist())
        if inflated > MOST_INFLATED_BYTES:
            raise UnreadableSheet("This workbook is too large. Save the sheet as CSV.")
        file.seek(0)
        sheet = python_calamine.load_workbook(file).get_sheet_by_index(0)
    except (python_calamine.CalamineError, zipfile.BadZipFile, IndexError, ValueError):
        raise UnreadableSheet("This is no workbook that can be read. Save it as XLSX or CSV.") from None
    for index, cells in enumerate(sheet.iter_rows(), start=1):
        yield Row(index, [cell_text(cell) for cell in cells])


def cell_text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def escaped(cell: str) -> str:
    """With an apostrophe in front of what a spreadsheet would take for a formula; phone numbers are none."""
    is_formula = cell.startswith(FORMULAS) and not E164.fullmatch(cell)
    return f"'{cell}" if is_formula or (cell.startswith("'") and unescaped(cell) != cell) else cell


def unescaped(cell: str) -> str:
    """Without the apostrophe that an export put in front of it."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip("'").startswith(FORMULAS) else cell
