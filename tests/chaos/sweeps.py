"""A simulated account that changes while it is read, its cache, and the judge who knows what the provider holds.

Nothing here looks at how a sync works: numbers and requests are compared before and after it.
"""

import datetime as dt
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from phone_numbers.models import Account, PhoneNumber, SyncRun
from providers.simulator import Simulator
from providers.simulator.world import Account as World
from tests.phone_numbers.jobs import LIST, ONE, make_account, sync

Presence = PhoneNumber.Presence
WORSE = {Presence.PRESENT: 0, Presence.UNCONFIRMED: 1, Presence.MISSING: 2, Presence.RELEASED: 3}
PAGE = 20


def minutes(count: float) -> dt.timedelta:
    return dt.timedelta(minutes=count)


class Clock:
    """Django's clock, put forward and back by the test; monotonic clocks and leases go on as ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = dt.timedelta()
        real = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: real() + self.offset)

    def move(self, by: dt.timedelta) -> None:
        self.offset += by

    def reset(self) -> None:
        self.offset = dt.timedelta()


@dataclass
class Schedule:
    """What happens to the list, by the page after which it does."""

    steps: dict[int, list[Callable[[], object]]] = field(default_factory=dict)

    def at(self, page: int, step: Callable[[], object]) -> None:
        self.steps.setdefault(page, []).append(step)


@dataclass
class Verdict:
    """One sweep as the judge sees it."""

    run: SyncRun
    wrong: list[str]
    """Numbers the provider held all the time, and that are believed less present than before."""
    hidden: list[str]
    """Numbers the provider holds and nobody would see: no row, or one that is not present."""
    lingering: list[str]
    """Numbers the provider does not hold and that are believed present."""
    asked: int
    """Requests for single numbers."""


class Stage:
    """One simulated Plivo account with its cache."""

    def __init__(self, simulator: Simulator, clock: Clock, **account: Any) -> None:
        self.simulator, self.clock = simulator, clock
        self.account: Account = make_account(**account)
        self.world: World = simulator.world.account()

    def presences(self) -> dict[str, str]:
        return dict(self.account.numbers.values_list("remote_id", "presence"))

    def held(self) -> set[str]:
        return {number.digits for number in self.world}

    def remove(self, digits: str) -> None:
        self.simulator.world.remove(self.world, digits)

    def add(self, digits: str = "") -> str:
        return self.simulator.world.add(self.world, digits)

    def sweep(self, schedule: Schedule | None = None) -> Verdict:
        """Sync while the schedule happens."""
        before, there = self.presences(), self.held()
        self.simulator.requests.clear()
        with self.moving(schedule):
            run = sync(self.account)
        after, held = self.presences(), self.held()
        stayed = there & held
        return Verdict(
            run=run,
            wrong=[one for one in stayed if WORSE[after.get(one, "present")] > WORSE[before.get(one, "present")]],
            hidden=[one for one in held if after.get(one) != Presence.PRESENT],
            lingering=[one for one, presence in after.items() if presence == Presence.PRESENT and one not in held],
            asked=self.asked(),
        )

    @contextmanager
    def moving(self, schedule: Schedule | None) -> Iterator[None]:
        """Each page of the list is answered, then what is scheduled for it happens."""
        pages = iter(range(10_000))

        def act(_: object) -> None:
            for step in (schedule.steps if schedule else {}).get(next(pages), ()):
                step()

        fault = self.simulator.fault("act", path=LIST, times=0, action=act)
        try:
            yield
        finally:
            self.simulator.faults.active.remove(fault)

    def asked(self) -> int:
        return sum(re.search(ONE, request.target) is not None for request in self.simulator.requests.kept)


class Movement:
    """Numbers that come and go between two pages, drawn."""

    def __init__(self, stage: Stage, chance: random.Random, *, anywhere: bool) -> None:
        self.stage, self.chance = stage, chance
        self.anywhere = anywhere
        """New numbers appear at any place of the list, not only at its end (or beginning)."""
        self.least = len(stage.world) * 95 // 100
        self.away: list[str] = []
        """Not in the account, with a place of their own in the list. No number comes back in the sweep it left in."""
        self.left: list[str] = []
        self.came: list[str] = []

    def schedule(self, changes: int) -> Schedule:
        self.away += self.left
        self.left, self.came = [], []
        schedule = Schedule()
        size = len(self.stage.world)
        while changes > 0:
            page, later = sorted(self.chance.sample(range(len(self.stage.world) // PAGE), 2))
            kind = self.chance.choice(("come", "go", "swap", "flicker") if changes > 1 else ("come", "go"))
            changes -= 1 if kind in ("come", "go") else 2
            if kind == "come" or (kind == "go" and size <= self.least):
                size += 1
                schedule.at(page, self.come)
            elif kind == "go":
                size -= 1
                schedule.at(page, self.go)
            elif kind == "flicker":
                self.flicker(schedule, page, later)
            else:
                schedule.at(page, self.go)
                schedule.at(self.chance.choice((page, later)), self.come)
        return schedule

    def go(self) -> None:
        digits = self.drawn()
        self.stage.remove(digits)
        self.left.append(digits)

    def come(self) -> None:
        back = self.anywhere and self.away
        self.came.append(self.stage.add(self.away.pop(0) if back else ""))

    def flicker(self, schedule: Schedule, page: int, later: int) -> None:
        """One leaves before its page may be read, and is back after it."""
        gone: list[str] = []

        def leave() -> None:
            gone.append(self.drawn())
            self.stage.remove(gone[0])

        schedule.at(page, leave)
        schedule.at(later, lambda: self.stage.add(gone[0]))

    def drawn(self) -> str:
        return self.stage.world.at(self.chance.randrange(len(self.stage.world))).digits
