"""How bytes reach a provider: only at the hosts we were given, and never past a request's deadline.

httpcore hands the time-outs of a request to its network backend as they are. Here they hold the *instant* at which the
request must be over, so every single connect, handshake, read and write gets only what is left of it.
"""

import queue
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import httpcore
import httpx

from providers.errors import Unsupported

Clock = Callable[[], float]
Address = tuple[str, int]

KEEPALIVE_SECONDS = 30.0


class GuardedTransport(httpx.BaseTransport):
    """HTTP/1.1 to the given addresses only. Raises httpcore's errors; `request.extensions["deadline"]` is obeyed."""

    def __init__(self, allowed: Iterable[Address], *, connect_seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._backend = GuardedBackend(allowed, connect_seconds=connect_seconds, clock=clock)
        self._pools: list[httpcore.ConnectionPool] = []
        self._idle: deque[httpcore.ConnectionPool] = deque()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """By a pool nobody else is using: one pool for all looks through all connections for every request."""
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions={"timeout": self._instants(request.extensions["deadline"])},
        )
        pool = self._take_pool()
        try:
            answer = pool.handle_request(asked)
        except BaseException:
            self._idle.append(pool)
            raise
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer, lambda: self._idle.append(pool))
        )

    def _take_pool(self) -> httpcore.ConnectionPool:
        """The one that was used last, so that as few connections as possible are kept alive."""
        with suppress(IndexError):
            return self._idle.pop()
        pool = httpcore.ConnectionPool(
            ssl_context=trusted_authorities(),
            keepalive_expiry=KEEPALIVE_SECONDS,
            http1=True,
            http2=False,
            network_backend=self._backend,
        )
        self._pools.append(pool)
        return pool

    def _instants(self, deadline: float) -> Mapping[str, float]:
        waiting_for_a_connection = max(deadline - self._clock(), 0.0)
        return {"pool": waiting_for_a_connection, "connect": deadline, "read": deadline, "write": deadline}

    def close(self) -> None:
        for pool in self._pools:
            pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response, closed: Callable[[], None]) -> None:
        self._answer, self._closed = answer, closed

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()
        self._closed()


@cache
def trusted_authorities() -> ssl.SSLContext:
    """certifi's, whatever the environment says. Loading them takes 20 ms, so once per process."""
    return httpx.create_ssl_context(trust_env=False)


class GuardedBackend(httpcore.NetworkBackend):
    """Opens sockets to the allowed hosts and ports, to nothing else. Time-outs given to it are instants."""

    def __init__(self, allowed: Iterable[Address], *, connect_seconds: float, clock: Clock = time.monotonic) -> None:
        self._allowed = frozenset(allowed)
        self._connect_seconds = connect_seconds
        self._clock = clock
        self._opener = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        if (host, port) not in self._allowed:
            raise Unsupported("Numberdesk refused to connect to a host that is not the provider's.")
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in resolve(host, port, seconds=remaining(timeout, self._clock)):
            seconds = min(self._connect_seconds, remaining(timeout, self._clock))
            try:
                stream = self._opener.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream, self._clock)
        raise failure


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step gets what is left until the instant it is given."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, remaining(timeout, self._clock))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, remaining(timeout, self._clock))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, remaining(timeout, self._clock))
        return DeadlineStream(stream, self._clock)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def remaining(instant: float | None, clock: Clock) -> float:
    """Seconds until the instant. Raises httpcore.ReadTimeout when it has passed, or was never set."""
    seconds = 0.0 if instant is None else instant - clock()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return seconds


def resolve(host: str, port: int, *, seconds: float) -> list[str]:
    """The host's addresses. In a thread of its own, because the system's resolver knows no time-out."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(address[0]) for *_, address in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name could not be resolved in time") from None
    if isinstance(answer, Exception):
        raise httpcore.ConnectError("the name could not be resolved") from answer
    return answer
