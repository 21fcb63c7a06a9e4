"""How a worker holds a job: a token and a time in the job's row. Losing either ends the work without a trace."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.models import Q

RING_AGAIN = dt.timedelta(seconds=30)
"""A job that nobody picked up is rung for again after this."""

logger = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """The job was taken from this worker: whatever it holds is old, and it must write nothing more."""


def lease_end(now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(seconds=settings.LEASE_SECONDS)


def has_lapsed(now: dt.datetime) -> Q:
    """Nobody holds the job any more. A time further ahead than we set one means that the clock was put back."""
    longest = max(dt.timedelta(seconds=settings.LEASE_SECONDS), RING_AGAIN)
    return Q(lease_expires_at__lte=now) | Q(lease_expires_at__gt=now + 2 * longest)


def is_free(now: dt.datetime) -> Q:
    return Q(lease_token=None) | has_lapsed(now)


@contextmanager
def heartbeat(renew: Callable[[], None]) -> Iterator[None]:
    """Call `renew` from a thread of its own while the block runs: a provider may make us wait longer than a lease."""
    stop = threading.Event()
    thread = threading.Thread(target=beat, args=(renew, stop), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def beat(renew: Callable[[], None], stop: threading.Event) -> None:
    """Until told to stop or the lease is lost; whoever works under it finds out at its next write."""
    try:
        while not stop.wait(settings.LEASE_SECONDS / 3):
            try:
                renew()
            except Error as error:
                logger.warning("lease not renewed, trying again", error=str(error))
                connection.close()
    except LeaseLost as lost:
        logger.warning("heartbeat stopped", why=str(lost))
    finally:
        connection.close()
