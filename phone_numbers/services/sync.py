"""Reads an account's numbers into the cache. Upserts need only a page; absence needs a listing that is certified.

Everything is committed under the run's lease, in short transactions, with no call to the provider inside one.
"""

from dataclasses import dataclass, replace
from typing import Any

import structlog
from django.db import OperationalError

from phone_numbers.models import Account, Change, PhoneNumber, SyncRun
from phone_numbers.services.absences import accepted_absences, find_absent, keep_held, reason_to_hold, turn_of
from phone_numbers.services.accounts import check_identity
from phone_numbers.services.changes import look_soon
from phone_numbers.services.connections import in_full, open_account
from phone_numbers.services.leases import LeaseLost, heartbeat
from phone_numbers.services.listing import Listing
from phone_numbers.services.presence import MOST_ASKED, ask_each, check_absent, read_number
from phone_numbers.services.reading import count_requests, read_numbers
from phone_numbers.services.routes import read_routes
from phone_numbers.services.runs import Lease, claim_run
from phone_numbers.services.statistics import gather_statistics
from phone_numbers.services.surprises import keep_surprises
from providers.contract import Provider
from providers.errors import AuthenticationFailed, ProviderError, Transient, WrongAccount

HEALTH_AFTER = {
    AuthenticationFailed.slug: Account.Health.AUTH_FAILED,
    WrongAccount.slug: Account.Health.WRONG_ACCOUNT,
}

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    state: SyncRun.State
    health: Account.Health = Account.Health.OK
    detail: str = ""
    slug: str = ""
    asked_seconds: float = 0.0
    """What the provider asked us to wait."""
    is_reachable: bool = True
    """Whatever it said, it answers: edits may be tried."""


def run_sync(run_id: int) -> None:
    """Do the queued run. Does nothing when it is claimed or over, so any number of calls make one sync."""
    lease = claim_run(run_id)
    if lease is None:
        return
    try:
        outcome, counts = read_account(lease)
        lease.finish(
            outcome.state,
            outcome.health,
            detail=outcome.detail,
            error_slug=outcome.slug,
            asked_seconds=outcome.asked_seconds,
            is_reachable=outcome.is_reachable,
            **counts,
        )
        gather_statistics(counts["numbers_new"] + counts["numbers_changed"])
    except LeaseLost as lost:
        logger.warning("sync stopped", run=run_id, why=str(lost))
    except Exception as error:
        sentence = f"{own_trouble(error)}; the log of the worker says more."
        lease.finish(SyncRun.State.FAILED, Account.Health.FAILING, detail=sentence, error_slug="internal_error")
        raise


def own_trouble(error: Exception) -> str:
    if isinstance(error, OperationalError):
        return "Numberdesk's own database was away, locked or out of room"
    return f"Numberdesk itself failed ({type(error).__name__})"


def read_account(lease: Lease) -> tuple[Outcome, dict[str, Any]]:
    """The outcome, and what to count in the run. Raises LeaseLost, but no ProviderError."""
    listing = Listing.of(lease.run)
    counts: dict[str, Any] = {}
    try:
        with open_account(lease.run.account) as provider:
            stats = provider.http.stats
            try:
                with heartbeat(lambda: lease.stay_alive(stats.requests)):
                    outcome = read_everything(provider, lease, listing)
            finally:
                counts = count_requests(provider)
    except ProviderError as error:
        outcome = failed(error, listing)
    return outcome, {**counts, **listing.progress()}


def read_everything(provider: Provider, lease: Lease, listing: Listing) -> Outcome:
    check_identity(lease.run.account, provider)
    lease.renew(phase=SyncRun.Phase.APPLICATIONS)
    remarks = read_routes(provider, lease)
    lease.renew(phase=SyncRun.Phase.NUMBERS)
    read_numbers(provider, lease, listing)
    lease.renew(phase=SyncRun.Phase.ABSENCES, **listing.progress())
    unread = read_edited(provider, lease, listing)
    if doubt := listing.doubt():
        outcome = Outcome(SyncRun.State.PARTIAL, detail=doubt, slug="moving_list")
    else:
        outcome = settle_absences(provider, lease, listing)
    if outcome.state == SyncRun.State.COMPLETE:
        keep_surprises(lease, listing.sentinel)
    return replace(outcome, detail=" ".join(filter(None, [outcome.detail, unread, *remarks])))


def read_edited(provider: Provider, lease: Lease, listing: Listing) -> str:
    """Numbers left alone because of an edit, read on their own now that it is over; the rest waits for its edit.

    Returns a sentence about those that could not be read, or "".
    """
    editing = Change.objects.filter(number__account=lease.run.account_id, state__in=Change.LIVE)
    in_hand = listing.left_alone.intersection(editing.values_list("number", flat=True))
    look_soon(in_hand)
    waiting = sorted(listing.left_alone - in_hand)
    turn = turn_of(lease.run, waiting, MOST_ASKED)
    unread = ask_each(turn, lambda pk: listing.add_news(read_number(provider, lease, pk)))
    unread += max(len(waiting) - MOST_ASKED, 0)
    return f"Edited numbers left for the next sync: {unread:,}." if unread else ""


def settle_absences(provider: Provider, lease: Lease, listing: Listing) -> Outcome:
    """The last step, after a listing that is certified to be whole."""
    account, seen = lease.run.account, listing.seen
    absent, known = find_absent(account.pk, PhoneNumber.Presence.PRESENT, seen)
    unconfirmed = [] if seen else find_absent(account.pk, PhoneNumber.Presence.UNCONFIRMED, seen)[0]
    accepted = accepted_absences(lease.run)
    if reason := reason_to_hold(account, absent, unconfirmed, known, len(seen), accepted):
        lease.renew(numbers_absent=len(absent) + len(unconfirmed))
        keep_held(lease, [*absent, *unconfirmed])
        return Outcome(SyncRun.State.HELD, Account.Health.HELD, reason, "held")
    lease.renew(numbers_absent=len(absent))
    tally = check_absent(provider, lease, absent, seen, accepted=len(accepted))
    listing.changed += tally.changed
    listing.returned += tally.returned
    return Outcome(SyncRun.State.COMPLETE, detail=" ".join([*tally.remarks(), *provider.missing_scopes]))


def failed(error: ProviderError, listing: Listing) -> Outcome:
    """How a run ends that its provider stopped: what was read before stays stored."""
    state = SyncRun.State.PARTIAL if listing.seen else SyncRun.State.FAILED
    health = HEALTH_AFTER.get(error.slug, Account.Health.FAILING)
    if health != Account.Health.FAILING:
        state = SyncRun.State.FAILED
    passes = isinstance(error, Transient)
    asked = error.retry_after or 0.0 if isinstance(error, Transient) else 0.0
    return Outcome(state, health, in_full(error), error.slug, asked_seconds=asked, is_reachable=not passes)
