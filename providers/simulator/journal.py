"""Every change a simulated world went through, in order: the ground truth tests compare with, and the world's memory.

Entries only ever come in. With a file, an entry is in the operating system's hands before anyone hears of the change,
so a killed process loses nothing it confirmed; a torn last line is dropped at the next start.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """`before` is None for an added number and `after` for a removed one; else both hold the fields that were set."""

    seq: int
    at: str
    provider: str
    account: str
    method: str
    path: str
    number: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class StateMismatch(Exception):
    """The state file tells of another world than the one asked for, or nothing at all."""


class Journal:
    def __init__(self, path: Path | None = None, world: dict[str, Any] | None = None) -> None:
        """`world` is what must be equal at every start for the file's entries to make sense."""
        self.entries: list[Entry] = []
        self._path = path
        self._file: BinaryIO | None = None
        if path is not None:
            self.entries = _read(path, world or {})

    def record(
        self,
        provider: str,
        account: str,
        source: tuple[str, str],
        number: str,
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
    ) -> Entry:
        entry = Entry(
            seq=len(self.entries) + 1,
            at=dt.datetime.now(dt.UTC).isoformat(),
            provider=provider,
            account=account,
            method=source[0],
            path=source[1],
            number=number,
            before=before,
            after=after,
        )
        self._keep(entry)
        self.entries.append(entry)
        return entry

    def as_builtins(self) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(entry) for entry in self.entries]

    def close(self) -> None:
        """Let go of the file; the next entry opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _keep(self, entry: Entry) -> None:
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
        self._file.write(msgspec.json.encode(entry) + b"\n")

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __getitem__(self, index: int) -> Entry:
        return self.entries[index]


def _read(path: Path, world: dict[str, Any]) -> list[Entry]:
    header = msgspec.json.encode(world) + b"\n"
    if not path.exists() or b"\n" not in path.read_bytes():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(header)
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    found, *lines = whole.splitlines()
    if found + b"\n" != header:
        raise StateMismatch(f"{path} keeps the changes of another world, {found.decode()}. Use another state file.")
    try:
        return [msgspec.json.decode(line, type=Entry) for line in lines]
    except msgspec.DecodeError as error:
        raise StateMismatch(f"{path} is damaged ({error}). Use another state file.") from error
