"""Where a number goes, as its page tells it: what decides, where that leads, and what is wrong with it."""

import re

import pytest

from phone_numbers.models import NumberPayload
from tests.phone_numbers.jobs import demo_account, sync
from tests.phone_numbers.pages import words_in
from tests.phone_numbers.rows import make_account, make_application, make_number

SOUND = "https://a.example/"
TWILIO_RULE = "At Twilio a trunk goes before an application, and an application before a URL."


@pytest.fixture
def show(client, operator):
    client.force_login(operator)

    def words(number):
        text = client.get(f"/numbers/{number.pk}/").content.decode()
        return words_in(text.partition('id="routes"')[2].partition("</section>")[0])

    return words


@pytest.fixture
def plivo(db):
    return make_account()


def twilio_number(**payload):
    account = make_account("Twilio", provider="twilio")
    make_application(account, "TK1", "Field offices", kind="trunk")
    make_application(account, "AP1", "Old IVR", voice_url="https://ivr.example/")
    number = make_number(account, voice_kind="trunk", voice_target="TK1")
    NumberPayload.objects.filter(number=number).update(**payload)
    return number


def test_it_names_the_rule_and_strikes_through_what_is_ignored(show, db):
    shown = show(twilio_number(shadowed={"voice": ["application:AP1", "url:https://hooks.example/"]}))
    assert f"Decided by Trunk {TWILIO_RULE} Ignored: Application · Old IVR Ignored: URL · https://hooks.ex" in shown
    assert "Goes to Field offices TK1" in shown


def test_it_tells_the_fallback_of_an_application(show, plivo):
    make_application(
        plivo, voice_url="https://a.example/", fallback_url="https://b.example/", message_url="https://m.example"
    )
    shown = show(make_number(plivo, voice_kind="application", voice_target="111"))
    assert "Goes to Support IVR 111 https://a.example/ If that fails https://b.example/" in shown


def test_it_says_that_an_application_has_no_fallback(show, plivo):
    make_application(plivo, voice_url="https://a.example/")
    assert "If that fails No fallback" in show(make_number(plivo, voice_kind="application", voice_target="111"))


def test_it_finds_the_fallback_of_a_url_in_what_the_provider_sent(show, db):
    number = make_number(
        make_account("Twilio", provider="twilio"),
        voice_kind="url",
        voice_target="https://a.example/",
        message_kind="url",
        message_target="https://m.example/",
    )
    NumberPayload.objects.filter(number=number).update(
        body={"voice_fallback_url": "https://b.example/", "sms_fallback_url": None}
    )
    shown = show(number)
    assert "Goes to https://a.example/ If that fails https://b.example/" in shown
    assert "Goes to https://m.example/ If that fails No fallback" in shown


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (None, "Main lists no Application of this id. It may have been deleted, and then calls reach nothing."),
        (
            {"voice_url": "https://a.example/", "is_present": False},
            "“Support IVR” was gone when the account was last read.",
        ),
        (
            {"voice_url": "https://a.example/", "is_assignable": False, "why_not": "Disabled at Plivo."},
            "Disabled at Plivo.",
        ),
        ({"voice_url": ""}, "“Support IVR” has no address for calls."),
        ({"voice_url": "http://a.example/"}, "http://a.example is plain http"),
        ({"voice_url": SOUND, "fallback_url": "http://b.example/"}, "http://b.example is plain http"),
    ],
)
def test_it_says_plainly_what_is_wrong(show, plivo, columns, problem):
    if columns is not None:
        make_application(plivo, **columns)
    assert problem in show(make_number(plivo, voice_kind="application", voice_target="111"))


def test_it_has_nothing_to_say_where_all_is_well(show, plivo):
    make_application(plivo, voice_url="https://a.example/", message_url="https://a.example/")
    route = {"voice_kind": "application", "voice_target": "111", "message_kind": "application", "message_target": "111"}
    text = show(make_number(plivo, **route))
    assert not re.search("plain http|reach nothing|gone when|no address", text)


def test_it_says_that_calls_reach_nothing(show, plivo):
    assert "Goes to Nowhere No route is set: calls to this number" not in show(make_number(plivo, services="sms"))
    assert "No route is set: calls to this number reach nothing." in show(make_number(plivo, services="voice"))


def test_it_does_not_call_a_number_without_the_service_broken(show, plivo):
    shown = show(make_number(plivo, services="voice"))
    assert "A sender writes to" in shown
    assert "Not a service of this number" in shown
    assert "messages to this number reach nothing" not in shown


def test_it_says_what_the_provider_does_not_report(show, db):
    shown = show(make_number(make_account("Fone", provider="fone_dynamics"), services="voice sms"))
    assert "Not known Fone Dynamics does not report where messages go; they are set up in its portal." in shown
    assert "messages to this number reach nothing" not in shown


@pytest.mark.parametrize("provider", ["twilio", "signalwire", "fone_dynamics"])
def test_it_shows_every_number_of_every_provider(show, account, provider):
    other = demo_account(provider)
    sync(other)
    for number in other.numbers.all()[:20]:
        assert "A caller dials" in show(number)
