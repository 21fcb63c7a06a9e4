"""Keeps an account within its provider's rate, whichever of our processes and threads calls.

A window remembers when the last calls were made, and until when the provider asked for silence: in Redis, in an SQLite
file or in memory. A call counts from its answer, because nobody knows how long it was on its way: so no window at the
provider has more, however busy the machine or the network is. Losing a window is never an error: the process then goes
on alone, at half the rate.
"""

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import redis

from providers.contract import Rate

logger = logging.getLogger(__name__)
T = TypeVar("T")

MARGIN_SECONDS = 0.03
"""Clocks differ: windows are taken this much longer."""
ASK_AGAIN_SECONDS = 5.0
"""After this long, a lost window is asked again."""
LONGEST_PAUSE_SECONDS = 120.0


class Window(Protocol):
    def take(self) -> float:
        """0 when a call may leave now, and is counted; else the seconds until it is worth asking again."""

    def answered(self) -> None:
        """The call that this thread took is over, and counts from now. Does nothing without one."""

    def pause(self, seconds: float) -> None:
        """Let no call leave for so long."""


class Limiter:
    """Whose turn it is, for one account. It never raises."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def wait(self, longest: float, *, sleep: Callable[[float], object] = time.sleep) -> float:
        """0 once a call may leave; the seconds until it may, as soon as they are known to be more than `longest`.

        A `sleep` that is woken before its time says whether it was: then the seconds left are returned.
        """
        end = time.monotonic() + longest
        while seconds := self._window.take():
            if time.monotonic() + seconds > end or sleep(seconds):
                return seconds
        return 0.0

    def answered(self) -> None:
        """The call this thread waited for is over, however it ended."""
        self._window.answered()

    def pause(self, seconds: float) -> None:
        """The provider asked for silence: nobody's call leaves before."""
        self._window.pause(min(seconds, LONGEST_PAUSE_SECONDS))


@cache
def rate_limiter(key: str, rate: Rate, *, redis_url: str | None, directory: Path | None) -> Limiter:
    """One per account and process, so that even alone a process keeps to the rate however often it opens an account."""
    if redis_url:
        return Limiter(Guarded(RedisWindow(key, rate, redis_url), rate))
    if directory:
        return Limiter(Guarded(FileWindow(key, rate, directory), rate))
    return Limiter(MemoryWindow(rate))


def window_seconds(rate: Rate) -> float:
    return rate.seconds + MARGIN_SECONDS


class Mine(threading.local):
    """The call that a thread took and was not answered yet, by what its window knows it by."""

    call: Any = None

    def give(self) -> Any:
        call, self.call = self.call, None
        return call


class MemoryWindow:
    """For one process."""

    def __init__(self, rate: Rate) -> None:
        self._requests, self._seconds = rate.requests, window_seconds(rate)
        self._calls: list[float] = []
        self._silent_until = 0.0
        self._lock, self._mine = threading.Lock(), Mine()

    def take(self) -> float:
        with self._lock:
            now = time.monotonic()
            if (wait := self._silent_until - now) > 0:
                return wait
            self._calls = [at for at in self._calls if at + self._seconds > now]
            if len(self._calls) >= self._requests:
                return min(self._calls) + self._seconds - now
            self._calls.append(now)
            self._mine.call = now
            return 0.0

    def answered(self) -> None:
        with self._lock:
            if (at := self._mine.give()) in self._calls:
                self._calls.remove(at)
                self._calls.append(time.monotonic())

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._silent_until = max(self._silent_until, time.monotonic() + seconds)


TABLES = ("calls (key TEXT, at REAL, PRIMARY KEY (key, at))", "pauses (key TEXT PRIMARY KEY, until REAL)")


