"""Which phone number stands at which position of a simulated account, both ways, without a list in memory.

Positions map one to one to valid numbers, so a million of them cost nothing until they are looked at. Ranges set aside
for fiction come first. Knows no provider and keeps no state.
"""

import random
from dataclasses import dataclass
from itertools import accumulate
from math import gcd
from typing import NamedTuple


class Area(NamedTuple):
    prefix: str
    city: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """Every number that starts with one of the areas' prefixes, followed by `digits` free digits."""

    areas: tuple[Area, ...]
    digits: int

    @property
    def size(self) -> int:
        return len(self.areas) * int(10**self.digits)


@dataclass(frozen=True, slots=True)
class Plan:
    """A country's numbers of one type, and what renting them is like (US dollars, as the providers write them)."""

    country: str
    number_type: str
    weight: int
    ranges: tuple[Range, ...]
    monthly_rate: str
    sms_rate: str
    voice_rate: str
    services: tuple[str, ...]
    """Service combinations to choose from, as often as they are listed."""


def _areas(lines: str) -> tuple[Area, ...]:
    """One area a line: prefix, city, region."""
    rows = (line.strip().partition(" ") for line in lines.strip().splitlines())
    return tuple(Area(prefix, *place.split(", ")) if place else Area(prefix) for prefix, _, place in rows)


US_AREAS = _areas("""
    1212 New York, New York
    1718 Brooklyn, New York
    1716 Buffalo, New York
    1213 Los Angeles, California
    1310 Santa Monica, California
    1415 San Francisco, California
    1510 Oakland, California
    1619 San Diego, California
    1916 Sacramento, California
    1312 Chicago, Illinois
    1512 Austin, Texas
    1214 Dallas, Texas
    1713 Houston, Texas
    1210 San Antonio, Texas
    1305 Miami, Florida
    1407 Orlando, Florida
    1813 Tampa, Florida
    1404 Atlanta, Georgia
    1617 Boston, Massachusetts
    1206 Seattle, Washington
    1503 Portland, Oregon
    1303 Denver, Colorado
    1602 Phoenix, Arizona
    1702 Las Vegas, Nevada
    1801 Salt Lake City, Utah
    1215 Philadelphia, Pennsylvania
    1412 Pittsburgh, Pennsylvania
    1313 Detroit, Michigan
    1216 Cleveland, Ohio
    1614 Columbus, Ohio
    1704 Charlotte, North Carolina
    1615 Nashville, Tennessee
    1612 Minneapolis, Minnesota
    1314 St. Louis, Missouri
    1504 New Orleans, Louisiana
    1202 Washington, District of Columbia
""")
CA_AREAS = _areas("""
    1416 Toronto, Ontario
    1613 Ottawa, Ontario
    1514 Montreal, Quebec
    1604 Vancouver, British Columbia
    1403 Calgary, Alberta
    1902 Halifax, Nova Scotia
""")
TOLL_FREE_AREAS = _areas("1800\n1833\n1844\n1855\n1866\n1877\n1888")
GB_AREAS = _areas("""
    442079460 London, England
    441614960 Manchester, England
    441314960 Edinburgh, Scotland
""")
AU_AREAS = _areas("""
    6125550 Sydney, New South Wales
    6135550 Melbourne, Victoria
    6175550 Brisbane, Queensland
""")
DE_AREAS = _areas("""
    493023125 Berlin, Berlin
    496990009 Frankfurt, Hesse
""")


def _one(line: str, digits: int) -> Range:
    return Range(_areas(line), digits)


def _exchanges(areas: tuple[Area, ...], exchanges: str) -> tuple[Area, ...]:
    return tuple(Area(area.prefix + digits, area.city, area.region) for area in areas for digits in exchanges.split())


def _north_american(areas: tuple[Area, ...]) -> tuple[Range, ...]:
    return Range(_exchanges(areas, "555"), 4), Range(_exchanges(areas, "2 3 4 6 7 8 9"), 6)


_US_LOCAL_SERVICES = ("voice sms mms",) * 7 + ("voice sms", "voice", "sms")
_NANP_SERVICES = ("voice sms mms", "voice sms", "voice")
_GB_NATIONAL = (_one("443069990", 3), _one("44330", 7))
_GB_LOCAL = (Range(GB_AREAS, 3), _one("44208 London, England", 7))
_AU_MOBILE = (_one("61491570", 3), _one("6141", 7))
_AU_LOCAL = (Range(AU_AREAS, 4), _one("6128 Sydney, New South Wales", 7))
_DE_FIXED = (Range(DE_AREAS, 3), _one("49301 Berlin, Berlin", 7))
_FR_LOCAL = (_one("3319900 Paris, Île-de-France", 4), _one("33170 Paris, Île-de-France", 6))

