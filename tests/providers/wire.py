"""A server that says, byte for byte, what a test tells it to: for what no well-behaved HTTP server would send."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from providers.http import HttpClient, Limits

Say = Callable[[socket.socket], object]


@dataclass
class Wire:
    """Answers the nth request with the nth thing to say, the last one over and over. Keeps the raw requests."""

    says: tuple[Say, ...]
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Shut down as well: closing alone leaves a thread that waits for the next connection, and takes it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # The client may hang up: many a test is about that.
            while request := read_request(connection):
                with self._lock:
                    say = self.says[min(len(self.requests), len(self.says) - 1)]
                    self.requests.append(request)
                if say(connection) is CLOSE:
                    return


CLOSE = object()


def read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        if not (chunk := connection.recv(65536)):
            return b""
        request += chunk
    head, _, body = request.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(body: bytes | str = b"{}", status: int = 200, **headers: str) -> Say:
    """A correct HTTP answer; `content_type="text/html"` and the like name further headers."""
    raw = body.encode() if isinstance(body, str) else body
    named = {"content_type": "application/json", "content_length": str(len(raw)), **headers}
    lines = [f"HTTP/1.1 {status} Something"] + [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
    return lambda connection: connection.sendall("\r\n".join([*lines, "", ""]).encode() + raw)


def cut_short(connection: socket.socket) -> object:
    answer(b'{"objects": [', content_length="1000")(connection)
    return CLOSE


def cut_without_length(connection: socket.socket) -> object:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{"objects": [')
    return CLOSE


def reset(connection: socket.socket) -> object:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return CLOSE


def silence(connection: socket.socket) -> object:
    time.sleep(10)
    return CLOSE


def dripping(head: bytes, drop: bytes, pause: float = 0.05) -> Say:
    """One drop after the other, for as long as anybody listens."""

    def say(connection: socket.socket) -> object:
        connection.sendall(head)
        for _ in range(round(10 / pause)):
            connection.sendall(drop)
            time.sleep(pause)
        return CLOSE

    return say


# A client that speaks to it

ONCE = Limits(deadline_seconds=1.0, attempts=1)
TOKEN = "t0ken-of-the-account"
ALLOWED = (("GET", "/list/"), ("GET", "/list/[0-9]+/"), ("POST", "/list/[0-9]+/"))


def opened(wire: Wire, limits: Limits = ONCE, **settings: Any) -> HttpClient:
    return HttpClient(
        {"api": wire.root}, ("MAUSER", TOKEN), allowed_calls=ALLOWED, limits=limits, title="Plivo", **settings
    )


def read(*says: Say, limits: Limits = ONCE, **settings: Any) -> Any:
    with Wire(says) as wire, closing(opened(wire, limits, **settings)) as http:
        return http.get_json("/list/")
