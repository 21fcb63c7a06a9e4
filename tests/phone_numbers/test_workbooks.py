"""Workbooks are read as far as they are tables, and nothing in them can hurt: neither size, nor what they claim."""

import io
import zipfile
import zlib
from collections.abc import Mapping

import pytest

from phone_numbers.services import workbooks
from phone_numbers.services.workbooks import BadWorkbook, workbook_rows
from tests.phone_numbers.test_change_imports import workbook

SHEET = "xl/worksheets/sheet1.xml"
MAIN = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def packed(sheet: str | bytes, parts: Mapping[str, str] = {}) -> io.BytesIO:
    """A workbook with this sheet."""
    plain = zipfile.ZipFile(io.BytesIO(workbook(["a"])))
    contents = {name: plain.read(name) for name in plain.namelist()} | {SHEET: sheet} | {**parts}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def rows(cells: str, **parts: str) -> list[tuple[int, list[str]]]:
    named = {f"xl/{name}.xml": content for name, content in parts.items()}
    return list(workbook_rows(packed(f"{MAIN}{cells}</sheetData></worksheet>", named)))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="A1"><v>14155550100</v></c>', "14155550100"),
        ('<c r="A1"><v>1.41555501E10</v></c>', "14155550100"),
        ('<c r="A1"><v>0.05</v></c>', "0.05"),
        ('<c r="A1" t="b"><v>1</v></c>', "true"),
        ('<c r="A1" t="str"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="A1" t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c r="A1" t="inlineStr"><is><r><t>a</t></r><r><t xml:space="preserve"> b</t></r></is></c>', "a b"),
        ('<c r="A1" t="inlineStr"><is><t>a_x000D_b_x005F_</t></is></c>', "a\rb_"),
        ('<c r="A1" t="str"><v>_xD83D__xDE00__xD800_</v></c>', "😀�"),
        ('<c r="A1" t="s"><v>1</v></c>', "second"),
        ('<c r="A1" s="1"><v>46388</v></c>', "2027-01-01"),
        ('<c r="A1" s="2"><v>46388.5</v></c>', "2027-01-01T12:00:00"),
    ],
)
def test_it_reads_every_kind_of_cell(cell: str, text: str) -> None:
    shared = "<sst><si><t>first</t></si><si><t>second</t><rPh><t>spoken</t></rPh></si></sst>"
    styles = (
        '<s><numFmts><numFmt numFmtId="170" formatCode="yyyy\\-mm hh:mm"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></s>'
    )
    assert rows(f"<row>{cell}</row>", sharedStrings=shared, styles=styles) == [(1, [text])]


def test_it_puts_cells_where_they_say_they_are() -> None:
    cells = '<row r="3"><c r="B3"><v>1</v></c><c><v>2</v></c></row><row/><row><c><v>3</v></c></row>'
    assert rows(cells) == [(3, ["", "1", "2"]), (5, ["3"])]


def test_it_reads_other_prefixes() -> None:
    sheet = '<x:worksheet xmlns:x="m"><x:sheetData><x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    assert list(workbook_rows(packed(sheet))) == [(1, ["7"])]


def test_it_takes_no_notice_of_empty_cells_far_away() -> None:
    assert rows(
        '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="0"/></row><row r="1048576"><c r="XFD1048576"/></row>'
    ) == [(1, ["1"])]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ('<row r="1"><c r="XFD1"><v>1</v></c></row>', "more than 200 columns"),
        (f'<row><c t="str"><v>{"x" * (1 << 21)}</v></c></row>', "A cell in line 1 is too large"),
        ("<row>" + "<c/>" * 101 + "</row>", "more than 100 cells"),
        ('<row><c t="s"><v>9</v></c></row>', "no workbook that can be read"),
        ('<row r="nine"><c><v>9</v></c></row>', "no workbook that can be read"),
        ("<row><c><v>9</c>", "no workbook that can be read"),
    ],
)
def test_it_tells_what_no_table_has(cells: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_CELLS", 100)
    with pytest.raises(BadWorkbook, match=sentence):
        rows(cells)


def test_it_takes_no_document_type() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + MAIN + "&b;</sheetData></worksheet>"
    with pytest.raises(BadWorkbook, match="parts that no workbook has"):
        list(workbook_rows(packed(bomb)))


def test_it_believes_no_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive says that the sheet has ten bytes; it has ten million."""
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1 << 20)
    content = packed(MAIN + " " * 10_000_000).getvalue()
    size = (len(MAIN) + 10_000_000).to_bytes(4, "little")
    assert content.count(size) == 2
    with pytest.raises(BadWorkbook, match="too large"):
        list(workbook_rows(io.BytesIO(content.replace(size, (10).to_bytes(4, "little")))))


def test_it_holds_a_text_that_many_cells_share_only_once() -> None:
    shared = f"<sst><si><t>{'x' * 30_000}</t></si></sst>"
    cells = "<row>" + '<c t="s"><v>0</v></c>' * 200 + "</row>"
    found = rows(cells * 50, sharedStrings=shared)
    assert len({id(cell) for _, row in found for cell in row}) == 1


@pytest.mark.parametrize("content", [b"PK\x03\x04rubbish", zlib.compress(b"x"), b""])
def test_it_tells_what_is_no_workbook(content: bytes) -> None:
    with pytest.raises(BadWorkbook):
        list(workbook_rows(io.BytesIO(content)))
