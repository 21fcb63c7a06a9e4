"""The search box: numbers in any spelling, and words of whatever a number is known by. Every word must be found.

Three or more letters in a row are looked up by trigrams: a GIN index on PostgreSQL, FTS5 on SQLite. One or two are in
so many numbers that no index helps, and every row is looked at. Capitals make no difference, in any alphabet.
"""

import json
import re
from dataclasses import dataclass

from django.db import connection
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from phone_numbers.filters.directory import Directory, Key
from phone_numbers.services.bookkeeping.cells import SEARCHED, searched_text

SPELLED_NUMBER = re.compile(r"[\d\s().+/-]*\d[\d\s().+/-]*")
WHOLE_NUMBER = re.compile(r"(?<!\S)(?:\+|\(|\d)[\d\s().+/-]{5,}\d(?!\S)")
TRIGRAM = 3
Sql = tuple[str, list[str]]
TABLE = "numbers_phonenumber"
OWN_COLUMNS = ", ".join(f"{TABLE}.{name}" for name in SEARCHED)
OWN_TEXT = searched_text(f"{TABLE}.")
WORDS_OF_OURS_SQL = """
    SELECT phonenumber_id FROM numbers_tag_numbers JOIN numbers_tag ON numbers_tag.id = tag_id WHERE folded {0}
    UNION SELECT number_id FROM numbers_note WHERE withdrawn_at IS NULL AND lower(text) {0}
    UNION SELECT number_id FROM numbers_localfields WHERE lower(owner) {0} OR lower(cost_centre) {0}
"""
SAID_SQL = "SELECT rowid FROM numbers_search WHERE numbers_search MATCH %s"
ROUTED_SQL = """
    SELECT n.id FROM json_each(%s) AS known CROSS JOIN numbers_phonenumber AS n
    ON n.{0}_target = json_extract(known.value, '$[2]')
        AND +n.account_id = json_extract(known.value, '$[0]') AND +n.{0}_kind = json_extract(known.value, '$[1]')
"""


@dataclass(frozen=True, slots=True)
class Term:
    """A word that must be found somewhere, or the digits it spells."""

    word: str
    digits: str = ""

    @property
    def spellings(self) -> set[str]:
        """What has "0466" in it has "466" in it, so that one need not be looked for."""
        return {self.digits} if self.digits and self.digits in self.word else {self.word, self.digits} - {""}

    @property
    def has_trigrams(self) -> bool:
        return all(len(spelling) >= TRIGRAM for spelling in self.spellings)


def terms_of(text: str) -> list[Term]:
    """The words of what was typed; a number in any spelling is one word, wherever it stands."""
    if digits := digits_of(text):
        return [Term(text.strip().lower(), digits)]
    terms = []
    for spelled in WHOLE_NUMBER.findall(text):
        terms.append(Term(spelled.lower(), digits_of(spelled)))
        text = text.replace(spelled, " ", 1)
    return terms + [Term(word.lower(), digits_of(word)) for word in text.split()]


def digits_of(text: str) -> str:
    """The digits of a number in whatever spelling, without trunk or international zeros; "" when it is not one."""
    if not SPELLED_NUMBER.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    return digits.lstrip("0") or digits


def found_by(text: str, directory: Directory, *, walks: bool) -> Q:
    """`walks`: rows come in the list's order and are looked at one by one, until a page is full."""
    condition = Q()
    lookups: list[Sql] = []
    for term in terms_of(text):
        applications = directory.containing(term.word)
        ours = words_of_ours(term.word) if directory.has_words_of_ours else ""
        if connection.vendor == "sqlite" and not walks:
            lookups.append(lookup(term, applications, ours))
            continue
        own = with_ids(ours) if ours else Q()
        found = routed_to(applications) | own
        for spelling in term.spellings:
            found |= said(spelling)
        condition &= found
        if connection.vendor == "postgresql" and not walks:
            condition &= candidates(term, applications, own)
    return condition & in_all(lookups) if lookups else condition


def candidates(term: Term, applications: set[Key], own: Q) -> Q:
    """More than are wanted, but in words that are PostgreSQL's indexes' own: it then need not test them row by row."""
    if not term.has_trigrams:
        return Q()
    ids = sorted({remote_id for _, _, remote_id in applications})
    found = Q(voice_target__in=ids) | Q(message_target__in=ids) | own
    for spelling in term.spellings:
        found |= Q(has_trigrams(spelling))
    return found


