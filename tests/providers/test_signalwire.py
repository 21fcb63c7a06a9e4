"""SignalWire: what is its own. What every adapter owes is the contract suite's."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Provenance, TenDlcStatus
from providers.errors import MalformedResponse, NotFound, Rejected, Unsupported, WrongAccount
from providers.registry import open_provider
from providers.signalwire import CALL_KINDS, NO_REGISTRY, SignalWire
from providers.signalwire_words import FABRIC_KINDS, MESSAGE_HANDLERS
from providers.simulator import (
    SIGNALWIRE_NUMBERS_TOKEN,
    SIGNALWIRE_PROJECT_ID,
    SIGNALWIRE_SPACE,
    SIGNALWIRE_TOKEN,
    Simulator,
)
from providers.simulator.numbers import Number
from tests.simulators import NUMBERS

Open = Callable[[str], SignalWire]
UUID = "0b6cbd27-4f0e-4c52-8d0f-1a2b3c4d5e6f"


@pytest.fixture
def open_with(simulator: Simulator) -> Iterator[Open]:
    opened: list[Any] = []

    def open_one(token: str) -> SignalWire:
        credentials = {"space": SIGNALWIRE_SPACE, "project_id": SIGNALWIRE_PROJECT_ID, "api_token": token}
        base_urls = {"api": f"{simulator.root}/signalwire/api"}
        opened.append(open_provider("signalwire", credentials, base_urls=base_urls, sleep=lambda _: None))
        return opened[-1]

    yield open_one
    for provider in opened:
        provider.close()


@pytest.fixture
def provider(open_with: Open) -> SignalWire:
    return open_with(SIGNALWIRE_TOKEN)


def listed(provider: SignalWire) -> list[Any]:
    return [number for page in provider.list_numbers() for number in page.numbers]


def held(simulator: Simulator, fits: Callable[[Number], bool]) -> Number:
    return next(number for number in simulator.world.account("signalwire") if fits(number))


def remote_id(provider: SignalWire, number: Number) -> str:
    return next(each.id for each in listed(provider) if each.e164 == f"+{number.digits}")


def any_id(provider: SignalWire) -> str:
    return listed(provider)[0].id


def test_it_reads_every_number_as_the_world_holds_it(provider, simulator):
    expected = [
        (f"+{number.digits}", number.alias or "", number.voice, number.messages, set(number.services.split()))
        for number in simulator.world.account("signalwire")
    ]

    read = [(each.e164, each.alias, each.voice.key, each.messages.key, set(each.services)) for each in listed(provider)]

    assert read == expected


def test_it_knows_every_field_the_simulator_shows(provider):
    assert [number.surprises for number in listed(provider)] == [()] * NUMBERS


@pytest.mark.parametrize("simulator", [{"numbers": 2100}], indirect=True)
def test_it_asks_for_a_thousand_at_a_time(provider, simulator):
    provider.compliance()
    simulator.requests.clear()

    sizes = [len(page.numbers) for page in provider.list_numbers()]

    assert sizes == [1000, 1000, 100]
    assert simulator.requests.by_status == {200: 3}


@pytest.mark.parametrize(
    "space", ["", "Northwind", "northwind.evil", "evil.example/", "a@b", "northwind\n", "-a", "a-", "a" * 64, "nörth"]
)
def test_it_sends_credentials_to_signalwire_only(space):
    with pytest.raises(Unsupported):
        SignalWire.base_urls({"space": space})


@given(st.text())
def test_it_makes_no_host_that_is_not_below_signalwire(space):
    try:
        url = SignalWire.base_urls({"space": space})["api"]
    except Unsupported:
        return
    assert re.fullmatch(r"https://[a-z0-9-]+\.signalwire\.com", url)


def test_it_proves_the_project_with_the_scope_numbers_alone(open_with):
    assert open_with(SIGNALWIRE_NUMBERS_TOKEN).whoami() == SIGNALWIRE_PROJECT_ID


def test_it_notices_the_rows_of_another_project(provider, simulator):
    simulator.fault("wrong_account")

    with pytest.raises(WrongAccount):
        provider.whoami()


@pytest.mark.parametrize("kind", CALL_KINDS)
def test_it_sends_a_call_handler_with_its_target(provider, simulator, kind):
    target = target_of(kind, simulator)

    number = provider.update(any_id(provider), {"voice": f"{kind}:{target}"})

    assert number.voice.key == f"{kind}:{target}"
    (entry,) = simulator.world.journal
    assert entry.after.keys() <= {"voice", "settings"}


@pytest.mark.parametrize("kind", [handler.kind for handler in MESSAGE_HANDLERS.values()])
def test_it_sends_a_message_handler_with_its_target(provider, simulator, kind):
    target = target_of(kind, simulator)

    number = provider.update(any_id(provider), {"messages": f"{kind}:{target}"})

    assert number.messages.key == f"{kind}:{target}"


def target_of(kind: str, simulator: Simulator) -> str:
    if kind == "application":
        return next(iter(simulator.world.account("signalwire").applications))
    return "https://calls.example/new" if kind in ("url", "relay_script") else UUID


@pytest.mark.parametrize("kind", FABRIC_KINDS)
def test_it_shows_what_only_call_fabric_sets_and_says_why_it_is_not_offered(provider, simulator, kind):
    number = held(simulator, lambda number: number.voice.startswith(f"{kind}:"))
    shown = provider.get(remote_id(provider, number))

    with pytest.raises(Unsupported, match="Call Fabric"):
        provider.update(shown.id, {"voice": f"{kind}:{UUID}"})

    assert shown.voice.key == number.voice
    assert len(simulator.world.journal) == 0


@pytest.mark.parametrize("edit", [{"voice": "url:"}, {"voice": ""}, {"messages": "application:"}])
def test_it_sends_no_route_without_a_target(provider, simulator, edit):
    number_id = any_id(provider)
    simulator.requests.clear()

    with pytest.raises(Unsupported):
        provider.update(number_id, edit)

    assert simulator.requests.by_status == {}


def test_it_clears_a_name_and_judges_by_reading_again(provider, simulator):
    named = remote_id(provider, held(simulator, lambda number: bool(number.alias)))

    assert provider.update(named, {"alias": ""}).alias == ""


def test_it_says_in_signalwires_words_why_an_edit_was_refused(provider):
    with pytest.raises(Rejected, match="Call laml application id does not exist") as refused:
        provider.update(any_id(provider), {"voice": f"application:{UUID}"})

    assert refused.value.status == 422


def test_it_reads_10dlc_from_the_registry(provider, simulator):
    words = {"registered": TenDlcStatus.REGISTERED, "in_progress": TenDlcStatus.IN_PROGRESS}
    expected = {
        f"+{number.digits}": (words.get(number.tendlc, TenDlcStatus.FAILED), number.campaign)
        for number in simulator.world.account("signalwire")
        if number.campaign
    }

    read = {
        each.e164: (each.tendlc.status, each.tendlc.campaign_id) for each in listed(provider) if each.tendlc.campaign_id
    }

    assert read == expected
    assert {each.provenance for each in (fact.tendlc for fact in provider.compliance().values())} == {
        Provenance.REPORTED
    }


def test_it_infers_from_the_registrys_silence_and_knows_nothing_without_it(open_with):
    with_scope, without = listed(open_with(SIGNALWIRE_TOKEN)), listed(open_with(SIGNALWIRE_NUMBERS_TOKEN))

    silent = [each for each in with_scope if each.tendlc.status is TenDlcStatus.UNREGISTERED]
    assert {each.tendlc.provenance for each in silent} == {Provenance.INFERRED}
    assert {each.tendlc.status for each in without} == {TenDlcStatus.UNKNOWN, TenDlcStatus.NOT_APPLICABLE}


def test_it_knows_no_compliance_without_the_scope(open_with):
    assert open_with(SIGNALWIRE_NUMBERS_TOKEN).compliance() == {}


def test_it_says_which_scope_the_applications_need(open_with):
    with pytest.raises(Unsupported, match="Voice, Messaging or Fax"):
        next(open_with(SIGNALWIRE_NUMBERS_TOKEN).list_applications())


def test_it_notes_the_scopes_it_missed(open_with):
    whole, narrow = open_with(SIGNALWIRE_TOKEN), open_with(SIGNALWIRE_NUMBERS_TOKEN)
    for provider in (whole, narrow):
        listed(provider)
        provider.compliance()

    assert (whole.missing_scopes, narrow.missing_scopes) == ([], [NO_REGISTRY])


def test_it_does_not_take_a_dead_token_for_a_missing_scope(provider, simulator):
    simulator.fault("revoked", times=0)

    with pytest.raises(Exception, match="refused the credentials"):
        next(provider.list_applications())

    assert simulator.requests.by_status == {401: 2}


def test_it_lists_the_applications_of_every_page(provider, simulator):
    applications = {each.id: each.name for each in provider.list_applications()}

    assert applications == {each.id: each.name for each in simulator.world.account("signalwire").applications.values()}


def test_it_walks_a_number_once_though_the_list_moves(provider, simulator):
    account = simulator.world.account("signalwire")
    simulator.fault("act", action=lambda world: world.remove(account, account.at(3).digits), path="phone_numbers")

    ids = [number.id for number in listed(provider)]

    assert len(set(ids)) == len(ids) == NUMBERS


def test_it_no_longer_finds_a_number_that_was_released(provider, simulator):
    number = listed(provider)[0]
    simulator.world.remove(simulator.world.account("signalwire"), number.e164[1:])

    with pytest.raises(NotFound):
        provider.get(number.id)


@pytest.mark.parametrize("value", [{}, {"data": []}, {"links": {}, "data": {}}, {"links": [], "data": []}, []])
def test_it_believes_no_page_without_rows_and_links(provider, simulator, value):
    simulator.fault("json_text", value=value, path="phone_numbers")

    with pytest.raises(MalformedResponse):
        listed(provider)


def test_it_warns_before_a_number_leaves_call_fabric():
    (effect,) = SignalWire.preview({"voice": "ai_agent:a-1"}, {"voice": "relay_topic:office"})

    assert effect.sentence == "AI agent a-1 can only be put back at SignalWire."


def test_it_warns_that_a_url_makes_a_resource_for_each_number():
    effects = SignalWire.preview({"messages": ""}, {"messages": "url:https://a.example", "alias": "x"})

    assert [(effect.field, "resource of its own" in effect.sentence) for effect in effects] == [("messages", True)]


def test_it_takes_no_scope_for_missing_that_is_refused_once(provider, open_with, simulator):
    before = listed(provider)
    simulator.fault("error", path="/registry/beta/brands", status=401)
    again = open_with(SIGNALWIRE_TOKEN)
    assert listed(again) == before
    assert again.missing_scopes == []


@pytest.mark.parametrize("name", ["MOST_ROWS", "MOST_ASSIGNED"])
def test_it_refuses_a_registry_that_does_not_end(provider, monkeypatch, name):
    monkeypatch.setattr(f"providers.signalwire.{name}", 0)
    with pytest.raises(MalformedResponse, match=r"did not end|more than 0 numbers"):
        provider.compliance()
