"""Pages of a list: reads them ahead of whoever takes them, and hands them over in order. Knows no provider.

Some pages are on their way while others are looked at, in bounded numbers. The first page that fails ends the reading:
what was not asked for yet is not asked for any more.
"""

import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import msgspec

from providers.errors import NotWanted
from providers.reading import canonical, digest_of

if TYPE_CHECKING:
    from providers.contract import RemoteNumber

Key = TypeVar("Key")
Found = TypeVar("Found")

AHEAD = 2
"""So many pages for each that is on its way are asked for before the first is taken."""
PAGE_SECONDS = 0.001
"""What a page costs this process, roughly; it works at one at a time."""
AT_ONCE_SECONDS = 0.003
"""An answer that comes within it leaves no time that would be worth a thread."""
AWAY_SECONDS = 0.1
"""Who takes the pages and is away for longer leaves time for one."""
LATELY = 32
"""So many answers back: who was quick may become slow."""


class ListedNumber(msgspec.Struct, frozen=True, gc=False):
    """A row of a list, read only when it is asked for: with the digest of last time, it says what it said then."""

    id: str
    digest: str
    source: Any
    reader: Callable[[Any], "RemoteNumber"]
    """Does not fail: whatever is wrong with a row is found when its page is listed."""

    @classmethod
    def of(cls, number: "RemoteNumber") -> Self:
        return cls(number.id, number.digest or digest_of(canonical(number)), number, lambda it: it)

    def read(self) -> "RemoteNumber":
        return self.reader(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    rows: tuple[ListedNumber, ...]
    total: int | None = None
    """How many the provider says there are in all, when it says."""
    moved: bool = False
    """Rows moved between the page before and this one, so that some may be on neither."""

    @classmethod
    def of(cls, numbers: "Iterable[RemoteNumber]", total: int | None = None) -> Self:
        return cls(rows=tuple(map(ListedNumber.of, numbers)), total=total)

    @property
    def numbers(self) -> "tuple[RemoteNumber, ...]":
        return tuple(row.read() for row in self.rows)


def read_ahead(
    fetch: Callable[[Key, threading.Event], Found], keys: Iterable[Key], *, in_flight: int
) -> Generator[Found, None, None]:
    """The page of every key, in order. `fetch` is called from threads, and gets an event that says: give up.

    Raises what the first failing fetch raised, and lets no thread outlive it.
    """
    crew = Crew(fetch, in_flight)
    asked: deque[Answer[Found]] = deque()
    try:
        for key in keys:
            asked.append(crew.ask(key))
            if len(asked) >= in_flight * AHEAD:
                yield crew.page(asked)
        while asked:
            yield crew.page(asked)
    finally:
        crew.dismiss()


def one_ahead(pages: Iterator[Found]) -> Iterator[Found]:
    """The same pages, one after the other as before, but the next is already read while one is looked at."""
    end = object()
    for page in read_ahead(lambda _, __: next(pages, end), itertools.count(), in_flight=1):
        if page is end:
            return
        yield page  # type: ignore[misc]


def without_overlap(rows: Sequence[ListedNumber], last_id: str) -> tuple[Sequence[ListedNumber], bool]:
    """The rows of a page that was asked to begin with the last row before it, without that one.

    With False, or with True when it begins with something else: the list has moved in between.
    """
    if rows and rows[0].id == last_id:
        return rows[1:], False
    return rows, True


Answer = queue.SimpleQueue[Found | None]


class Crew(Generic[Key, Found]):
    """Fetches what is asked for, first come, first served.

    Whoever takes the pages fetches them, too, as long as answers come at once. When taking them has its own work to do
    a thread helps; and as many as the quickest answer of late leaves work for, when pages have to be waited for: more
    would only wait for each other.
    """

    def __init__(self, fetch: Callable[[Key, threading.Event], Found], size: int) -> None:
        self._fetch, self._size = fetch, size
        self._questions: queue.SimpleQueue[tuple[Key, Answer[Found]] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._given_up = threading.Event()
        self._error: BaseException = NotWanted()
        self._answer_seconds: deque[float] = deque(maxlen=LATELY)
        self._left_at = time.monotonic()

    def ask(self, key: Key) -> "Answer[Found]":
        answer: Answer[Found] = queue.SimpleQueue()
        self._questions.put((key, answer))
        return answer

    def page(self, asked: "deque[Answer[Found]]") -> Found:
        """The first of those asked for. Who has to wait waits for one of each thread: to be woken costs as much."""
        if asked[0].empty():
            away_seconds = time.monotonic() - self._left_at
            if self._threads:
                last = asked[min(len(self._threads), len(asked)) - 1]
                last.put(last.get())
            else:
                self._answer_one()
            self._hire(away_seconds)
        page = asked.popleft().get()
        self._left_at = time.monotonic()
        if page is None:
            raise self._error
        return page

    def _hire(self, away_seconds: float) -> None:
        quickest = min(self._answer_seconds, default=0)
        wanted = int(quickest / PAGE_SECONDS) if quickest > AT_ONCE_SECONDS else int(away_seconds > AWAY_SECONDS)
        for _ in range(min(min(wanted, self._size) - len(self._threads), self._questions.qsize())):
            thread = threading.Thread(target=self._work, name="read ahead", daemon=True)
            self._threads.append(thread)
            thread.start()

    def dismiss(self) -> None:
        """Every thread ends with the call it is at; that takes as long as a call may."""
        self._given_up.set()
        for _ in self._threads:
            self._questions.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._answer_one():
            pass

    def _answer_one(self) -> bool:
        """The next that was asked for; False when no more will be."""
        if (question := self._questions.get()) is None:
            return False
        key, answer = question
        answer.put(None if self._given_up.is_set() else self._attempt(key))
        return True

    def _attempt(self, key: Key) -> Found | None:
        began = time.monotonic()
        try:
            page = self._fetch(key, self._given_up)
        except NotWanted:
            return None
        except BaseException as error:  # noqa: BLE001 - whoever takes the pages raises it
            if not self._given_up.is_set():
                self._error = error
                self._given_up.set()
            return None
        self._answer_seconds.append(time.monotonic() - began)
        return page
