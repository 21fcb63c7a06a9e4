"""Where histories are played: an account that was read once, and what happens between two pages of its list."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from phone_numbers.models import SyncRun
from phone_numbers.services import connections
from providers.contract import Page, Provider
from providers.registry import open_provider
from providers.simulator import Simulator
from providers.simulator.numbers import Number
from tests.chaos.sweeps import Clock, Stage
from tests.phone_numbers.jobs import sync
from tests.roles import make_user
from tests.simulators import TODAY

Pages = Generator[Page, None, None]
NUMBERS = 45


class Theatre:
    """What all histories of a test share: an account that was read once, and hooks between two pages of its list."""

    def __init__(self, simulator: Simulator, clock: Clock, monkeypatch: Any) -> None:
        self.simulator, self.clock = simulator, clock
        self.numbers: dict[str, Number] = {number.digits: number for number in simulator.world.account()}
        self.between: dict[int, list[Callable[[], object]]] = {}
        monkeypatch.setattr(connections, "open_provider", self.open_provider)
        self.stage = Stage(simulator, clock)
        self.user: User = make_user("operator")
        assert sync(self.stage.account).state == SyncRun.State.COMPLETE

    def open_provider(self, *args: Any, **kwargs: Any) -> Provider:
        provider = open_provider(*args, **{**kwargs, "sleep": lambda _: None})
        provider.list_numbers = self.listing(provider.list_numbers)  # type: ignore[method-assign]
        return provider

    def listing(self, list_numbers: Callable[[], Pages]) -> Callable[[], Pages]:
        """Steps are taken once, even where a step begins another listing."""

        def listed() -> Pages:
            with closing(list_numbers()) as pages:
                for rank, page in enumerate(pages):
                    yield page
                    for step in self.between.pop(rank, ()):
                        step()

        return listed

    def set_up(self) -> None:
        """The simulator as it was; the database is the machine's to put back."""
        self.stage.account.refresh_from_db()
        world, account = self.simulator.world, self.simulator.world.account()
        self.simulator.faults.clear()
        self.simulator.requests.clear()
        self.between.clear()
        self.clock.reset()
        there = {number.digits: number for number in account}
        for digits in there.keys() - self.numbers.keys():
            world.remove(account, digits)
        for digits, number in self.numbers.items():
            if digits not in there:
                world.add(account, digits)
            if digits not in there or there[digits].alias != number.alias:
                world.change(account, digits, alias=number.alias)


def theatre_of(kind: type[Theatre] = Theatre) -> Any:
    """A module's `theatre`."""

    @pytest.fixture
    def theatre(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
        with Simulator(numbers=NUMBERS, today=TODAY) as simulator:
            settings.SIMULATOR_URL = simulator.root
            settings.LEASE_SECONDS = 3_600  # A heartbeat cannot write while the test's own transaction is open.
            yield kind(simulator, Clock(monkeypatch), monkeypatch)

    return theatre
