"""Reads single fields of providers' rows the same careful way in every adapter.

Knows no provider's vocabulary. What cannot be read becomes empty, never an error: an adapter decides what is required.
"""

import datetime as dt
import hashlib
import re
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any

import msgspec
import phonenumbers

SECRET_ENDINGS = ("token", "password", "secret")
HIGHEST_RATE = Decimal(10**6)

canonical = msgspec.json.Encoder(order="deterministic", enc_hook=dict).encode
"""JSON that is the same for the same content, whatever the order of its keys."""

decoded = msgspec.json.Decoder().decode


def digest_of(source: bytes, reading: bytes = b"") -> str:
    """30 letters that stand for this content, and for the way it is read: at most 16 letters that name that."""
    return hashlib.blake2b(source, digest_size=15, person=reading).hexdigest()


def text(value: object) -> str:
    """As the provider wrote it. Unset comes as null or "", sometimes both within one list."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) else ""


def fold(word: object) -> str:
    """The same word however it is spelled: `Toll-Free`, `toll free`, `TOLLFREE`."""
    return _fold(text(word))


@lru_cache(maxsize=1024)
def _fold(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word).lower()


def read_flag(value: object) -> bool:
    return value is True or (isinstance(value, str) and fold(value) == "true")


def read_rate(value: object) -> Decimal | None:
    """Money comes as decimal strings, or as numbers. None for nothing, nonsense and sums nobody pays for a number."""
    return _read_rate(text(value))


@lru_cache(maxsize=1024)
def _read_rate(written: str) -> Decimal | None:
    try:
        rate = Decimal(written)
    except InvalidOperation:
        return None
    return rate if rate.is_finite() and rate.copy_abs() < HIGHEST_RATE else None


def read_day(value: object) -> dt.date | None:
    """The day of an ISO 8601 date or time."""
    try:
        return dt.date.fromisoformat(text(value)[:10])
    except ValueError:
        return None


def country_of(digits: str) -> str:
    """ISO 3166 alpha-2 of an E.164 number without its plus; "" when the numbering plan does not tell."""
    if digits.startswith("1") and len(digits) == 11:
        return _north_american_country(digits[1:4])
    for size in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:size]), ())
        if len(regions) == 1:
            return regions[0] if regions[0].isalpha() else ""  # "001" stands for the whole world
        if regions:
            return _country_among_several(int(digits[:size]), digits[size:])
    return ""


@cache
def _north_american_country(area_code: str) -> str:
    """There, the area code alone decides; most numbers of most accounts are asked about here."""
    return _country_among_several(1, f"{area_code}2345678")


def _country_among_several(calling_code: int, national: str) -> str:
    number = phonenumbers.PhoneNumber(
        country_code=calling_code,
        national_number=int(national or 0),
        italian_leading_zero=national.startswith("0"),
    )
    return phonenumbers.region_code_for_number(number) or ""


def without_secrets(value: Any) -> Any:
    """A copy of a row without anything that is named like a secret, at any depth."""
    if isinstance(value, dict):
        return {
            name: without_secrets(item) if isinstance(item, (dict, list)) else item
            for name, item in value.items()
            if not is_secret(name)
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    return name.lower().endswith(SECRET_ENDINGS)
