"""Pages read ahead: in order, so many and no more, and none after the first that fails."""

import threading
import time
from collections.abc import Iterator

import pytest

from providers.contract import RemoteNumber
from providers.errors import AuthenticationFailed
from providers.paging import AHEAD, AWAY_SECONDS, ListedNumber, one_ahead, read_ahead, without_overlap


class Source:
    """Pages that are their own keys; remembers which were asked for, and how many at once."""

    def __init__(self, *, broken: int = -1, seconds: float = 0.005) -> None:
        self.asked: list[int] = []
        self.most_at_once = self._at_once = 0
        self._broken, self._seconds, self._lock = broken, seconds, threading.Lock()

    def fetch(self, key: int, _: threading.Event) -> int:
        with self._lock:
            self.asked.append(key)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        time.sleep(self._seconds * (1 + key % 3))
        with self._lock:
            self._at_once -= 1
        if key == self._broken:
            raise AuthenticationFailed("Refused.")
        return key


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read ahead"]


def test_it_hands_pages_over_in_order():
    assert list(read_ahead(Source().fetch, range(50), in_flight=8)) == list(range(50))


def test_it_has_so_many_on_their_way_and_no_more():
    source = Source()
    list(read_ahead(source.fetch, range(50), in_flight=4))
    assert source.most_at_once == 4


def test_it_calls_for_more_where_answers_take_their_time():
    source = Source(seconds=0.02)
    list(read_ahead(source.fetch, range(60), in_flight=12))
    assert source.most_at_once == 12


def test_it_needs_no_helper_where_answers_come_at_once():
    pages = read_ahead(lambda key, _: key, range(500), in_flight=32)
    most = max(len(helpers()) for _ in pages)
    assert most == 0


def test_it_calls_for_one_where_whoever_takes_the_pages_is_busy():
    pages = read_ahead(lambda key, _: key, range(200), in_flight=8)
    next(pages)
    time.sleep(AWAY_SECONDS * 2)
    next(pages)
    assert len(helpers()) == 1
    pages.close()


def test_it_calls_for_more_when_answers_become_slow():
    source = Source(seconds=0.01)
    list(read_ahead(lambda key, given_up: source.fetch(key, given_up) if key > 100 else key, range(200), in_flight=6))
    assert source.most_at_once == 6


def test_it_runs_ahead_no_further_than_it_may():
    source = Source(seconds=0)
    pages = read_ahead(source.fetch, range(100), in_flight=3)
    next(pages)
    time.sleep(0.1)
    assert len(source.asked) <= 3 * AHEAD
    pages.close()


def test_it_stops_at_the_first_page_that_fails():
    source = Source(broken=10)
    pages = read_ahead(source.fetch, range(100), in_flight=4)
    taken = []
    with pytest.raises(AuthenticationFailed):
        taken.extend(pages)
    assert len(source.asked) <= 11 + 4 * AHEAD
    assert helpers() == []


def test_it_lets_no_thread_outlive_it():
    pages = read_ahead(Source().fetch, range(100), in_flight=4)
    next(pages)
    pages.close()
    assert helpers() == []


def test_it_gives_up_what_still_waits_when_it_is_closed():
    seen = []

    def fetch(key: int, given_up: threading.Event) -> int:
        seen.append(key and given_up.wait(30))
        return key

    pages = read_ahead(fetch, range(3), in_flight=3)
    next(pages)
    started = time.monotonic()
    pages.close()
    assert time.monotonic() - started < 5
    assert all(seen[1:])


def test_it_reads_one_page_while_another_is_looked_at():
    read = []

    def pages() -> Iterator[int]:
        for page in range(5):
            time.sleep(0.005)
            read.append(page)
            yield page

    ahead = one_ahead(pages())
    assert next(ahead) == 0
    time.sleep(0.2)
    assert read == [0, 1]
    assert list(ahead) == [1, 2, 3, 4]


def test_it_raises_what_the_pages_raise():
    def pages() -> Iterator[int]:
        yield 1
        raise AuthenticationFailed("Refused.")

    ahead = one_ahead(pages())
    assert next(ahead) == 1
    with pytest.raises(AuthenticationFailed):
        next(ahead)


@pytest.mark.parametrize(
    ("ids", "last", "left", "moved"),
    [("bcd", "b", "cd", False), ("bcd", "a", "bcd", True), ("", "a", "", True), ("b", "b", "", False)],
)
def test_it_takes_the_shared_row_away_or_notices_that_it_is_not_there(ids, last, left, moved):
    rows = [ListedNumber.of(RemoteNumber(id=name, e164="+12125550100")) for name in ids]
    kept, has_moved = without_overlap(rows, last)
    assert ("".join(row.id for row in kept), has_moved) == (left, moved)
