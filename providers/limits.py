"""Keeps an account within its provider's rate, whichever of our processes and threads calls.

A window remembers when the last calls left, in Redis, in an SQLite file or in memory. Losing it is never an error: the
process then goes on alone, at half the rate.
"""

import logging
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

import redis

from providers.contract import Rate

logger = logging.getLogger(__name__)

MARGIN, LEAST_MARGIN_SECONDS = 0.02, 0.03
"""Calls that leave five seconds apart may arrive closer together: windows are taken this much longer."""
ASK_AGAIN_SECONDS = 5.0
"""After this long, a lost window is asked again."""


class Window(Protocol):
    def take(self) -> float:
        """0 when a call may leave now, and is counted; else the seconds until it is worth asking again."""


def rate_limiter(key: str, rate: Rate, *, redis_url: str | None, directory: Path | None) -> Callable[[], None]:
    """A function that returns when the next call may leave. It never raises."""
    if redis_url:
        return waiting(Guarded(RedisWindow(key, rate, redis_url), rate))
    if directory:
        return waiting(Guarded(FileWindow(key, rate, directory), rate))
    return waiting(MemoryWindow(rate))


def waiting(window: Window) -> Callable[[], None]:
    def acquire() -> None:
        while seconds := window.take():
            time.sleep(seconds)

    return acquire


def window_seconds(rate: Rate) -> float:
    return rate.seconds + max(rate.seconds * MARGIN, LEAST_MARGIN_SECONDS)


class MemoryWindow:
    """For one process."""

    def __init__(self, rate: Rate) -> None:
        self._seconds = window_seconds(rate)
        self._calls: deque[float] = deque(maxlen=rate.requests)
        self._lock = threading.Lock()

    def take(self) -> float:
        with self._lock:
            now = time.monotonic()
            if len(self._calls) == self._calls.maxlen and (wait := self._calls[0] + self._seconds - now) > 0:
                return wait
            self._calls.append(now)
            return 0.0


class FileWindow:
    """For the processes of one machine, which share its monotonic clock. Opened anew each time: safe across forks."""

    def __init__(self, key: str, rate: Rate, directory: Path) -> None:
        self._key = key
        self._requests, self._seconds = rate.requests, window_seconds(rate)
        self._path = directory / "calls.sqlite3"

    def take(self) -> float:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous=OFF")
            database.execute(
                "CREATE TABLE IF NOT EXISTS calls (key TEXT, at REAL, PRIMARY KEY (key, at)) WITHOUT ROWID"
            )
            database.execute("BEGIN IMMEDIATE")
            wait = self._take(database, time.monotonic())
            database.execute("COMMIT")
        return wait

    def _take(self, database: sqlite3.Connection, now: float) -> float:
        """Calls from the future were made before the machine was started again."""
        database.execute(
            "DELETE FROM calls WHERE key = ? AND (at <= ? OR at > ?)", (self._key, now - self._seconds, now)
        )
        query = "SELECT COUNT(*), MIN(at) FROM calls WHERE key = ?"
        count, oldest = database.execute(query, (self._key,)).fetchone()
        if count >= self._requests:
            return max(float(oldest) + self._seconds - now, 0.001)
        database.execute("INSERT INTO calls VALUES (?, ?)", (self._key, now))
        return 0.0


class RedisWindow:
    """For all machines, by the server's clock. A script runs alone, so it counts and adds without a gap."""

    SCRIPT = """
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

    def __init__(self, key: str, rate: Rate, url: str) -> None:
        server = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._script = server.register_script(self.SCRIPT)
        self._key = f"numberdesk:calls:{key}"
        self._arguments = (rate.requests, int(window_seconds(rate) * 1_000_000))

    def take(self) -> float:
        microseconds = self._script(keys=[self._key], args=[*self._arguments, secrets.token_hex(8)])
        return int(microseconds) / 1_000_000


class Guarded:
    """A shared window, and what stands in for it while it is lost."""

    def __init__(self, shared: Window, rate: Rate) -> None:
        self._shared = shared
        self._alone = MemoryWindow(Rate(requests=max(rate.requests // 2, 1), seconds=rate.seconds))
        self._lost_until = 0.0

    def take(self) -> float:
        if time.monotonic() >= self._lost_until:
            try:
                return self._shared.take()
            except (redis.RedisError, sqlite3.Error, OSError) as error:
                self._lost_until = time.monotonic() + ASK_AGAIN_SECONDS
                logger.warning("The shared rate limit cannot be reached, going on alone at half the rate: %s", error)
        return self._alone.take()
