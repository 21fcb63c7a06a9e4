"""The reading part of the contract suite against real accounts, for whatever credentials the environment holds.

`{KIND}_TEST_{FIELD}` gives a credential: `PLIVO_TEST_AUTH_ID`, `SIGNALWIRE_TEST_API_TOKEN` and so on. Only GET is
allowed while these tests run. `{KIND}_TEST_ROOT` names another server than the provider's, such as a simulator.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from providers.contract import Provider
from providers.limits import rate_limiter
from providers.registry import PROVIDERS, open_provider
from tests.providers.test_contract import (
    test_it_describes_every_credential,
    test_it_gets_what_it_lists,
    test_it_keeps_credentials_out_of_what_it_reads,
    test_it_knows_every_field_and_word_the_provider_uses,
    test_it_knows_whose_credentials_these_are,
    test_it_lists_applications_and_subaccounts_once,
    test_it_lists_no_number_twice,
    test_it_tells_the_same_total_as_it_lists,
)

__all__ = [
    "test_it_describes_every_credential",
    "test_it_gets_what_it_lists",
    "test_it_keeps_credentials_out_of_what_it_reads",
    "test_it_knows_every_field_and_word_the_provider_uses",
    "test_it_knows_whose_credentials_these_are",
    "test_it_lists_applications_and_subaccounts_once",
    "test_it_lists_no_number_twice",
    "test_it_tells_the_same_total_as_it_lists",
]


def given(kind: str) -> Mapping[str, str]:
    """What the environment says about an account at this provider, by credential."""
    named = {field.name: f"{kind}_TEST_{field.name}".upper() for field in PROVIDERS[kind].credential_fields}
    return {name: os.environ[variable] for name, variable in named.items() if os.environ.get(variable)}


KINDS = [kind for kind in PROVIDERS if given(kind)]
if not KINDS:
    pytest.skip("No credentials of a real account are in the environment (CONTRIBUTING.md).", allow_module_level=True)

pytestmark = pytest.mark.enable_socket  # The HTTP client itself goes nowhere but to the provider's hosts.


@pytest.fixture(params=KINDS)
def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    kind, credentials = request.param, given(request.param)
    for field in PROVIDERS[kind].credential_fields:
        if not field.optional and field.name not in credentials:
            pytest.fail(f"{kind}_TEST_{field.name}".upper() + " is not set.")
    reads = tuple(call for call in PROVIDERS[kind].allowed_calls if call[0] == "GET")
    monkeypatch.setattr(PROVIDERS[kind], "allowed_calls", reads)
    root = os.environ.get(f"{kind}_TEST_ROOT".upper())
    hosts = {host: f"{root}/{host}" for host in PROVIDERS[kind].base_urls(credentials)} if root else None
    rate = PROVIDERS[kind].capabilities.rate
    limiter = None if root else rate_limiter(kind, rate, redis_url=None, directory=None)
    with closing(open_provider(kind, credentials, base_urls=hosts, limiter=limiter)) as opened:
        yield opened
