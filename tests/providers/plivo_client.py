"""Plivo's own Python client, pointed at a simulator: an independent judge of what the simulator answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import plivo
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, Simulator

REAL = "https://api.plivo.com"


class _Redirected(HTTPAdapter):
    """The client has no setting for its address, so what it sends to the real one is sent elsewhere."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        request.url = (request.url or "").replace(REAL, self._address)
        return super().send(request, *args, **kwargs)


@contextmanager
def plivo_client(
    simulator: Simulator, auth_id: str = PLIVO_AUTH_ID, auth_token: str = PLIVO_AUTH_TOKEN
) -> Iterator[plivo.RestClient]:
    with plivo.RestClient(auth_id, auth_token, timeout=10) as client:
        client.session.mount(REAL, _Redirected(f"{simulator.root}/plivo/api"))
        yield client


def first(simulator: Simulator, **wanted: Any) -> str:
    """The digits of the first number that is as wanted."""
    found = (
        number.digits
        for number in simulator.world.account()
        if all(getattr(number, name) == value for name, value in wanted.items())
    )
    return next(found)
