"""Simulated providers as fixtures. Import what a conftest needs by name."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, Simulator

TODAY = dt.date(2026, 11, 2)
"""The simulated worlds' day, so that their renewal dates never depend on the day a test runs."""
NUMBERS = 45
"""Three of Plivo's pages, with every type, service and 10DLC state among them."""


@pytest.fixture
def simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A started simulator. Settings: `@pytest.mark.parametrize("simulator", [{"numbers": 1000}], indirect=True)`."""
    settings = {"numbers": NUMBERS, "today": TODAY, **getattr(request, "param", {})}
    with Simulator(**settings) as started:
        yield started


def simulator_of(numbers: int, **settings: Any) -> Any:
    """A module's own `simulator`: a world of so many numbers, and of the day the test runs."""

    @pytest.fixture
    def simulator() -> Iterator[Simulator]:
        with Simulator(numbers, **settings) as started:
            yield started

    return simulator


@pytest.fixture
def plivo_http(simulator: Simulator) -> Iterator[httpx.Client]:
    """A bare client signed in to the simulator's Plivo account; paths are relative to the account."""
    base_url = f"{simulator.root}/plivo/api/v1/Account/{PLIVO_AUTH_ID}/"
    with httpx.Client(base_url=base_url, auth=(PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN)) as client:
        yield client
