"""A page as a test reads it, and who looks at it."""

import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from tests.roles import make_user

PIECE = {"HX-Request": "true"}
"""As htmx asks for a part of a page."""


def text_of(page: Any) -> str:
    return str(page.content.decode())


def words_of(page: Any) -> str:
    """What a person reads."""
    return words_in(text_of(page))


def words_in(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def sign_in(client: Client, role: str, **columns: Any) -> User:
    user = make_user(role, **columns)
    client.force_login(user)
    return user
