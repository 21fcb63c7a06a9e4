"""Plivo's words: every spelling seen, nothing lost, nothing guessed."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import (
    NOWHERE,
    NumberType,
    Provenance,
    Route,
    Service,
    TenDlc,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.errors import MalformedResponse, WrongAccount
from providers.plivo_words import KNOWN_FIELDS, READING, list_rows, own_names, read_number
from providers.reading import canonical, digest_of

ACCOUNT, OTHER_ACCOUNT = "MANORTHWIND00000000A", "MANORTHWIND00000000B"
NUMBER_PATH = f"/v1/Account/{ACCOUNT}/Number/"
APPLICATION = f"/v1/Account/{ACCOUNT}/Application/38201746500912345/"

LATEST = {
    "number": "12125550142",
    "alias": None,
    "sub_account": None,
    "added_on": "2024-03-09",
    "application": APPLICATION,
    "carrier": "Plivo",
    "region": "New York, UNITED STATES",
    "number_type": "local",
    "monthly_rental_rate": "0.50000",
    "renewal_date": "2026-12-09",
    "sms_enabled": True,
    "sms_rate": "0.00000",
    "mms_enabled": False,
    "mms_rate": "0.00000",
    "voice_enabled": True,
    "voice_rate": "0.00550",
    "cnam_lookup": "enabled",
    "cnam": "NORTHWIND",
    "resource_uri": f"{NUMBER_PATH}12125550142/",
    "tendlc_campaign_id": "CALERTS",
    "tendlc_registration_status": "COMPLETED",
    "toll_free_sms_verification": None,
    "profile_uuid": None,
    "caller_reputation_status": None,
}
LEGACY = {
    "number": "13125550177",
    "alias": "",
    "sub_account": None,
    "added_on": "2021-11-30",
    "application": APPLICATION.rstrip("/"),
    "carrier": "Plivo",
    "region": "Illinois, UNITED STATES",
    "number_type": "local",
    "monthly_rental_rate": "0.50000",
    "sms_enabled": True,
    "sms_rate": "0.00000",
    "voice_enabled": True,
    "voice_rate": "0.00850",
    "resource_uri": f"{NUMBER_PATH}13125550177/",
    "tendlc_campaign_Id": "marketing_north",
    "tendlc_registration_status": "COMPLETED",
    "toll_free_sms_verification": None,
}


def number(**fields: object) -> Any:
    return read_number({**LATEST, **fields}, ACCOUNT)


def toll_free(**fields: object) -> Any:
    words = {"number": "18335550100", "number_type": "tollfree", "tendlc_registration_status": None}
    return number(**{**words, **fields})


def test_it_reads_a_row_of_the_latest_page():
    read = number()
    assert (read.id, read.e164, read.alias, read.country) == ("12125550142", "+12125550142", "", "US")
    assert read.number_type == NumberType.LOCAL
    assert read.services == {Service.VOICE, Service.SMS}
    assert read.voice == read.messages == Route(kind="application", target="38201746500912345")
    assert read.tendlc == TenDlc(status=TenDlcStatus.REGISTERED, campaign_id="CALERTS")
    assert (read.monthly_rate, read.voice_rate, read.currency) == (Decimal("0.5"), Decimal("0.0055"), "USD")
    assert (read.added_on, read.renewal_date) == (dt.date(2024, 3, 9), dt.date(2026, 12, 9))
    assert (read.cnam, read.cnam_lookup, read.region) == ("NORTHWIND", "enabled", "New York, UNITED STATES")
    assert read.surprises == ()


def test_it_reads_a_row_of_the_legacy_page():
    read = read_number(LEGACY, ACCOUNT)
    assert read.tendlc == TenDlc(status=TenDlcStatus.REGISTERED, campaign_id="marketing_north")
    assert read.voice == Route(kind="application", target="38201746500912345")
    assert (read.mms_rate, read.renewal_date, read.alias) == (None, None, "")
    assert read.surprises == ()


@pytest.mark.parametrize("row", [LATEST, LEGACY, dict(reversed(LATEST.items()))])
def test_it_lists_what_it_reads(row):
    (listed,) = list_rows([row], ACCOUNT)
    assert (listed.id, listed.digest) == (read_number(row, ACCOUNT).id, read_number(row, ACCOUNT).digest)
    assert (listed.read(), listed.read().payload) == (read_number(row, ACCOUNT), row)


def test_it_tells_rows_apart_by_every_field():
    rows = [{**LATEST, name: "other"} for name in LATEST if name != "number"]
    digests = {row.digest for row in list_rows(rows, ACCOUNT)}
    assert len(digests) == len(LATEST) - 1


def test_it_counts_its_reading_up_when_it_reads_otherwise():
    """When only the second part differs: count `READING` up, so that rows that did not change are read anew."""
    readings = [replace(read_number(row, ACCOUNT), digest="") for row in (LATEST, LEGACY)]
    assert (READING, digest_of(canonical(readings))) == (b"plivo 1", "21214d12e84945ea2687cb2124823b")


@pytest.mark.parametrize("row", [LATEST, LEGACY])
def test_it_keeps_every_field_of_both_pages(row):
    assert read_number(row, ACCOUNT).payload == row
    assert own_names(row).keys() <= KNOWN_FIELDS


def spelled(word: str) -> st.SearchStrategy[str]:
    """The word in any letter case, its parts joined in any of the ways that were seen."""
    joined = st.sampled_from(["", "-", "_", " "]).map(lambda joint: word.replace("_", joint))
    return joined.flatmap(lambda text: st.tuples(*(st.sampled_from([c.lower(), c.upper()]) for c in text)).map("".join))


@given(spelled("toll_free"))
def test_it_knows_toll_free_however_it_is_spelled(word):
    assert number(number_type=word).number_type == NumberType.TOLL_FREE


@given(
    st.sampled_from(
        [
            ("unregistered", TenDlcStatus.UNREGISTERED),
            ("processing", TenDlcStatus.IN_PROGRESS),
            ("in_progress", TenDlcStatus.IN_PROGRESS),
            ("completed", TenDlcStatus.REGISTERED),
            ("registered", TenDlcStatus.REGISTERED),
            ("failed", TenDlcStatus.FAILED),
        ]
    ).flatmap(lambda pair: st.tuples(spelled(pair[0]), st.just(pair[1])))
)
def test_it_knows_10dlc_words_however_they_are_spelled(pair):
    assert number(tendlc_registration_status=pair[0]).tendlc.status == pair[1]


@given(st.sampled_from([None, "", "  "]))
def test_it_takes_nothing_for_unset_however_it_is_written(nothing):
    read = number(
        tendlc_registration_status=nothing, number_type=nothing, monthly_rental_rate=nothing, renewal_date=nothing
    )
    assert (read.tendlc.status, read.number_type) == (TenDlcStatus.UNKNOWN, NumberType.UNKNOWN)
    assert (read.monthly_rate, read.renewal_date) == (None, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted({*LATEST, "active", "city", "surprise"} - {"number"})), JSON))
def test_it_refuses_no_row_for_odd_values(fields):
    try:
        read = number(**fields)
    except WrongAccount:
        return
    assert read.id == "12125550142"
    assert isinstance(read.alias, str)


@pytest.mark.parametrize("digits", [None, "", "abc", 12125550142, "0123", "+", [], "1" * 16])
def test_it_refuses_a_row_without_a_number(digits):
    with pytest.raises(MalformedResponse):
        number(number=digits)


def test_it_takes_a_row_of_a_subaccount():
    assert number(resource_uri="/v1/Account/SAXXXXXXXXXXXXXXXXXX/Number/12125550142/").id == "12125550142"


def test_it_refuses_a_row_of_another_account():
    with pytest.raises(WrongAccount):
        number(resource_uri=f"/v1/Account/{OTHER_ACCOUNT}/Number/12125550142/")


@pytest.mark.parametrize(
    ("application", "route"),
    [
        (None, NOWHERE),
        ("", NOWHERE),
        ("/v1/Account/MA/Application/123/", Route(kind="application", target="123")),
        ("/v1/Account/MA/Application/123", Route(kind="application", target="123")),
        ("/v1/Account/MA/Zentrunk/Trunk/456/", Route(kind="trunk", target="456")),
        ("/v1/Account/MA/Zentrunk/Trunk/456", Route(kind="trunk", target="456")),
    ],
)
def test_it_tells_applications_from_trunks(application, route):
    assert number(application=application).voice == route


def test_it_routes_messages_by_the_application_only():
    assert number(application="/v1/Account/MA/Zentrunk/Trunk/456/").messages == NOWHERE
    assert number(sms_enabled=False).messages == NOWHERE
    assert number(sms_enabled=False, mms_enabled=True).messages.target == "38201746500912345"


@pytest.mark.parametrize("word", [None, "UNREGISTERED"])
def test_it_never_calls_toll_free_and_foreign_numbers_unregistered(word):
    for read in (
        toll_free(tendlc_registration_status=word),
        number(number="4930550011", tendlc_registration_status=word),
    ):
        assert (read.tendlc.status, read.tendlc.provenance) == (TenDlcStatus.NOT_APPLICABLE, Provenance.INFERRED)


def test_it_does_not_guess_the_registration_of_a_us_local_number():
    assert number(tendlc_registration_status=None).tendlc.status == TenDlcStatus.UNKNOWN
    assert number(tendlc_registration_status=None, sms_enabled=False).tendlc.status == TenDlcStatus.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("UNVERIFIED", TollFreeStatus.UNVERIFIED),
        ("PENDING_VERIFICATION", TollFreeStatus.PENDING),
        ("pending_verification", TollFreeStatus.PENDING),
        ("verified", TollFreeStatus.VERIFIED),
        ("REJECTED", TollFreeStatus.REJECTED),
        (None, TollFreeStatus.UNKNOWN),
        ("SOMETHING_NEW", TollFreeStatus.UNKNOWN),
    ],
)
def test_it_reads_the_verification_of_toll_free_numbers(word, status):
    assert toll_free(toll_free_sms_verification=word).toll_free == status
    assert number(toll_free_sms_verification=word).toll_free == TollFreeStatus.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, ""),
        ({"active": True}, "active"),
        ({"active": True, "compliance_status": "accepted"}, "active"),
        ({"active": False, "compliance_status": "pending"}, "inactive, compliance pending"),
        ({"compliance_status": "REJECTED"}, "compliance rejected"),
    ],
)
def test_it_says_how_a_number_stands(fields, status):
    assert number(**fields).provider_status == status


@pytest.mark.parametrize(
    ("digits", "country"), [("14165550100", "CA"), ("447781550100", "GG"), ("61255501234", "AU"), ("9999999", "")]
)
def test_it_derives_the_country_from_the_number(digits, country):
    assert number(number=digits, country="Elsewhere").country == country


def test_it_does_not_take_a_country_for_a_city():
    assert number(city="USA", country="United States").city == ""
    assert number(city="Chicago", country="United States").city == "Chicago"


def test_it_counts_what_it_does_not_know():
    read = number(
        brand_new=1, number_type="satellite", sms_rate="free", tendlc_registration_status="HALFWAY", added_on="soon"
    )
    assert read.surprises == (
        "added_on=soon",
        "brand_new",
        "number_type=satellite",
        "sms_rate=free",
        "tendlc_registration_status=HALFWAY",
    )
    assert (read.number_type, read.sms_rate, read.added_on) == (NumberType.UNKNOWN, None, None)


def test_it_drops_secrets_from_the_payload_at_any_depth():
    read = number(owner={"auth_token": "x", "name": "n", "more": [{"Password": "y"}]}, auth_token="z")
    assert read.payload["owner"] == {"name": "n", "more": [{}]}
    assert "auth_token" not in read.payload


def test_it_takes_no_absurd_rate_to_the_database():
    assert number(monthly_rental_rate="1e30").monthly_rate is None
    assert number(monthly_rental_rate=0.8).monthly_rate == Decimal("0.8")


@pytest.mark.parametrize("rate", ["1e999999999", "-1e999999999", "1e-999999999", "NaN", "sNaN"])
def test_it_reads_no_rate_that_nobody_pays(rate: str) -> None:
    assert read_number({**LATEST, "monthly_rental_rate": rate}, ACCOUNT).monthly_rate in (None, Decimal(rate))
