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


@pytest.mark.parametrize("path", [r"/v1/Trunks\?", r"/v1/Services\?"])
@pytest.mark.parametrize("sid", ["../2010-04-01/Accounts.json", "http://169.254.169.254/latest", "TK\u202e"])
def test_it_makes_no_path_of_an_id_that_is_none(simulator: Simulator, path: str, sid: str) -> None:
    simulator.fault("wrong_type", path=path, field="sid", value=sid, times=0)
    with opened(simulator) as twilio, pytest.raises(MalformedResponse, match="by an id that is none"):
        next(iter(twilio.list_numbers()))


def test_it_follows_no_link_to_another_accounts_list(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own link, in a body that names another account throughout."""
    monkeypatch.setattr("providers.twilio_products.PAGE_SIZE", 2)
    simulator.fault("wrong_account", path="/Applications.json", times=0)
    with opened(simulator) as twilio, pytest.raises(MalformedResponse, match="leads nowhere"):
        list(twilio.list_applications())
    assert not [each for each in simulator.requests.kept if "9999/Applications" in each.target]
