"""Finds our numbers by what people write: any spelling, with or without the country code. Asks no provider."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import phonenumbers

from phone_numbers.models import PhoneNumber
from phone_numbers.services.batches import batches
from phone_numbers.services.route_choices import as_e164

SPELLED = re.compile(r"(?:tel:)?[+(]?[0-9][0-9 \u00a0()./\-–]*", re.IGNORECASE)
CUT = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
SHORTEST, LONGEST = 6, 15
ABROAD = ("00", "011")
"""What is dialled in front of a country code."""
MOST_ASKED = 5000


@dataclass(frozen=True, slots=True)
class Found:
    pk: int
    e164: str
    country: str
    account: int


def why_no_number(text: str) -> str:
    """Why this text names no phone number, or ""."""
    if CUT.fullmatch(text):
        return f"A spreadsheet has cut “{text}” short. Format the column as text and enter the number again."
    if not SPELLED.fullmatch(text) or not SHORTEST <= len(digits_of(text)) <= LONGEST + max(map(len, ABROAD)):
        return f"“{text}” is not a phone number."
    return ""


def digits_of(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def find_numbers(texts: Iterable[str]) -> dict[str, list[Found]]:
    """For every text the numbers it can mean: several when several accounts hold it, or several countries have it.

    Those that were released are among them. Few queries, however many texts.
    """
    digits = {text: digits_of(text) for text in texts}
    held = find_held((f"+{each}" for each in digits.values()), or_released=True)
    found = {text: held.get(f"+{each}", []) for text, each in digits.items()}
    lost = {text: digits[text] for text, numbers in found.items() if not numbers and "+" not in text}
    return found | find_nationally(lost) if lost else found


def find_nationally(digits: Mapping[str, str]) -> dict[str, list[Found]]:
    """As they are dialled in any country we have numbers of."""
    codes = calling_codes()
    dialled = {text: candidates(each, codes) for text, each in digits.items()}
    held = find_held((candidate for each in dialled.values() for candidate in each), or_released=True)
    return {
        text: [
            number
            for candidate in each
            for number in held.get(candidate, [])
            if candidate in abroad(digits[text]) or as_e164(text, number.country) == candidate
        ]
        for text, each in dialled.items()
    }


def candidates(digits: str, codes: Iterable[int]) -> set[str]:
    local = {digits, digits.removeprefix("0")}
    return {f"+{code}{rest}" for code in codes for rest in local if len(f"{code}{rest}") <= LONGEST} | abroad(digits)


def abroad(digits: str) -> set[str]:
    return {f"+{digits.removeprefix(prefix)}" for prefix in ABROAD if digits.startswith(prefix)}


def calling_codes() -> set[int]:
    countries = PhoneNumber.objects.exclude(country="").order_by().values_list("country", flat=True).distinct()
    return {code for country in countries if (code := phonenumbers.country_code_for_region(country))}


def find_held(e164s: Iterable[str], *, or_released: bool = False) -> dict[str, list[Found]]:
    numbers = PhoneNumber.objects.all() if or_released else PhoneNumber.objects.held()
    found: dict[str, list[Found]] = {}
    for some in batches(set(e164s), MOST_ASKED):
        rows = numbers.filter(e164__in=some).order_by("account", "pk")
        for row in rows.values_list("pk", "e164", "country", "account"):
            number = Found(*row)
            found.setdefault(number.e164, []).append(number)
    return found
