"""The documentation holds together, and with the code."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.dashboard.processes import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_it_links_to_what_exists(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text()) if "://" not in link]
    for path, _, anchor in (link.partition("#") for link in links):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_it_names_make_targets_that_exist(page: Path) -> None:
    assert set(re.findall(r"(?:`|^ {4})(?:\w+=\S+ )*make ([a-z]+)", page.read_text(), re.MULTILINE)) <= TARGETS


def test_a_decision_fits_on_a_page() -> None:
    assert [page.name for page in (ROOT / "docs" / "decisions").glob("*.md") if page.read_text().count("\n") > 40] == []


def test_what_works_at_which_provider_is_up_to_date() -> None:
    call_command("provider_matrix", check=True)