class FileWindow:
    """For the processes of one machine, which share its monotonic clock. Opened anew each time: safe across forks."""

    def __init__(self, key: str, rate: Rate, directory: Path) -> None:
        self._key = key
        self._requests, self._seconds = rate.requests, window_seconds(rate)
        self._path = directory / "calls.sqlite3"
        self._mine = Mine()

    def take(self) -> float:
        with self._transaction() as database:
            now = time.monotonic()
            if wait := self._take(database, now):
                return wait
        self._mine.call = now
        return 0.0

    def answered(self) -> None:
        if (at := self._mine.give()) is not None:
            with self._transaction() as database:
                news = (time.monotonic(), self._key, at)
                database.execute("UPDATE OR IGNORE calls SET at = ? WHERE key = ? AND at = ?", news)

    def pause(self, seconds: float) -> None:
        with self._transaction() as database:
            now = time.monotonic()
            until = max(self._silent_until(database, now), now + seconds)
            database.execute("REPLACE INTO pauses VALUES (?, ?)", (self._key, until))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous=OFF")
            for table in TABLES:
                database.execute(f"CREATE TABLE IF NOT EXISTS {table} WITHOUT ROWID")
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    def _take(self, database: sqlite3.Connection, now: float) -> float:
        """Calls from the future were made before the machine was started again."""
        if (silent_until := self._silent_until(database, now)) > now:
            return silent_until - now
        database.execute(
            "DELETE FROM calls WHERE key = ? AND (at <= ? OR at > ?)", (self._key, now - self._seconds, now)
        )
        query = "SELECT COUNT(*), MIN(at) FROM calls WHERE key = ?"
        count, oldest = database.execute(query, (self._key,)).fetchone()
        if count >= self._requests:
            return max(float(oldest) + self._seconds - now, 0.001)
        database.execute("INSERT INTO calls VALUES (?, ?)", (self._key, now))
        return 0.0

    def _silent_until(self, database: sqlite3.Connection, now: float) -> float:
        """A pause longer than any was made before the machine was started again, too."""
        row = database.execute("SELECT until FROM pauses WHERE key = ?", (self._key,)).fetchone()
        return float(row[0]) if row and row[0] <= now + LONGEST_PAUSE_SECONDS else 0.0


class RedisWindow:
    """For all machines, by the server's clock. A script runs alone, so it counts and adds without a gap."""

    TAKE = """
    local silent = redis.call('PTTL', KEYS[2])
    if silent > 0 then
        return silent * 1000
    end
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local window = tonumber(ARGV[2])
    redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
    redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
        local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
        return oldest + window - now
    end
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
    return 0
    """
    ANSWERED = """
    local time = redis.call('TIME')
    redis.call('ZADD', KEYS[1], 'XX', time[1] * 1000000 + time[2], ARGV[1])
    redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000))
    """
    PAUSE = """
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
        redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
    end
    """

    def __init__(self, key: str, rate: Rate, url: str) -> None:
        server = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._take, self._answered, self._pause = map(server.register_script, (self.TAKE, self.ANSWERED, self.PAUSE))
        self._mine = Mine()
        self._calls_key, self._pause_key = f"numberdesk:calls:{key}", f"numberdesk:pause:{key}"
        self._arguments = (rate.requests, int(window_seconds(rate) * 1_000_000))

    def take(self) -> float:
        keys, call = [self._calls_key, self._pause_key], secrets.token_hex(8)
        microseconds = int(self._take(keys=keys, args=[*self._arguments, call]))
        self._mine.call = None if microseconds else call
        return microseconds / 1_000_000

    def answered(self) -> None:
        if call := self._mine.give():
            self._answered(keys=[self._calls_key], args=[call, self._arguments[1]])

    def pause(self, seconds: float) -> None:
        self._pause(keys=[self._pause_key], args=[max(int(seconds * 1000), 1)])


class Guarded:
    """A shared window, and what stands in for it while it is lost."""

    def __init__(self, shared: Window, rate: Rate) -> None:
        self._shared = shared
        self._alone = MemoryWindow(Rate(requests=max(rate.requests // 2, 1), seconds=rate.seconds))
        self._lost_until = 0.0

    def take(self) -> float:
        wait = self._ask(self._shared.take)
        return self._alone.take() if wait is None else wait

    def answered(self) -> None:
        """The call was taken from one of them; the other knows none of this thread."""
        self._alone.answered()
        self._ask(self._shared.answered)

    def pause(self, seconds: float) -> None:
        """Told to both: the shared window may be lost, or get lost before the pause is over."""
        self._alone.pause(seconds)
        self._ask(partial(self._shared.pause, seconds))

    def _ask(self, ask: Callable[[], T]) -> T | None:
        """None while the shared window is lost."""
        if time.monotonic() >= self._lost_until:
            try:
                return ask()
            except (redis.RedisError, sqlite3.Error, OSError) as error:
                self._lost_until = time.monotonic() + ASK_AGAIN_SECONDS
                logger.warning("The shared rate limit cannot be reached, going on alone at half the rate: %s", error)
        return None
