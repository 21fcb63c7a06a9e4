"""What numbers are known by besides their columns: accounts, applications and subaccounts, read once per edition."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection
from django.db.models import CharField
from django.db.models.expressions import RawSQL

Key = tuple[int, str, str]
"""Of something a route goes to: account, kind, and the provider's id."""

EDITION_SQL = "SELECT max(id) || '.' || sum(value) FROM numbers_edition"
EVERYTHING_SQL = """
    SELECT 'account', id, provider, '', name, '', true FROM numbers_account
    UNION ALL SELECT 'application', account_id, kind, remote_id, name,
        voice_url || ' ' || message_url || ' ' || fallback_url, is_present FROM numbers_application
    UNION ALL SELECT 'subaccount', account_id, '', remote_id, name, '', is_present FROM numbers_subaccount
    UNION ALL SELECT 'tag', id, '', folded, name, '', true FROM numbers_tag
    UNION ALL SELECT 'words', 0, '', '', '', '', true WHERE EXISTS (SELECT 1 FROM numbers_localfields)
        OR EXISTS (SELECT 1 FROM numbers_tag_numbers) OR EXISTS (SELECT 1 FROM numbers_note)
"""


def edition() -> RawSQL:
    """To annotate another query with, which saves one of its own."""
    return RawSQL(f"({EDITION_SQL})", [], CharField())


def current_edition() -> str:
    """Two equal editions show equal inventories; what was counted or read in one holds until it changes."""
    with connection.cursor() as cursor:
        cursor.execute(EDITION_SQL)
        return str(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Directory:
    edition: str
    accounts: Mapping[int, tuple[str, str]]
    """Kind of provider, and name."""
    names: Mapping[Key, str]
    """Of applications."""
    texts: Mapping[Key, str]
    """What the search looks through of them, in small letters."""
    offered: tuple[str, ...]
    """Names of the applications that are still at their providers, in order."""
    subaccounts: tuple[tuple[str, str], ...]
    """Ids and names."""
    tags: Mapping[str, str]
    """Names without their case, and as they were first written."""
    has_words_of_ours: bool
    """Whether any number has an owner, a cost centre, a tag or a note."""

    def label(self, key: Key) -> str:
        """What people call it: its name, or its id when it has none."""
        return self.names.get(key) or key[2]

    def called(self, text: str) -> set[Key]:
        """By name, whatever its capitals, or by id."""
        wanted = text.casefold()
        return {key for key, name in self.names.items() if wanted == name.casefold() or key[2] == text}

    def knows(self, parameter: str, value: str) -> bool:
        """Whether there is such a tag, application or subaccount; anything else may be anything."""
        if parameter == "tag":
            return value in self.tags
        if parameter == "application":
            return bool(self.called(value))
        if parameter == "subaccount":
            return value in dict(self.subaccounts) or value.lower() in (name.lower() for _, name in self.subaccounts)
        return True

    def containing(self, text: str) -> set[Key]:
        return {key for key, said in self.texts.items() if text in said}


@lru_cache(maxsize=2)
def read_directory(edition: str) -> Directory:
    accounts: dict[int, tuple[str, str]] = {}
    names: dict[Key, str] = {}
    texts: dict[Key, str] = {}
    offered = set()
    subaccounts = set()
    tags: dict[str, str] = {}
    has_words = False
    with connection.cursor() as cursor:
        cursor.execute(EVERYTHING_SQL)
        for what, account, kind, remote_id, name, said, is_present in cursor.fetchall():
            if what == "account":
                accounts[account] = (kind, name)
            elif what == "application":
                names[account, kind, remote_id] = name
                texts[account, kind, remote_id] = f"{name}\n{said}".lower()
                offered |= {name} if is_present and name else set()
            elif what == "tag":
                tags[remote_id] = name
            elif what == "words":
                has_words = True
            elif is_present:
                subaccounts.add((remote_id, name))
    return Directory(
        edition, accounts, names, texts, tuple(sorted(offered)), tuple(sorted(subaccounts)), tags, has_words
    )
