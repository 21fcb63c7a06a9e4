"""Writes docs/providers.md: what can be done at each provider, as the adapters declare it."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management import BaseCommand, CommandError

from dashboard.env import BASE_DIR
from phone_numbers.services.provider_sheets import ProviderSheet, provider_sheet
from providers.contract import Provider
from providers.registry import PROVIDERS

PATH = BASE_DIR / "docs" / "providers.md"
HEAD = """# What works at which provider

Made by `make matrix` from what the adapters declare; not edited by hand. The dashboard shows the same on its page
"Providers".
"""


class Command(BaseCommand):
    help = "Write docs/providers.md, or with --check fail when it is not up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *, check: bool, **_: Any) -> None:
        document = matrix(PROVIDERS.values())
        if check and (not PATH.exists() or PATH.read_text() != document):
            raise CommandError("docs/providers.md is not up to date: run make matrix.")
        if not check:
            PATH.write_text(document)


def matrix(providers: Iterable[type[Provider]]) -> str:
    return "\n".join([HEAD, *(section(provider_sheet(provider)) for provider in providers)])


def section(sheet: ProviderSheet) -> str:
    page = f"[How to connect it, and what to know](providers/{sheet.kind.replace('_', '-')}.md)\n"
    rows = [(rule.title, as_word(rule.is_read), as_word(rule.is_edited), rule.sentence) for rule in sheet.rules]
    tables = [table(("", ""), sheet.facts), table(("field", "reported", "can be edited", ""), rows)]
    return "\n".join([f"## {sheet.title}\n", page, *tables])


def as_word(claim: bool) -> str:  # noqa: FBT001 - it is what is said
    return "yes" if claim else "no"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
