"""The simulated providers' state: accounts, their numbers and what the numbers can point at.

Untouched numbers are made on demand; only what was changed, added or removed is kept, so a million numbers start at
once. Every change goes through the world, which writes the journal. Knows no provider's way of writing things.
"""

import contextlib
import datetime as dt
import threading
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from providers.simulator.journal import Entry, Journal
from providers.simulator.numbering import LANES, PLANS, Numbering, Plan
from providers.simulator.numbers import Number, Surroundings, make_number

Source = tuple[str, str]
"""The method and path of the request that asked for a change."""
SECOND_WRITER: Source = ("", "second writer")
EDITABLE = tuple(name for name in Number.__struct_fields__ if name not in ("position", "digits"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    id: str
    name: str
    voice_url: str = ""
    message_url: str = ""
    fallback_url: str = ""
    subaccount: str = ""
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    id: str
    name: str
    domain: str
    inbound: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subaccount:
    id: str
    name: str
    token: str
    enabled: bool = True
    created: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    id: str
    name: str
    brand: str
    usecase: str
    status: str


@dataclass(kw_only=True)
class Account:
    """One account at one provider. Change it through the world, never directly."""

    provider: str
    id: str
    token: str
    name: str
    size: int
    seed: int
    lane: int
    today: dt.date
    applications: dict[str, Application] = field(default_factory=dict)
    trunks: dict[str, Trunk] = field(default_factory=dict)
    subaccounts: dict[str, Subaccount] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    newest_first: bool = False
    plans: tuple[Plan, ...] = PLANS
    finish: Callable[[Number], Number] = lambda number: number
    """Gives a fresh number what only its provider's numbers have."""
    version: int = 0
    """Grows with every change."""

    def __post_init__(self) -> None:
        self._numbering = Numbering(self.seed, self.lane, self.plans)
        self._draw_seed = self.seed * LANES + self.lane
        self._positions = self.size
        self._removed: list[int] = []
        self._touched: dict[int, Number] = {}
        self._strangers: dict[str, int] = {}
        self._around = Surroundings(
            tuple(self.applications),
            tuple(trunk.id for trunk in self.trunks.values() if trunk.inbound),
            tuple(self.subaccounts),
            tuple(self.campaigns),
        )

    def __len__(self) -> int:
        return self._positions - len(self._removed)

    def __iter__(self) -> Iterator[Number]:
        removed = frozenset(self._removed)
        positions = range(self._positions)
        ordered = reversed(positions) if self.newest_first else positions
        return (self.at_position(position) for position in ordered if position not in removed)

    def at(self, rank: int) -> Number:
        """The number at this place of the listing."""
        if self.newest_first:
            rank = len(self) - 1 - rank
        gaps = bisect_right(range(len(self._removed)), rank, key=lambda index: self._removed[index] - index)
        return self.at_position(rank + gaps)

    def at_position(self, position: int) -> Number:
        touched = self._touched.get(position)
        return touched or self.finish(make_number(self._numbering, self._draw_seed, position, self._around, self.today))

    def rank(self, position: int) -> int:
        """How many numbers the listing holds before this position, whether or not a number still stands there."""
        before = position - bisect_left(self._removed, position)
        return before if not self.newest_first else len(self) - before - (not self._is_removed(position))

    def page(self, offset: int, limit: int) -> Sequence[Number]:
        return [self.at(rank) for rank in range(offset, min(offset + limit, len(self)))]

    def find(self, digits: str) -> Number | None:
        position = self._position(digits)
        number = None if position is None else self.find_at(position)
        return number if number is not None and number.digits == digits else None

    def held(self, digits: str) -> Number:
        """Raises KeyError for a number that is not in the account."""
        number = self.find(digits)
        if number is None:
            raise KeyError(digits)
        return number

    def find_at(self, position: int) -> Number | None:
        """The number that stands at this position, if one does."""
        if not 0 <= position < self._positions or self._is_removed(position):
            return None
        return self.at_position(position)

    def next_number(self) -> Number:
        """The number that would be rented next."""
        return self.at_position(self._positions)

    def absent(self, digits: str) -> Number:
        """What a number that is not in the account would be like, keeping its old place if it ever had one."""
        position = self._position(digits)
        if position is not None and position <= self._positions:
            return self.at_position(position)
        return msgspec.structs.replace(self.next_number(), digits=digits)

    def apply(self, entry: Entry) -> None:
        """Make the journal's entry true."""
        self.version += 1
        if entry.before is None:
            self._put(msgspec.convert(entry.after, Number))
        elif entry.after is None:
            position = msgspec.convert(entry.before, Number).position
            insort(self._removed, position)
            self._touched.pop(position, None)
        else:
            number = self.held(entry.number)
            self._touched[number.position] = _edited(number, entry.after)

    def _put(self, number: Number) -> None:
        self._touched[number.position] = number
        if number.position < self._positions:
            self._removed.remove(number.position)
        self._positions = max(self._positions, number.position + 1)
        if self._numbering.position(number.digits) != number.position:
            self._strangers[number.digits] = number.position

    def _position(self, digits: str) -> int | None:
        position = self._strangers.get(digits)
        return self._numbering.position(digits) if position is None else position

    def _is_removed(self, position: int) -> bool:
        at = bisect_left(self._removed, position)
        return at < len(self._removed) and self._removed[at] == position


@dataclass(frozen=True, slots=True)
class _Operation:
    """A change on its way: a number added, fields set, or, with neither, the number removed."""

    account: Account
    source: Source
    digits: str
    added: Number | None = None
    fields: dict[str, Any] | None = None

    def before_and_after(self, found: Number | None) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        if self.added is not None:
            return None, msgspec.to_builtins(self.added)
        if self.fields is None:
            return msgspec.to_builtins(found), None
        before = {name: getattr(found, name) for name in self.fields}
        return msgspec.to_builtins(before), msgspec.to_builtins(self.fields)


def _edited(number: Number, fields: dict[str, Any]) -> Number:
    """The number with these fields, or ValueError."""
    if unknown := fields.keys() - set(EDITABLE):
        raise ValueError(f"A number has no {', '.join(sorted(unknown))} to set.")
    try:
        return msgspec.convert({**msgspec.to_builtins(number), **msgspec.to_builtins(fields)}, Number)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Held:
    """What to do with changes while a fault distorts them: lose them, or let them take effect later."""

    seconds: float | None = None


class World:
    """All accounts, one lock around them, and the journal."""

    def __init__(
        self,
        *,
        numbers: int = 50,
        seed: int = 1,
        sizes: Mapping[str, int] | None = None,
        today: dt.date | None = None,
        state: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size = numbers
        self.seed = seed
        self._sizes = sizes or {}
        self.today = today or dt.datetime.now(dt.UTC).date()
        self.lock = threading.RLock()
        self.accounts: dict[tuple[str, str], Account] = {}
        self._clock = clock
        self._held: _Held | None = None
        self._later: list[tuple[float, _Operation]] = []
        self._journal = Journal(state, {"numbers": numbers, "seed": seed})

    def size_of(self, account_id: str, most: int | None = None) -> int:
        """How many numbers an account starts with: as told, else `most`, and never more than the world's size."""
        return min(self.size, self._sizes.get(account_id, self.size if most is None else most))

    def add_account(self, provider: str, account_id: str, token: str, **parts: Any) -> Account:
        """Open an account (`parts`: the other fields of Account) and replay what the journal knows of it."""
        account = Account(
            provider=provider,
            id=account_id,
            token=token,
            seed=self.seed,
            lane=len(self.accounts),
            today=self.today,
            **parts,
        )
        self.accounts[provider, account_id] = account
        for entry in self._journal:
            if (entry.provider, entry.account) == (provider, account_id):
                account.apply(entry)
        return account

    def account(self, provider: str = "plivo", account_id: str = "") -> Account:
        """The named account; without an id the provider's first one."""
        if account_id:
            return self.accounts[provider, account_id]
        return next(account for (kind, _), account in self.accounts.items() if kind == provider)

    @property
    def journal(self) -> Journal:
        self.settle()
        return self._journal

    def add(self, account: Account, digits: str = "", source: Source = SECOND_WRITER, **fields: Any) -> str:
        """Rent a number: the given one, or the next free one. Returns its digits."""
        with self.lock:
            number = _edited(account.absent(digits) if digits else account.next_number(), fields)
            if account.find(number.digits) is not None:
                raise ValueError(f"{number.digits} is in the account already.")
            self._perform(_Operation(account, source, number.digits, added=number))
            return number.digits

    def change(self, account: Account, digits: str, source: Source = SECOND_WRITER, **fields: Any) -> None:
        """Set fields of a number. Raises KeyError for a number that is not there, ValueError for a bad field."""
        with self.lock:
            _edited(account.held(digits), fields)
            self._perform(_Operation(account, source, digits, fields=fields))

    def remove(self, account: Account, digits: str, source: Source = SECOND_WRITER) -> None:
        """Give a number back. Raises KeyError for a number that is not there."""
        with self.lock:
            account.held(digits)
            self._perform(_Operation(account, source, digits))

    def _perform(self, operation: _Operation) -> None:
        if self._held is None:
            self._take_effect(operation)
        elif self._held.seconds is not None:
            self._later.append((self._clock() + self._held.seconds, operation))

    def _take_effect(self, operation: _Operation) -> None:
        found = operation.account.find(operation.digits)
        if (found is None) == (operation.added is not None):
            before, after = operation.before_and_after(found)
            account = operation.account
            names = (account.provider, account.id)
            account.apply(self._journal.record(*names, operation.source, operation.digits, before, after))

    @contextlib.contextmanager
    def holding(self, seconds: float | None) -> Iterator[None]:
        """Changes made inside take effect after `seconds`, or never when None."""
        with self.lock:
            self._held = _Held(seconds)
            try:
                yield
            finally:
                self._held = None

    def settle(self) -> None:
        """Let held changes whose time has come take effect."""
        with self.lock:
            now = self._clock()
            due = [operation for at, operation in self._later if at <= now]
            self._later = [(at, operation) for at, operation in self._later if at > now]
            for operation in due:
                self._take_effect(operation)

    def close(self) -> None:
        self._journal.close()
