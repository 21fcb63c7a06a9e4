"""Mistakes in the configuration that would show only later, each with a hint. Run by every management command."""

import ipaddress
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution


def credentials_keys(**_: Any) -> list[CheckMessage]:
    """Every key must be a Fernet key, or no credentials can be saved or read."""
    bad = [position for position, key in enumerate(settings.CREDENTIALS_KEYS, start=1) if not is_fernet_key(key)]
    places = ", ".join(map(str, bad))
    hint = "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
    return [Error(f"Not a key: entry {places} of CREDENTIALS_KEYS.", hint=hint, id="dashboard.E001")] if bad else []


def demo_is_local(**_: Any) -> list[CheckMessage]:
    """Everybody knows the demo's password."""
    if not settings.DEMO or is_loopback(settings.HOST):
        return []
    hint = "Start with DEMO=false, or leave HOST at 127.0.0.1."
    sentence = f"The demo user can sign in from outside: HOST is {settings.HOST}."
    return [Caution(sentence, hint=hint, id="dashboard.W001")]


def is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
