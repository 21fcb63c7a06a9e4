"""What adapters declare for people to read must be what they do: each claim is held against what they read."""

from contextlib import closing
from dataclasses import fields

import pytest

from providers.contract import NOWHERE, RemoteNumber
from providers.registry import PROVIDERS
from tests.providers.test_contract import opened

APART = {"id", "e164", "digest", "currency", "extras", "surprises", "payload", "shadowed_voice", "shadowed_messages"}
NOTHING = (None, "", frozenset(), NOWHERE)
NO_STATUS = {"unknown", "not_applicable"}

pytestmark = [
    pytest.mark.parametrize("kind", PROVIDERS),
    pytest.mark.parametrize("simulator", [{"numbers": 400}], indirect=True),
]


@pytest.fixture
def numbers(simulator, kind):
    with closing(opened(simulator, kind)) as provider:
        return [number for page in provider.list_numbers() for number in page.numbers]


@pytest.fixture
def compliance(simulator, kind):
    if not PROVIDERS[kind].capabilities.compliance_is_separate:
        return []
    with closing(opened(simulator, kind)) as provider:
        return list(provider.compliance().values())


def tells(value):
    return value not in NOTHING and str(getattr(value, "status", value)) not in NO_STATUS


def test_it_reads_exactly_the_fields_it_declares(kind, numbers, compliance):
    names = {field.name for field in fields(RemoteNumber)} - APART
    told = {name for name in names for number in numbers if tells(getattr(number, name))}
    told |= {name for name in ("tendlc", "toll_free") for fact in compliance if tells(getattr(fact, name))}
    assert sorted(told) == sorted(PROVIDERS[kind].capabilities.reads)


def test_it_finds_every_fallback_where_it_declares_it(kind, numbers):
    for number in numbers:
        for name, route in (("voice", number.voice), ("messages", number.messages)):
            field = PROVIDERS[kind].fallback_fields.get(name, {}).get(route.kind, "")
            assert (number.payload.get(field) or "") == route.fallback


def test_it_shows_no_field_of_the_payload_that_is_named_like_a_secret(kind, numbers):
    assert numbers
    for number in numbers:
        assert not [name for name in number.payload if name.lower().endswith(("token", "password", "secret"))]
