"""Reads are tried again, as late as the provider says; writes never are."""

import datetime as dt
from contextlib import closing, nullcontext
from email.utils import format_datetime
from typing import Any

import pytest
import time_machine

from providers.contract import Rate
from providers.errors import NotSent, ProviderError, RateLimited, Transient, Unavailable
from providers.http import Limits
from providers.limits import Limiter, MemoryWindow
from tests.providers.wire import Say, Wire, answer, cut_short, opened, read, reset


def waits(*says: Say, limits: Limits = Limits(backoff_seconds=0.5), **settings: Any) -> tuple[list[float], Any]:  # noqa: B008
    slept: list[float] = []
    try:
        return slept, read(*says, limits=limits, sleep=slept.append, **settings)
    except ProviderError as error:
        return slept, error


@pytest.mark.parametrize("say", [answer("", status=503), answer("", status=429), cut_short, reset])
def test_it_repeats_a_read_that_may_succeed_later(say: Say) -> None:
    slept, result = waits(say, say, answer("1"))
    assert result == 1
    assert 0.25 <= slept[0] <= 0.5 <= slept[1] <= 1.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_it_repeats_no_read_that_will_fail_again(status: int) -> None:
    slept, error = waits(answer("", status=status))
    assert slept == []
    assert isinstance(error, ProviderError)


def test_it_gives_up_after_the_last_attempt() -> None:
    slept, error = waits(answer("", status=500), limits=Limits(attempts=3))
    assert len(slept) == 2
    assert isinstance(error, Unavailable)


def test_it_gives_up_rather_than_wait_too_long_in_all() -> None:
    slept, error = waits(answer("", status=429, retry_after="100"), limits=Limits(max_wait_seconds=150))
    assert len(slept) == 1
    assert isinstance(error, RateLimited)


NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("7", 7, 8),
        ("0", 1, 2),
        ("86400", 120, 121),
        (format_datetime(NOW + dt.timedelta(seconds=9), usegmt=True), 9, 10),
        (format_datetime(NOW - dt.timedelta(days=9), usegmt=True), 1, 2),
        ("9999999999999999999999", 120, 121),
        ("soon", 0.25, 0.5),
        ("Mon, 01 Jan 2026 10:00:00 +99999999999999999999", 0.25, 0.5),
        ("-3", 0.25, 0.5),
        ("", 0.25, 0.5),
        (None, 0.25, 0.5),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_it_waits_as_long_as_the_provider_says(retry_after: str | None, least: float, most: float) -> None:
    headers = {} if retry_after is None else {"retry_after": retry_after}
    slept, result = waits(answer("", status=429, **headers), answer("1"))
    assert result == 1
    assert least <= slept[0] <= most


def test_it_takes_a_place_in_the_rate_for_every_attempt() -> None:
    limiter = Limiter(MemoryWindow(Rate(requests=2, seconds=60)))
    waits(answer("", status=503), answer("1"), limiter=limiter)
    assert limiter.wait(0) > 0


@pytest.mark.parametrize("status", [429, 503])
def test_it_keeps_the_whole_account_silent_when_one_call_is_told_to_wait(status: int) -> None:
    limiter = Limiter(MemoryWindow(Rate(requests=100, seconds=1)))
    with Wire((answer("", status=status, retry_after="60"), answer("{}"))) as wire:
        with closing(opened(wire, limiter=limiter)) as http, pytest.raises(Transient):
            http.get_json("/list/")
        with closing(opened(wire, limiter=limiter)) as http:
            with pytest.raises(RateLimited, match="nothing was sent") as caught:
                http.send_json("POST", "/list/1/", {"alias": "x"})
            assert 50 < caught.value.retry_after <= 60
        assert len(wire.requests) == 1


@pytest.mark.parametrize("say", [answer("", status=503), answer("", status=429), cut_short, reset])
def test_it_repeats_no_write(say: Say) -> None:
    with Wire((say,)) as wire, closing(opened(wire, Limits())) as http:
        with pytest.raises((Unavailable, RateLimited)):
            http.send_json("POST", "/list/1/", {"alias": "x"})
        assert len(wire.requests) == 1


@pytest.mark.parametrize(("turn_comes_in_time", "sent"), [(True, 1), (False, 0)])
def test_it_sends_no_write_whose_turn_came_too_late(turn_comes_in_time: bool, sent: int) -> None:
    limiter = Limiter(MemoryWindow(Rate(requests=1, seconds=60)))

    def may_send() -> bool:
        assert limiter.wait(0), "It was asked before the turn had come."
        return turn_comes_in_time

    with Wire((answer("{}"),)) as wire, closing(opened(wire, limiter=limiter, may_send=may_send)) as http:
        with nullcontext() if turn_comes_in_time else pytest.raises(NotSent, match="nothing was sent"):
            http.send_json("POST", "/list/1/", {"alias": "x"})
        assert len(wire.requests) == http.stats.requests == sent


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_calls_nobody_once_it_may_not(method: str) -> None:
    with Wire((answer("{}"),)) as wire, closing(opened(wire, may_call=lambda: False)) as http:
        with pytest.raises(NotSent, match="nothing was sent"):
            http.get_json("/list/1/") if method == "GET" else http.send_json(method, "/list/1/", {"alias": "x"})
        assert len(wire.requests) == 0


def test_it_reads_whether_or_not_it_may_send() -> None:
    assert read(answer("1"), may_send=lambda: False) == 1
