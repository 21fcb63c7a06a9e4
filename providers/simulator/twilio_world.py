"""The Twilio accounts of a simulated world: credentials, trunks, TwiML applications, Messaging Services, and their use.

A main account, one of its subaccounts with credentials of its own, and a standard API key. Invented, seeded and
plausible; nothing here opens anything real.
"""

import hashlib
import random
from collections.abc import Iterable

import msgspec

from providers.simulator.numbers import APPLICATION_NAMES, Number
from providers.simulator.world import Application, Campaign, Trunk, World

ACCOUNT_SID = "AC" + "1".zfill(32)
AUTH_TOKEN = "NumberdeskSimulatorDemoTokenNotASecret05"  # noqa: S105 it opens nothing but the simulator
OTHER_ACCOUNT_SID = "AC" + "2".zfill(32)
OTHER_AUTH_TOKEN = "NumberdeskSimulatorDemoTokenNotASecret06"  # noqa: S105 as above
OTHER_NUMBERS = 12
KEY_SID = "SK" + "1".zfill(32)
KEY_SECRET = "NumberdeskSimulatorDemoKeyNotASecret0001"  # noqa: S105 as above; the main account's

CLOSED_ACCOUNT = ("AC" + "3".zfill(32), "Northwind Pilot (closed)")

DEFERRING = "Appointment reminders"
"""The Messaging Service that leaves incoming messages to the webhook of the number."""
_CAMPAIGNS = (
    ("Order updates", "DELIVERY_NOTIFICATION", "VERIFIED"),
    (DEFERRING, "CUSTOMER_CARE", "VERIFIED"),
    ("Sign-in codes", "2FA", "IN_PROGRESS"),
    ("Spring offers", "MARKETING", "FAILED"),
    ("Internal alerts", "", ""),
)
HOOKS = "https://hooks.northwind.example/twilio"


def new_sid(prefix: str, *parts: object) -> str:
    return prefix + hashlib.md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def populate(world: World) -> None:
    _add_account(world, ACCOUNT_SID, AUTH_TOKEN, "Northwind Field Services", world.size_of(ACCOUNT_SID))
    _add_account(
        world, OTHER_ACCOUNT_SID, OTHER_AUTH_TOKEN, "Northwind East", world.size_of(OTHER_ACCOUNT_SID, OTHER_NUMBERS)
    )


def _add_account(world: World, account_sid: str, token: str, name: str, size: int) -> None:
    chance = random.Random(f"{world.seed}:{account_sid}")  # noqa: S311 reproducible, not secret
    world.add_account(
        "twilio",
        account_sid,
        token,
        name=name,
        size=size,
        applications={application.id: application for application in _applications(chance)},
        trunks={trunk.id: trunk for trunk in _trunks(chance)},
        campaigns={campaign.id: campaign for campaign in _campaigns(chance)},
        finish=dress,
    )


def _applications(chance: random.Random) -> Iterable[Application]:
    for rank, name in enumerate(APPLICATION_NAMES):
        host = f"https://{name.partition('-')[0].lower().replace('_', '-')}.northwind.example"
        yield Application(
            id=new_sid("AP", chance.random()),
            name=name,
            voice_url=f"{host}/twiml/answer",
            message_url="" if rank % 3 == 2 else f"{host}/twiml/message",
            fallback_url="https://fallback.northwind.example/busy" if rank % 4 == 0 else "",
        )


def _trunks(chance: random.Random) -> Iterable[Trunk]:
    for name in ("Austin PBX", "Contact center", "Field offices"):
        domain = f"{name.lower().replace(' ', '-')}-northwind.pstn.twilio.com"
        yield Trunk(id=new_sid("TK", chance.random()), name=name, domain=domain)


def _campaigns(chance: random.Random) -> Iterable[Campaign]:
    """One Messaging Service each; the last one has no campaign. A number's `campaign` is the service it is in."""
    brand = new_sid("BN", chance.random())
    for name, usecase, status in _CAMPAIGNS:
        campaign_id = f"C{chance.getrandbits(24):06X}"
        yield Campaign(id=campaign_id, name=name, brand=brand, usecase=usecase, status=status)


def dress(number: Number) -> Number:
    """What a fresh number has at Twilio: URLs, many of them ignored because of a trunk or an application."""
    settings: dict[str, str] = {}
    kind, _, target = number.voice.partition(":")
    if (not kind and number.quirk % 5) or number.quirk % 3 == 0:
        settings["voice_url"] = f"{HOOKS}/voice"
        settings["voice_fallback_url"] = f"{HOOKS}/voice-fallback" if number.quirk % 2 else ""
    if "sms" in number.services:
        if kind == "application" and number.quirk % 2:
            settings["sms_application_sid"] = target
        if number.quirk % 4:
            settings["sms_url"] = f"{HOOKS}/messages"
    return msgspec.structs.replace(number, settings=settings)
