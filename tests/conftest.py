"""Fixtures for every test."""

import pytest

from tests import servers
from tests.simulators import http, simulator

__all__ = ["http", "simulator"]
from tests.simulators import plivo_http, simulator  # noqa: F401


@pytest.fixture(scope="session")
def redis_url() -> str:
    return servers.redis_url()


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    return servers.postgresql_url()
