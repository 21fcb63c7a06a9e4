"""A model field for secrets: JSON, encrypted with the first of `CREDENTIALS_KEYS`, readable with any of them."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    TextField = models.TextField["Sealed", "Sealed"]
else:
    TextField = models.TextField


class UnreadableSecret(Exception):
    """No key in CREDENTIALS_KEYS opens this value: the credentials must be entered again."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current_fernet() -> MultiFernet:
    return _fernet(tuple(settings.CREDENTIALS_KEYS))


class Sealed:
    """An encrypted mapping. It never prints its content; `open()` is the only way in."""

    __slots__ = ("token",)

    def __init__(self, token: str = "") -> None:
        self.token = token

    @classmethod
    def seal(cls, secrets: Mapping[str, str]) -> "Sealed":
        return cls(_current_fernet().encrypt(json.dumps(dict(secrets)).encode()).decode())

    def open(self) -> dict[str, str]:
        """The secrets. Raises UnreadableSecret when no configured key fits."""
        if not self.token:
            return {}
        try:
            opened = json.loads(_current_fernet().decrypt(self.token.encode()))
        except InvalidToken as error:
            raise UnreadableSecret("These credentials were saved with a key this server no longer has.") from error
        return {str(name): str(value) for name, value in opened.items()}

    @property
    def is_current(self) -> bool:
        """Sealed with the first key, so that none of the others is needed for it."""
        try:
            _fernet(tuple(settings.CREDENTIALS_KEYS[:1])).decrypt(self.token.encode())
        except InvalidToken:
            return not self.token
        return True

    def rotated(self) -> "Sealed":
        """The same secrets under the first key. Raises UnreadableSecret."""
        if not self.token:
            return self
        try:
            return Sealed(_current_fernet().rotate(self.token.encode()).decode())
        except InvalidToken as error:
            raise UnreadableSecret("These credentials were saved with a key this server no longer has.") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.token == self.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __bool__(self) -> bool:
        return bool(self.token)

    def __repr__(self) -> str:
        return "<Sealed>"


class SealedField(TextField):
    """Stores a `Sealed` as its token."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed:
        return Sealed(value or "")

    def to_python(self, value: Any) -> Sealed:
        return value if isinstance(value, Sealed) else Sealed(value or "")

    def get_prep_value(self, value: Any) -> str:
        return value.token if isinstance(value, Sealed) else str(value or "")

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj))
