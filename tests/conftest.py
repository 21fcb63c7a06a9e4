"""Fixtures for every test."""

import pytest

from tests import servers


@pytest.fixture(scope="session")
def redis_url() -> str:
    return servers.redis_url()


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    return servers.postgresql_url()
