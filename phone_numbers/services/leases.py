"""How a worker holds a job: a token and a time in the job's row. Losing either ends the work without a trace."""

import datetime as dt

from django.conf import settings

RING_AGAIN = dt.timedelta(seconds=30)
"""A job that nobody picked up is rung for again after this."""


class LeaseLost(Exception):
    """The job was taken from this worker: whatever it holds is old, and it must write nothing more."""


def lease_end(now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(seconds=settings.LEASE_SECONDS)
