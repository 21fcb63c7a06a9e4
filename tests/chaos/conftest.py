"""Marks of the rows: `full` runs only in `make chaos`, `lane(2)` beside lane 1, `alone` when nothing else runs."""

from collections.abc import Iterator

import pytest

from tests.chaos.calls import Calls, watched
from tests.chaos.processes import broker, databases, install
from tests.chaos.rows import FULL

__all__ = ["broker", "databases", "install"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if FULL:
        return
    kept = [item for item in items if not item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("full")])
    items[:] = kept


@pytest.fixture(autouse=True)
def calls() -> Iterator[Calls]:
    """W11: every call at every simulator of every row. One that must not be made fails the row that made it."""
    with watched() as found:
        yield found
    found.write_down()
    assert not found.outside, f"W11: calls outside the allow-list: {found.outside}"
