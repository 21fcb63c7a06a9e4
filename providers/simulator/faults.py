"""Scripted misbehaviour: which requests it strikes, and what then happens.

A fault names a behaviour of the table at the end. Behaviours know HTTP and JSON but no provider: rows are the first
list of objects in a body, links and totals are known by their usual names.
"""

import gzip
import random
import re
import struct
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from typing import Any, Protocol

import msgspec

from providers.simulator import second_writer
from providers.simulator.server import Request, Response
from providers.simulator.world import Account, World

LINKS = ("next", "next_page_uri", "next_page_url")
OFFSETS = ("offset", "Results_Skip")
TOTALS = ("total_count", "TotalCount", "total")
BOMB_BYTES = 1 << 30
OVERSIZED_BYTES = 6 << 20
Action = Callable[[World], None]


@dataclass(kw_only=True)
class Fault:
    """Strikes matching requests from the `nth` on, `times` times (0: for ever), each with the given probability."""

    kind: str
    method: str = ""
    path: str = ""
    """A regular expression searched for in path and query."""
    nth: int = 1
    times: int = 1
    probability: float = 1.0
    after: bool = False
    """The request is carried out before it goes wrong."""
    status: int = 500
    seconds: float = 0.0
    retry_after: str | None = None
    """The header; "date" stands for the moment `seconds` from now, as an HTTP date."""
    field: str = ""
    """Of a row: the field to drop, add or mistype; "" stands for the row's first one."""
    value: Any = None
    action: Action | None = None
    """For `act`: anything done to the world once the request is answered. For `kept_back`: what its answer waits for,
    while others are answered. In-process only."""
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in BEHAVIOURS:
            raise ValueError(f"No such fault: {self.kind}. There are: {', '.join(BEHAVIOURS)}.")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"Not a regular expression: {self.path}: {error}.") from error

    def counts(self, request: Request) -> bool:
        """Whether this is a request the fault is about; it is counted then."""
        matches = self.method in ("", request.method) and re.search(self.path, request.target) is not None
        self.seen += matches
        return matches

    def strikes(self, chance: random.Random) -> bool:
        """Whether it strikes the request just counted."""
        if self.seen < self.nth or (self.times and self.struck >= self.times):
            return False
        if self.probability < 1 and chance.random() >= self.probability:
            return False
        self.struck += 1
        return True


