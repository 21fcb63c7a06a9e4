"""Writes docs/providers.md: what can be done at each provider, as the adapters declare it."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management import BaseCommand, CommandError

from dashboard.env import BASE_DIR
from phone_numbers.services.editing import title_of
from providers.contract import EditableField, Provider
from providers.registry import PROVIDERS

PATH = BASE_DIR / "docs" / "providers.md"
HEAD = """# What works at which provider

Made by `make matrix` from what the adapters declare; not edited by hand.
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
    return "\n".join([HEAD, *(section(provider) for provider in providers)])


def section(provider: type[Provider]) -> str:
    capabilities = provider.capabilities
    rate = f"{capabilities.rate.requests} in {capabilities.rate.seconds:g} s"
    facts = [
        ("Credentials", ", ".join(field.title for field in provider.credential_fields)),
        ("Numbers per page", str(capabilities.page_size)),
        ("Requests at most", rate),
        ("10DLC status", "asked for separately" if capabilities.compliance_is_separate else "on the number"),
    ]
    if capabilities.reclaim_days is not None:
        facts.append(("A released number can be had back for", f"{capabilities.reclaim_days} days"))
    editable = [(edit.title, "yes", limits(edit)) for edit in capabilities.edits]
    fixed = [(title_of(name), "no", reason) for name, reason in capabilities.why_not.items()]
    page = f"[How to connect it, and what to know](providers/{provider.kind.replace('_', '-')}.md)\n"
    tables = [table(("", ""), facts), table(("field", "can be edited", ""), [*editable, *fixed])]
    return "\n".join([f"## {provider.title}\n", page, *tables])


def limits(edit: EditableField) -> str:
    said = [
        f"to: {', '.join(edit.route_kinds)}" if edit.route_kinds else "",
        f"one of: {', '.join(edit.choices)}" if edit.choices else "",
        f"at most {edit.max_length} characters" if edit.max_length else "",
        "" if edit.clearable else "cannot be cleared",
        edit.note,
    ]
    return "; ".join(part for part in said if part)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
