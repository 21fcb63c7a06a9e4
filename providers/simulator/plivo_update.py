"""What Plivo's "Update an Account Phone Number" accepts, as changes to a simulated number.

From the Plivo API reference (update arguments, Nov 2026). Where the reference gives no error text, the text is ours;
only the shape is Plivo's.
"""

from collections.abc import Callable, Mapping
from typing import Any

from providers.simulator.numbers import Number
from providers.simulator.world import Account


class Refusal(Exception):
    """An answer other than success: the status and the text of its `error`."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


Changes = dict[str, Any]


def read_update(account: Account, number: Number, body: Mapping[str, Any]) -> Changes:
    """The changes a request asks for. A null is accepted and changes nothing, as an unknown argument does."""
    changes: Changes = {}
    for name, read in ARGUMENTS.items():
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise Refusal(400, f"{name} must be a string")
        changes.update(read(account, number, value))
    if changes.get("caller_reputation") == "enabled" and not changes.get("profile", number.profile):
        raise Refusal(400, "profile_uuid is required to enable caller_reputation")
    return changes


def _alias(_: Account, __: Number, value: str) -> Changes:
    return {"alias": value}


def _application(account: Account, _: Number, value: str) -> Changes:
    """An application, or a trunk of either direction: attaching an outbound one is accepted and silences the number."""
    if value in account.applications:
        route = f"application:{value}"
    elif value in account.trunks:
        route = f"trunk:{value}"
    elif value == "":
        route = ""
    else:
        raise Refusal(400, f"app_id {value} not found")
    return {"voice": route}


def _subaccount(account: Account, _: Number, value: str) -> Changes:
    if value and value not in account.subaccounts:
        raise Refusal(400, f"subaccount {value} not found")
    return {"subaccount": value}


def _cnam_lookup(_: Account, number: Number, value: str) -> Changes:
    _only_in_the_us("cnam_lookup", number)
    if value not in ("enabled", "disabled"):
        raise Refusal(400, "cnam_lookup must be enabled or disabled")
    return {"cnam_lookup": value}


def _cnam(_: Account, number: Number, value: str) -> Changes:
    _only_in_the_us("cnam", number)
    return {"cnam": value}


def _compliance(_: Account, number: Number, value: str) -> Changes:
    """Takes effect only while the number is pending activation."""
    return {} if number.active else {"compliance_application": value}


def _profile(_: Account, __: Number, value: str) -> Changes:
    return {"profile": value}


def _caller_reputation(_: Account, number: Number, value: str) -> Changes:
    _only_in_the_us("caller_reputation", number)
    if value not in ("enabled", "disabled"):
        raise Refusal(400, "caller_reputation must be enabled or disabled")
    return {"caller_reputation": value}


def _only_in_the_us(argument: str, number: Number) -> None:
    if number.country != "US":
        raise Refusal(400, f"{argument} is supported for US numbers only")


ARGUMENTS: Mapping[str, Callable[[Account, Number, str], Changes]] = {
    "alias": _alias,
    "app_id": _application,
    "subaccount": _subaccount,
    "cnam_lookup": _cnam_lookup,
    "cnam": _cnam,
    "compliance_application_id": _compliance,
    "profile_uuid": _profile,
    "caller_reputation": _caller_reputation,
}
