"""Every field and parameter of the providers' reference pages lands where the table says, or has a reason not to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from phone_numbers.filters.query import READERS
from phone_numbers.models import PhoneNumber
from phone_numbers.services.columns import Reading
from providers.contract import RemoteNumber
from providers.plivo import ARGUMENTS
from providers.registry import PROVIDERS
from providers.simulator import Simulator
from tests.providers.reference import PAGES, plivo
from tests.providers.reference.document import PATH, document
from tests.providers.reference.item import Item, Page
from tests.providers.test_contract import listed, opened

LISTS = r"/Number/\?|phone_numbers\?|IncomingPhoneNumbers\.json\?|/Trunks/\w+/PhoneNumbers|/Numbers\?"
"""The lists of numbers, at all four."""
MANY = pytest.mark.parametrize("simulator", [{"numbers": 120}], indirect=True)
EACH = pytest.mark.parametrize("reference", PAGES, ids=[page.title for page in PAGES])


def read(simulator: Simulator, kind: str) -> dict[str, RemoteNumber]:
    with closing(opened(simulator, kind)) as provider:
        return {number.id: number for number in listed(provider)}


def read_without(simulator: Simulator, kind: str, field: str) -> dict[str, RemoteNumber]:
    """The numbers, had the provider's rows not got this field."""
    simulator.fault("missing_field", path=LISTS, field=field, times=0)
    try:
        return read(simulator, kind)
    finally:
        simulator.faults.clear()


def cached(number: RemoteNumber) -> Mapping[str, Any]:
    return {"remote_id": number.id, **Reading.of(number).columns(), **number.extras}


def in_payload(number: RemoteNumber, item: Item) -> Any:
    found: Any = number.payload
    for name in (item.row_field or item.name).split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def is_copied(numbers: Iterable[RemoteNumber], item: Item, place: str) -> bool:
    """The place holds what the field holds, but for its spelling, wherever the field holds anything."""
    pairs = [(in_payload(number, item), cached(number)[place]) for number in numbers]
    told = [(given, kept) for given, kept in pairs if given not in (None, "")]
    return bool(told) and all(plain(given) == plain(kept) for given, kept in told)


def plain(value: object) -> str:
    return re.sub(r"[\s_+-]", "", str(value)).lower()


def is_decided(before: Mapping[str, RemoteNumber], without: Mapping[str, RemoteNumber], place: str) -> bool:
    """The place holds something else, for some number, when the field is not there."""
    return any(cached(without[number_id])[place] != cached(number)[place] for number_id, number in before.items())


def misplaced(simulator: Simulator, reference: Page) -> Iterator[str]:
    numbers = read(simulator, reference.provider)
    for item in reference.row_items:
        places = [*item.columns, *filter(None, [item.extra])]
        unproven = [place for place in places if not is_copied(numbers.values(), item, place)]
        if unproven:
            without = read_without(simulator, reference.provider, item.row_field or item.name)
            yield from (f"{item.name} in {place}" for place in unproven if not is_decided(numbers, without, place))


@MANY
@EACH
def test_its_columns_and_settings_are_filled_from_the_fields_it_names(simulator: Simulator, reference: Page) -> None:
    assert list(misplaced(simulator, reference)) == []


@MANY
@EACH
def test_its_payload_has_every_field(simulator: Simulator, reference: Page) -> None:
    numbers = read(simulator, reference.provider).values()
    rows = [dict(number.payload) for number in numbers]
    kept = {name for row in rows for name in row}
    kept |= {f"{name}.{inner}" for row in rows for name in row if isinstance(row[name], dict) for inner in row[name]}
    assert [item.name for item in reference.row_items if (item.row_field or item.name) not in kept] == []


@EACH
def test_it_names_columns_filters_and_edits_that_exist(reference: Page) -> None:
    columns = {field.name for field in PhoneNumber._meta.concrete_fields}
    edits = {"", *(edit.name for edit in PROVIDERS[reference.provider].capabilities.edits)}
    for item in reference.items:
        assert columns.issuperset(item.columns)
        assert READERS.keys() >= set(item.filters)
        assert item.edit in edits


@EACH
def test_it_leaves_nothing_without_a_place_or_a_reason(reference: Page) -> None:
    for section in reference.sections:
        for item in section.items:
            lands = bool(item.columns or item.filters or item.edit or item.extra or section.is_row)
            assert lands != item.not_applicable.endswith("."), item.name


@EACH
def test_it_names_nothing_twice(reference: Page) -> None:
    for section in reference.sections:
        names = [item.name for item in section.items]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_it_knows_every_edit(kind: str) -> None:
    named = {item.edit for page in PAGES if page.provider == kind for item in page.items}
    assert named >= {edit.name for edit in PROVIDERS[kind].capabilities.edits}


def test_it_calls_plivos_arguments_what_the_adapter_calls_them() -> None:
    update = next(section for section in plivo.CURRENT.sections if section.title == "Arguments of the update")
    assert {item.edit: item.name for item in update.items if item.edit} == ARGUMENTS


def test_the_page_is_up_to_date() -> None:
    assert PATH.read_text() == document(), "Run make matrix."
