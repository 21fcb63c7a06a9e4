"""From the bytes of an answer to a JSON value, at a bounded cost whatever the other side sends."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import msgspec

GZIP = 16 + zlib.MAX_WBITS
DEEPEST = 64
"""Lists and objects inside one another: the API's own rows need five, and whoever walks one may recurse."""
NESTING = {list, dict}


class Unreadable(Exception):
    """What is wrong with an answer, as a sentence without its subject and full stop: "sent broken gzip"."""


def read_body(response: httpx.Response, limit: int) -> bytes:
    """The whole body, inflated. Neither what came over the wire nor what it inflates to may exceed the limit."""
    chunks = capped(response.iter_raw(), limit)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return b"".join(chunks)
    if encoding in {"gzip", "x-gzip"}:
        return inflate(chunks, limit)
    raise Unreadable("sent an encoding that was not asked for")


def capped(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise Unreadable(f"sent more than {limit} bytes")
        yield chunk


def inflate(chunks: Iterable[bytes], limit: int) -> bytes:
    """Never holds more than the limit plus one chunk."""
    inflater = zlib.decompressobj(GZIP)
    body = bytearray()
    try:
        for chunk in chunks:
            body += inflater.decompress(chunk, limit + 1 - len(body))
            if len(body) > limit:
                raise Unreadable(f"sent something that inflates to more than {limit} bytes")
    except zlib.error:
        raise Unreadable("sent broken gzip") from None
    if not inflater.eof or inflater.unused_data:
        raise Unreadable("sent a truncated answer")
    return bytes(body)


def is_json(response: httpx.Response) -> bool:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type in {"application/json", "text/json"} or media_type.endswith("+json")


def decode_json(body: bytes) -> Any:
    """NUL characters become U+FFFD: no text of a provider needs them, and PostgreSQL stores none."""
    try:
        value = msgspec.json.decode(body.replace(b"\\u0000", b"\\ufffd"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreadable("sent JSON that is broken off or not valid") from None
    if body.count(b"{") + body.count(b"[") > DEEPEST and is_too_deep(value):
        raise Unreadable("sent JSON that is nested too deeply")
    return value


def is_too_deep(value: Any) -> bool:
    """Level by level, so that it cannot itself go too deep."""
    level = [value] if type(value) in NESTING else []
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in NESTING
        ]
        if not level:
            return False
    return True
