"""What an installation fetches is decided by hash, from whatever index the machine is set up with."""

import re

import pytest

from tests.dashboard.processes import ROOT

LOCKS = ("requirements.txt", "requirements-dev.txt", "tests/judges/signalwire/requirements.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_host(name: str) -> None:
    assert not re.search(r"://|--\w*-?(index|find-links|trusted-host)|@ file", (ROOT / name).read_text())


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_a_hash_for_every_package(name: str) -> None:
    packages = re.findall(r"^[a-z0-9][^\n]*==(?:[^\n]*\\\n)*[^\n]*", (ROOT / name).read_text(), re.MULTILINE)
    assert len(packages) > 30
    assert all("--hash=sha256:" in package for package in packages)


def test_the_tests_run_what_the_dashboard_runs() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9][\w.-]*==[^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE))

    assert versions("requirements.txt") <= versions("requirements-dev.txt")
