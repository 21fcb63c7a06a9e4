"""The simulator's own paths under /_simulator/: looking inside, scripting faults, playing the second writer.

No real provider has these; nothing but tests and people at a demo use them.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import msgspec

from providers.simulator.faults import Fault, Faults
from providers.simulator.request_log import RequestLog
from providers.simulator.server import Request, Response
from providers.simulator.world import Account, World

PREFIX = "/_simulator/"
SCRIPTABLE = tuple(field.name for field in fields(Fault) if field.name not in ("action", "seen", "struck"))


class Control:
    def __init__(self, world: World, faults: Faults, log: RequestLog) -> None:
        self.world = world
        self.faults = faults
        self.log = log

    def answer(self, request: Request) -> Response:
        name, _, number = request.path.removeprefix(PREFIX).strip("/").partition("/")
        endpoint = ENDPOINTS.get((request.method, name))
        if endpoint is None:
            return _json(404, {"error": f"There is no {request.method} {request.path} here."})
        try:
            with self.world.lock:
                return endpoint(self, request, number)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}"})

    def health(self, _: Request, __: str) -> Response:
        accounts = {account.id: len(account) for account in self.world.accounts.values()}
        return _json(200, {"status": "ok", "numbers": accounts, "changes": len(self.world.journal)})

    def journal(self, request: Request, _: str) -> Response:
        since = int(request.query.get("since", "0"))
        return _json(200, self.world.journal.as_builtins()[since:])

    def show_faults(self, _: Request, __: str) -> Response:
        shown = [{name: getattr(fault, name) for name in (*SCRIPTABLE, "struck")} for fault in self.faults.active]
        return _json(200, shown)

    def add_faults(self, request: Request, _: str) -> Response:
        """One fault or a list of them, as objects with the fields of `Fault`."""
        asked = msgspec.json.decode(request.body)
        for settings in asked if isinstance(asked, list) else [asked]:
            self.faults.add(**_scriptable(settings))
        return _json(201, {"active": len(self.faults.active)})

    def clear_faults(self, _: Request, __: str) -> Response:
        self.faults.clear()
        return _json(200, {"active": 0})

    def show_requests(self, _: Request, __: str) -> Response:
        return _json(200, self.log.summary())

    def clear_requests(self, _: Request, __: str) -> Response:
        self.log.clear()
        return _json(200, self.log.summary())

    def show_number(self, request: Request, digits: str) -> Response:
        number = self._account(request).find(digits)
        return _json(200, msgspec.to_builtins(number)) if number else _json(404, {"error": "not found"})

    def add_number(self, request: Request, digits: str) -> Response:
        added = self.world.add(self._account(request), digits, _source(request), **_fields(request))
        return _json(201, {"number": added})

    def change_number(self, request: Request, digits: str) -> Response:
        self.world.change(self._account(request), digits, _source(request), **_fields(request))
        return _json(200, {"number": digits})

    def remove_number(self, request: Request, digits: str) -> Response:
        self.world.remove(self._account(request), digits, _source(request))
        return _json(200, {"number": digits})

    def _account(self, request: Request) -> Account:
        return self.world.account(request.query.get("provider", "plivo"), request.query.get("account", ""))


def _scriptable(settings: dict[str, Any]) -> dict[str, Any]:
    if unknown := settings.keys() - set(SCRIPTABLE):
        raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
    return settings


def _fields(request: Request) -> dict[str, Any]:
    return msgspec.json.decode(request.body or b"{}", type=dict[str, Any])


def _source(request: Request) -> tuple[str, str]:
    return request.method, request.path


def _json(status: int, body: Any) -> Response:
    return Response(status, msgspec.json.encode(body))


ENDPOINTS: Mapping[tuple[str, str], Callable[[Control, Request, str], Response]] = {
    ("GET", "health"): Control.health,
    ("GET", "journal"): Control.journal,
    ("GET", "faults"): Control.show_faults,
    ("POST", "faults"): Control.add_faults,
    ("DELETE", "faults"): Control.clear_faults,
    ("GET", "requests"): Control.show_requests,
    ("DELETE", "requests"): Control.clear_requests,
    ("GET", "numbers"): Control.show_number,
    ("POST", "numbers"): Control.add_number,
    ("PATCH", "numbers"): Control.change_number,
    ("DELETE", "numbers"): Control.remove_number,
}
