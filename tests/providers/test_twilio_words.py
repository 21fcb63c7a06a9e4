"""Twilio's words and rows: every spelling, what is in force and what is ignored, what registrations follow."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import (
    NOWHERE,
    NumberType,
    Provenance,
    RemoteNumber,
    Route,
    Service,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.errors import MalformedResponse, WrongAccount
from providers.twilio_rows import MESSAGING_SERVICE, Around, MessagingService, read_number
from providers.twilio_words import (
    CAMPAIGN_STATUSES,
    NUMBER_TYPES,
    member_tendlc,
    read_campaigns,
    read_date,
    read_number_type,
    read_services,
    read_verifications,
)

AC, PN, TK, AP, MG = (prefix + "a" * 32 for prefix in ("AC", "PN", "TK", "AP", "MG"))
URL = "https://a.example/hook"
MINIMAL = {"sid": PN, "phone_number": "+14155550100"}
TEXTS = {**MINIMAL, "capabilities": {"sms": True}, "trunk_sid": ""}
UNSET = st.sampled_from(["", None])


def read(row: dict[str, object], **around: object) -> RemoteNumber:
    return read_number({**MINIMAL, **row}, AC, Around(**around))


@given(
    word=st.sampled_from(sorted(NUMBER_TYPES)),
    between=st.sampled_from(["", " ", "-", "_"]),
    at=st.integers(min_value=1, max_value=5),
    shape=st.sampled_from([str.lower, str.upper, str.title]),
)
def test_it_reads_a_type_however_it_is_spelled(word, between, at, shape):
    assert read_number_type(shape(word[:at] + between + word[at:]), "+14155550100") == NUMBER_TYPES[word]


@pytest.mark.parametrize(
    ("number", "number_type"),
    [
        ("+14155550100", NumberType.LOCAL),
        ("+18005550100", NumberType.TOLL_FREE),
        ("+447300555010", NumberType.MOBILE),
        ("+443306990000", NumberType.NATIONAL),
        ("+493023125000", NumberType.LOCAL),
        ("+99900000", NumberType.UNKNOWN),
    ],
)
def test_it_tells_the_type_from_the_number_when_twilio_does_not(number, number_type):
    assert read({"phone_number": number}).number_type == number_type


@given(
    offered=st.dictionaries(st.sampled_from(list(Service)), st.booleans()),
    shape=st.sampled_from([str.lower, str.upper, str.title]),
    written=st.sampled_from([lambda flag: flag, lambda flag: str(flag).lower()]),
)
def test_it_reads_capabilities_in_every_shape(offered, shape, written):
    wanted = {service for service, flag in offered.items() if flag}

    assert read_services({shape(name): written(flag) for name, flag in offered.items()}) == wanted
    assert read_services([shape(name) for name in wanted]) == wanted


@given(st.one_of(st.none(), st.text(), st.integers(), st.lists(st.integers()), st.dictionaries(st.text(), st.none())))
def test_it_survives_capabilities_that_are_none(nonsense):
    assert read_services(nonsense) <= set(Service)


@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_it_reads_both_ways_of_writing_dates(day):
    moment = dt.datetime.combine(day, dt.time(23, 19, 4), dt.UTC)

    assert read_date(moment.strftime("%Y-%m-%dT%H:%M:%SZ")) == day
    assert read_date(moment.strftime("%a, %d %b %Y %H:%M:%S +0000")) == day


@given(st.one_of(st.none(), st.text(), st.integers()))
def test_it_survives_dates_that_are_none(nonsense):
    assert read_date(nonsense) is None or isinstance(read_date(nonsense), dt.date)


def test_it_survives_a_time_zone_that_is_none():
    assert read_date(f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}") is None


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            (
                "friendly_name",
                "trunk_sid",
                "voice_application_sid",
                "voice_url",
                "sms_application_sid",
                "sms_url",
                "type",
            ),
            UNSET,
        ),
    )
)
def test_it_takes_empty_null_and_missing_for_the_same(row):
    number = read(row)

    assert (number.alias, number.voice, number.messages) == ("", NOWHERE, NOWHERE)
    assert (number.shadowed_voice, number.shadowed_messages) == ((), ())
    assert number.surprises == ()


@given(
    st.dictionaries(
        st.text(min_size=1), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()))
    )
)
def test_it_reads_a_row_whatever_else_is_in_it(row):
    number = read({**row, **MINIMAL, "account_sid": AC})

    assert (number.id, number.e164) == (PN, "+14155550100")
    assert number.payload.keys() >= {name for name in row if not name.lower().endswith(("token", "secret", "password"))}


@pytest.mark.parametrize(
    ("row", "surprise"),
    [
        ({"shoe_size": 44}, "shoe_size"),
        ({"type": "satellite"}, "type=satellite"),
        ({"origin": "martian"}, "origin=martian"),
        ({"capabilities": {"voice": True, "smell": True}}, "capabilities=smell"),
        ({"voice_receive_mode": "telex"}, "voice_receive_mode=telex"),
    ],
)
def test_it_reports_what_it_does_not_know(row, surprise):
    assert read(row).surprises == (surprise,)


def test_it_reports_what_it_does_not_know_of_the_trunk_row():
    assert read({}, trunk_rows={PN: {"sid": PN, "shoe_size": 44}}).surprises == ("trunk_phone_number.shoe_size",)


@pytest.mark.parametrize("row", [{"sid": None}, {"sid": ""}, {"phone_number": None}, {"phone_number": "4155550100"}])
def test_it_refuses_a_row_without_an_id_or_a_number(row):
    with pytest.raises(MalformedResponse):
        read(row)


def test_it_refuses_a_number_of_another_account():
    with pytest.raises(WrongAccount):
        read({"account_sid": "AC" + "b" * 32})


def test_it_keeps_no_secret_of_a_row():
    assert "auth_token" not in read({"auth_token": "1234"}).payload


TRUNK, APPLICATION = Route(kind="trunk", target=TK), Route(kind="application", target=AP)
VOICE_URL = Route(kind="url", target=URL)


@pytest.mark.parametrize(
    ("row", "voice", "shadowed"),
    [
        ({}, NOWHERE, ()),
        ({"voice_url": URL}, VOICE_URL, ()),
        ({"voice_url": URL, "voice_fallback_url": "https://b.example"},
         Route(kind="url", target=URL, fallback="https://b.example"), ()),
        ({"voice_application_sid": AP, "voice_url": URL}, APPLICATION, (VOICE_URL,)),
        ({"trunk_sid": TK, "voice_url": URL}, TRUNK, (VOICE_URL,)),
        ({"trunk_sid": TK, "voice_application_sid": AP, "voice_url": URL}, TRUNK, (APPLICATION, VOICE_URL)),
    ],
)  # fmt: skip
def test_it_puts_trunk_over_application_over_url(row, voice, shadowed):
    number = read(row)

    assert (number.voice, number.shadowed_voice) == (voice, shadowed)


@pytest.mark.parametrize(
    ("row", "defers", "messages", "shadowed"),
    [
        ({"sms_application_sid": AP, "sms_url": URL}, None, APPLICATION, (VOICE_URL,)),
        ({"sms_url": URL}, False, Route(kind=MESSAGING_SERVICE, target=MG), (VOICE_URL,)),
        ({}, False, Route(kind=MESSAGING_SERVICE, target=MG), ()),
        ({"sms_url": URL}, True, VOICE_URL, (Route(kind=MESSAGING_SERVICE, target=MG),)),
        ({}, True, NOWHERE, (Route(kind=MESSAGING_SERVICE, target=MG),)),
    ],
)
def test_it_puts_the_messaging_service_over_the_number_unless_it_defers(row, defers, messages, shadowed):
    memberships = {} if defers is None else {PN: MessagingService(sid=MG, defers=defers)}

    number = read({**TEXTS, **row}, memberships=memberships)

    assert (number.messages, number.shadowed_messages) == (messages, shadowed)


def test_it_learns_the_trunk_from_trunking_when_the_number_does_not_say():
    assert read({}, trunk_rows={PN: {"sid": PN, "trunk_sid": TK}}).voice == TRUNK


def test_it_believes_the_number_over_the_trunk():
    assert read({"trunk_sid": None}, trunk_rows={PN: {"sid": PN, "trunk_sid": TK}}).voice == NOWHERE


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([], TenDlcStatus.UNREGISTERED),
        ([{"campaign_status": "VERIFIED", "mock": True}], TenDlcStatus.UNREGISTERED),
        ([{"campaign_status": "IN_PROGRESS"}], TenDlcStatus.IN_PROGRESS),
        ([{"campaign_status": "pending"}], TenDlcStatus.IN_PROGRESS),
        ([{"campaign_status": "FAILED"}, {"campaign_status": "VERIFIED"}], TenDlcStatus.REGISTERED),
        ([{"campaign_status": "SUSPENDED"}], TenDlcStatus.FAILED),
        ([{"campaign_status": "ON_VACATION"}], TenDlcStatus.UNKNOWN),
        ([{}], TenDlcStatus.UNKNOWN),
    ],
)
def test_it_infers_10dlc_from_the_campaigns_of_a_service(rows, status):
    campaign = read_campaigns(rows)

    assert (campaign.status, campaign.provenance) == (status, Provenance.INFERRED)


@given(st.lists(st.sampled_from([*CAMPAIGN_STATUSES, "new word"]), min_size=1))
def test_it_needs_one_verified_campaign_to_call_a_number_registered(words):
    campaign = read_campaigns({"campaign_status": word} for word in words)

    assert (campaign.status == TenDlcStatus.REGISTERED) == ("verified" in words)


@pytest.mark.parametrize(
    ("number", "words", "status"),
    [
        ("+14155550100", ["SMS"], TenDlcStatus.REGISTERED),
        ("+14165550100", ["SMS"], TenDlcStatus.REGISTERED),
        ("+18005550100", ["SMS"], TenDlcStatus.NOT_APPLICABLE),
        ("+447300555010", ["SMS"], TenDlcStatus.NOT_APPLICABLE),
        ("+14155550100", ["Voice"], TenDlcStatus.NOT_APPLICABLE),
    ],
)
def test_it_registers_the_north_american_local_numbers_of_a_campaign(number, words, status):
    campaign = read_campaigns([{"campaign_status": "VERIFIED", "campaign_id": "C1"}])

    assert member_tendlc({"phone_number": number, "capabilities": words}, campaign).status == status


def test_it_asks_no_campaign_of_a_canadian_number():
    member = {"phone_number": "+14165550100", "capabilities": ["SMS"]}

    assert member_tendlc(member, read_campaigns([])).status == TenDlcStatus.NOT_APPLICABLE


def test_it_goes_by_the_latest_verification():
    rows = [
        {"tollfree_phone_number_sid": PN, "status": "TWILIO_APPROVED", "date_updated": "2026-05-01T00:00:00Z"},
        {"tollfree_phone_number_sid": PN, "status": "TWILIO_REJECTED", "date_updated": "2026-01-01T00:00:00Z"},
    ]

    assert read_verifications(rows) == {PN: TollFreeStatus.VERIFIED}


@pytest.mark.parametrize(
    ("row", "memberships", "status"),
    [
        (TEXTS, {}, TenDlcStatus.UNREGISTERED),
        (TEXTS, None, TenDlcStatus.UNKNOWN),
        ({**TEXTS, "capabilities": {"voice": True}}, {}, TenDlcStatus.NOT_APPLICABLE),
        ({**TEXTS, "phone_number": "+18005550100"}, {}, TenDlcStatus.NOT_APPLICABLE),
        ({**TEXTS, "phone_number": "+447300555010"}, None, TenDlcStatus.NOT_APPLICABLE),
    ],
)
def test_it_never_calls_a_number_unregistered_that_it_could_not_look_up(row, memberships, status):
    assert read(row, memberships=memberships).tendlc.status == status


def test_it_leaves_a_member_to_its_campaign():
    assert read(TEXTS, memberships={PN: MessagingService(sid=MG, defers=False)}).tendlc is None
