"""The form of an account: an input for each credential of its provider, written and never read back."""

from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator

from phone_numbers.encryption import UnreadableSecret
from phone_numbers.models import Account
from providers.contract import CredentialField
from providers.registry import PROVIDERS

TYPED, CLEARED = "credential_", "clear_"
"""Prefixes of the names of inputs, so that no credential's name meets a column's."""
SHORTEST_TO_HINT = 12
"""A shorter value would be half given away by its last four characters."""


def asked_fields(account: Account) -> tuple[CredentialField, ...]:
    """The credentials to ask for. A demo account's are made by the server."""
    return () if account.is_demo or account.provider not in PROVIDERS else PROVIDERS[account.provider].credential_fields


def stored_credentials(account: Account) -> dict[str, str]:
    """What is stored and can be read; nothing when the credentials have to be entered again."""
    try:
        opened: dict[str, str] = account.credentials.open()
    except UnreadableSecret:
        return {}
    return opened


def needs_credentials(account: Account) -> bool:
    """No key of this server opens what is stored."""
    return bool(account.credentials) and not stored_credentials(account)


def credentials_sentence(account: Account) -> str:
    if account.is_demo:
        return "This is a demo account: it talks to the built-in simulator. Add an account to connect a real one."
    if not account.credentials:
        return "None are stored yet. They are encrypted, and shown to nobody once saved."
    if needs_credentials(account):
        return "The stored ones cannot be read with the keys of this server. Enter the credentials again."
    return "They are stored encrypted and shown to nobody. Leave an input blank to keep what is stored."


def stored_sentence(value: str) -> str:
    if not value:
        return ""
    return f"Stored, ends in …{value[-4:]}." if len(value) >= SHORTEST_TO_HINT else "Stored."


def credential_input(field: CredentialField, stored: str) -> forms.CharField:
    widget = forms.PasswordInput({"autocomplete": "new-password"}) if field.secret else forms.TextInput()
    widget.attrs.setdefault("autocomplete", "off")
    widget.attrs["class"] = "vTextField"
    sentence = f"This is not a {field.title} as the provider gives it. {field.hint}".strip()
    return forms.CharField(
        label=field.title,
        required=not (stored or field.optional),
        widget=widget,
        help_text=f"{field.hint} {stored_sentence(stored)}".strip(),
        validators=[RegexValidator(rf"\A(?:{field.pattern})\Z", sentence)] if field.pattern else [],
    )


def credential_inputs(account: Account) -> dict[str, forms.Field]:
    """An input for each credential, and a box to clear what is stored of one that may be left out."""
    stored = stored_credentials(account)
    inputs: dict[str, forms.Field] = {}
    for field in asked_fields(account):
        value = stored.get(field.name, "")
        inputs[TYPED + field.name] = credential_input(field, value)
        if value and field.optional:
            inputs[CLEARED + field.name] = forms.BooleanField(label=f"Clear the stored {field.title}", required=False)
    return inputs


class AccountForm(forms.ModelForm):
    """Subclassed for each provider by `account_form`."""

    kind: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.provider = self.kind

    def full_clean(self) -> None:
        """A secret is not sent back to the page, so when anything is wrong it has to be typed again; say so."""
        super().full_clean()
        for field in asked_fields(self.instance) if self.errors else ():
            name = TYPED + field.name
            if field.secret and self.cleaned_data.get(name):
                self.add_error(name, "Type this again: a secret is never sent back to the page.")

    def new_credentials(self) -> dict[str, str] | None:
        """All that is to be stored from now on; None when nothing was typed or cleared."""
        stored = stored_credentials(self.instance)
        wanted = {name: value for name, value in stored.items() if not self.cleaned_data.get(CLEARED + name)}
        for field in asked_fields(self.instance):
            if typed := self.cleaned_data[TYPED + field.name]:
                wanted[field.name] = typed
        return None if wanted == stored else wanted


def account_form(account: Account) -> type[AccountForm]:
    """The form class for this account."""
    return type("AccountForm", (AccountForm,), {"kind": account.provider, **credential_inputs(account)})
