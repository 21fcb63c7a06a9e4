"""Live mode itself: it runs when credentials are in the environment, only reads, and is silent otherwise."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from providers.registry import PROVIDERS
from providers.simulator import Simulator
from tests.providers.test_contract import CREDENTIALS

ROOT = Path(__file__).parents[2]
TESTS = 8


def live(**variables: str) -> str:
    """What pytest says of the live tests with these variables and no others of their kind."""
    kept = {name: value for name, value in os.environ.items() if "TEST_" not in name}
    command = [sys.executable, "-m", "pytest", "tests/providers/test_live.py", "-p", "no:randomly"]
    done = subprocess.run(
        command, cwd=ROOT, env={**kept, **variables}, capture_output=True, text=True, timeout=100, check=False
    )
    return done.stdout


def variables(simulator: Simulator, kind: str) -> dict[str, str]:
    credentials = {f"{kind}_TEST_{name}".upper(): value for name, value in CREDENTIALS[kind].items()}
    return {**credentials, f"{kind}_TEST_ROOT".upper(): f"{simulator.root}/{kind}"}


def test_it_reads_the_accounts_whose_credentials_are_given_and_changes_nothing(simulator: Simulator) -> None:
    given = [variables(simulator, kind) for kind in PROVIDERS]
    said = live(**{name: value for each in given for name, value in each.items()})
    assert f"{TESTS * len(PROVIDERS)} passed" in said, said
    assert {request.method for request in simulator.requests.kept} == {"GET"}


def test_it_reads_only_the_account_whose_credentials_are_given(simulator: Simulator) -> None:
    said = live(**variables(simulator, "signalwire"))
    assert f"{TESTS} passed" in said, said
    assert {request.target.split("/")[1] for request in simulator.requests.kept} == {"signalwire"}


def test_it_fails_on_a_field_nobody_knows(simulator: Simulator) -> None:
    simulator.fault("extra_field", field="brand_new", times=0)
    said = live(**variables(simulator, "plivo"))
    assert re.search(r"FAILED .*test_it_knows_every_field_and_word_the_provider_uses\[plivo\]", said), said
    assert f"1 failed, {TESTS - 1} passed" in said


def test_it_names_the_credential_that_is_missing() -> None:
    assert "TWILIO_TEST_SECRET is not set." in live(TWILIO_TEST_ACCOUNT_SID="AC" + "1" * 32)


def test_it_skips_in_one_line_without_credentials() -> None:
    said = live()
    assert "1 skipped" in said
    assert said.count("SKIPPED") == 1


@pytest.mark.parametrize("kind", PROVIDERS)
def test_it_is_documented(kind: str) -> None:
    documented = (ROOT / "CONTRIBUTING.md").read_text()
    for field in PROVIDERS[kind].credential_fields:
        assert f"{kind}_TEST_{field.name}".upper() in documented
