from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks


def issues() -> set[str | None]:
    return {issue.id for issue in run_checks()}


def test_it_has_nothing_to_say_about_the_shipped_settings() -> None:
    assert issues() == set()


@pytest.mark.parametrize("key", ["", "not a key", "AAAA", "A" * 42])
def test_it_refuses_what_is_no_key(settings: Any, key: str) -> None:
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode(), key]
    assert issues() == {"dashboard.E001"}


def test_it_never_prints_a_key(settings: Any) -> None:
    settings.CREDENTIALS_KEYS = ["nearly-a-key"]
    assert "nearly-a-key" not in str(run_checks())


@pytest.mark.parametrize(("host", "expected"), [("0.0.0.0", {"dashboard.W001"}), ("localhost", set()), ("::1", set())])
def test_it_warns_of_a_demo_open_to_others(settings: Any, host: str, expected: set[str]) -> None:
    settings.DEMO, settings.HOST = True, host
    assert issues() == expected


def test_it_lets_others_in_without_the_demo(settings: Any) -> None:
    settings.DEMO, settings.HOST = False, "0.0.0.0"
    assert issues() == set()
