"""One simulated number in words no provider uses, and how a fresh one comes to be.

Everything about an untouched number follows from its seed and its position, so it is made when looked at and forgotten
again. How a provider writes these facts down belongs to that provider's module.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import msgspec

from providers.simulator.numbering import Area, Numbering, Plan

_MASK = (1 << 64) - 1
FIRST_RENTAL = dt.date(2021, 1, 4)
RENTAL_DAYS = 2100


class Number(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number as it is. Routes read `application:<id>`, `trunk:<id>`, further kinds of the provider's, or ""."""

    position: int
    digits: str
    """E.164 without the plus sign."""
    country: str = "US"
    number_type: str = "local"
    city: str = ""
    region: str = ""
    alias: str | None = None
    subaccount: str = ""
    carrier: str = ""
    voice: str = ""
    messages: str = ""
    """Where messages go, at a provider that routes them apart from calls."""
    services: str = "voice"
    """A blank between words: voice, sms, mms, fax."""
    monthly_rate: str = "0.00000"
    sms_rate: str = "0.00000"
    mms_rate: str = "0.00000"
    voice_rate: str = "0.00000"
    added_on: dt.date = FIRST_RENTAL
    renewal_date: dt.date | None = None
    active: bool = True
    cnam: str | None = None
    cnam_lookup: str = ""
    tendlc: str = ""
    """unregistered, in_progress, registered; "" where 10DLC does not apply."""
    campaign: str = ""
    toll_free: str = ""
    """unverified, pending, verified; "" where the question does not arise."""
    compliance_application: str = ""
    profile: str = ""
    caller_reputation: str = ""
    settings: dict[str, Any] = {}
    """What only this provider has, by its own field names."""
    quirk: int = 0
    """0 to 99: which of the provider's inconsistent ways of writing this row shows."""


TEAMS = ("Support", "Sales", "Billing", "Dispatch", "Scheduling", "Claims", "Deliveries", "Front desk", "Recruiting")
STYLES = ("{team} – {city}", "{team} {city}", "{city} {team}", "{team} ({city})", "{team} line {number}", "{team}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an account's numbers can point at."""

    applications: Sequence[str]
    trunks: Sequence[str]
    subaccounts: Sequence[str]
    campaigns: Sequence[str]


class Draws:
    """Small reproducible random numbers for one position, far cheaper than a generator of one's own."""

    __slots__ = ("_left",)

    def __init__(self, seed: int, position: int) -> None:
        left = 0
        for salt in (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03):
            mixed = ((seed << 32) ^ (position + 1)) * salt & _MASK
            mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
            mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
            left = left << 64 | mixed ^ mixed >> 31
        self._left = left

    def below(self, limit: int) -> int:
        self._left, drawn = divmod(self._left, limit)
        return drawn

    def pick(self, choices: Sequence[str]) -> str:
        return choices[self.below(len(choices))] if choices else ""

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent


def make_number(numbering: Numbering, seed: int, position: int, around: Surroundings, today: dt.date) -> Number:
    plan, digits, area = numbering.at(position)
    draws = Draws(seed, position)
    services = draws.pick(plan.services)
    added_on = FIRST_RENTAL + dt.timedelta(days=draws.below(RENTAL_DAYS))
    us_local_sms = plan.country == "US" and plan.number_type == "local" and "sms" in services
    tendlc = draws.pick(_TENDLC) if us_local_sms else ""
    toll_free = draws.pick(_TOLL_FREE) if plan.number_type == "toll_free" and "sms" in services else ""
    active = plan.country in ("US", "CA") or not draws.chance(20)
    cnam_lookup = draws.pick(("enabled", "disabled", "disabled", "")) if plan.country == "US" else ""
    return Number(
        position=position,
        digits=digits,
        country=plan.country,
        number_type=plan.number_type,
        city=area.city,
        region=area.region,
        alias=_alias(draws, area, digits),
        subaccount=draws.pick(around.subaccounts) if draws.chance(15) else "",
        carrier="" if draws.chance(96) else "Northwind Telecom",
        voice=_route(draws, around),
        services=services,
        **_rates(plan, services),
        added_on=added_on,
        renewal_date=next_renewal(added_on, today),
        active=active,
        cnam="Northwind" if cnam_lookup == "enabled" and draws.chance(40) else None,
        cnam_lookup=cnam_lookup,
        tendlc=tendlc,
        campaign=draws.pick(around.campaigns) if tendlc in ("registered", "in_progress") else "",
        toll_free=toll_free,
        compliance_application="" if plan.country in ("US", "CA") else str(uuid.UUID(int=position << 64 | seed)),
        settings={},
        quirk=draws.below(100),
    )


_TENDLC = ("registered",) * 5 + ("in_progress", "unregistered", "unregistered", "unregistered")
_TOLL_FREE = ("verified", "verified", "pending", "unverified")


def _rates(plan: Plan, services: str) -> dict[str, str]:
    return {
        "monthly_rate": plan.monthly_rate,
        "sms_rate": plan.sms_rate if "sms" in services else "0.00000",
        "mms_rate": "0.01800" if "mms" in services else "0.00000",
        "voice_rate": plan.voice_rate if "voice" in services else "0.00000",
    }


def _route(draws: Draws, around: Surroundings) -> str:
    lot = draws.below(100)
    if lot < 14:
        return ""
    if lot < 24 and around.trunks:
        return f"trunk:{draws.pick(around.trunks)}"
    application = draws.pick(around.applications)
    return f"application:{application}" if application else ""


def _alias(draws: Draws, area: Area, digits: str) -> str | None:
    lot = draws.below(100)
    if lot < 12:
        return None if lot < 6 else ""
    city = area.city or "National"
    return draws.pick(STYLES).format(team=draws.pick(TEAMS), city=city, number=digits[-3:])


def next_renewal(added_on: dt.date, today: dt.date) -> dt.date:
    """The first monthly anniversary of the rental after today, never later in a month than the 28th."""
    day = min(added_on.day, 28)
    if today.day < day:
        return today.replace(day=day)
    return (today.replace(day=1) + dt.timedelta(days=32)).replace(day=day)


PURPOSES = ("IVR", "Queue", "Voicemail", "After-hours", "Reminders", "Notifications")
DEPARTMENTS = ("Support", "Sales", "Billing", "Field_Service")
APPLICATION_NAMES = tuple(f"{department}-{purpose}" for department, purpose in product(DEPARTMENTS, PURPOSES))
