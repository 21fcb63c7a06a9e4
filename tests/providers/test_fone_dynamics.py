"""Fone Dynamics: what is its own. What every adapter owes is the contract suite's."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import NumberType, Route, Service, TenDlcStatus, TollFreeStatus
from providers.errors import MalformedResponse, NotFound, Rejected, Unsupported, WrongAccount
from providers.fone_dynamics import FoneDynamics
from providers.fone_dynamics_words import error_words, read_number, rows_of, total_of
from providers.registry import open_provider
from providers.simulator import FONE_DYNAMICS_ACCOUNT_SID, FONE_DYNAMICS_TOKEN, Simulator
from providers.simulator.fone_dynamics import number_row
from providers.simulator.numbers import Number
from tests.simulators import NUMBERS

Open = Callable[..., FoneDynamics]
ROW = {"Number": "+61255500001"}


@pytest.fixture
def open_with(simulator: Simulator) -> Iterator[Open]:
    opened: list[Any] = []

    def open_one(**credentials: str) -> FoneDynamics:
        signed_in = {"account_sid": FONE_DYNAMICS_ACCOUNT_SID, "token": FONE_DYNAMICS_TOKEN, **credentials}
        base_urls = {"api": f"{simulator.root}/fone_dynamics/api"}
        opened.append(open_provider("fone_dynamics", signed_in, base_urls=base_urls, sleep=lambda _: None))
        return opened[-1]

    yield open_one
    for provider in opened:
        provider.close()


@pytest.fixture
def provider(open_with: Open) -> FoneDynamics:
    return open_with()


def listed(provider: FoneDynamics) -> list[Any]:
    return [number for page in provider.list_numbers() for number in page.numbers]


def held(simulator: Simulator, fits: Callable[[Number], bool]) -> Number:
    return next(number for number in simulator.world.account("fone_dynamics") if fits(number))


def raw_rows(simulator: Simulator) -> list[dict[str, Any]]:
    account = simulator.world.account("fone_dynamics")
    return [number_row(number, account.id) for number in account]


def test_it_reads_every_number_as_the_world_holds_it(provider, simulator):
    expected = [
        (f"+{number.digits}", number.alias or "", number.number_type, number.voice, set(number.services.split()))
        for number in simulator.world.account("fone_dynamics")
    ]

    read = [(each.e164, each.alias, each.number_type, each.voice.key, set(each.services)) for each in listed(provider)]

    assert read == expected


def test_it_knows_every_field_the_simulator_shows(provider):
    assert [number.surprises for number in listed(provider)] == [()] * NUMBERS


def test_it_reads_every_parameter_of_the_reference():
    number = read_number(
        {
            "Number": "+61255500001",
            "PropertySid": "S1",
            "AccountSid": "A1",
            "Friendly": "Front desk",
            "RoutingMethod": "Endpoint",
            "EndpointNumber": "+61255500002",
            "Recording": "Call",
            "Attribution_Source": "google",
            "Attribution_Medium": "cpc",
            "Attribution_Campaign": "Spring",
            "Attribution_Content": "Banner",
            "Type": "Toll-Free",
            "Capabilities": "Voice, SMS,MMS",
            "CountryCode": "AU",
            "Region": "New South Wales",
            "City": "Sydney",
            "Status": "Pending",
        }
    )

    assert (number.id, number.alias, number.subaccount) == ("61255500001", "Front desk", "S1")
    assert (number.number_type, number.country) == (NumberType.TOLL_FREE, "AU")
    assert (number.region, number.city) == ("New South Wales", "Sydney")
    assert number.services == {Service.VOICE, Service.SMS, Service.MMS}
    assert (number.voice.key, number.provider_status) == ("endpoint:+61255500002", "pending")
    assert number.extras == {
        "recording": "Call",
        "attribution_source": "google",
        "attribution_medium": "cpc",
        "attribution_campaign": "Spring",
        "attribution_content": "Banner",
    }
    assert number.surprises == ()


@pytest.mark.parametrize("simulator", [{"numbers": 450}], indirect=True)
def test_it_skips_what_it_has_until_a_page_is_short(provider, simulator):
    pages = [(len(page.numbers), page.total) for page in provider.list_numbers()]

    assert pages == [(200, 450), (199, 450), (51, 450)]
    assert simulator.requests.by_status == {200: 3}


@pytest.mark.parametrize("simulator", [{"numbers": 399}], indirect=True)
def test_it_stops_at_a_page_without_news_when_the_last_one_was_full(provider):
    assert [len(page.numbers) for page in provider.list_numbers()] == [200, 199, 0]


@pytest.mark.parametrize("simulator", [{"numbers": 250}], indirect=True)
def test_it_goes_on_after_a_short_page_that_is_not_all(provider, simulator):
    short = {"Numbers": raw_rows(simulator)[:100], "TotalCount": 250}
    simulator.fault("json_text", value=short)

    assert len({number.id for number in listed(provider)}) == 250


@pytest.mark.parametrize("simulator", [{"numbers": 450}], indirect=True)
def test_it_notices_a_list_that_moved_between_two_pages(provider, simulator):
    account = simulator.world.account("fone_dynamics")
    simulator.fault("act", path="/Numbers", action=lambda world: world.remove(account, account.at(3).digits))

    assert [page.moved for page in provider.list_numbers()][:2] == [False, True]


@pytest.mark.parametrize("simulator", [{"numbers": 450}], indirect=True)
def test_it_does_not_go_round_in_circles(provider, simulator):
    simulator.fault("json_text", value={"Numbers": raw_rows(simulator)[:200]}, times=0)

    with pytest.raises(MalformedResponse, match="sent before"):
        listed(provider)


def test_it_lists_one_property_when_told_so(open_with, simulator):
    first = next(iter(simulator.world.account("fone_dynamics").subaccounts))

    numbers = listed(open_with(property_sid=first))

    assert {number.subaccount for number in numbers} == {first}
    assert len(numbers) < NUMBERS


def test_it_holds_a_number_of_another_property_for_gone(open_with, simulator):
    first, second = simulator.world.account("fone_dynamics").subaccounts
    other = held(simulator, lambda number: number.subaccount == second)

    with pytest.raises(NotFound):
        open_with(property_sid=first).get(other.digits)


def test_it_takes_a_row_that_names_no_property_for_no_proof_of_anything(open_with, simulator):
    account = simulator.world.account("fone_dynamics")
    first = next(iter(account.subaccounts))
    number = held(simulator, lambda number: number.subaccount == first)
    simulator.world.change(account, number.digits, subaccount="")

    with pytest.raises(MalformedResponse, match="in which property"):
        open_with(property_sid=first).get(number.digits)


def test_it_lists_properties_as_subaccounts(provider, simulator):
    found = {each.id: each.name for each in provider.list_subaccounts()}

    assert found == {each.id: each.name for each in simulator.world.account("fone_dynamics").subaccounts.values()}


@pytest.mark.parametrize("wrap", [lambda rows: {"Numbers": rows}, lambda rows: rows])
def test_it_takes_a_list_wrapped_or_bare(provider, simulator, wrap):
    simulator.fault("json_text", value=wrap(raw_rows(simulator)))

    assert len(listed(provider)) == NUMBERS


@pytest.mark.parametrize("wrap", [lambda row: {"Number": row}, lambda row: row, lambda row: [row]])
def test_it_takes_a_number_wrapped_bare_or_in_a_list(provider, simulator, wrap):
    row = raw_rows(simulator)[0]
    simulator.fault("json_text", value=wrap(row))

    assert provider.get(row["Number"].removeprefix("+")).e164 == row["Number"]


@pytest.mark.parametrize("body", ["ok", 5, None, [1], {"Numbers": ["x"]}, {"Number": [None]}])
def test_it_takes_nothing_else_for_rows(body):
    with pytest.raises(MalformedResponse):
        rows_of(body, "Numbers", "Number")


@pytest.mark.parametrize("value", [{}, {"Numbers": [{}]}, {"Message": "maintenance"}])
def test_it_believes_no_list_whose_rows_have_no_number(provider, simulator, value):
    simulator.fault("json_text", value=value)

    with pytest.raises(MalformedResponse):
        listed(provider)


def test_it_notices_another_number_than_the_one_asked_for(provider, simulator):
    row, other = raw_rows(simulator)[:2]
    simulator.fault("json_text", value={"Number": other})

    with pytest.raises(MalformedResponse, match="another number"):
        provider.get(row["Number"].removeprefix("+"))


def test_it_notices_the_numbers_of_another_account(provider, simulator):
    simulator.fault("wrong_account", times=0)

    with pytest.raises(WrongAccount):
        provider.whoami()
    with pytest.raises(WrongAccount):
        listed(provider)


def test_it_takes_a_400_with_the_right_code_for_gone(provider):
    with pytest.raises(NotFound) as gone:
        provider.get("61255500009")

    assert (gone.value.status, gone.value.words[:16]) == (400, "NUMBER_NOT_FOUND")


def test_it_takes_no_other_400_for_gone(provider, simulator):
    number = held(simulator, lambda number: number.services == "sms")

    with pytest.raises(Rejected, match="CONFLICTING_PARAMETERS") as refused:
        provider.update(number.digits, {"voice": "endpoint:+61255500002"})

    assert not isinstance(refused.value, NotFound)


def test_it_reads_the_code_the_message_and_the_fields_of_a_refusal():
    status = {"ErrorCode": "PARAMETER_REQUIRED", "Message": "Missing.", "Errors": [{"FieldName": "Flow"}]}

    assert error_words({"ResponseStatus": status}) == "PARAMETER_REQUIRED: Missing. (Flow)"
    assert error_words({"ResponseStatus": {"ErrorCode": "FORBIDDEN", "Errors": None}}) == "FORBIDDEN"
    assert error_words({"ResponseStatus": "no"}) == error_words([]) == ""


def test_it_edits_everything_it_declares_in_one_request(provider, simulator):
    number = held(simulator, lambda number: number.voice.startswith("endpoint:"))
    edit = {
        "alias": "Night desk",
        "voice": "endpoint:+61255500002",
        "recording": "Off" if number.settings["Recording"] == "Call" else "Call",
        "attribution_source": "bing",
        "attribution_medium": "",
        "attribution_campaign": "Autumn",
        "attribution_content": "Poster",
    }

    updated = provider.update(number.digits, edit)

    assert {name: updated.value(name) for name in edit} == edit
    assert edit.keys() == {each.name for each in provider.capabilities.edits}
    assert len(simulator.world.journal) == 1


@pytest.mark.parametrize("voice", ["endpoint:0255500002", "endpoint:", "flow:F1", "application:A1", ""])
def test_it_sends_calls_to_a_whole_number_only(provider, simulator, voice):
    with pytest.raises(Unsupported):
        provider.update("61255500001", {"voice": voice})

    assert simulator.requests.by_status == {}


def test_it_warns_before_a_number_leaves_its_flow():
    (effect,) = FoneDynamics.preview({"voice": "flow:F1"}, {"voice": "endpoint:+61255500002"})

    assert effect.sentence == "Flow F1 can only be put back in the portal."
    assert FoneDynamics.preview({"voice": "endpoint:+61255500001"}, {"voice": "endpoint:+61255500002"}) == ()


def test_it_shows_methods_it_cannot_set():
    flow = read_number({**ROW, "RoutingMethod": "Flow", "Flow": "F1", "EndpointNumber": "+61255500002"})
    unknown = read_number({**ROW, "RoutingMethod": "Voicemail"})

    assert (flow.voice.key, flow.shadowed_voice) == ("flow:F1", (Route(kind="endpoint", target="+61255500002"),))
    assert (unknown.voice.kind, unknown.surprises) == ("voicemail", ("RoutingMethod=Voicemail",))


def test_it_knows_nothing_of_10dlc():
    american = read_number({"Number": "+19075550123", "CountryCode": "US", "Type": "Local"})
    free = read_number({"Number": "+18335550123", "CountryCode": "US", "Type": "Toll-Free"})
    australian = read_number({**ROW, "Type": "Toll-Free"})

    nothing, unknown = TenDlcStatus.NOT_APPLICABLE, TenDlcStatus.UNKNOWN
    assert [each.tendlc.status for each in (american, free, australian)] == [unknown, nothing, nothing]
    assert [each.toll_free for each in (american, free, australian)] == [
        TollFreeStatus.NOT_APPLICABLE,
        TollFreeStatus.UNKNOWN,
        TollFreeStatus.NOT_APPLICABLE,
    ]


@pytest.mark.parametrize(("word", "meant"), [("enabled", "Call"), ("disabled", "Off"), ("OFF", "Off")])
def test_it_knows_both_vocabularies_of_recording(word, meant):
    assert read_number({**ROW, "Recording": word}).extras["recording"] == meant


def test_it_keeps_what_it_does_not_know():
    number = read_number({**ROW, "Type": "Satellite", "Capabilities": "Voice,Telex", "Recording": "Whisper", "Spin": 1})

    assert (number.number_type, number.extras["recording"]) == (NumberType.UNKNOWN, "Whisper")
    assert set(number.surprises) == {"Spin", "Type=Satellite", "Capabilities=Telex", "Recording=Whisper"}
    assert number.payload["Spin"] == 1


def spelled(word: str) -> st.SearchStrategy[str]:
    """The word in any case, with any separators and blanks around it."""
    letters = [st.sampled_from((letter.lower(), letter.upper())) for letter in word.replace("-", " ")]
    separators = st.sampled_from((" ", "_", "-", ""))
    blanks = st.sampled_from(("", " ", "\t"))
    inner = st.tuples(*letters).flatmap(lambda drawn: separators.map(lambda by: "".join(drawn).replace(" ", by)))
    return st.tuples(blanks, inner, blanks).map("".join)


@given(
    st.sampled_from(("Toll-Free", "Shared-Rate", "National", "Local")).flatmap(
        lambda word: st.tuples(st.just(word), spelled(word))
    )
)
def test_it_knows_a_type_however_it_is_spelled(drawn):
    word, written = drawn

    number = read_number({**ROW, "Type": written})

    assert (number.number_type, number.surprises) == (word.lower().replace("-", "_"), ())


@given(st.lists(st.sampled_from(("Voice", "SMS", "MMS")).flatmap(spelled)), st.sampled_from((",", ", ", " ,")))
def test_it_knows_capabilities_however_they_are_spelled(words, comma):
    number = read_number({**ROW, "Capabilities": comma.join(words)})

    assert number.services == {re.sub(r"\s", "", word).lower() for word in words}
    assert number.surprises == ()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("Friendly", "Type", "Capabilities", "RoutingMethod", "EndpointNumber", "Recording", "Status", "CountryCode")


@given(st.dictionaries(st.sampled_from(FIELDS), json))
def test_it_reads_whatever_stands_in_a_field(fields):
    number = read_number({**ROW, **fields})

    assert number.id == "61255500001"
    assert all(isinstance(surprise, str) for surprise in number.surprises)


@pytest.mark.parametrize("total", [True, -1, "45", 2**31, 10**30])
def test_it_believes_no_total_that_is_not_a_count(total):
    assert total_of({"TotalCount": total}) is None
