"""Keeps what numbers can be routed to, and the divisions of an account, as the provider lists them."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

from django.db import models
from django.db.models import F

from phone_numbers.models import Application, Subaccount
from phone_numbers.services.absences import is_too_many
from phone_numbers.services.columns import fit_row
from phone_numbers.services.connections import in_full
from phone_numbers.services.listing import LONGEST_ID
from phone_numbers.services.runs import Lease
from providers.contract import Provider, RemoteApplication, RemoteSubaccount
from providers.errors import AuthenticationFailed, MalformedResponse, ProviderError, Unsupported, WrongAccount

MOST_LISTED = 100_000
"""Applications of an account, or subaccounts. A list that goes on after that is taken for one without an end."""
MISSES_TO_BELIEVE = 3
"""Lists in a row that lack so much that one of them is not believed. A route taken for gone comes back when listed."""

Row = TypeVar("Row", Application, Subaccount)
Remote = TypeVar("Remote", RemoteApplication, RemoteSubaccount)
Place = tuple[str, ...]


def read_routes(provider: Provider, lease: Lease) -> list[str]:
    """Both lists; one the provider does not have is skipped, and one it does not show stops no reading of numbers.

    Returns a sentence for each that cannot be believed. Raises ProviderError when the account itself is in doubt, and
    LeaseLost.
    """
    account_id = lease.run.account_id
    remarks: list[str] = []
    with suppress(Unsupported):
        remotes, problem = read_list(lease, "applications", provider.list_applications())
        applications = [application_row(account_id, each) for each in remotes]
        spared = None if problem else provider.unlisted_kinds
        remarks += [problem, store_list(lease, Application, applications, key=("kind", "remote_id"), spared=spared)]
    with suppress(Unsupported):
        divisions, problem = read_list(lease, "subaccounts", provider.list_subaccounts())
        subaccounts = [subaccount_row(account_id, each) for each in divisions]
        spared = None if problem else set()
        remarks += [problem, store_list(lease, Subaccount, subaccounts, key=("remote_id",), spared=spared)]
    return [remark for remark in remarks if remark]


def read_list(lease: Lease, title: str, remotes: Iterable[Remote]) -> tuple[list[Remote], str]:
    """What could be read, and why that is not the whole list; "" when it is."""
    found = []
    try:
        for remote in remotes:
            if len(remote.id) > LONGEST_ID:
                raise MalformedResponse(f"One of them has an id of more than {LONGEST_ID} characters.")
            found.append(remote)
            if len(found) > MOST_LISTED:
                raise MalformedResponse(f"The list did not end after {MOST_LISTED:,} rows.")
            lease.report()
    except (Unsupported, WrongAccount):
        raise
    except ProviderError as error:
        if isinstance(error, AuthenticationFailed) and error.status != 403:
            raise
        return found, f"The {title} could not be listed, and what is known of them stays: {in_full(error)}"
    return found, ""


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


def store_list(
    lease: Lease, model: type[Row], rows: Iterable[Row], *, key: tuple[str, ...], spared: set[str] | None
) -> str:
    """Write what differs. What a list lacks is not offered any more, but kept; but for `spared` kinds, None for all.

    Returns a sentence when the list lacks too much to be believed: nothing is taken for gone then.
    """
    listed = {tuple(getattr(row, name) for name in key): row for row in rows}
    known = {
        tuple(getattr(row, name) for name in key): row for row in model.objects.filter(account=lease.run.account_id)
    }
    written = written_columns(model, key)
    compared = [name for name in written if name != "updated_at"]
    changed = [row for place, row in listed.items() if place not in known or differ(known[place], row, compared)]
    present = {place: row.misses for place, row in known.items() if row.is_present}
    gone, doubted, remark = ([], [], "") if spared is None else find_gone(present, listed, spared)
    if changed or gone or doubted:
        with lease.transaction():
            model.objects.bulk_create(
                changed, update_conflicts=True, unique_fields=["account", *key], update_fields=written
            )
            model.objects.filter(pk__in=[known[place].pk for place in gone]).update(is_present=False, misses=0)
            model.objects.filter(pk__in=[known[place].pk for place in doubted]).update(misses=F("misses") + 1)
    return remark


def find_gone(
    known: Mapping[Place, int], listed: Iterable[Place], spared: set[str]
) -> tuple[list[Place], list[Place], str]:
    """What is gone, what may be, and a sentence about that: kind by kind, because providers list each on its own.

    `known` tells how many lists in a row lacked a place before this one. `spared` kinds are not looked at.
    """
    gone: list[Place] = []
    doubted: list[Place] = []
    remarks = []
    known_by_kind, listed_by_kind = by_kind(known), by_kind(listed)
    for kind in known_by_kind.keys() - spared:
        here, there = known_by_kind[kind], listed_by_kind.get(kind, set())
        absent = here - there
        if there and not is_too_many(len(absent), len(here)):
            gone += absent
            continue
        believed = {place for place in absent if known[place] + 1 >= MISSES_TO_BELIEVE}
        gone += believed
        if unbelieved := absent - believed:
            doubted += unbelieved
            lacks = f"lacks {len(unbelieved):,} of {len(here):,}"
            remarks.append(f"The provider's list {lacks} of kind {kind}; what is known of them stays.")
    return gone, doubted, " ".join(sorted(remarks))


def by_kind(places: Iterable[Place]) -> dict[str, set[Place]]:
    """A place without a kind is a subaccount's."""
    kinds: dict[str, set[Place]] = {}
    for place in places:
        kinds.setdefault(place[0] if len(place) > 1 else "subaccount", set()).add(place)
    return kinds


def written_columns(model: type[models.Model], key: tuple[str, ...]) -> list[str]:
    apart = {"id", "account", *key}
    return [field.name for field in model._meta.concrete_fields if field.name not in apart]


def differ(one: models.Model, other: models.Model, columns: Iterable[str]) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in columns)
