"""What Twilio's "Update an IncomingPhoneNumber" accepts, as changes to a simulated number.

From the Twilio API reference and error dictionary (Nov 2026). Parameters that are missing change nothing, empty ones
clear, unknown ones are ignored. 20001 stands where the dictionary names no error of its own.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from providers.simulator.numbers import Number
from providers.simulator.world import Account

Form = Mapping[str, str]
Changes = dict[str, Any]


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: int = 0, message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def read_update(account: Account, number: Number, form: Form) -> Changes:
    settings = {**number.settings, **_settings(account, form)}
    voice = _voice(account, number, form)
    changes = {"voice": voice, "settings": settings, "alias": _name(form, number)}
    return {field: value for field, value in changes.items() if value != getattr(number, field)}


def _name(form: Form, number: Number) -> str | None:
    name = form.get("FriendlyName")
    if name is not None and not 1 <= len(name) <= 64:
        raise Refusal(400, 20002, "Invalid FriendlyName")
    return number.alias if name is None else name


def _voice(account: Account, number: Number, form: Form) -> str:
    """Setting the trunk deletes the application and the other way round; clearing one leaves the other."""
    voice = number.voice
    for kind, parameter, known in (
        ("application", "VoiceApplicationSid", account.applications),
        ("trunk", "TrunkSid", account.trunks),
    ):
        value = form.get(parameter)
        if value:
            _must_be(known, parameter, value)
            voice = f"{kind}:{value}"
        elif value == "" and voice.startswith(kind):
            voice = ""
    return voice


def _must_be(known: Mapping[str, object], parameter: str, sid: str) -> None:
    if sid not in known:
        code = 20001 if parameter == "TrunkSid" else 22108
        raise Refusal(400, code, f"{parameter} {sid} is not accessible")


def _settings(account: Account, form: Form) -> dict[str, str]:
    found = {}
    for parameter, (field, check) in SETTINGS.items():
        if (value := form.get(parameter)) is not None:
            if value and not check(account, value):
                raise Refusal(400, 20001, f"{parameter} is not valid")
            found[field] = value
    if application := form.get("SmsApplicationSid"):
        _must_be(account.applications, "SmsApplicationSid", application)
    return found


def _is_url(_: Account, value: str) -> bool:
    return re.fullmatch(r"https?://[^\s/]+\S*", value) is not None


def _among(*words: str) -> Callable[[Account, str], bool]:
    return lambda _, value: value in words


def _any(_: Account, __: str) -> bool:
    return True


_METHOD = _among("GET", "POST")
SETTINGS: Mapping[str, tuple[str, Callable[[Account, str], bool]]] = {
    "VoiceUrl": ("voice_url", _is_url),
    "VoiceMethod": ("voice_method", _METHOD),
    "VoiceFallbackUrl": ("voice_fallback_url", _is_url),
    "VoiceFallbackMethod": ("voice_fallback_method", _METHOD),
    "VoiceReceiveMode": ("voice_receive_mode", _among("voice", "fax")),
    "SmsApplicationSid": ("sms_application_sid", _any),
    "SmsUrl": ("sms_url", _is_url),
    "SmsMethod": ("sms_method", _METHOD),
    "SmsFallbackUrl": ("sms_fallback_url", _is_url),
    "SmsFallbackMethod": ("sms_fallback_method", _METHOD),
    "StatusCallback": ("status_callback", _is_url),
    "StatusCallbackMethod": ("status_callback_method", _METHOD),
}