def words_of_ours(word: str) -> str:
    """Numbers with it in a tag, a note, the owner or the cost centre. Few have any, so these are found first."""
    contains, value = containing(word)
    with connection.cursor() as cursor:
        cursor.execute(WORDS_OF_OURS_SQL.format(contains), [value] * 4)
        return ",".join(str(pk) for (pk,) in cursor.fetchall())


def with_ids(numbers: str, *, walks: bool = False) -> Q:
    """`numbers` are ids with commas between them: thousands of them are one value so, and are not put into words.

    SQLite must not look them up where it is to walk the list and only see which of them it meets.
    """
    if connection.vendor == "postgresql":
        return Q(RawSQL(f"{TABLE}.id = ANY(%s::bigint[])", [f"{{{numbers}}}"], BooleanField()))
    own = f"{'+' if walks else ''}{TABLE}.id"
    return Q(RawSQL(f"{own} IN (SELECT value FROM json_each(%s))", [f"[{numbers}]"], BooleanField()))


def routed_to(applications: set[Key]) -> Q:
    """Numbers whose calls or messages go to one of these applications of their own account."""
    ids: dict[tuple[int, str], list[str]] = {}
    for account, kind, remote_id in sorted(applications):
        ids.setdefault((account, kind), []).append(remote_id)
    found = Q()
    for (account, kind), targets in ids.items():
        calls = Q(voice_kind=kind, voice_target__in=targets)
        found |= Q(account=account) & (calls | Q(message_kind=kind, message_target__in=targets))
    return found


def said(spelling: str) -> Q:
    """Numbers of which one of the searched columns contains it: each row is looked at.

    PostgreSQL is asked in words of which it expects nothing: of a pattern it expects that hardly any row has it, and
    then sorts a hundred thousand of them where it could count.
    """
    if connection.vendor == "postgresql":
        return Q(RawSQL(f"strpos(numbers_text({OWN_COLUMNS}), %s) <> 0", [spelling], BooleanField()))
    contains, value = containing(spelling)
    return Q(RawSQL(f"({OWN_TEXT}) {contains}", [value], BooleanField()))


def containing(word: str) -> tuple[str, str]:
    """What is asked of a text in small letters. SQLite knows those of ASCII alone; Django lets Python look."""
    if connection.vendor == "sqlite" and not word.isascii():
        return "REGEXP %s", f"(?i){re.escape(word)}"
    return r"LIKE %s ESCAPE '\'", "%{}%".format(re.sub(r"([\\%_])", r"\\\1", word))


def has_trigrams(spelling: str) -> RawSQL:
    """In the words of PostgreSQL's index, so that it is used."""
    trigrams = sorted({spelling[at : at + TRIGRAM] for at in range(len(spelling) - TRIGRAM + 1)})
    indexed = f'numbers_trigrams(numbers_text({OWN_COLUMNS})) COLLATE "C"'
    return RawSQL(f"{indexed} @> %s::text[]", [trigrams], BooleanField())


def lookup(term: Term, applications: set[Key], ours: str) -> Sql:
    """By SQLite's indexes, one after the other: in a condition with OR it would use none of them."""
    asked = [said_in(spelling) for spelling in sorted(term.spellings)]
    if applications:
        asked += [(ROUTED_SQL.format(prefix), json.dumps(sorted(applications))) for prefix in ("voice", "message")]
    if ours:
        asked.append(("SELECT value FROM json_each(%s)", f"[{ours}]"))
    return " UNION ".join(sql for sql, _ in asked), [value for _, value in asked]


def said_in(spelling: str) -> tuple[str, str]:
    if len(spelling) >= TRIGRAM:
        return SAID_SQL, quoted(spelling)
    contains, value = containing(spelling)
    return f"SELECT id FROM {TABLE} WHERE ({OWN_TEXT}) {contains}", value


def in_all(lookups: list[Sql]) -> Q:
    """As one set of ids: of two, SQLite would read every row that is in the first."""
    found = " INTERSECT ".join(f"SELECT * FROM ({sql})" for sql, _ in lookups)
    return Q(pk__in=RawSQL(found, [value for _, values in lookups for value in values]))


def quoted(spelling: str) -> str:
    return '"{}"'.format(spelling.replace('"', '""'))
