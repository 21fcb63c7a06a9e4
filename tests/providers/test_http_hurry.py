"""Where a person waits, everything a client does is over in time, however many requests it takes."""

import time
from contextlib import closing

import pytest

from providers.errors import Unavailable
from providers.http import Limits
from tests.providers.wire import Wire, answer, opened, silence

HURRIED = Limits(deadline_seconds=10.0, total_seconds=0.6, attempts=1)


def test_it_cuts_the_last_request_short() -> None:
    with Wire([answer("1"), silence]) as wire, closing(opened(wire, HURRIED)) as http:
        started = time.monotonic()
        assert http.get_json("/list/") == 1
        with pytest.raises(Unavailable):
            http.get_json("/list/")
    assert time.monotonic() - started < 3.0


def test_it_begins_no_request_when_the_time_is_over() -> None:
    with Wire([answer("1")]) as wire, closing(opened(wire, HURRIED)) as http:
        time.sleep(0.7)
        with pytest.raises(Unavailable, match=r"did not tell everything within 0\.6 seconds"):
            http.get_json("/list/")
    assert http.stats.requests == 0