PLANS = (
    Plan("US", "local", 17, _north_american(US_AREAS), "0.50000", "0.00770", "0.00550", _US_LOCAL_SERVICES),
    Plan("US", "toll_free", 6, _north_american(TOLL_FREE_AREAS), "1.00000", "0.00770", "0.02100", _NANP_SERVICES),
    Plan("CA", "local", 4, _north_american(CA_AREAS), "0.80000", "0.00850", "0.00650", _NANP_SERVICES),
    Plan("GB", "mobile", 3, (_one("4473", 8),), "1.60000", "0.00300", "0.00000", ("sms", "voice sms")),
    Plan("GB", "national", 2, _GB_NATIONAL, "1.20000", "0.00000", "0.00850", ("voice",)),
    Plan("GB", "local", 1, _GB_LOCAL, "0.80000", "0.00000", "0.00550", ("voice",)),
    Plan("AU", "mobile", 2, _AU_MOBILE, "3.00000", "0.01000", "0.00000", ("sms", "voice sms", "voice sms mms")),
    Plan("AU", "local", 1, _AU_LOCAL, "2.00000", "0.00000", "0.01000", ("voice",)),
    Plan("DE", "fixed", 2, _DE_FIXED, "1.50000", "0.00000", "0.00850", ("voice",)),
    Plan("FR", "local", 1, _FR_LOCAL, "1.00000", "0.00000", "0.00850", ("voice",)),
    Plan("NL", "mobile", 1, (_one("3161", 7),), "4.00000", "0.01200", "0.00000", ("sms", "voice sms")),
)

COUNTRY_NAMES = {
    "US": "United States",
    "CA": "Canada",
    "GB": "United Kingdom",
    "AU": "Australia",
    "DE": "Germany",
    "FR": "France",
    "NL": "Netherlands",
}


class _Shuffle:
    """A fixed permutation of 0 … size-1 that can be undone."""

    def __init__(self, size: int, chance: random.Random) -> None:
        self.size = size
        self._step = next(step for step in iter(lambda: chance.randrange(1, size), 0) if gcd(step, size) == 1)
        self._start = chance.randrange(size)
        self._back = pow(self._step, -1, size)

    def __call__(self, position: int) -> int:
        return (position * self._step + self._start) % self.size

    def undo(self, position: int) -> int:
        return (position - self._start) * self._back % self.size


class _PlanNumbers:
    """The numbers of one plan in a reproducible order."""

    def __init__(self, plan: Plan, seed: int) -> None:
        chance = random.Random(f"{seed}:{plan.country}:{plan.number_type}")  # noqa: S311 reproducible, not secret
        self._ranges = [(span, _Shuffle(span.size, chance)) for span in plan.ranges]
        self._places = [{area.prefix: place for place, area in enumerate(span.areas)} for span in plan.ranges]
        self._starts = [0, *accumulate(span.size for span in plan.ranges)]

    def at(self, ordinal: int) -> tuple[str, Area]:
        for start, (span, shuffle) in zip(self._starts, self._ranges, strict=False):
            if ordinal - start < span.size:
                rest, area = divmod(shuffle(ordinal - start), len(span.areas))
                return f"{span.areas[area].prefix}{rest:0{span.digits}}", span.areas[area]
        raise IndexError(ordinal)

    def ordinal(self, digits: str) -> int | None:
        for start, (span, shuffle), places in zip(self._starts, self._ranges, self._places, strict=False):
            place = places.get(digits[: -span.digits])
            if place is not None:
                return start + shuffle.undo(int(digits[-span.digits :]) * len(span.areas) + place)
        return None


LANES = 16


class Numbering:
    """Position ↔ number for one seed. The first positions, as many as the plans weigh together, hold every plan.

    Accounts of one world take different lanes and so never share a number, whichever plans they hold.
    """

    def __init__(self, seed: int, lane: int = 0, plans: tuple[Plan, ...] = PLANS) -> None:
        self._lane = lane
        self._plans = plans
        self._round = [index for index, plan in enumerate(plans) for _ in range(plan.weight)]
        random.Random(seed).shuffle(self._round)  # noqa: S311 reproducible, not secret
        self._places = [[at for at, plan in enumerate(self._round) if plan == index] for index in range(len(plans))]
        self._rank = [self._round[:at].count(plan) for at, plan in enumerate(self._round)]
        self._numbers = [_PlanNumbers(plan, seed) for plan in plans]

    def at(self, position: int) -> tuple[Plan, str, Area]:
        turn, place = divmod(position, len(self._round))
        index = self._round[place]
        plan = self._plans[index]
        return plan, *self._numbers[index].at((turn * LANES + self._lane) * plan.weight + self._rank[place])

    def position(self, digits: str) -> int | None:
        """Where a number stands, or None when it stands nowhere."""
        if not (digits.isascii() and digits.isdigit()):
            return None
        for index, numbers in enumerate(self._numbers):
            ordinal = numbers.ordinal(digits)
            if ordinal is not None:
                turn, rank = divmod(ordinal, self._plans[index].weight)
                if turn % LANES != self._lane:
                    return None
                return turn // LANES * len(self._round) + self._places[index][rank]
        return None
