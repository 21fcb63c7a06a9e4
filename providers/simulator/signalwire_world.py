"""The SignalWire projects of a simulated world: credentials, applications, 10DLC campaigns, and what numbers do.

Invented, seeded and plausible; nothing here opens anything real.
"""

import datetime as dt
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from providers.simulator.numbering import PLANS
from providers.simulator.numbers import APPLICATION_NAMES, Draws, Number, next_renewal
from providers.simulator.world import Application, Campaign, World

SPACE = "northwind"
PROJECT_ID = "6f1d2c3b-0a4e-4d57-9b1c-5e2f00000001"
TOKEN = "PTNumberdeskSimulatorDemoTokenNotASecret01"  # noqa: S105 it opens nothing but the simulator
NUMBERS_TOKEN = "PTNumberdeskSimulatorNumbersScopeOnly01"  # noqa: S105 as above; its only scope is Numbers
OTHER_PROJECT_ID = "6f1d2c3b-0a4e-4d57-9b1c-5e2f00000002"
OTHER_TOKEN = "PTNumberdeskSimulatorDemoTokenNotASecret02"  # noqa: S105 as above
OTHER_NUMBERS = 20

ALL_SCOPES = frozenset(("numbers", "messaging", "calling", "fax"))
SCOPES = {TOKEN: ALL_SCOPES, NUMBERS_TOKEN: frozenset(("numbers",)), OTHER_TOKEN: ALL_SCOPES}
PROJECT_OF = {TOKEN: PROJECT_ID, NUMBERS_TOKEN: PROJECT_ID, OTHER_TOKEN: OTHER_PROJECT_ID}

FIRST_DAY = dt.datetime(2021, 1, 4, 9, 30, tzinfo=dt.UTC)
_SERVICES = ("voice sms mms fax",) * 4 + ("voice sms mms",) * 3 + ("voice fax", "voice", "sms mms")
NORTH_AMERICA = tuple(replace(plan, services=_SERVICES) for plan in PLANS if plan.country in ("US", "CA"))

_BUSY = """
application url relay_script application url relay_topic ai_agent relay_application call_flow relay_context application
relay_connector url relay_sip_endpoint fabric_subscriber relay_verto_endpoint sip_gateway dialogflow call_queue
video_room application relay_script url
"""
CALLS = (*_BUSY.split(), "")
"""What calls are used for, in turn: a project's first numbers show every handler."""
MESSAGES = ("application", "url", "relay_topic", "relay_application", "relay_context", "application", "")
TOPICS = ("office", "support", "dispatch")


def populate(world: World) -> None:
    _add_project(world, PROJECT_ID, TOKEN, "Northwind Field Services", world.size_of(PROJECT_ID))
    _add_project(world, OTHER_PROJECT_ID, OTHER_TOKEN, "Northwind Labs", world.size_of(OTHER_PROJECT_ID, OTHER_NUMBERS))


def _add_project(world: World, project_id: str, token: str, name: str, size: int) -> None:
    chance = random.Random(f"{world.seed}:{project_id}")  # noqa: S311 reproducible, not secret
    applications = list(_applications(chance))
    campaigns = list(_campaigns(chance))
    world.add_account(
        "signalwire",
        project_id,
        token,
        name=name,
        size=size,
        newest_first=True,
        plans=NORTH_AMERICA,
        applications={application.id: application for application in applications},
        campaigns={campaign.id: campaign for campaign in campaigns},
        finish=_Habits(
            chance.getrandbits(30), world.today, size, [application.id for application in applications]
        ).dress,
    )


def new_uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _applications(chance: random.Random) -> Iterable[Application]:
    for rank, name in enumerate(APPLICATION_NAMES):
        host = f"https://{name.partition('-')[0].lower().replace('_', '-')}.northwind.example"
        yield Application(
            id=new_uuid(chance),
            name=name,
            voice_url=f"{host}/cxml/answer",
            message_url="" if rank % 3 == 2 else f"{host}/cxml/message",
            fallback_url="https://fallback.northwind.example/busy" if rank % 4 == 0 else "",
        )


def _campaigns(chance: random.Random) -> Iterable[Campaign]:
    brands = [new_uuid(chance), new_uuid(chance)]
    kinds = (
        ("Order updates", "DELIVERY_NOTIFICATION", brands[0], "active"),
        ("Appointment reminders", "CUSTOMER_CARE", brands[0], "active"),
        ("Sign-in codes", "2FA", brands[1], "active"),
    )
    for name, usecase, brand, status in kinds:
        yield Campaign(id=new_uuid(chance), name=name, brand=brand, usecase=usecase, status=status)


class _Habits:
    """What the numbers of one project are used for. The listing is sorted by age, so age follows position."""

    def __init__(self, seed: int, today: dt.date, size: int, applications: Sequence[str]) -> None:
        self._seed = seed
        self._today = today
        self._applications = applications
        self._step = (dt.datetime.combine(today, dt.time(), dt.UTC) - FIRST_DAY) / (size + 10)

    def dress(self, number: Number) -> Number:
        draws = Draws(self._seed, number.position)
        added = FIRST_DAY + self._step * number.position
        calls = CALLS[number.position % len(CALLS)] if "voice" in number.services else ""
        messages = MESSAGES[number.position % len(MESSAGES)] if "sms" in number.services else ""
        return msgspec.structs.replace(
            number,
            voice=self._route(calls, draws, "voice"),
            messages=self._route(messages, draws, "message"),
            tendlc="failed" if number.tendlc == "in_progress" and number.quirk < 25 else number.tendlc,
            added_on=added.date(),
            renewal_date=next_renewal(added.date(), self._today),
            cnam=number.cnam and f"{number.cnam.upper()} FIELD",
            settings=self._settings(number, calls, added),
        )

    def _route(self, kind: str, draws: Draws, what: str) -> str:
        if not kind:
            return ""
        if kind == "application":
            return f"application:{draws.pick(self._applications)}"
        if kind in ("url", "relay_script"):
            return f"{kind}:https://calls.northwind.example/{what}/{draws.below(40)}"
        if kind in ("relay_topic", "relay_application", "relay_context", "relay_verto_endpoint"):
            return f"{kind}:{draws.pick(TOPICS)}"
        return f"{kind}:{uuid.UUID(int=draws.below(1 << 60) << 64 | draws.below(1 << 62), version=4)}"

    def _settings(self, number: Number, calls: str, added: dt.datetime) -> dict[str, str]:
        settings = {"created_at": _moment(added)}
        if calls == "url" and number.quirk % 2:
            settings["call_fallback_url"] = "https://fallback.northwind.example/busy"
        if "fax" in number.services and number.quirk < 15:
            settings["call_receive_mode"] = "fax"
        if number.country == "US" and number.number_type == "local" and number.quirk % 3 == 0:
            settings["e911_status"] = ("active", "active", "pending", "failed", "unregistered")[number.quirk % 5]
        return settings


def _moment(when: dt.datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
