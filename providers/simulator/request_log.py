"""Which requests came in, when, and how they were answered: counted always, kept one by one up to a limit."""

from collections import Counter, deque
from typing import Any, NamedTuple

KEPT = 20_000


class LoggedRequest(NamedTuple):
    at: float
    """Seconds since the epoch, when the request had been read."""
    method: str
    target: str
    status: int


class RequestLog:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.kept: deque[LoggedRequest] = deque(maxlen=KEPT)
        self.by_status: Counter[int] = Counter()

    def add(self, at: float, method: str, target: str, status: int) -> None:
        self.kept.append(LoggedRequest(at, method, target, status))
        self.by_status[status] += 1

    def summary(self) -> dict[str, Any]:
        return {
            "count": self.by_status.total(),
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "log": [entry._asdict() for entry in self.kept.copy()],
        }
