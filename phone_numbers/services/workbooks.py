"""Reads the first sheet of an XLSX workbook row by row, in memory that does not grow with it. Writes nothing.

A workbook is a zip of XML that anybody may have written: nothing it says of its own size is believed, no document type
is accepted, and a text that a million cells share is held once.
"""

import datetime as dt
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, TypeVar
from xml.parsers import expat

MOST_COLUMNS = 200
MOST_CELLS = 10_000_000
MOST_BYTES = 400 * 1024 * 1024
"""Of the sheet, unpacked."""
MOST_KEPT_BYTES = 64 * 1024 * 1024
"""Of everything else, unpacked: it is held in memory."""
MOST_LETTERS = 1 << 20
"""Of one cell."""
CHUNK_BYTES = 1 << 18
FIRST_DAY = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
DAYS = {*range(14, 23), *range(45, 48)}
"""The formats every spreadsheet has for dates and times."""
REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]+")
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, LookupError, ValueError, OverflowError),
    *(NotImplementedError, RuntimeError),
)
"""What Python's readers raise at archives and XML that are damaged, locked or packed in an unusual way."""

Attributes = Mapping[str, str]
Cells = list[str]


class BadWorkbook(Exception):
    """This is no workbook that can be read; `str()` says why."""


def workbook_rows(file: IO[bytes]) -> Iterator[tuple[int, Cells]]:
    """The rows that have something in them, each with the number a spreadsheet gives it. Raises BadWorkbook."""
    try:
        with zipfile.ZipFile(file) as archive:
            book = Book(archive)
            sheet = SheetReader(book)
            for chunk in unpacked(archive, book.first_sheet, MOST_BYTES):
                sheet.feed(chunk)
                yield from sheet.take()
            sheet.feed(b"", is_last=True)
            yield from sheet.take()
    except BROKEN:
        raise BadWorkbook("This is no workbook that can be read. Save it as XLSX or CSV.") from None


