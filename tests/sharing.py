"""How several processes share the tests (`pytest -n auto -p tests.sharing`): one by one, but for a few folders.

The tests of such a folder stay in one process, one after the other, and begin first: each of them fills a machine.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {"tests/dashboard": "product", "tests/chaos": "product", "tests/e2e": "browser"}


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return Sharing(config, log)


class Sharing(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        """Tests of one name stay together; those of the largest name begin."""
        return TOGETHER.get(nodeid.partition("::")[0].rpartition("/")[0], nodeid)
