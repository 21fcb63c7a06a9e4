"""Marks of the rows: `full` runs only in `make chaos`, `lane(2)` beside lane 1, `alone` when nothing else runs."""

import pytest

from tests.chaos.processes import broker, databases, install
from tests.chaos.rows import FULL

__all__ = ["broker", "databases", "install"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if FULL:
        return
    kept = [item for item in items if not item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("full")])
    items[:] = kept
