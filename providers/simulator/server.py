"""A small threaded HTTP/1.1 server that can also misbehave on the wire.

It parses requests, keeps connections alive and writes responses; what they say is the handler's business. It trusts
its callers as a test double may: no TLS, no chunked request bodies.
"""

import base64
import binascii
import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlencode

MAX_HEAD = 65_536
MAX_BODY = 10_000_000
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass
class Request:
    method: str
    target: str
    """Path and query as they came."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    mount: str = ""
    """The beginning of the path that chose the provider and host; `path` is without it."""

    @cached_property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])[len(self.mount) :]

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @cached_property
    def signed_in_as(self) -> tuple[str, str]:
        """User name and password of HTTP Basic authentication, or two empty words."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return (user, password) if scheme.lower() == "basic" else ("", "")

    def asking(self, **query: str) -> "Request":
        """The same request with some query parameters replaced."""
        target = f"{self.target.partition('?')[0]}?{urlencode({**self.query, **query})}"
        return replace(self, target=target)

    def link(self, **query: str) -> str:
        """Path and query of a further page, relative to the host as the real API gives it."""
        return f"{self.path}?{urlencode(query)}"


@dataclass(slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    wire: str = "whole"
    """How it is sent: a key of WIRES."""
    pace: float = 0.0
    """Seconds between bytes, where the wire is slow."""

    def head(self, *, length: bool = True) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"Content-Length: {len(self.body)}" if length else "Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


Handler = Callable[[Request], Response]


class Disconnect(Exception):
    """This connection is over."""


class Server(socketserver.ThreadingTCPServer):
    """One thread per connection. `stopping` wakes everything that waits."""

    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], handler: Handler) -> None:
        super().__init__(address, _Connection)
        self.handler = handler
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="simulator", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.server_address[:2]
        return str(host), port

    @property
    def root(self) -> str:
        return "http://{}:{}".format(*self.address)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and wait until no thread of this server is left."""
        self.stopping.set()
        self.shutdown()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._thread.join()

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(connection)
        return connection, address

    def close_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().close_request(request)


class _Connection(socketserver.BaseRequestHandler):
    server: Server
    request: socket.socket

    def handle(self) -> None:
        self._buffer = bytearray()
        with contextlib.suppress(Disconnect, OSError):
            while not self.server.stopping.is_set():
                request = self._read()
                response = self.server.handler(request)
                WIRES[response.wire](self, response)
                if request.headers.get("connection", "").lower() == "close":
                    return

    def _read(self) -> Request:
        head = self._take_head()
        line, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = line.partition(" ")
        target, _, version = rest.rpartition(" ")
        if version != "HTTP/1.1" or not target.startswith("/"):
            self._refuse(400)
        pairs = (header.partition(":") for header in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Request(method, target, headers, self._take_body(headers))

    def _take_head(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD:
                self._refuse(431)
            self._receive()
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        return head

    def _take_body(self, headers: Mapping[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            self._refuse(411)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self._refuse(413)
        while len(self._buffer) < int(length):
            self._receive()
        body = bytes(self._buffer[: int(length)])
        del self._buffer[: int(length)]
        return body

    def _receive(self) -> None:
        chunk = self.request.recv(65_536)
        if not chunk:
            raise Disconnect
        self._buffer += chunk

    def _refuse(self, status: int) -> None:
        self.request.sendall(Response(status).head(length=False))
        raise Disconnect

    def drip(self, content: bytes, pace: float) -> None:
        for byte in content:
            self.request.sendall(bytes((byte,)))
            if self.server.stopping.wait(pace):
                raise Disconnect


def _whole(connection: _Connection, response: Response) -> None:
    connection.request.sendall(response.head() + response.body)


def _reset(connection: _Connection, _: Response) -> None:
    connection.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.request.close()
    raise Disconnect


def _slow_body(connection: _Connection, response: Response) -> None:
    connection.request.sendall(response.head())
    connection.drip(response.body, response.pace)


def _slow_headers(connection: _Connection, response: Response) -> None:
    connection.drip(response.head(), response.pace)
    connection.request.sendall(response.body)


def _cut_short(connection: _Connection, response: Response) -> None:
    connection.request.sendall(response.head() + response.body[: len(response.body) // 2])
    raise Disconnect


def _cut_without_length(connection: _Connection, response: Response) -> None:
    connection.request.sendall(response.head(length=False) + response.body[: len(response.body) // 2])
    raise Disconnect


def _garbled(connection: _Connection, response: Response) -> None:
    connection.request.sendall(b"\x15\x03\x01 this is no HTTP\r\n\r\n" + response.body)
    raise Disconnect


WIRES: Mapping[str, Callable[[_Connection, Response], None]] = {
    "whole": _whole,
    "reset": _reset,
    "slow_body": _slow_body,
    "slow_headers": _slow_headers,
    "cut_short": _cut_short,
    "cut_without_length": _cut_without_length,
    "garbled": _garbled,
}
