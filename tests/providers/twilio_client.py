"""Twilio's own Python client, pointed at a simulator: an independent judge of what the simulator answers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from providers.simulator import TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, Simulator


class _Redirected(TwilioHttpClient):
    """The client has no setting for its addresses, so what it sends to the real ones is sent elsewhere."""

    def __init__(self, root: str) -> None:
        super().__init__(timeout=10)
        self._root = root

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        return super().request(
            method, re.sub(r"https://(\w+)\.twilio\.com", rf"{self._root}/twilio/\1", url), *args, **kwargs
        )


@contextmanager
def twilio_client(
    simulator: Simulator,
    username: str = TWILIO_ACCOUNT_SID,
    password: str = TWILIO_AUTH_TOKEN,
    account_sid: str = TWILIO_ACCOUNT_SID,
) -> Iterator[Client]:
    redirected = _Redirected(simulator.root)
    try:
        yield Client(username, password, account_sid, http_client=redirected)
    finally:
        redirected.session.close()
