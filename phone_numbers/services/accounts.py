"""Accounts: their credentials, which go in and never come out, and whether they open the right account."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account
from phone_numbers.services.connections import open_account, provider_class
from providers.contract import Provider
from providers.errors import MalformedResponse, ProviderError, WrongAccount
from providers.http import Limits

PROMPT = Limits(deadline_seconds=10.0, total_seconds=10.0, attempts=1)
"""A person is waiting."""
LONGEST_ID = Account._meta.get_field("remote_id").max_length or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReport:
    ok: bool
    remote_id: str
    sentence: str
    count: int | None = None
    """How many numbers the provider says there are, when it says."""


def test_connection(account: Account) -> ConnectionReport:
    """Sign in, compare the account's id, count its numbers. Never raises for what a provider does."""
    try:
        with open_account(account, PROMPT) as provider:
            remote_id = check_identity(account, provider)
            count = count_numbers(provider)
    except ProviderError as error:
        return ConnectionReport(ok=False, remote_id=account.remote_id, sentence=str(error))
    counted = "" if count is None else f", which holds {count:,} numbers"
    return ConnectionReport(
        ok=True, remote_id=remote_id, count=count, sentence=f"The credentials open account {remote_id}{counted}."
    )


def check_identity(account: Account, provider: Provider) -> str:
    """The provider's id of this account: kept at the first contact, compared ever after. Raises ProviderError."""
    remote_id = provider.whoami()
    if len(remote_id) > LONGEST_ID:
        raise MalformedResponse(
            f"The provider names this account by more than {LONGEST_ID} characters, which is no id."
        )
    try:
        with transaction.atomic():
            Account.objects.filter(pk=account.pk, remote_id="").update(remote_id=remote_id)
    except IntegrityError:
        raise WrongAccount(
            f"These credentials open {remote_id}, which is connected already. Nothing was stored."
        ) from None
    account.refresh_from_db(fields=["remote_id"])
    if account.remote_id != remote_id:
        raise WrongAccount(
            f"These credentials open account {remote_id}, but {account} is {account.remote_id}. Nothing was stored."
        )
    return remote_id


def count_numbers(provider: Provider) -> int | None:
    for page in provider.list_numbers():
        return page.total
    return None


def set_credentials(account: Account, credentials: Mapping[str, str]) -> None:
    """Replace what is stored, and sync at the next tick. Raises ValueError for what this provider cannot have given."""
    for field in provider_class(account).credential_fields:
        value = credentials.get(field.name, "")
        if not value and field.optional:
            continue
        if not value or (field.pattern and not re.fullmatch(field.pattern, value)):
            raise ValueError(f"This is not a {field.title} as the provider gives it. {field.hint}".strip())
    account.credentials = Sealed.seal(credentials)
    account.next_sync_at, account.retry_at = timezone.now(), None
    account.save(update_fields=["credentials", "next_sync_at", "retry_at"])
