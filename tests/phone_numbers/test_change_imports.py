"""A table becomes a plan, or a list of everything that is wrong with it; never half of one."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import pytest
from django.contrib.auth.models import User

from phone_numbers.models import Account, Change, ChangeSet, PhoneNumber
from phone_numbers.services.change_imports import ImportReport, import_plan
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.import_columns import import_template
from providers.simulator import Simulator
from tests.phone_numbers.jobs import carry_out, edits, origin, start, states
from tests.phone_numbers.rows import make_account, make_application, make_number

Rows = Iterable[Sequence[str]]


@pytest.fixture
def plivo(db: None) -> Account:
    return make_account("Plivo main")


@pytest.fixture
def number(plivo: Account) -> PhoneNumber:
    return make_number(plivo, "+14155550100", alias="Desk")


def table(*rows: Sequence[str], separator: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


def workbook(*rows: Sequence[str]) -> bytes:
    """The least a spreadsheet can be: every cell is a text, but digits alone are a number."""
    cells = "".join(f"<row>{''.join(map(cell_xml, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = "http://schemas.openxmlformats.org/package/2006/relationships"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{packed}"><Relationship Id="r1" Type="{kinds}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{kinds}">'
            '<sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{packed}"><Relationship Id="r1" Type="{kinds}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
    return file.getvalue()


def cell_xml(text: str) -> str:
    if text.isdecimal():
        return f"<c><v>{text}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def read(user: User, content: bytes, **options: object) -> ImportReport:
    return import_plan(origin(user, source=ChangeSet.Source.IMPORT), io.BytesIO(content), **options)


def wanted(report: ImportReport) -> dict[str, dict[str, str]]:
    assert report.change_set, report.errors
    return {change.number.e164: change.desired for change in report.change_set.changes.select_related("number")}


def sentences(report: ImportReport) -> list[tuple[int, str]]:
    assert (report.change_set, ChangeSet.objects.count(), Change.objects.count()) == (None, 0, 0)
    return [(error.line, error.sentence) for error in report.errors]


def test_it_makes_a_plan_and_sends_nothing(synced: Account, operator: User, simulator: Simulator) -> None:
    one, other = synced.numbers.order_by("pk")[:2]
    report = read(operator, table(["number", "alias"], [one.e164, "One"], [other.e164, "Other"]))
    assert wanted(report) == {one.e164: {"alias": "One"}, other.e164: {"alias": "Other"}}
    assert (report.rows, edits(simulator)) == (2, [])
    assert states(carry_out(start(report.change_set, operator))) == {"confirmed": 2}


@pytest.mark.parametrize(
    "spelling",
    [
        *("+14155550100", "14155550100", "(415) 555-0100", "415.555.0100", "+1 415 555 0100", "tel:+1-415-555-0100"),
        *("0014155550100", "01114155550100", "1 (415) 555–0100", "4155550100"),
    ],
)
def test_it_finds_a_number_in_any_spelling(number: PhoneNumber, operator: User, spelling: str) -> None:
    assert wanted(read(operator, table(["number", "alias"], [spelling, "New"]))) == {number.e164: {"alias": "New"}}


def test_it_finds_a_number_as_it_is_dialled_in_its_country(plivo: Account, operator: User) -> None:
    number = make_number(plivo, "+441314960885", country="GB")
    make_number(plivo, "+14155550101")
    assert list(wanted(read(operator, table(["number", "alias"], ["0131 496 0885", "New"])))) == [number.e164]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("+14155559999", "+14155559999 is not among the numbers."),
        ("front desk", "“front desk” is not a phone number."),
        ("", "This row names no number."),
        (
            "1.41556E+10",
            "A spreadsheet has cut “1.41556E+10” short. Format the column as text and enter the number again.",
        ),
    ],
)
def test_it_tells_which_number_it_does_not_find(number: PhoneNumber, operator: User, text: str, sentence: str) -> None:
    assert sentences(read(operator, table(["number", "alias"], [text, "New"]))) == [(2, sentence)]


def test_it_asks_for_the_account_of_a_number_that_is_in_two(number: PhoneNumber, operator: User) -> None:
    make_number(make_account("Plivo spare"), number.e164)
    content = table(["number", "alias"], [number.e164, "New"])
    sentence = f"{number.e164} is in several accounts: Plivo main, Plivo spare. Say which one in a column “account”."
    assert sentences(read(operator, content)) == [(2, sentence)]


def test_it_takes_the_account_it_is_told(number: PhoneNumber, operator: User) -> None:
    other = make_number(make_account("Plivo spare"), number.e164)
    report = read(operator, table(["number", "account", "alias"], [number.e164, "plivo SPARE", "New"]))
    assert [change.number for change in report.change_set.changes.all()] == [other]


def test_it_tells_all_that_is_wrong_at_once(number: PhoneNumber, operator: User) -> None:
    rows = [
        [number.e164, "", "x" * 151, ""],
        ["+14155559999", "", "New", ""],
        [number.e164, "", "Again", ""],
        [number.e164, "Nobody", "New", ""],
        [make_number(number.account, "+14155550102").e164, "", "New", "application:1"],
    ]
    assert sentences(read(operator, table(["number", "account", "alias", "voice"], *rows))) == [
        (2, "+14155550100: Alias is 151 characters long; the provider takes at most 150."),
        (3, "+14155559999 is not among the numbers."),
        (4, "+14155550100 is in line 2 already."),
        (5, "There is no account called “Nobody”."),
        (6, "+14155550102: Plivo main has no application of that id."),
    ]


def test_it_keeps_nothing_when_a_late_row_is_wrong(plivo: Account, operator: User) -> None:
    numbers = [make_number(plivo, f"+1415555{rank:04d}") for rank in range(520)]
    rows = [[number.e164, "New"] for number in numbers]
    report = read(operator, table(["number", "alias"], *rows, ["+19995550100", "New"]))
    assert sentences(report) == [(522, "+19995550100 is not among the numbers.")]


def test_it_leaves_a_field_with_an_empty_cell_alone(number: PhoneNumber, operator: User) -> None:
    assert read(operator, table(["number", "alias"], [number.e164, " "])).unchanged == 1
    assert not ChangeSet.objects.exists()


def test_it_clears_a_field_when_told(number: PhoneNumber, operator: User) -> None:
    assert wanted(read(operator, table(["number", "alias"], [number.e164, "(Clear)"]))) == {number.e164: {"alias": ""}}


def test_it_takes_what_is_so_already_for_no_change(number: PhoneNumber, operator: User) -> None:
    other = make_number(number.account, "+14155550103")
    report = read(operator, table(["number", "alias"], [number.e164, "Desk"], [other.e164, "New"]))
    assert (list(wanted(report)), report.unchanged) == ([other.e164], 1)


def test_it_says_nothing_against_what_is_so_already(number: PhoneNumber, operator: User) -> None:
    PhoneNumber.objects.update(alias="x" * 200, message_kind="application", message_target="9")
    row = [number.e164, "x" * 200, "application:9"]
    assert read(operator, table(["number", "alias", "messages"], row)).error_count == 0


@pytest.mark.parametrize("alias", ["=1+1", "+44 desk", "-5", "@home", "'=quoted"])
def test_it_takes_the_apostrophe_of_an_export_away(number: PhoneNumber, operator: User, alias: str) -> None:
    content = table(["number", "alias"], [number.e164, f"'{alias}"])
    assert wanted(read(operator, content)) == {number.e164: {"alias": alias}}
    PhoneNumber.objects.update(alias=alias)
    assert read(operator, content).unchanged == 1


def test_it_keeps_an_apostrophe_that_is_part_of_a_name(number: PhoneNumber, operator: User) -> None:
    assert wanted(read(operator, table(["number", "alias"], [number.e164, "'s desk"]))) == {
        number.e164: {"alias": "'s desk"}
    }


@pytest.mark.parametrize("name", ["application:111", "Support IVR", "Application · Support IVR"])
def test_it_finds_a_route_by_key_or_name(number: PhoneNumber, operator: User, name: str) -> None:
    make_application(number.account, "111", "Support IVR")
    report = read(operator, table(["number", "voice"], [number.e164, name]))
    assert wanted(report) == {number.e164: {"voice": "application:111"}}
    (effect,) = report.change_set.changes.get().effects
    assert effect["sentence"].startswith("Messages go to this application too")


def test_it_asks_which_route_of_a_name_is_meant(number: PhoneNumber, operator: User) -> None:
    for remote_id in ("111", "222"):
        make_application(number.account, remote_id, "Support IVR")
    report = read(operator, table(["number", "voice"], [number.e164, "Support IVR"]))
    sentence = "Plivo main has 2 targets called “Support IVR”: write application:111 or application:222."
    assert sentences(report) == [(2, f"{number.e164}: {sentence}")]


# Columns


@pytest.mark.parametrize(
    "header", [["Number", "ALIAS"], [" number ", "Alias"], ["E164", "alias"], ["Phone number", "alias"]]
)
def test_it_matches_columns_by_name(number: PhoneNumber, operator: User, header: list[str]) -> None:
    assert wanted(read(operator, table(header, [number.e164, "New"]))) == {number.e164: {"alias": "New"}}


def test_it_reads_columns_as_it_is_told(number: PhoneNumber, operator: User) -> None:
    content = table(["DID", "Label", "alias"], [number.e164, "New", "Not this"])
    report = read(operator, content, mapping={"DID": "number", "Label": "alias", "alias": ""})
    assert wanted(report) == {number.e164: {"alias": "New"}}


def test_it_says_which_columns_it_does_not_read(number: PhoneNumber, operator: User) -> None:
    report = read(operator, table(["number", "alias", "Type", "Renews"], [number.e164, "New", "local", "2027"]))
    assert report.remarks == ["Columns that are not read: Type, Renews."]
    assert [(column.header, column.field) for column in report.columns][2:] == [("Type", ""), ("Renews", "")]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (["DID", "alias"], "No column is called “number”. Say which one has the numbers."),
        (["number", "alias", "Alias"], "2 columns are taken for Alias; name one of them."),
        (["number", "colour"], "No column is one that can be edited: alias, voice"),
    ],
)
def test_it_says_which_columns_are_missing(
    number: PhoneNumber, operator: User, header: list[str], sentence: str
) -> None:
    ((_, told),) = sentences(read(operator, table(header, [number.e164, "New"])))
    assert told.startswith(sentence)


def test_it_refuses_a_row_that_is_too_long(number: PhoneNumber, operator: User) -> None:
    report = read(operator, table(["number", "alias"], [number.e164, "New", "stray"]))
    assert sentences(report) == [(2, "This row has more cells than there are columns.")]


def test_it_gives_a_template_that_it_reads(number: PhoneNumber, operator: User) -> None:
    assert import_template().startswith(b"number,account,alias,")
    columns = len(import_template().split(b","))
    row = [number.e164, "Plivo main", "New", *[""] * (columns - 3)]
    assert wanted(read(operator, import_template() + table(row))) == {number.e164: {"alias": "New"}}


# Files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_it_reads_every_usual_encoding(number: PhoneNumber, operator: User, encoding: str) -> None:
    report = read(operator, f"number,alias\r\n{number.e164},Café №1\r\n".replace("№", "no").encode(encoding))
    assert wanted(report) == {number.e164: {"alias": "Café no1"}}
    assert bool(report.remarks) == (encoding == "cp1252")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_it_finds_out_what_separates_cells(number: PhoneNumber, operator: User, separator: str) -> None:
    content = table(["number", "alias"], [number.e164, "A, B; C"], separator=separator)
    assert wanted(read(operator, content)) == {number.e164: {"alias": "A, B; C"}}


def test_it_obeys_what_a_file_says_of_its_separator(number: PhoneNumber, operator: User) -> None:
    report = read(operator, f"sep=;\r\nnumber;alias\r\n{number.e164};New\r\n;x\r\n".encode())
    assert sentences(report) == [(4, "This row names no number.")]


def test_it_refuses_a_separator_that_is_none(operator: User) -> None:
    report = read(operator, b"sep=ab\r\nnumber;alias\r\n")
    assert [line for line, _ in sentences(report)] == [1]


def test_it_counts_lines_as_an_editor_does(number: PhoneNumber, operator: User) -> None:
    content = table(["number", "alias"], [number.e164, "two\nlines"], [], ["", "x"])
    assert [line for line, _ in sentences(read(operator, content))] == [2, 5]


def test_it_reads_a_workbook(number: PhoneNumber, operator: User) -> None:
    content = workbook(["Number", "Alias"], [number.e164[1:], "Ä & <B>"])
    assert wanted(read(operator, content)) == {number.e164: {"alias": "Ä & <B>"}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n",
        b"PK\x03\x04rubbish",
        b'number,alias\r\n+14155550100,"open',
        b"\xff\xfe\x00\xd8\x00",
        b"\x81\x8d\x8f",
    ],
)
def test_it_tells_that_a_file_is_no_table(number: PhoneNumber, operator: User, content: bytes) -> None:
    report = read(operator, content)
    assert (report.change_set, report.error_count, ChangeSet.objects.count()) == (None, 1, 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"number,alias" + b"," * 1_000_000, "This file has 1000002 columns; at most 200 are read."),
        (b"number,alias\r\n+14155550100," + b"," * 1_000_000 + b"x", "This row has more cells than there are columns."),
        (b"number,alias\r\n+14155550100," + b"x" * 200_000, "From line 2 on this is no CSV (field larger than"),
        (b"number,alias\r\n+14155550100," + b"\0" * 10, "This file is no text that can be read."),
        (b"PK\x03\x04" + b"\0" * 1000, "This is no workbook that can be read."),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "No column is called “number”."),
    ],
)
def test_it_tells_in_a_sentence_what_is_wrong_with_a_hostile_file(
    number: PhoneNumber, operator: User, content: bytes, sentence: str
) -> None:
    ((_, told),) = sentences(read(operator, content))
    assert told.startswith(sentence)


def test_it_takes_a_formula_for_a_text(number: PhoneNumber, operator: User) -> None:
    content = table(["number", "alias"], [number.e164, '=HYPERLINK("https://a.b")'])
    assert wanted(read(operator, content)) == {number.e164: {"alias": '=HYPERLINK("https://a.b")'}}


def test_it_makes_one_plan_of_a_form_sent_twice(number: PhoneNumber, operator: User) -> None:
    content = table(["number", "alias"], [number.e164, "New"])
    asking = origin(operator, source=ChangeSet.Source.IMPORT, idempotency_key="k")
    first, again = (import_plan(asking, io.BytesIO(content), name="a.csv").change_set for _ in range(2))
    assert (first, ChangeSet.objects.count()) == (again, 1)
    with pytest.raises(ChangeRefused, match="sent before"):
        import_plan(asking, io.BytesIO(content), name="b.csv")
