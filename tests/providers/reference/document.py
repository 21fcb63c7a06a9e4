"""docs/reference-coverage.md, made of the tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.providers.reference import PAGES
from tests.providers.reference.item import Item, Page, Section

PATH = Path(__file__).parents[3] / "docs" / "reference-coverage.md"
HEAD = """# Where the fields of the references land

Made by `make matrix` from `tests/providers/reference`; a test compares every line with the code. Of each provider's
reference page of its numbers (as of November 2026) it names every field and parameter:

- **column**: a column of the cached number, which the list and the number's page show;
- **filter**: the parameter of the list's address that asks for the same;
- **edit**: the field an operator can change, as in [what works at which provider](providers.md);
- **setting**: one that only this provider has, shown on the number's page;
- **payload**: the row as the provider wrote it, untouched, on the number's page.
"""


def document() -> str:
    return "\n".join([HEAD, *map(written_page, PAGES)])


def written_page(page: Page) -> str:
    return "\n".join([f"## {page.title}\n", *map(written_section, page.sections)])


def written_section(section: Section) -> str:
    lines = [f"| `{item.name}` | {landing(item, in_payload=section.is_row)} |" for item in section.items]
    return "\n".join([f"### {section.title}\n", "| name | lands in |", "| --- | --- |", *lines, ""])


def landing(item: Item, *, in_payload: bool) -> str:
    if item.not_applicable:
        return f"not applicable: {item.not_applicable}"
    places = "; ".join(places_of(item, in_payload=in_payload))
    return f"{places} ({item.note})" if item.note else places


def places_of(item: Item, *, in_payload: bool) -> Iterator[str]:
    yield from named("column", item.columns)
    yield from named("filter", item.filters)
    yield from named("edit", [item.edit] if item.edit else [])
    yield from named("setting", [item.extra] if item.extra else [])
    if in_payload:
        yield f"payload as `{item.row_field}`" if item.row_field else "payload"


def named(kind: str, names: Sequence[str]) -> list[str]:
    return [f"{kind} {', '.join(f'`{name}`' for name in names)}"] if names else []
