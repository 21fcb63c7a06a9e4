"""Simulated providers as fixtures. Import what a conftest needs by name."""

import datetime as dt
from collections.abc import Iterator

import pytest

from providers.simulator import Simulator

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
