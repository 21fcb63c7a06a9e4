"""Every call that anybody makes at a simulated provider while a row runs, and which of them Numberdesk may make.

The list is written down here once more, by hand: an adapter that allows itself more must not pass by its own word.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from providers.simulator.request_log import RequestLog

ALLOWED = [
    re.compile(call)
    for call in (
        r"GET /plivo/api/v1/Account/\w+/((Number|Application|Zentrunk/Trunk|Subaccount)/)?",
        r"(GET|POST) /plivo/api/v1/Account/\w+/Number/\d+/",
        r"GET /twilio/api/2010-04-01/Accounts(/AC\w+(/(Applications|IncomingPhoneNumbers(/TollFree)?))?)?\.json",
        r"(GET|POST) /twilio/api/2010-04-01/Accounts/AC\w+/IncomingPhoneNumbers/PN\w+\.json",
        r"GET /twilio/trunking/v1/Trunks(/TK\w+/PhoneNumbers(/PN\w+)?)?",
        r"GET /twilio/messaging/v1/(Services(/MG\w+/(PhoneNumbers|Compliance/Usa2p))?|Tollfree/Verifications)",
        r"GET /signalwire/api/api/relay/rest/phone_numbers",
        r"(GET|PUT) /signalwire/api/api/relay/rest/phone_numbers/[\w-]+",
        r"GET /signalwire/api/api/laml/2010-04-01/Accounts/[\w-]+/(IncomingPhoneNumbers|Applications)",
        r"GET /signalwire/api/api/relay/rest/registry/beta/(brands(/[\w-]+/campaigns)?|campaigns/[\w-]+/numbers)",
        r"GET /fone_dynamics/api/v2/((Accounts|Properties)/\w+/Numbers|Properties)",
        r"(GET|POST) /fone_dynamics/api/v2/Numbers/\d+",
    )
]
"""Read an account, its lists and one number; change one number. Nothing is bought, and nothing is given back."""


class Calls:
    """Counted; those that are not allowed are kept."""

    def __init__(self) -> None:
        self.made = 0
        self.outside: list[str] = []

    def add(self, method: str, target: str) -> None:
        call = f"{method} {target.partition('?')[0]}"
        self.made += 1
        if not any(allowed.fullmatch(call) for allowed in ALLOWED):
            self.outside.append(call)

    def take_outside(self) -> list[str]:
        """And forget them: they were meant."""
        taken, self.outside = self.outside, []
        return taken

    def write_down(self) -> None:
        """For the table at the end."""
        if path := os.environ.get("CHAOS_CALLS"):
            with Path(path).open("a") as lines:
                lines.write(json.dumps({"calls": self.made, "outside": self.outside}) + "\n")


@contextmanager
def watched() -> Iterator[Calls]:
    """At every simulator of this process."""
    calls, right = Calls(), RequestLog.add

    def add(log: RequestLog, at: float, request: Any, response: Any) -> None:
        calls.add(request.method, request.target)
        right(log, at, request, response)

    RequestLog.add = add
    try:
        yield calls
    finally:
        RequestLog.add = right
