"""Reads a listing into the cache, batch by batch, while its next pages are already on their way.

Decides nothing about what a listing means: that is the sync's, at its end.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from phone_numbers.services.cache import store_batch
from phone_numbers.services.listing import Listing
from phone_numbers.services.runs import Lease
from phone_numbers.services.statistics import gather_statistics
from providers.contract import Compliance, Provider, RemoteNumber
from providers.errors import ProviderError, WrongAccount
from providers.paging import ListedNumber
from providers.reading import canonical, digest_of

BATCH = 1000
"""Fewer than adapters read ahead, so that reading goes on while a batch is written."""
RENEW_SECONDS = 2.0


def read_numbers(provider: Provider, lease: Lease, listing: Listing) -> None:
    """Every page, stored in batches; returns when the listing ran to its end, else raises ProviderError."""
    facts = provider.compliance() if provider.capabilities.compliance_is_separate else {}
    waiting: list[ListedNumber] = []
    kept_at = time.monotonic()
    try:
        for page in provider.list_numbers():
            listing.add_page(page)
            waiting += with_compliance(page.rows, facts) if facts else page.rows
            if len(waiting) >= BATCH or time.monotonic() - kept_at > RENEW_SECONDS:
                batch, waiting = waiting, []
                keep_numbers(lease, listing, batch, **count_requests(provider))
                kept_at = time.monotonic()
    except WrongAccount:
        raise
    except ProviderError:
        keep_numbers(lease, listing, waiting)
        raise
    keep_numbers(lease, listing, waiting, **count_requests(provider))


def count_requests(provider: Provider) -> dict[str, int]:
    """The run's columns for what its provider was asked so far."""
    return {"requests": provider.http.stats.requests, "retries": provider.http.stats.retries}


def keep_numbers(lease: Lease, listing: Listing, rows: Sequence[ListedNumber], **progress: int) -> None:
    """Store them, and say how far the run is: with `progress` besides what the listing tells."""
    announce = lease.run.account.fresh_at is not None
    stored = store_batch(lease.run, rows, announce=announce, fence=lease.renew)
    listing.add_stored(stored)
    is_news = stored.new or stored.changed or stored.returned
    tell = lease.renew if is_news else lease.report  # Whoever takes the run over goes on counting from what was told.
    tell(**listing.progress(), **progress)
    if stored.new == listing.new:
        gather_statistics(stored.new)  # Without them, each further batch would look through all that is stored by then.


def with_compliance(rows: Iterable[ListedNumber], facts: Mapping[str, Compliance]) -> Iterable[ListedNumber]:
    """The rows with what the provider keeps elsewhere about their numbers."""
    return (with_fact(row, fact) if (fact := facts.get(row.id)) else row for row in rows)


def with_fact(row: ListedNumber, fact: Compliance) -> ListedNumber:
    digest = digest_of(canonical([row.digest, fact]))
    return ListedNumber(row.id, digest, row, partial(read_with_fact, fact, digest))


def read_with_fact(fact: Compliance, digest: str, row: ListedNumber) -> RemoteNumber:
    remote = row.read()
    tendlc, toll_free = fact.tendlc or remote.tendlc, fact.toll_free or remote.toll_free
    return replace(remote, tendlc=tendlc, toll_free=toll_free, digest=digest)