class Api(Protocol):
    """One provider's API, as far as faults need it."""

    def answer(self, request: Request) -> Response: ...
    def error(self, status: int) -> Response: ...
    def account_of(self, request: Request) -> Account | None: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to one API."""

    request: Request
    api: Api
    world: World
    wait: Callable[[float], object]

    def proceed(self) -> Response:
        return self.api.answer(self.request)


@dataclass
class Faults:
    """The faults in force; the first that strikes decides."""

    seed: int = 1
    active: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._chance = random.Random(self.seed)  # noqa: S311 reproducible, not secret

    def add(self, kind: str, **settings: Any) -> Fault:
        fault = Fault(kind=kind, **settings)
        with self._lock:
            self.active.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self.active.clear()

    def pick(self, request: Request) -> Fault | None:
        if not self.active:
            return None
        with self._lock:
            counting = [fault for fault in self.active if fault.counts(request)]
            return next((fault for fault in counting if fault.strikes(self._chance)), None)

    def answer(self, call: Call) -> Response:
        fault = self.pick(call.request)
        return BEHAVIOURS[fault.kind](fault, call) if fault else call.proceed()


Behaviour = Callable[[Fault, Call], Response]


def _instead(respond: Behaviour) -> Behaviour:
    """Answer something else, before or after the request was carried out."""

    def behave(fault: Fault, call: Call) -> Response:
        if fault.after:
            call.proceed()
        return respond(fault, call)

    return behave


def _sent(wire: str) -> Behaviour:
    """The right answer, sent the wrong way."""

    def behave(fault: Fault, call: Call) -> Response:
        response = call.proceed()
        response.wire, response.pace = wire, fault.seconds
        return response

    return behave


def _edited(edit: Callable[[Fault, Call, dict[str, Any]], object]) -> Behaviour:
    """The right answer with its JSON tampered with."""

    def behave(fault: Fault, call: Call) -> Response:
        response = call.proceed()
        if response.body:
            body = msgspec.json.decode(response.body)
            edit(fault, call, body)
            response.body = msgspec.json.encode(body)
        return response

    return behave


def _then(act: Callable[[Fault, Call], object]) -> Behaviour:
    """The right answer, and then a second writer strikes."""

    def behave(fault: Fault, call: Call) -> Response:
        response = call.proceed()
        with call.world.lock:
            act(fault, call)
        return response

    return behave


def _html(status: int, body: bytes) -> Response:
    return Response(status, body, {"Content-Type": "text/html; charset=utf-8"})


def _late(fault: Fault, call: Call) -> Response:
    response = call.proceed() if fault.after else None
    call.wait(fault.seconds)
    return response or call.proceed()


def _rate_limited(fault: Fault, call: Call) -> Response:
    response = call.api.error(429)
    if fault.retry_after == "date":
        response.headers["Retry-After"] = formatdate(time.time() + fault.seconds, usegmt=True)
    elif fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    return response


def _redirect(_: Fault, call: Call) -> Response:
    return Response(302, b"", {"Location": f"http://elsewhere.invalid{call.request.target}"})


def _gzip_bomb(_: Fault, __: Call) -> Response:
    return Response(200, _bomb(), {"Content-Type": "application/json", "Content-Encoding": "gzip"})


@cache
def _bomb() -> bytes:
    """A gibibyte of blanks in about a megabyte: one gzip member, its deflate blocks repeated."""
    blanks = b" " * (1 << 24)
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = deflate.compress(blanks) + deflate.flush(zlib.Z_FULL_FLUSH)
    repeats, checksum = BOMB_BYTES // len(blanks), 0
    for _ in range(repeats):
        checksum = zlib.crc32(blanks, checksum)
    trailer = struct.pack("<II", checksum, BOMB_BYTES & 0xFFFFFFFF)
    return gzip.compress(b"")[:10] + block * repeats + deflate.flush() + trailer


def _wrong_account(fault: Fault, call: Call) -> Response:
    """Rows of another account; `value` is its id, else one that looks like it."""
    account = call.api.account_of(call.request)
    response = call.proceed()
    if account:
        other = str(fault.value or account.id[:-4] + "9999")
        response.body = response.body.replace(account.id.encode(), other.encode())
    return response


def _duplicate_page(_: Fault, call: Call) -> Response:
    """The page before this one once more, under this page's links."""
    own = msgspec.json.decode(call.proceed().body)
    name = next((name for name in OFFSETS if name in call.request.query), OFFSETS[0])
    offset = int(call.request.query.get(name, "0"))
    before = call.request.asking(**{name: str(max(0, offset - len(_rows(own))))})
    own_rows, old_rows = _rows(own), _rows(msgspec.json.decode(call.api.answer(before).body))
    own_rows[:] = old_rows[: len(own_rows)]
    return Response(200, msgspec.json.encode(own))


def _not_applied(_: Fault, call: Call) -> Response:
    with call.world.holding(None):
        return call.proceed()


def _applied_late(fault: Fault, call: Call) -> Response:
    """`after`: it is taken in, and the answer is an error nevertheless."""
    with call.world.holding(fault.seconds):
        response = call.proceed()
    return call.api.error(fault.status) if fault.after else response


def _rows(body: Any) -> list[Any]:
    values = body.values() if isinstance(body, dict) else ()
    return next((value for value in values if isinstance(value, list)), [])


def _set_everywhere(body: Any, names: tuple[str, ...], value: Any) -> None:
    for name, inner in body.items() if isinstance(body, dict) else ():
        if name in names:
            body[name] = value
        else:
            _set_everywhere(inner, names, value)


def _each_row(change: Callable[[Fault, dict[str, Any]], object]) -> Behaviour:
    def edit(fault: Fault, _: Call, body: dict[str, Any]) -> None:
        for row in _rows(body) or [body]:
            change(fault, row)

    return _edited(edit)


def _name(fault: Fault, row: dict[str, Any]) -> str:
    return fault.field or next(iter(row))


def _empty(_: Fault, __: Call, body: dict[str, Any]) -> None:
    _rows(body).clear()


