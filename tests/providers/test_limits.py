"""The rate is kept between processes, and losing what they share never stops a call."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import pytest

from providers.contract import Rate
from providers.limits import MemoryWindow, rate_limiter

RATE = Rate(requests=20, seconds=1.0)
Acquire = Callable[[], None]


def departures(seconds: float, key: str, redis_url: str | None, directory: Path | None) -> list[float]:
    """When calls could leave, in one process, as fast as it may."""
    acquire = rate_limiter(key, RATE, redis_url=redis_url, directory=directory)
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        acquire()
        times.append(time.monotonic())
    return times


def departures_of_two(seconds: float, redis_url: str | None, directory: Path | None) -> list[float]:
    run = partial(departures, key="plivo-1", redis_url=redis_url, directory=directory)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return sorted(chain.from_iterable(pool.map(run, [seconds, seconds])))


def busiest_window(times: list[float], seconds: float = RATE.seconds) -> int:
    return max(sum(start <= at < start + seconds for at in times) for start in times)


def test_it_keeps_two_processes_within_the_rate_by_a_file(tmp_path: Path) -> None:
    times = departures_of_two(2.3, None, tmp_path)
    assert busiest_window(times) == RATE.requests
    assert len(times) >= 60


@pytest.mark.redis
def test_it_keeps_two_processes_within_the_rate_by_redis(redis_url: str) -> None:
    times = departures_of_two(2.3, redis_url, None)
    assert busiest_window(times) == RATE.requests
    assert len(times) >= 60


def test_it_counts_accounts_apart(tmp_path: Path) -> None:
    one, other = (
        rate_limiter(key, Rate(requests=1, seconds=60), redis_url=None, directory=tmp_path) for key in ("a", "b")
    )
    one()
    started = time.monotonic()
    other()
    assert time.monotonic() - started < 1


def test_it_lets_a_burst_pass_and_then_waits() -> None:
    window = MemoryWindow(Rate(requests=3, seconds=60))
    assert [window.take() > 0 for _ in range(5)] == [False, False, False, True, True]


def test_it_goes_on_alone_at_half_the_rate_when_redis_is_down(caplog: pytest.LogCaptureFixture) -> None:
    acquire = rate_limiter("k", Rate(requests=4, seconds=0.5), redis_url="redis://127.0.0.1:1/0", directory=None)
    times = []
    for _ in range(4):
        acquire()
        times.append(time.monotonic())
    assert max(later - earlier for earlier, later in pairwise(times)) > 0.4
    assert [record.levelname for record in caplog.records if record.name == "providers.limits"] == ["WARNING"]


def test_it_goes_on_alone_when_the_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite3").write_text("not a database, and quite long enough to be taken for one " * 20)
    rate_limiter("k", RATE, redis_url=None, directory=tmp_path)()


def test_it_forgets_calls_from_before_the_machine_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = Rate(requests=1, seconds=60)
    with monkeypatch.context() as later:
        later.setattr(time, "monotonic", lambda: 1_000_000_000.0)
        rate_limiter("k", rate, redis_url=None, directory=tmp_path)()
    started = time.monotonic()
    rate_limiter("k", rate, redis_url=None, directory=tmp_path)()
    assert time.monotonic() - started < 1
