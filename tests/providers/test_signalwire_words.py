"""SignalWire's words: rows, handlers, assignments and refusals, in every spelling and with anything in any field."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import NumberType, Route, Service, TenDlcStatus, TollFreeStatus
from providers.errors import MalformedResponse
from providers.signalwire import SignalWire
from providers.signalwire_words import CALL_HANDLERS, MESSAGE_HANDLERS, read_application, read_assignment, read_number
from providers.status import default_words

ROW = {"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "number": "+14155550123"}
UUID = "0b6cbd27-4f0e-4c52-8d0f-1a2b3c4d5e6f"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "Bad Request"}, "Bad Request"),
        ({"errors": [{"detail": "Name is invalid", "status": "422", "title": "Invalid Attribute"}]}, "Name is invalid"),
        ({"errors": [{"type": "validation_error", "code": "missing", "message": "Gone", "attribute": "id"}]}, "Gone"),
        ({"errors": ["One", "Two"]}, "One; Two"),
        ({"code": "21422", "message": "Not yours", "more_info": "https://help.example", "status": 400}, "Not yours"),
    ],
)
def test_it_understands_every_shape_of_refusal(body, said):
    assert default_words(body) == said


def test_it_titles_every_kind_of_route():
    kinds = {handler.kind for handler in (*CALL_HANDLERS.values(), *MESSAGE_HANDLERS.values())}

    assert kinds == SignalWire.route_titles.keys()


def test_it_reads_a_row_of_nulls():
    nulls = dict.fromkeys(
        ("name", "capabilities", "number_type", "call_handler", "message_handler", "country_code", "created_at")
    )

    number = read_number({**ROW, **nulls})

    assert (number.alias, number.country, number.voice, number.surprises) == ("", "US", Route(), ())


@pytest.mark.parametrize("row", [{}, {**ROW, "id": None}, {**ROW, "id": 5}, {**ROW, "number": "4155550123"}])
def test_it_refuses_a_row_that_does_not_say_which_number_it_is(row):
    with pytest.raises(MalformedResponse):
        read_number(row)


def test_it_keeps_what_it_does_not_know():
    number = read_number(
        {**ROW, "call_handler": "hologram", "calling_handler_resource_id": UUID, "spin": 1, "capabilities": ["smell"]}
    )

    assert number.voice == Route(kind="hologram", target=UUID)
    assert set(number.surprises) == {"spin", "call_handler=hologram", "capabilities=smell"}
    assert number.payload["spin"] == 1


def test_it_shows_the_targets_that_are_not_in_force():
    number = read_number(
        {**ROW, "call_handler": "relay_topic", "call_relay_topic": "office", "call_request_url": "https://a.example"}
    )

    assert number.shadowed_voice == (Route(kind="url", target="https://a.example"),)


def test_it_takes_the_topic_of_a_relay_application_for_its_alias():
    number = read_number({**ROW, "message_handler": "relay_application", "message_relay_topic": "crm"})

    assert (number.messages.key, number.shadowed_messages) == ("relay_application:crm", ())


def test_it_asks_nothing_of_10dlc_for_toll_free_and_foreign_numbers():
    toll_free = read_number({**ROW, "number": "+18335550123", "number_type": "toll-free"})
    canadian = read_number({**ROW, "number": "+14165550123", "country_code": "CA"})

    assert [each.tendlc.status for each in (toll_free, canadian)] == [TenDlcStatus.NOT_APPLICABLE] * 2
    assert [each.toll_free for each in (toll_free, canadian)] == [TollFreeStatus.UNKNOWN, TollFreeStatus.NOT_APPLICABLE]


@pytest.mark.parametrize(
    ("state", "campaign", "status"),
    [
        ("pending", "active", TenDlcStatus.IN_PROGRESS),
        ("number_assignment_pending", "active", TenDlcStatus.IN_PROGRESS),
        ("complete", "active", TenDlcStatus.REGISTERED),
        ("Completed", "active", TenDlcStatus.REGISTERED),
        ("activated", "", TenDlcStatus.REGISTERED),
        ("failed", "active", TenDlcStatus.FAILED),
        ("completed", "inactive", TenDlcStatus.UNREGISTERED),
        ("completed", "campaign_deactivated", TenDlcStatus.UNREGISTERED),
        ("on_hold", "active", TenDlcStatus.UNKNOWN),
        (None, "active", TenDlcStatus.UNKNOWN),
    ],
)
def test_it_matches_the_states_of_an_assignment_loosely(state, campaign, status):
    number_id, tendlc = read_assignment({"state": state, "phone_number": {"id": UUID}}, {"id": "c", "state": campaign})

    assert (number_id, tendlc.status, tendlc.campaign_id) == (UUID, status, "c")


def spelled(word: str) -> st.SearchStrategy[str]:
    """The word in any case, with any separators and blanks around it."""
    letters = [st.sampled_from((letter, letter.upper())) for letter in re.sub(r"[_-]", " ", word)]
    separators = st.sampled_from((" ", "_", "-", ""))
    blanks = st.sampled_from(("", " ", "\t"))
    inner = st.tuples(*letters).flatmap(lambda drawn: separators.map(lambda by: "".join(drawn).replace(" ", by)))
    return st.tuples(blanks, inner, blanks).map("".join)


@given(st.sampled_from(sorted(CALL_HANDLERS)).flatmap(lambda name: st.tuples(st.just(name), spelled(name))))
def test_it_knows_a_handler_however_it_is_spelled(drawn):
    name, written = drawn
    handler = CALL_HANDLERS[name]

    number = read_number({**ROW, "call_handler": written, handler.target: "target"})

    assert (number.voice.kind, number.voice.target, number.surprises) == (handler.kind, "target", ())


@given(st.sampled_from(("toll-free", "tollfree")).flatmap(spelled), st.lists(spelled("fax"), max_size=3))
def test_it_knows_types_and_services_however_they_are_spelled(number_type, services):
    number = read_number({**ROW, "number_type": number_type, "capabilities": services})

    assert number.number_type is NumberType.TOLL_FREE
    assert number.services == ({Service.FAX} if services else set())
    assert number.surprises == ()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "name",
    "capabilities",
    "number_type",
    "call_handler",
    "call_request_url",
    "created_at",
    "e911_status",
    "cnam",
)


@given(st.dictionaries(st.sampled_from(FIELDS), json))
def test_it_reads_whatever_stands_in_a_field(fields):
    number = read_number({**ROW, **fields})

    assert number.id == ROW["id"]
    assert all(isinstance(surprise, str) for surprise in number.surprises)


def test_it_keeps_no_secret_of_an_application() -> None:
    row = {"sid": "0b6cbd27-4f0e-4c52-8d0f-1a2b3c4d5e6f", "friendly_name": "Desk", "auth_token": "s3cret"}
    assert "auth_token" not in read_application(row).payload
