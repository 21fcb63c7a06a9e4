"""The rate is kept between processes, and losing what they share never stops a call."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import pytest

from providers import limits
from providers.contract import Rate
from providers.limits import Limiter, MemoryWindow, Window, rate_limiter

RATE = Rate(requests=20, seconds=1.0)
FOREVER = 3600.0
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _new_process() -> Iterator[None]:
    rate_limiter.cache_clear()
    yield
    rate_limiter.cache_clear()


def departures(seconds: float, key: str, redis_url: str | None, directory: Path | None) -> list[float]:
    """When calls were on their way, in one process, as fast as it may."""
    limiter = rate_limiter(key, RATE, redis_url=redis_url, directory=directory)
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        limiter.wait(FOREVER)
        times.append(time.monotonic())
        limiter.answered()
    return times


def departures_of_two(seconds: float, redis_url: str | None, directory: Path | None) -> list[float]:
    run = partial(departures, key="plivo-1", redis_url=redis_url, directory=directory)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return sorted(chain.from_iterable(pool.map(run, [seconds, seconds])))


def busiest_window(times: list[float], seconds: float = RATE.seconds) -> int:
    return max(sum(start <= at < start + seconds for at in times) for start in times)


def test_it_keeps_two_processes_within_the_rate_by_a_file(tmp_path: Path) -> None:
    times = departures_of_two(2.9, None, tmp_path)
    assert busiest_window(times) == RATE.requests
    assert len(times) >= 60


@pytest.mark.redis
def test_it_keeps_two_processes_within_the_rate_by_redis(redis_url: str) -> None:
    times = departures_of_two(2.9, redis_url, None)
    assert busiest_window(times) == RATE.requests
    assert len(times) >= 60


def test_it_counts_accounts_apart(tmp_path: Path) -> None:
    one, other = (
        rate_limiter(key, Rate(requests=1, seconds=60), redis_url=None, directory=tmp_path) for key in ("a", "b")
    )
    one.wait(FOREVER)
    started = time.monotonic()
    other.wait(FOREVER)
    assert time.monotonic() - started < 1


def test_it_lets_a_burst_pass_and_then_waits() -> None:
    window = MemoryWindow(Rate(requests=3, seconds=60))
    assert [window.take() > 0 for _ in range(5)] == [False, False, False, True, True]


def test_it_goes_on_alone_at_half_the_rate_when_redis_is_down(caplog: pytest.LogCaptureFixture) -> None:
    limiter = rate_limiter("k", Rate(requests=4, seconds=0.5), redis_url=NO_REDIS, directory=None)
    times = []
    for _ in range(4):
        limiter.wait(FOREVER)
        times.append(time.monotonic())
    assert max(later - earlier for earlier, later in pairwise(times)) > 0.4
    assert [record.levelname for record in caplog.records if record.name == "providers.limits"] == ["WARNING"]


def test_it_goes_on_alone_when_the_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite3").write_text("not a database, and quite long enough to be taken for one " * 20)
    assert rate_limiter("k", RATE, redis_url=None, directory=tmp_path).wait(FOREVER) == 0


def test_it_forgets_calls_from_before_the_machine_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = Rate(requests=1, seconds=60)
    with monkeypatch.context() as later:
        later.setattr(time, "monotonic", lambda: 1_000_000_000.0)
        before = rate_limiter("k", rate, redis_url=None, directory=tmp_path)
        before.wait(FOREVER)
        before.pause(60)
    assert rate_limiter("k", rate, redis_url=None, directory=tmp_path).wait(0) == 0


def test_it_keeps_to_half_the_rate_alone_however_often_an_account_is_opened() -> None:
    rate = Rate(requests=10, seconds=60)
    waits = [rate_limiter("k", rate, redis_url=NO_REDIS, directory=None).wait(0) for _ in range(6)]
    assert [wait > 0 for wait in waits] == [False] * 5 + [True]


def test_it_says_at_once_that_the_turn_comes_too_late() -> None:
    limiter = Limiter(MemoryWindow(Rate(requests=1, seconds=60)))
    assert limiter.wait(1) == 0
    assert 50 < limiter.wait(1) < 70


def test_it_counts_a_call_from_its_answer(open_window: Callable[[], Window]) -> None:
    """It may have been on its way that long."""
    window = open_window()
    for _ in range(RATE.requests):
        window.take()
    time.sleep(0.4)
    window.answered()
    assert 0.4 < window.take() < 0.7, "The others are still counted from when they left."
    time.sleep(0.65)
    assert [window.take() == 0 for _ in range(RATE.requests)] == [True] * (RATE.requests - 1) + [False]


def test_it_minds_no_answer_to_a_call_that_was_not_counted(open_window: Callable[[], Window]) -> None:
    window = open_window()
    window.answered()
    assert [window.take() == 0 for _ in range(RATE.requests + 1)] == [True] * RATE.requests + [False]


# Silence that a provider asked for


@pytest.fixture(params=["memory", "file", pytest.param("redis", marks=pytest.mark.redis)])
def open_window(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Window]:
    if request.param == "memory":
        window = MemoryWindow(RATE)
        return lambda: window
    if request.param == "file":
        return lambda: limits.FileWindow("k", RATE, tmp_path)
    url = request.getfixturevalue("redis_url")
    key = tmp_path.name
    return lambda: limits.RedisWindow(key, RATE, url)


def test_it_is_silent_for_everybody_as_long_as_one_was_told(open_window: Callable[[], Window]) -> None:
    open_window().pause(0.3)
    assert 0.2 < open_window().take() <= 0.3
    time.sleep(0.35)
    assert open_window().take() == 0


def test_it_shortens_no_pause(open_window: Callable[[], Window]) -> None:
    open_window().pause(60)
    open_window().pause(1)
    assert open_window().take() > 50


def test_it_is_silent_alone_too() -> None:
    limiter = rate_limiter("k", RATE, redis_url=NO_REDIS, directory=None)
    limiter.pause(60)
    assert limiter.wait(0) > 50


def test_it_is_silent_no_longer_than_anybody_may_ask() -> None:
    window = MemoryWindow(RATE)
    Limiter(window).pause(1e9)
    assert 100 < window.take() <= limits.LONGEST_PAUSE_SECONDS
