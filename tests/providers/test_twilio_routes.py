"""What is sent to Twilio for a route, and what an edit of a route is said to change besides."""

import pytest

from providers.errors import Unsupported
from providers.twilio import Twilio
from providers.twilio_routes import form
from providers.twilio_rows import MESSAGING_SERVICE

TK, AP, MG = (prefix + "a" * 32 for prefix in ("TK", "AP", "MG"))
OTHER_AP, OTHER_TK = "AP" + "b" * 32, "TK" + "b" * 32
URL = "https://a.example/hook"


@pytest.mark.parametrize(
    ("edit", "body"),
    [
        ({"alias": "Front desk"}, {"FriendlyName": "Front desk"}),
        ({"voice": f"application:{AP}"}, {"VoiceApplicationSid": AP}),
        ({"voice": f"trunk:{TK}"}, {"TrunkSid": TK}),
        ({"voice": f"url:{URL}?a=b:c"}, {"TrunkSid": "", "VoiceApplicationSid": "", "VoiceUrl": f"{URL}?a=b:c"}),
        ({"voice": ""}, {"TrunkSid": "", "VoiceApplicationSid": "", "VoiceUrl": ""}),
        ({"messages": f"application:{AP}"}, {"SmsApplicationSid": AP}),
        ({"messages": f"url:{URL}"}, {"SmsApplicationSid": "", "SmsUrl": URL}),
        ({"messages": ""}, {"SmsApplicationSid": "", "SmsUrl": ""}),
        ({"alias": "A", "messages": ""}, {"FriendlyName": "A", "SmsApplicationSid": "", "SmsUrl": ""}),
    ],
)
def test_it_sends_only_what_changes(edit, body):
    assert form(edit) == body


@pytest.mark.parametrize(
    "route", ["application:", f"application:{TK}", "trunk:", f"trunk:{AP}", "url:", "url:ftp://a.example", "url:x y"]
)
def test_it_refuses_a_target_that_is_none(route):
    with pytest.raises(Unsupported):
        form({"voice": route})


@pytest.mark.parametrize("edit", [{"alias": ""}, {"alias": "x" * 65}, {"messages": f"trunk:{TK}"}, {"e911": "active"}])
def test_it_declares_what_it_refuses(edit):
    with pytest.raises(Unsupported):
        Twilio.capabilities.check(edit)


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        (f"trunk:{TK}", f"application:{AP}",
         [f"Assigning an application takes the number off trunk {TK}. The number itself is kept."]),
        (f"application:{AP}", f"trunk:{TK}", [f"Assigning a trunk removes application {AP} from the number."]),
        (f"url:{URL}", f"trunk:{TK}", [f"The URL {URL} stays at Twilio, but is ignored while trunk {TK} is set."]),
        (f"url:{URL}", f"application:{AP}",
         [f"The URL {URL} stays at Twilio, but is ignored while application {AP} is set."]),
        (f"trunk:{TK}", f"url:{URL}",
         [f"Sending calls to a URL takes the number off trunk {TK}. The number itself is kept."]),
        (f"application:{AP}", f"url:{URL}", [f"Sending calls to a URL removes application {AP} from the number."]),
        (f"trunk:{TK}", "",
         [f"Sending calls nowhere takes the number off trunk {TK}. The number itself is kept.",
          "Anything else set for calls, ignored until now, is cleared as well."]),
        (f"trunk:{TK}", f"trunk:{OTHER_TK}", []),
        (f"application:{AP}", f"application:{OTHER_AP}", []),
        ("", f"url:{URL}", []),
        (f"trunk:{TK}", f"trunk:{TK}", []),
    ],
)  # fmt: skip
def test_it_says_what_else_an_edit_of_voice_changes(before, after, sentences):
    effects = Twilio.preview({"voice": before, "messages": ""}, {"voice": after})

    assert [(effect.field, effect.sentence) for effect in effects] == [("voice", sentence) for sentence in sentences]


def test_it_says_that_a_messaging_service_goes_before_the_number():
    (effect,) = Twilio.preview({"messages": f"{MESSAGING_SERVICE}:{MG}"}, {"messages": f"url:{URL}"})

    assert effect.sentence.startswith(f"Messaging Service {MG} handles this number's messages")