def _empty_and_total_zero(_: Fault, __: Call, body: dict[str, Any]) -> None:
    _rows(body).clear()
    _set_everywhere(body, TOTALS, 0)
    _set_everywhere(body, LINKS, None)


def _loop(_: Fault, call: Call, body: dict[str, Any]) -> None:
    _set_everywhere(body, LINKS, call.request.target[len(call.request.mount) :])


def _ended(_: Fault, __: Call, body: dict[str, Any]) -> None:
    _set_everywhere(body, LINKS, None)


def _foreign(_: Fault, call: Call, body: dict[str, Any]) -> None:
    _set_everywhere(body, LINKS, f"http://elsewhere.invalid{call.request.target}")


def _duplicate_row(_: Fault, __: Call, body: dict[str, Any]) -> None:
    """The first row once more, where the last one belongs."""
    rows = _rows(body)
    rows[-1:] = rows[:1]


def _meanwhile(write: Callable[[World, Account], object]) -> Behaviour:
    def act(_: Fault, call: Call) -> None:
        account = call.api.account_of(call.request)
        if account:
            write(call.world, account)

    return _then(act)


def _edited_elsewhere(fault: Fault, call: Call) -> None:
    account = call.api.account_of(call.request)
    if account:
        second_writer.edit_one(call.world, account, fault.field, fault.value)


def _oversized(_: Fault, call: Call) -> Response:
    """The right answer behind more blanks than anybody should read."""
    response = call.proceed()
    response.body = b" " * OVERSIZED_BYTES + response.body
    return response


def _broken_gzip(_: Fault, call: Call) -> Response:
    """Half of the right answer, packed."""
    response = call.proceed()
    packed = gzip.compress(response.body)
    response.body = packed[: len(packed) // 2]
    response.headers["Content-Encoding"] = "gzip"
    return response


def _act(fault: Fault, call: Call) -> None:
    if fault.action is not None:
        fault.action(call.world)


def _kept_back(fault: Fault, call: Call) -> Response:
    """The answer is written now, and sent when `action` is through."""
    response = call.proceed()
    _act(fault, call)
    return response


BEHAVIOURS: Mapping[str, Behaviour] = {
    "latency": _late,
    "error": _instead(lambda fault, call: call.api.error(fault.status)),
    "error_page": _instead(lambda fault, _: _html(fault.status, b"<h1>Bad gateway</h1>")),
    "rate_limited": _rate_limited,
    "reset": _instead(lambda _, __: Response(200, wire="reset")),
    "slow_body": _sent("slow_body"),
    "slow_headers": _sent("slow_headers"),
    "cut_short": _sent("cut_short"),
    "cut_without_length": _sent("cut_without_length"),
    "garbled": _sent("garbled"),
    "html": lambda _, __: _html(200, b"<!doctype html><title>Maintenance</title><h1>We will be right back</h1>"),
    "invalid_json": lambda _, __: Response(200, b'{"objects": [{"number": "1415'),
    "json_text": lambda fault, _: Response(200, msgspec.json.encode(fault.value)),
    "wrong_type": _each_row(lambda fault, row: row.__setitem__(_name(fault, row), fault.value)),
    "missing_field": _each_row(lambda fault, row: row.pop(_name(fault, row), None)),
    "extra_field": _each_row(lambda fault, row: row.__setitem__(fault.field or "surprise", fault.value)),
    "duplicate_page": _duplicate_page,
    "duplicate_row": _edited(_duplicate_row),
    "empty_page": _edited(_empty),
    "total_zero": _edited(_empty_and_total_zero),
    "looping_link": _edited(_loop),
    "foreign_link": _edited(_foreign),
    "no_link": _edited(_ended),
    "redirect": _redirect,
    "gzip_bomb": _gzip_bomb,
    "broken_gzip": _broken_gzip,
    "oversized": _oversized,
    "no_body": lambda _, __: Response(200),
    "wrong_account": _wrong_account,
    "row_removed": _meanwhile(second_writer.remove_first),
    "row_added": _meanwhile(second_writer.add_one),
    "rows_swapped": _meanwhile(second_writer.swap_one),
    "row_edited": _then(_edited_elsewhere),
    "act": _then(_act),
    "kept_back": _kept_back,
    "not_applied": _not_applied,
    "applied_late": _applied_late,
    "revoked": lambda _, call: call.api.error(401),
}
