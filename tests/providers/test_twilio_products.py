"""Twilio's other products, beside the numbers: closed only when they say so twice, and lists that must end."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from providers.contract import RemoteNumber
from providers.errors import MalformedResponse
from providers.registry import open_provider
from providers.simulator import TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, Simulator
from providers.twilio import Twilio

CREDENTIALS = {"account_sid": TWILIO_ACCOUNT_SID, "secret": TWILIO_AUTH_TOKEN}


@contextmanager
def opened(simulator: Simulator) -> Iterator[Twilio]:
    hosts = {host: f"{simulator.root}/twilio/{host}" for host in Twilio.base_urls(CREDENTIALS)}
    with closing(open_provider("twilio", CREDENTIALS, base_urls=hosts)) as provider:
        yield provider


def listed(twilio: Twilio) -> list[RemoteNumber]:
    return [number for page in twilio.list_numbers() for number in page.numbers]


@pytest.mark.parametrize("status", [401, 404])
@pytest.mark.parametrize("path", ["/v1/Trunks", "/v1/Services"])
def test_it_takes_no_product_for_closed_that_refuses_once(simulator: Simulator, path: str, status: int) -> None:
    with opened(simulator) as twilio:
        before = listed(twilio)
    simulator.fault("error", path=path, status=status)
    with opened(simulator) as twilio:
        assert listed(twilio) == before
        assert twilio.missing_scopes == []


def test_it_refuses_a_list_that_does_not_end(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.twilio_products.MOST_ROWS", 1)
    with opened(simulator) as twilio, pytest.raises(MalformedResponse, match="did not end after 1 rows"):
        twilio.compliance()
