"""Keeps what numbers can be routed to, and the divisions of an account, as the provider lists them."""

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar

from django.db import models

from phone_numbers.models import Application, Subaccount
from phone_numbers.services.columns import fit_row
from phone_numbers.services.runs import Lease
from providers.contract import Provider, RemoteApplication, RemoteSubaccount
from providers.errors import Unsupported

Row = TypeVar("Row", Application, Subaccount)


def read_routes(provider: Provider, lease: Lease) -> None:
    """Both lists, whole; a list the provider does not have is skipped. Raises ProviderError and LeaseLost."""
    account_id = lease.run.account_id
    with suppress(Unsupported):
        applications = [application_row(account_id, each) for each in provider.list_applications()]
        store_list(lease, Application, applications, key=("kind", "remote_id"))
    with suppress(Unsupported):
        subaccounts = [subaccount_row(account_id, each) for each in provider.list_subaccounts()]
        store_list(lease, Subaccount, subaccounts, key=("remote_id",))


def application_row(account_id: int, remote: RemoteApplication) -> Application:
    row = Application(
        account_id=account_id,
        remote_id=remote.id,
        kind=remote.kind,
        name=remote.name,
        voice_url=remote.voice_url,
        message_url=remote.message_url,
        fallback_url=remote.fallback_url,
        subaccount=remote.subaccount,
        is_assignable=remote.assignable,
        why_not=remote.why_not,
        payload=remote.payload,
    )
    return fit_row(row)


def subaccount_row(account_id: int, remote: RemoteSubaccount) -> Subaccount:
    return fit_row(Subaccount(account_id=account_id, remote_id=remote.id, name=remote.name, is_enabled=remote.enabled))


def store_list(lease: Lease, model: type[Row], rows: Iterable[Row], *, key: tuple[str, ...]) -> None:
    """Write what differs. What a list that ran to its end lacks is not offered any more, but kept."""
    listed = {tuple(getattr(row, name) for name in key): row for row in rows}
    known = {
        tuple(getattr(row, name) for name in key): row for row in model.objects.filter(account=lease.run.account_id)
    }
    written = written_columns(model, key)
    compared = [name for name in written if name != "updated_at"]
    changed = [row for place, row in listed.items() if place not in known or differ(known[place], row, compared)]
    absent = [row.pk for place, row in known.items() if row.is_present and place not in listed]
    if changed or absent:
        with lease.transaction():
            model.objects.bulk_create(
                changed, update_conflicts=True, unique_fields=["account", *key], update_fields=written
            )
            model.objects.filter(pk__in=absent).update(is_present=False)


def written_columns(model: type[models.Model], key: tuple[str, ...]) -> list[str]:
    apart = {"id", "account", *key}
    return [field.name for field in model._meta.concrete_fields if field.name not in apart]


def differ(one: models.Model, other: models.Model, columns: Iterable[str]) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in columns)
