"""The Fone Dynamics accounts of a simulated world: credentials, properties, and what their numbers do.

Invented, seeded and plausible; nothing here opens anything real.
"""

import random
from collections.abc import Sequence

import msgspec

from providers.simulator.numbering import Area, Plan, Range
from providers.simulator.numbers import Draws, Number
from providers.simulator.world import Subaccount, World

ACCOUNT_SID = "A4NUMBERDESKDEMO0001"
TOKEN = "NumberdeskSimulatorDemoTokenNotASecret11"  # noqa: S105 it opens nothing but the simulator
OTHER_ACCOUNT_SID = "A4NUMBERDESKDEMO0002"
OTHER_TOKEN = "NumberdeskSimulatorDemoTokenNotASecret12"  # noqa: S105 it opens nothing but the simulator
OTHER_NUMBERS = 12
MOST_NUMBERS = 50_000
"""What the Australian ranges below hold for every account of a world."""


def _span(digits: int, *areas: Area) -> Range:
    return Range(areas, digits)


_LOCAL = _span(
    7,
    Area("6139", "Melbourne", "Victoria"),
    Area("6173", "Brisbane", "Queensland"),
    Area("6188", "Adelaide", "South Australia"),
)
_ALASKA = _span(4, Area("1907555", "Anchorage", "Alaska"))
_ALASKA_MORE = _span(6, Area("19072", "Anchorage", "Alaska"), Area("19073", "Juneau", "Alaska"))
_SMS = ("sms", "voice sms", "voice sms mms")

PLANS = (
    Plan("AU", "local", 5, (_LOCAL,), "2.00000", "0.00000", "0.01000", ("voice",)),
    Plan("AU", "mobile", 3, (_span(7, Area("6148")),), "3.00000", "0.01000", "0.00000", _SMS),
    Plan("AU", "toll_free", 2, (_span(6, Area("611800")),), "5.00000", "0.00000", "0.03000", ("voice",)),
    Plan("AU", "shared_rate", 2, (_span(6, Area("611300")),), "5.00000", "0.00000", "0.02000", ("voice",)),
    Plan("AU", "national", 1, (_span(5, Area("611471")),), "2.00000", "0.00000", "0.01000", ("voice",)),
    Plan("US", "local", 1, (_ALASKA, _ALASKA_MORE), "2.00000", "0.01000", "0.01000", ("voice sms", "voice")),
)
ROUTES = ("endpoint",) * 8 + ("flow", "flow", "application", "")
SOURCES = ("google", "facebook", "bing", "newsletter")
MEDIA = ("cpc", "organic", "email", "print")
CAMPAIGNS = ("Spring sale", "Brand", "Winter service")


def populate(world: World) -> None:
    properties = ("Northwind Plumbing", "Northwind Electrical")
    _add_account(world, ACCOUNT_SID, TOKEN, "Northwind Trades", world.size_of(ACCOUNT_SID, MOST_NUMBERS), properties)
    _add_account(
        world,
        OTHER_ACCOUNT_SID,
        OTHER_TOKEN,
        "Contoso Dental",
        world.size_of(OTHER_ACCOUNT_SID, OTHER_NUMBERS),
        ("Default",),
    )


def _add_account(world: World, account_sid: str, token: str, name: str, size: int, properties: Sequence[str]) -> None:
    chance = random.Random(f"{world.seed}:{account_sid}")  # noqa: S311 reproducible, not secret
    found = [
        Subaccount(id=f"S{account_sid[1:]}P{rank + 1}", name=title, token="") for rank, title in enumerate(properties)
    ]
    seed = chance.getrandbits(30)
    sids = [each.id for each in found]
    world.add_account(
        "fone_dynamics",
        account_sid,
        token,
        name=name,
        size=size,
        plans=PLANS,
        subaccounts={each.id: each for each in found},
        finish=lambda number: _dress(number, Draws(seed, number.position), sids),
    )


def _dress(number: Number, draws: Draws, properties: Sequence[str]) -> Number:
    """Every number belongs to a property, forwards its calls, and is credited to a campaign."""
    return msgspec.structs.replace(
        number,
        subaccount=draws.pick(properties),
        voice=_route(ROUTES[number.position % len(ROUTES)], draws) if "voice" in number.services else "",
        settings=_settings(number, draws),
    )


def _route(kind: str, draws: Draws) -> str:
    if kind == "endpoint":
        return f"endpoint:+61255501{draws.below(1000):03}"
    return f"{kind}:{kind[0].upper()}{draws.below(10**9):09}" if kind else ""


def _settings(number: Number, draws: Draws) -> dict[str, str]:
    settings = {"Recording": draws.pick(("Off", "Off", "Call"))} if "voice" in number.services else {}
    if draws.chance(70):
        settings["Attribution_Source"] = draws.pick(SOURCES)
        settings["Attribution_Medium"] = draws.pick(MEDIA)
    if draws.chance(40):
        settings["Attribution_Campaign"] = draws.pick(CAMPAIGNS)
        settings["Attribution_Content"] = f"Banner {draws.below(9) + 1}"
    return settings
