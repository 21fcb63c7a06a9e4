"""Makes a plan from a table: one row a number, one column a field. All or nothing, and all errors at once.

An empty cell leaves a field as it is, `(clear)` empties it. A cell that says what the number is already is no change:
an export can be edited and read again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from phone_numbers.models import Account, ChangeSet, PhoneNumber
from phone_numbers.services.change_plans import (
    BATCH,
    Origin,
    Planner,
    Wish,
    batches,
    make_plan,
    numbers_with_values,
)
from phone_numbers.services.change_sets import discard_plan
from phone_numbers.services.editing import capabilities_of, title_of
from phone_numbers.services.number_lookup import Found, find_numbers, why_no_number
from phone_numbers.services.route_choices import kind_title
from phone_numbers.services.sheets import Row, Sheet, UnreadableSheet, open_sheet, unescaped
from providers.contract import EditableField, Route
from providers.registry import PROVIDERS

CLEAR = "(clear)"
MOST_ERRORS = 1000
MOST_ROWS = 200_000
NUMBER, ACCOUNT = "number", "account"
SPELLINGS = {
    "e164": NUMBER,
    "phonenumber": NUMBER,
    "voiceroute": "voice",
    "voicegoesto": "voice",
    "messageroute": "messages",
    "messagesgoto": "messages",
    "calleridname": "cnam",
}

Raw = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowError:
    line: int
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Column:
    header: str
    field: str
    """What it is taken for; "" when it is not read."""


@dataclass(slots=True)
class ImportReport:
    """Either the plan, or what is wrong with the file: then nothing is kept."""

    change_set: ChangeSet | None = None
    columns: list[Column] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    """In the order of the lines, at most 1,000."""
    error_count: int = 0
    rows: int = 0
    unchanged: int = 0
    """Rows that say what their number is already."""

    def add_error(self, line: int, name: str, sentence: str) -> None:
        self.error_count += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(RowError(line, name, sentence))


def editable_names() -> list[str]:
    """Every field that can be edited at some provider, those that most have first."""
    names = [edit.name for provider in PROVIDERS.values() for edit in provider.capabilities.edits]
    return sorted(dict.fromkeys(names), key=lambda name: (-names.count(name), names.index(name)))


def import_template() -> bytes:
    """An empty table with every column that is read."""
    return f"{','.join([NUMBER, ACCOUNT, *editable_names()])}\r\n".encode()


def import_plan(origin: Origin, file: IO[bytes], *, name: str = "", mapping: Raw | None = None) -> ImportReport:
    """A draft of what the table asks for, or all that is wrong with it.

    `mapping` says for headers that are called otherwise which field they are, "" for none. Raises ChangeRefused.
    """
    report = ImportReport()
    try:
        with open_sheet(file) as sheet:
            report.remarks += sheet.remarks
            report.columns = match_columns(sheet.header, mapping or {})
            check_columns(report)
            if not report.error_count:
                plan_rows(origin, sheet, report, name)
    except UnreadableSheet as unreadable:
        report.add_error(1, "", str(unreadable))
    if report.change_set and (report.error_count or not report.change_set.changes.exists()):
        discard_plan(report.change_set)
        report.change_set = None
    report.errors.sort(key=lambda error: error.line)
    return report


def match_columns(header: Sequence[str], mapping: Raw) -> list[Column]:
    known = {bare(name): name for name in (NUMBER, ACCOUNT, *editable_names())} | SPELLINGS
    return [Column(each, mapping.get(each, known.get(bare(each), ""))) for each in header]


def bare(header: str) -> str:
    """Without case, blanks and punctuation."""
    return re.sub(r"[\W_]", "", header).casefold()


def check_columns(report: ImportReport) -> None:
    fields = [column.field for column in report.columns if column.field]
    allowed = {NUMBER, ACCOUNT, *editable_names()}
    for name in dict.fromkeys(fields):
        if name not in allowed:
            report.add_error(1, name, f"There is no field called “{name}”.")
        if fields.count(name) > 1:
            report.add_error(1, name, f"{fields.count(name)} columns are taken for {title_of(name)}; name one of them.")
    if NUMBER not in fields:
        report.add_error(1, NUMBER, "No column is called “number”. Say which one has the numbers.")
    elif not {*fields} - {NUMBER, ACCOUNT}:
        report.add_error(1, "", f"No column is one that can be edited: {', '.join(editable_names())}.")
    if ignored := [column.header for column in report.columns if column.header and not column.field]:
        report.remarks.append(f"Columns that are not read: {', '.join(ignored)}.")


def plan_rows(origin: Origin, sheet: Sheet, report: ImportReport, name: str) -> None:
    reader = RowReader(report)
    wishes = reader.wishes(sheet.rows)
    report.change_set = make_plan(origin, {"file": name.replace("\0", "")}, wishes)


class RowReader:
    """Turns rows into wishes, and collects what is wrong with them. After the first error no wish is worth keeping."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        self.planner = Planner(ChangeSet())
        self.names = dict(Account.objects.values_list("pk", "name"))
        self.accounts = {name.casefold(): pk for pk, name in self.names.items()}
        self._opened: dict[int, Account] = {}
        self._lines: dict[int, int] = {}
        self._routes: dict[tuple[int, str, str], tuple[str, str]] = {}

    def wishes(self, rows: Iterable[Row]) -> Iterator[Wish]:
        for batch in batches(rows, BATCH):
            self.report.rows += len(batch)
            if self.report.rows > MOST_ROWS:
                raise UnreadableSheet(f"This file has more than {MOST_ROWS:,} rows. Divide it.")
            wishes = self.wishes_of(batch)
            if not self.report.error_count:
                yield from wishes

    def wishes_of(self, rows: Sequence[Row]) -> list[Wish]:
        read = [(row.line, self.fields_of(row)) for row in rows]
        texts = {raw[NUMBER] for _, raw in read if raw.get(NUMBER)}
        found = find_numbers(text for text in texts if not why_no_number(text))
        chosen = [(line, raw, self.choose(line, raw, found)) for line, raw in read]
        pks = {number.pk for _, _, number in chosen if number}
        numbers = {number.pk: number for number in numbers_with_values(pks, self._opened)}
        wishes = [self.wish(line, raw, numbers[number.pk]) for line, raw, number in chosen if number]
        self.report.unchanged += sum(not wish.desired for wish in wishes)
        return [wish for wish in wishes if wish.desired]

    def fields_of(self, row: Row) -> dict[str, str]:
        cells = zip(self.report.columns, row.cells, strict=False)
        raw = {column.field: cell for column, cell in cells if column.field}
        if any(cell.strip() for cell in row.cells[len(self.report.columns) :]):
            self.report.add_error(row.line, "", "This row has more cells than there are columns.")
        return {**raw, NUMBER: unescaped(raw.get(NUMBER, "")).strip(), ACCOUNT: raw.get(ACCOUNT, "").strip()}

    def choose(self, line: int, raw: Raw, found: Mapping[str, Sequence[Found]]) -> Found | None:
        """The number a row is about; None when that cannot be told, which is an error."""
        account = raw[ACCOUNT]
        wanted = self.accounts.get(account.casefold()) or self.accounts.get(unescaped(account).casefold())
        if account and wanted is None:
            self.report.add_error(line, ACCOUNT, f"There is no account called “{account}”.")
            return None
        numbers = [number for number in found.get(raw[NUMBER], []) if not account or number.account == wanted]
        if sentence := self.why_not_one(raw[NUMBER], account, numbers):
            self.report.add_error(line, NUMBER, sentence)
            return None
        self._lines[numbers[0].pk] = line
        return numbers[0]

    def why_not_one(self, text: str, account: str, numbers: Sequence[Found]) -> str:
        if not text:
            return "This row names no number."
        if sentence := why_no_number(text):
            return sentence
        if not numbers:
            return f"{text} is not among the numbers{f' of {account}' if account else ''}."
        if len({number.e164 for number in numbers}) > 1:
            return f"{text} can be {' or '.join(sorted({number.e164 for number in numbers}))}: write it with its +."
        if len(numbers) > 1:
            held = ", ".join(self.names[number.account] for number in numbers)
            return f"{text} is in several accounts: {held}. Say which one in a column “account”."
        first = self._lines.get(numbers[0].pk)
        return f"{numbers[0].e164} is in line {first} already." if first else ""

    def wish(self, line: int, raw: Raw, number: PhoneNumber) -> Wish:
        desired = {}
        for name, cell in raw.items():
            if name not in (NUMBER, ACCOUNT) and cell.strip() and not self.is_so(number, name, cell):
                value, refusal = self.value_of(number, name, unescaped(cell).strip())
                if refusal := refusal or self.planner.refusal(number, name, value):
                    self.report.add_error(line, name, f"{number.e164}: {refusal}")
                if value != number.value(name):
                    desired[name] = value
        return Wish(number=number.pk, desired=desired, known=number)

    def is_so(self, number: PhoneNumber, name: str, cell: str) -> bool:
        """An export may have escaped it, and a spreadsheet may have changed its line ends or blanks around it."""
        now = number.value(name).replace("\r\n", "\n")
        return now in {each.replace("\r\n", "\n") for each in (cell, unescaped(cell))} or now.strip() == cell.strip()

    def value_of(self, number: PhoneNumber, name: str, text: str) -> tuple[str, str]:
        """The value a cell stands for, and why it stands for none."""
        if text.casefold() == CLEAR:
            return "", ""
        capabilities = capabilities_of(self._opened[number.account_id])
        edit = capabilities.edit(name) if capabilities else None
        if edit is None:
            return text, ""
        if edit.choices:
            return next((each for each in edit.choices if each.casefold() == text.casefold()), text), ""
        if not edit.route_kinds:
            return text, ""
        key = (number.account_id, name, text)
        if key not in self._routes:
            self._routes[key] = route_called(self._opened[number.account_id], edit, text)
        value, refusal = self._routes[key]
        return (self.planner.normalised(number, name, value) if value else value), refusal


def route_called(account: Account, edit: EditableField, text: str) -> tuple[str, str]:
    """A route by its key, such as application:1101, or what it goes to by its name, such as Application · Support."""
    if Route.from_key(text).kind in {*edit.route_kinds, *edit.route_why_not}:
        return text, ""
    offered = account.applications.filter(kind__in=edit.route_kinds, is_present=True).defer("payload")
    called = [each for each in offered if text in (str(each), f"{kind_title(account, each.kind)} · {each}")]
    if len(called) == 1:
        return called[0].route_key, ""
    if called:
        keys = " or ".join(each.route_key for each in called)
        return "", f"{account} has {len(called)} targets called “{text}”: write {keys}."
    return "", f"{account} has nothing called “{text}” that {edit.title} can go to."
