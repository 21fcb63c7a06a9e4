"""Fixtures for every test."""

import pytest

from tests import servers
from tests.simulators import plivo_http, simulator

__all__ = ["plivo_http", "simulator"]


@pytest.fixture(scope="session")
def redis_url() -> str:
    return servers.redis_url()


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    return servers.postgresql_url()