def unpacked(archive: zipfile.ZipFile, name: str, most_bytes: int) -> Iterator[bytes]:
    """However large it turns out to be, and not as large as the archive says."""
    part = archive.getinfo(name)
    part.file_size = most_bytes + 2 * CHUNK_BYTES
    left = most_bytes
    with archive.open(part) as opened:
        while chunk := opened.read(CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise BadWorkbook("This workbook is too large. Save the sheet as CSV.")
            yield chunk


class XmlReader:
    """Calls `start` and `end` with the local name of each element, and `heard` with its text."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self.heard
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._local: dict[str, str] = {}

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        self._parser.Parse(chunk, is_last)

    def start(self, name: str, attributes: Attributes) -> None: ...

    def end(self, name: str) -> None: ...

    def heard(self, text: str) -> None: ...

    def _start(self, name: str, attributes: Attributes) -> None:
        local = self._local.get(name) or self._local.setdefault(name, name.rpartition(":")[2])
        self.start(local, attributes)

    def _end(self, name: str) -> None:
        self.end(self._local[name])

    def _refuse(self, *_: object) -> None:
        raise BadWorkbook("This workbook has parts that no workbook has. Save it anew, as XLSX or CSV.")


Reader = TypeVar("Reader", bound=XmlReader)


class Texts(XmlReader):
    """The texts that cells share, in their order; how they are to be pronounced is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._is_heard = self._is_spoken = False

    def start(self, name: str, _: Attributes) -> None:
        if name == "si":
            self._pieces = []
        elif name == "rPh":
            self._is_spoken = True
        self._is_heard = name == "t" and not self._is_spoken

    def end(self, name: str) -> None:
        self._is_heard = False
        if name == "rPh":
            self._is_spoken = False
        elif name == "si":
            self.found.append(unescaped("".join(self._pieces)))

    def heard(self, text: str) -> None:
        if self._is_heard:
            self._pieces.append(text)


class Elements(XmlReader):
    """Every element of a small part, with the elements around it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, Attributes]] = []
        self._path: list[str] = []

    def start(self, name: str, attributes: Attributes) -> None:
        local = {each.rpartition(":")[2]: value for each, value in attributes.items()}
        self.found.append((self._path[-1] if self._path else "", name, local))
        self._path.append(name)

    def end(self, _: str) -> None:
        self._path.pop()


class Book:
    """What the cells of a sheet refer to."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._names = archive, {*archive.namelist()}
        (sheet,) = [each for _, name, each in self._elements("xl/workbook.xml") if name == "sheet"][:1]
        related = self._elements("xl/_rels/workbook.xml.rels")
        targets = {each["Id"]: each["Target"] for _, name, each in related if name == "Relationship"}
        self.first_sheet = posixpath.normpath(posixpath.join("/xl", targets[sheet["id"]])).lstrip("/")
        self.texts = self._read("xl/sharedStrings.xml", Texts()).found
        self.days = list(self._days(self._elements("xl/styles.xml")))

    def _elements(self, name: str) -> list[tuple[str, str, Attributes]]:
        return self._read(name, Elements()).found

    def _read(self, name: str, reader: Reader) -> Reader:
        if name in self._names:
            for chunk in unpacked(self._archive, name, MOST_KEPT_BYTES):
                reader.feed(chunk)
            reader.feed(b"", is_last=True)
        return reader

    def _days(self, styles: list[tuple[str, str, Attributes]]) -> Iterator[bool]:
        """Of each style, whether its numbers are dates."""
        own = {each["numFmtId"]: each["formatCode"] for _, name, each in styles if name == "numFmt"}
        for parent, name, each in styles:
            if (parent, name) == ("cellXfs", "xf"):
                shape = each.get("numFmtId", "0")
                yield int(shape) in DAYS or bool(set("dmyhs") & set(QUOTED.sub("", own.get(shape, "")).lower()))


class SheetReader(XmlReader):
    """Collects the rows of one sheet. A cell that says no place follows the one before it."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self._book = book
        self._rows: list[tuple[int, Cells]] = []
        self._cells: Cells = []
        self._pieces: list[str] = []
        self._line = self._column = self._count = self._letters = 0
        self._kind, self._style = "", "0"
        self._is_heard = self._is_spoken = False

    def take(self) -> list[tuple[int, Cells]]:
        """The rows that were read since it was asked last."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._line, self._column, self._cells = int(attributes.get("r", self._line + 1)), 0, []
        elif name == "rPh":
            self._is_spoken = True
        self._is_heard = name in ("v", "t") and not self._is_spoken

    def _start_cell(self, attributes: Attributes) -> None:
        place = REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_of(place[1]) if place else self._column + 1
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
        self._pieces, self._letters = [], 0
        self._count += 1
        if self._count > MOST_CELLS:
            raise BadWorkbook(f"This workbook has more than {MOST_CELLS:,} cells. Save the sheet as CSV.")

    def end(self, name: str) -> None:
        self._is_heard = False
        if name == "c":
            self._end_cell()
        elif name == "rPh":
            self._is_spoken = False
        elif name == "row" and self._cells:
            self._rows.append((self._line, self._cells))

    def _end_cell(self) -> None:
        if not (text := self._text("".join(self._pieces))):
            return
        if self._column > MOST_COLUMNS:
            raise BadWorkbook(f"This file has more than {MOST_COLUMNS} columns.")
        self._cells += [""] * (self._column - len(self._cells))
        self._cells[self._column - 1] = text

    def _text(self, raw: str) -> str:
        if self._kind == "s":
            return self._book.texts[int(raw)] if raw else ""
        if self._kind == "b":
            return "true" if raw == "1" else "false"
        return number_text(raw, is_day=self._is_day()) if self._kind == "n" and raw else unescaped(raw)

    def _is_day(self) -> bool:
        style = int(self._style)
        return 0 <= style < len(self._book.days) and self._book.days[style]

    def heard(self, text: str) -> None:
        if self._is_heard:
            self._pieces.append(text)
            self._letters += len(text)
            if self._letters > MOST_LETTERS:
                raise BadWorkbook(f"A cell in line {self._line:,} is too large.")


def column_of(letters: str) -> int:
    """From 1 on."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def number_text(raw: str, *, is_day: bool) -> str:
    """A phone number is one without a point, however the spreadsheet wrote it down."""
    if raw.isdecimal() and not is_day:
        return raw
    number = float(raw)
    if is_day:
        moment = FIRST_DAY + dt.timedelta(seconds=round(number * 86400))
        return moment.date().isoformat() if number.is_integer() else moment.replace(tzinfo=None).isoformat()
    return str(int(number)) if number.is_integer() else raw


def unescaped(text: str) -> str:
    """Workbooks write characters that XML cannot hold by their number: halves of one, too, which alone are none."""
    if "_x" not in text:
        return text
    whole = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
