"""Fixtures for every test."""

from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connection

from tests import servers
from tests.simulators import plivo_http, simulator

__all__ = ["plivo_http", "simulator"]

hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")


@pytest.fixture(scope="session")
def redis_url() -> str:
    return servers.redis_url()


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    return servers.postgresql_url()


@pytest.fixture(autouse=True)
def history_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that commits ends with empty tables; on SQLite that is a DELETE, which history refuses.

    Emptying the tables puts the guard back in its place.
    """
    marker = request.node.get_closest_marker("django_db")
    commits = bool(marker and marker.kwargs.get("transaction"))
    if commits or {"transactional_db", "live_server"} & {*request.fixturenames}:
        request.getfixturevalue("transactional_db")
        yield
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                for table in ("numbers_event", "numbers_planevent"):
                    cursor.execute(f"DROP TRIGGER IF EXISTS {table}_undeleted")
    else:
        yield
