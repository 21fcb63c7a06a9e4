"""Numbers out of pasted text, a line each, in any spelling: which of ours they are, in two queries for ten thousand."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import phonenumbers
from django.db import connection

from phone_numbers.filters.directory import current_edition
from phone_numbers.filters.facets import count_facets
from phone_numbers.filters.query import InventoryQuery

MOST_LINES = 10_000
LONGEST_LINE = 500
BETWEEN = r"[ ().\-\u2010-\u2015\u00a0\u2007\u2009\u202f]"
"""What stands between the digits of one number. A tab, or a slash with spaces, stands between two things."""
SPELLED = re.compile(rf"(?:\+|00)?[(\d](?:(?:{BETWEEN}{{0,3}}|/)\d){{5,17}}\)?")
TOO_SHORT, TOO_LONG = 7, 15
MOST_OPTIONS = 10
AS_DIALLED = "011"
"""Before a number of another country, in North America; "00" elsewhere."""

Held: TypeAlias = Mapping[str, Sequence[tuple[int, str]]]
"""Number to the rows that have it: id, and the account's name."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that led to no one number, and why."""

    number: int
    text: str
    options: tuple[tuple[int, str], ...] = ()
    """What it could mean, when that is several: ids, and the numbers with their accounts."""


@dataclass(frozen=True, slots=True)
class Pasted:
    found: tuple[int, ...]
    """Ids, each once."""
    not_found: tuple[Line, ...] = ()
    ambiguous: tuple[Line, ...] = ()
    unreadable: tuple[Line, ...] = ()
    repeated: int = 0
    """Lines whose number an earlier line had."""

    def as_remarks(self) -> dict[str, list[list[object]]]:
        kinds = {"not_found": self.not_found, "ambiguous": self.ambiguous, "unreadable": self.unreadable}
        return {kind: [[line.number, line.text, list(line.options)] for line in lines] for kind, lines in kinds.items()}


def match_pasted(text: str) -> Pasted:
    """Raises ValueError, with a sentence, when there is nothing to read or too much."""
    lines = [(at, line.strip()) for at, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ValueError("There is nothing to look for. Paste numbers, one to a line.")
    if len(lines) > MOST_LINES:
        raise ValueError(f"{len(lines):,} lines are too many at once; paste {MOST_LINES:,} at most.")
    spelled = {at: spelled_in(line) for at, line in lines}
    codes = calling_codes()
    wanted = {e164 for typed in spelled.values() for e164 in readings(typed, codes)}
    return sort_out(lines, spelled, find_held(wanted), codes)


def spelled_in(line: str) -> str:
    """The first thing in it that can be a number: "+" and digits when it is international, else digits."""
    match = SPELLED.search(in_plain_digits(line[:LONGEST_LINE]))
    if not match:
        return ""
    digits = re.sub(r"\D", "", first_of_several(match[0]).replace("(0)", ""))
    is_international = match[0].startswith(("+", "00", "(+"))
    digits = digits.removeprefix("00") if match[0].startswith("00") else digits
    if not TOO_SHORT <= len(digits) <= TOO_LONG:
        return ""
    return f"+{digits}" if is_international else digits


def in_plain_digits(line: str) -> str:
    """Digits of other scripts, and the wide ones of East Asia, as 0 to 9."""
    if line.isascii():
        return line
    return "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in line).replace("＋", "+")


def first_of_several(spelled: str) -> str:
    """Where two numbers stand beside each other with only a space between, the first."""
    first, *others = spelled.split(" ")
    is_whole = len(re.sub(r"\D", "", first)) >= TOO_SHORT
    return first if others and is_whole and len(re.sub(r"\D", "", spelled)) > TOO_LONG else spelled


def readings(typed: str, codes: Sequence[str]) -> list[str]:
    """What it can be as E.164: itself, or a national number of a country we have numbers in. The likeliest first."""
    if not typed or typed.startswith("+"):
        return [typed] if typed else []
    national = typed.lstrip("0")
    own = [f"+{typed.removeprefix(AS_DIALLED)}"] if typed.startswith(AS_DIALLED) or typed[0] != "0" else []
    return list(dict.fromkeys([*own, *(f"+{code}{each}" for code in codes for each in {national, typed})]))


def calling_codes() -> list[str]:
    """Of the countries we have numbers in."""
    countries = count_facets(InventoryQuery(), current_edition()).by_facet["country"]
    codes = (phonenumbers.country_code_for_region(country) for country in countries)
    return list(dict.fromkeys(str(code) for code in codes if code))


def find_held(wanted: Iterable[str]) -> Held:
    """Those of these numbers that we have and that are not released, in one query."""
    asked = sorted(wanted)
    is_postgresql = connection.vendor == "postgresql"
    among = "= ANY(%s)" if is_postgresql else "IN (SELECT value FROM json_each(%s))"
    parameter = asked if is_postgresql else "[{}]".format(",".join(f'"{each}"' for each in asked))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.e164, n.id, a.name FROM numbers_phonenumber AS n JOIN numbers_account AS a ON a.id = account_id "
            f"WHERE n.presence <> 'released' AND n.e164 {among} ORDER BY n.e164, n.id",
            [parameter],
        )
        rows = cursor.fetchall()
    held: dict[str, list[tuple[int, str]]] = {}
    for e164, pk, account in rows:
        held.setdefault(e164, []).append((pk, account))
    return held


def sort_out(lines: Sequence[tuple[int, str]], spelled: Mapping[int, str], held: Held, codes: Sequence[str]) -> Pasted:
    found: dict[int, None] = {}
    problems: dict[str, list[Line]] = {"not_found": [], "ambiguous": [], "unreadable": []}
    repeated = 0
    for at, text in lines:
        line, typed = Line(at, text[:LONGEST_LINE]), spelled[at]
        rows = [(pk, e164, account) for e164 in readings(typed, codes) for pk, account in held.get(e164, ())]
        if not typed:
            problems["unreadable"].append(line)
        elif not rows:
            problems["not_found"].append(line)
        elif len(rows) > 1:
            options = tuple((pk, f"{e164} ({account})") for pk, e164, account in rows[:MOST_OPTIONS])
            problems["ambiguous"].append(Line(at, line.text, options))
        else:
            repeated += rows[0][0] in found
            found[rows[0][0]] = None
    return Pasted(tuple(found), **{kind: tuple(each) for kind, each in problems.items()}, repeated=repeated)
