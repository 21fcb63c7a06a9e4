"""What every adapter owes, whatever its provider: one suite over the registry, judged by the simulated providers."""

import logging
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import NamedTuple

import httpx
import pytest

from providers import simulator as demo
from providers.contract import (
    CredentialField,
    EditableField,
    Provider,
    RemoteApplication,
    RemoteNumber,
    RemoteSubaccount,
    Route,
)
from providers.errors import (
    AuthenticationFailed,
    MalformedResponse,
    NotFound,
    ProviderError,
    Rejected,
    Unavailable,
    Unsupported,
)
from providers.http import Limits
from providers.registry import PROVIDERS, open_provider
from providers.simulator import Simulator

CREDENTIALS = {
    "plivo": {"auth_id": demo.PLIVO_AUTH_ID, "auth_token": demo.PLIVO_AUTH_TOKEN},
    "twilio": {"account_sid": demo.TWILIO_ACCOUNT_SID, "secret": demo.TWILIO_AUTH_TOKEN},
    "signalwire": {
        "space": demo.SIGNALWIRE_SPACE,
        "project_id": demo.SIGNALWIRE_PROJECT_ID,
        "api_token": demo.SIGNALWIRE_TOKEN,
    },
    "fone_dynamics": {"account_sid": demo.FONE_DYNAMICS_ACCOUNT_SID, "token": demo.FONE_DYNAMICS_TOKEN},
}
MOST_TO_GET = 50
TARGETS = {"url": "https://calls.example/answer", "endpoint": "+61255500999"}
EDITS = [(kind, edit.name) for kind, provider in PROVIDERS.items() for edit in provider.capabilities.edits]
CLEARABLE = [(kind, name) for kind, name in EDITS if PROVIDERS[kind].capabilities.edit(name).clearable]
BROKEN = [
    ("html", {}),
    ("invalid_json", {}),
    ("json_text", {"value": None}),
    ("json_text", {"value": {}}),
    ("json_text", {"value": "text"}),
    ("cut_short", {}),
    ("cut_without_length", {}),
    ("reset", {}),
    ("redirect", {}),
    ("gzip_bomb", {}),
    ("slow_headers", {"seconds": 0.2}),
    ("slow_body", {"seconds": 0.2}),
    ("error", {"status": 500}),
    ("error_page", {"status": 502}),
    ("rate_limited", {}),
    ("revoked", {}),
]


