"""Which requests came in, when, and how they were answered: counted always, kept one by one up to a limit."""

import time
from collections import Counter, deque
from typing import Any, NamedTuple

from providers.simulator.server import Request, Response

KEPT = 20_000


class LoggedRequest(NamedTuple):
    at: float
    """Seconds since the epoch, when the request had been read."""
    method: str
    target: str
    status: int
    answered_at: float
    """When its answer was about to leave."""
    retry_after: str
    """The answer's header, or ""."""


class RequestLog:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.kept: deque[LoggedRequest] = deque(maxlen=KEPT)
        self.by_status: Counter[int] = Counter()

    def add(self, at: float, request: Request, response: Response) -> None:
        hint = response.headers.get("Retry-After", "")
        self.kept.append(LoggedRequest(at, request.method, request.target, response.status, time.time(), hint))
        self.by_status[response.status] += 1

    def summary(self) -> dict[str, Any]:
        return {
            "count": self.by_status.total(),
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "log": [entry._asdict() for entry in self.kept.copy()],
        }
