"""Every provider has a page for operators that keeps up with what its adapter declares."""

from pathlib import Path

import pytest

from providers.registry import PROVIDERS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(params=PROVIDERS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def address(kind: str) -> str:
    return f"providers/{kind.replace('_', '-')}.md"


def test_it_names_every_credential_and_every_editable_field(kind: str) -> None:
    page = " ".join((DOCS / address(kind)).read_text().split())
    named = [*PROVIDERS[kind].credential_fields, *PROVIDERS[kind].capabilities.edits]
    assert [each.title for each in named if each.title not in page] == []


@pytest.mark.parametrize("index", ["README.md", "providers.md", "../README.md"])
def test_it_is_linked(kind: str, index: str) -> None:
    assert address(kind) in (DOCS / index).read_text()