@pytest.fixture(params=PROVIDERS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def opened(simulator: Simulator, kind: str) -> Provider:
    hosts = {host: f"{simulator.root}/{kind}/{host}" for host in PROVIDERS[kind].base_urls(CREDENTIALS[kind])}
    once = Limits(deadline_seconds=1.0, attempts=1)
    return open_provider(kind, CREDENTIALS[kind], base_urls=hosts, limits=once)


@pytest.fixture
def provider(simulator: Simulator, kind: str) -> Iterator[Provider]:
    with closing(opened(simulator, kind)) as provider:
        yield provider


def listed(provider: Provider) -> list[RemoteNumber]:
    return [number for page in provider.list_numbers() for number in page.numbers]


def others(provider: Provider) -> list[list[RemoteApplication] | list[RemoteSubaccount]]:
    """The lists of applications and of subaccounts, as far as the provider has them."""
    found: list[list[RemoteApplication] | list[RemoteSubaccount]] = []
    with suppress(Unsupported):
        found.append(list(provider.list_applications()))
    with suppress(Unsupported):
        found.append(list(provider.list_subaccounts()))
    return found


def is_secret_of(provider: Provider, field: CredentialField) -> bool:
    return field.secret and field.name in provider.credentials


def asked(simulator: Simulator) -> int:
    return simulator.requests.by_status.total()


# Reading: of a provider and nothing else, so that a real account can take the simulator's place (test_live.py)


def test_it_knows_whose_credentials_these_are(provider):
    assert provider.whoami() in provider.credentials.values()


def test_it_describes_every_credential(provider):
    patterns = {field.name: field.pattern or ".+" for field in provider.credential_fields}
    for name, value in provider.credentials.items():
        assert re.fullmatch(patterns[name], value)


def test_it_lists_no_number_twice(provider):
    numbers = listed(provider)
    assert len({number.id for number in numbers}) == len(numbers)
    assert all(re.fullmatch(r"\+[1-9]\d{2,14}", number.e164) for number in numbers)


def test_it_tells_the_same_total_as_it_lists(provider):
    totals = {page.total for page in provider.list_numbers()} - {None}
    assert totals <= {len(listed(provider))}


def test_it_gets_what_it_lists(provider):
    for number in listed(provider)[:MOST_TO_GET]:
        assert provider.get(number.id) == number


def test_it_lists_applications_and_subaccounts_once(provider):
    for found in others(provider):
        assert len({(getattr(one, "kind", ""), one.id) for one in found}) == len(found)


def test_it_keeps_credentials_out_of_what_it_reads(provider):
    secrets = [
        provider.credentials[field.name] for field in provider.credential_fields if is_secret_of(provider, field)
    ]
    read = repr([listed(provider), *others(provider)])
    assert not [secret for secret in secrets if secret in read]


def test_it_knows_every_field_and_word_the_provider_uses(provider):
    assert [number.surprises for number in listed(provider) if number.surprises] == []


# Reading, where the truth is known


def test_it_lists_every_number_exactly_once(provider, simulator, kind):
    held = sorted(f"+{number.digits}" for number in simulator.world.account(kind))
    assert sorted(number.e164 for number in listed(provider)) == held


def test_it_names_the_account_as_the_provider_does(provider, simulator, kind):
    assert provider.whoami() == simulator.world.account(kind).id


def test_it_finds_no_number_that_is_gone(provider, simulator, kind):
    number = listed(provider)[0]
    simulator.world.remove(simulator.world.account(kind), number.e164.lstrip("+"))
    with pytest.raises(NotFound):
        provider.get(number.id)


def test_it_notices_another_number_than_the_one_asked_for(provider, simulator):
    first, second = listed(provider)[:2]
    provider.get(second.id)
    target = next(entry.target for entry in simulator.requests.kept if second.id in entry.target)
    answer = httpx.get(f"{simulator.root}{target}", auth=provider.authorization(provider.credentials)).json()
    simulator.fault("json_text", path=first.id, value=answer, times=0)
    with pytest.raises(MalformedResponse):
        provider.get(first.id)


def test_it_keeps_the_tokens_of_subaccounts_out_of_what_it_reads(provider, simulator, kind):
    tokens = [subaccount.token for subaccount in simulator.world.account(kind).subaccounts.values() if subaccount.token]
    read = repr(others(provider))
    assert not [token for token in tokens if token in read]


@pytest.mark.parametrize(("fault", "settings"), BROKEN, ids=[f"{fault} {settings}" for fault, settings in BROKEN])
def test_it_raises_on_a_broken_listing(provider, simulator, fault, settings):
    simulator.fault(fault, times=0, **settings)
    with pytest.raises(ProviderError):
        listed(provider)


def test_it_keeps_what_it_does_not_know(provider, simulator):
    simulator.fault("extra_field", field="brand_new", value={"deep": ["down"]}, times=0)
    for number in listed(provider):
        assert number.payload["brand_new"] == {"deep": ["down"]}
        assert "brand_new" in number.surprises


# Writing


def value_for(provider: Provider, edit: EditableField, number: RemoteNumber) -> str:
    """Something this field takes and does not hold."""
    if edit.choices:
        return next(choice for choice in edit.choices if choice != number.value(edit.name))
    if edit.name == "subaccount":
        return next(one.id for one in provider.list_subaccounts() if one.id != number.subaccount)
    if edit.route_kinds:
        return next(route for route in routes(provider, edit) if route != number.value(edit.name))
    return "Front desk 7"


def routes(provider: Provider, edit: EditableField) -> Iterator[str]:
    yield from (Route(kind=kind, target=TARGETS[kind]).key for kind in edit.route_kinds if kind in TARGETS)
    for application in provider.list_applications():
        if application.kind in edit.route_kinds and application.assignable:
            yield Route(kind=application.kind, target=application.id).key


class Done(NamedTuple):
    before: RemoteNumber
    asked_for: str
    after: RemoteNumber


def edited(provider: Provider, name: str) -> Done:
    """An edit of the first number that takes one: not every number takes every edit."""
    edit = provider.capabilities.edit(name)
    assert edit is not None
    for number in listed(provider):
        try:
            asked_for = value_for(provider, edit, number)
            return Done(number, asked_for, provider.update(number.id, {name: asked_for}))
        except (Rejected, Unsupported):
            continue
    raise AssertionError(f"No number takes an edit of {name}.")


@pytest.mark.parametrize(("kind", "name"), EDITS)
def test_it_makes_every_edit_it_declares(provider, name):
    done = edited(provider, name)
    assert done.after.value(name) == done.asked_for
    assert provider.get(done.after.id) == done.after


@pytest.mark.parametrize(("kind", "name"), CLEARABLE)
def test_it_clears_what_it_says_it_clears(provider, name):
    done = edited(provider, name)
    assert provider.update(done.after.id, {name: ""}).value(name) == ""


@pytest.mark.parametrize(("kind", "name"), EDITS)
def test_it_changes_one_number_once_and_foretells_what_else_changes(provider, simulator, name):
    done = edited(provider, name)
    fields = {edit.name for edit in provider.capabilities.edits} | {"voice", "messages"}
    changed = {field for field in fields if done.before.value(field) != done.after.value(field)}
    current = {field: done.before.value(field) for field in fields}
    foretold = {effect.field for effect in type(provider).preview(current, {name: done.asked_for})}
    assert changed - {name} <= foretold
    assert [entry["number"] for entry in simulator.world.journal.as_builtins()] == [done.after.e164.lstrip("+")]


def refused(provider: Provider) -> Iterator[dict[str, str]]:
    yield {"nonsense": "x"}
    yield from ({name: "x"} for name in provider.capabilities.why_not)
    for edit in provider.capabilities.edits:
        yield {edit.name: "two\nlines"}
        if edit.max_length:
            yield {edit.name: "x" * (edit.max_length + 1)}
        if not edit.clearable:
            yield {edit.name: ""}
        if edit.route_kinds:
            yield {edit.name: "nowhere:1"}


def test_it_refuses_what_it_does_not_declare_before_anything_is_sent(provider, simulator):
    number = listed(provider)[0]
    before = asked(simulator)
    for edit in refused(provider):
        with pytest.raises(Unsupported):
            provider.update(number.id, edit)
    assert asked(simulator) == before


def test_it_previews_without_asking_anybody(provider, simulator):
    number = listed(provider)[0]
    current = {edit.name: number.value(edit.name) for edit in provider.capabilities.edits}
    edits = [{edit.name: value_for(provider, edit, number)} for edit in provider.capabilities.edits]
    before = asked(simulator)
    for edit in edits:
        assert all(effect.sentence.endswith(".") for effect in type(provider).preview(current, edit))
    assert type(provider).preview(current, {}) == ()
    assert asked(simulator) == before


# What it never does


def test_it_makes_allowed_calls_only(provider, simulator, kind):
    for edit in provider.capabilities.edits:
        edited(provider, edit.name)
    for request in simulator.requests.kept:
        path = "/" + request.target.partition("?")[0].split("/", 3)[3]
        assert any(request.method == method and re.fullmatch(call, path) for method, call in provider.allowed_calls)
        assert request.method != "DELETE"


def test_it_has_no_way_to_release_or_buy(provider):
    assert {method for method, _ in provider.allowed_calls} <= {"GET", "POST", "PUT"}


def test_it_goes_to_no_host_that_a_body_names(provider, simulator):
    simulator.fault("foreign_link", times=0)
    try:
        listed(provider)
    except ProviderError as error:
        assert not isinstance(error, Unavailable), "somebody was called"  # noqa: PT017 - both ends are fine


@pytest.mark.parametrize("fault", ["revoked", "error", "html", "reset"])
def test_it_keeps_credentials_out_of_errors_logs_and_representations(provider, simulator, kind, fault, caplog):
    caplog.set_level(logging.DEBUG)
    simulator.fault(fault, times=0)
    with pytest.raises(ProviderError) as caught:
        provider.whoami()
    said = f"{caught.value!r} {caught.value.words} {provider!r} {provider.http!r} {caplog.text}"
    secrets = [CREDENTIALS[kind].get(field.name) for field in provider.credential_fields if field.secret]
    assert not [secret for secret in secrets if secret in said]


def test_it_stops_when_the_credentials_are_refused(provider, simulator):
    simulator.fault("revoked", times=0)
    with pytest.raises(AuthenticationFailed):
        listed(provider)
    assert asked(simulator) <= 2
