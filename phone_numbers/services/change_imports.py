"""Makes a plan from a table: one row a number, one column a field. All or nothing, and all errors at once.

An empty cell leaves a field as it is, `(clear)` empties it. A cell that says what the number is already is no change:
an export can be edited and read again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from phone_numbers.models import Account, ChangeSet, PhoneNumber
from phone_numbers.models.numbers import LOCAL
from phone_numbers.services.batches import batches
from phone_numbers.services.change_plans import (
    BATCH,
    Origin,
    Planner,
    Wish,
    make_plan,
    numbers_with_values,
)
from phone_numbers.services.change_sets import discard_plan
from phone_numbers.services.editing import edit_of
from phone_numbers.services.import_columns import ACCOUNT, NUMBER, Column, match_columns, mistakes_in, unread
from phone_numbers.services.local_changes import is_same_local, normalised_local, read_local
from phone_numbers.services.local_fields import LocalRefused
from phone_numbers.services.notes import NoteRefused
from phone_numbers.services.number_lookup import Found, find_numbers, why_no_number
from phone_numbers.services.route_choices import kind_title, route_label
from phone_numbers.services.sheets import Row, Sheet, UnreadableSheet, open_sheet
from phone_numbers.services.spreadsheets import unprotect
from providers.contract import EditableField, Route

CLEAR = "(clear)"
MOST_ERRORS = 1000
MOST_ROWS = 200_000
ROUTES = ("voice", "messages")

Raw = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowError:
    line: int
    field: str
    sentence: str


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


def import_plan(origin: Origin, file: IO[bytes], *, name: str = "", mapping: Raw | None = None) -> ImportReport:
    """A draft of what the table asks for, or all that is wrong with it.

    `mapping` says for headers that are called otherwise which field they are, "" for none. Raises ChangeRefused.
    """
    report = ImportReport()
    try:
        with open_sheet(file) as sheet:
            report.remarks += sheet.remarks
            report.columns = match_columns(sheet.header, mapping or {})
            report.remarks += filter(None, [unread(report.columns)])
            for field_name, sentence in mistakes_in(report.columns):
                report.add_error(1, field_name, sentence)
            if not report.error_count:
                plan_rows(origin, sheet, report, name)
    except UnreadableSheet as unreadable:
        report.add_error(1, "", str(unreadable))
    if report.change_set and (report.error_count or not report.change_set.changes.exists()):
        discard_plan(report.change_set)
        report.change_set = None
    report.errors.sort(key=lambda error: error.line)
    return report


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
        self.accounts |= {name: pk for pk, name in self.names.items()}
        self.is_local = any(column.field in LOCAL for column in report.columns)
        self._opened: dict[int, Account] = {}
        self._lines: dict[int, tuple[int, bool]] = {}
        self._routes: dict[tuple[int, str, str], tuple[str, str]] = {}
        self._labels: dict[tuple[int, str], str] = {}
        self._local: dict[tuple[str, str], tuple[str, str]] = {}

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
        found = find_numbers({raw[NUMBER] for _, raw in read if raw[NUMBER] and not why_no_number(raw[NUMBER])})
        meant = [(line, raw, self.numbers_of(line, raw, found)) for line, raw in read]
        known = numbers_with_values({each.pk for _, _, numbers in meant for each in numbers}, self._opened)
        if self.is_local:
            read_local(known)
        numbers = {number.pk: number for number in known}
        wishes = [self.wish(line, raw, [numbers[each.pk] for each in some]) for line, raw, some in meant if some]
        return [wish for wish in wishes if wish]

    def fields_of(self, row: Row) -> dict[str, str]:
        cells = zip(self.report.columns, row.cells, strict=False)
        raw = {column.field: cell for column, cell in cells if column.field}
        if any(cell.strip() for cell in row.cells[len(self.report.columns) :]):
            self.report.add_error(row.line, "", "This row has more cells than there are columns.")
        return {**raw, NUMBER: unprotect(raw.get(NUMBER, "")).strip(), ACCOUNT: raw.get(ACCOUNT, "").strip()}

    def numbers_of(self, line: int, raw: Raw, found: Mapping[str, Sequence[Found]]) -> list[Found]:
        """Those a row can be about; several when several accounts hold the number. None, with an error, if not."""
        wanted = self.account_called(raw[ACCOUNT])
        if raw[ACCOUNT] and wanted is None:
            self.report.add_error(line, ACCOUNT, f"There is no account called “{raw[ACCOUNT]}”.")
            return []
        numbers = [each for each in found.get(raw[NUMBER], []) if wanted in (None, each.account)]
        if sentence := self.why_none(raw, numbers):
            self.report.add_error(line, NUMBER, sentence)
            return []
        return numbers

    def account_called(self, name: str) -> int | None:
        for each in (name, unprotect(name)):
            if found := self.accounts.get(each) or self.accounts.get(each.casefold()):
                return found
        return None

    def why_none(self, raw: Raw, numbers: Sequence[Found]) -> str:
        text = raw[NUMBER]
        if not text:
            return "This row names no number."
        if sentence := why_no_number(text):
            return sentence
        if not numbers:
            return f"{text} is not among the numbers{f' of {raw[ACCOUNT]}' if raw[ACCOUNT] else ''}."
        if len(e164s := sorted({number.e164 for number in numbers})) > 1:
            return f"{text} can be {' or '.join(e164s)}: write it with its +."
        return ""

    def wish(self, line: int, raw: Raw, numbers: Sequence[PhoneNumber]) -> Wish | None:
        """What the row asks for; None when it is so already, in whichever account is meant, or cannot be told."""
        held = [each for each in numbers if each.presence != PhoneNumber.Presence.RELEASED] or numbers
        is_so = not all(self.news(number, raw) for number in numbers)
        if len(held) == 1 and (first := self._is_repeated(held[0], line, is_so=is_so)):
            self.report.add_error(line, NUMBER, f"{held[0].e164} is in line {first} already.")
        elif is_so:
            self.report.unchanged += 1
        elif len(held) > 1:
            accounts = ", ".join(self.names[number.account_id] for number in held)
            sentence = f"{raw[NUMBER]} is in several accounts: {accounts}. Say which one in a column “account”."
            self.report.add_error(line, NUMBER, sentence)
        else:
            return self.wish_for(line, held[0], self.news(held[0], raw))
        return None

    def wish_for(self, line: int, number: PhoneNumber, cells: Raw) -> Wish | None:
        errors = self.report.error_count
        desired = self.desired(line, number, cells)
        self.report.unchanged += not desired and self.report.error_count == errors
        return Wish(number=number.pk, desired=desired, known=number, is_checked=True) if desired else None

    def _is_repeated(self, number: PhoneNumber, line: int, *, is_so: bool) -> int:
        """The line that was about this number before, when that or this one asks for something; else 0."""
        first, asked_before = self._lines.setdefault(number.pk, (line, not is_so))
        return first if first != line and (asked_before or not is_so) else 0

    def news(self, number: PhoneNumber, raw: Raw) -> dict[str, str]:
        """The cells that do not say what is so already."""
        return {
            name: cell
            for name, cell in raw.items()
            if name not in (NUMBER, ACCOUNT) and cell and not cell.isspace() and not self.is_so(number, name, cell)
        }

    def is_so(self, number: PhoneNumber, name: str, cell: str) -> bool:
        """An export may have escaped it or named a route, a spreadsheet may have changed line ends or blanks."""
        now = number.value(name)
        if cell == now:
            return True
        now = now.replace("\r\n", "\n")
        said = {text.replace("\r\n", "\n") for text in (cell, unprotect(cell))}
        if now in said or now.strip() == cell.strip():
            return True
        if name == "tags":
            return is_same_local(name, unprotect(cell), now)
        return name in ROUTES and bool(now) and self.label(number, now) in said

    def label(self, number: PhoneNumber, key: str) -> str:
        """What the list calls the target of a route."""
        asked = (number.account_id, key)
        if asked not in self._labels:
            route = Route.from_key(key)
            self._labels[asked] = route_label(number.account_id, route.kind, route.target)
        return self._labels[asked]

    def desired(self, line: int, number: PhoneNumber, cells: Raw) -> dict[str, str]:
        desired = {}
        for name, cell in cells.items():
            text = unprotect(cell).strip()
            value, refusal = self.local_value(name, text) if name in LOCAL else self.sent_value(number, name, text)
            if refusal:
                self.report.add_error(line, name, f"{number.e164}: {refusal}")
            elif value != number.value(name):
                desired[name] = value
        return desired

    def local_value(self, name: str, text: str) -> tuple[str, str]:
        """The value a cell stands for, and why it stands for none."""
        if text.casefold() == CLEAR:
            return "", "A note is withdrawn on the number's page." if name == "note" else ""
        if (name, text) not in self._local:
            try:
                self._local[name, text] = normalised_local(name, text), ""
            except (LocalRefused, NoteRefused) as refused:
                self._local[name, text] = "", str(refused)
        return self._local[name, text]

    def sent_value(self, number: PhoneNumber, name: str, text: str) -> tuple[str, str]:
        if number.presence == PhoneNumber.Presence.RELEASED:
            return "", "This number was released; it cannot be edited."
        value, refusal = self.value_of(number, name, text)
        return value, refusal or self.planner.refusal(number, name, value)

    def value_of(self, number: PhoneNumber, name: str, text: str) -> tuple[str, str]:
        if text.casefold() == CLEAR:
            return "", ""
        edit = edit_of(self._opened[number.account_id], name)
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
