"""Sync runs as rows: who asked, who holds one, what became of it. Reads no provider.

Every step is one conditional UPDATE: whoever finds no row to update came too late and does nothing.
"""

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from phone_numbers.models import Account, HeldNumber, Pulse, Sequence, SyncRun
from phone_numbers.services.circuits import note_failure, note_success, spared_until
from phone_numbers.services.leases import RING_AGAIN, LeaseLost, has_lapsed, lease_end

MAX_ATTEMPTS = 3
MOST_RACES = 3
"""A live run may end just when another is asked for, but not so often: then it is some other trouble."""
LONGEST_STANDSTILL_SECONDS = 600.0
REPORT_SECONDS = 0.25
PAUSE_AFTER_REFUSAL = dt.timedelta(hours=1)
"""Credentials that were refused are tried again this seldom; entering them anew syncs at once."""
REFUSED = (Account.Health.AUTH_FAILED, Account.Health.WRONG_ACCOUNT)
SYNCS = "syncs"
"""The queue of syncs, and the name of its pulse."""
COUNTED_ANEW = ("pages_read", "numbers_seen", "numbers_absent", "numbers_left_alone", "requests", "retries")
"""By every try of a run. What an earlier one did to numbers stays done, and is counted on."""

logger = structlog.get_logger(__name__)


def request_sync(
    account: Account,
    *,
    trigger: str,
    user: User | None = None,
    slot: dt.datetime | None = None,
    accepts: SyncRun | None = None,
) -> SyncRun:
    """A queued run, or the account's live one. The caller rings for it."""
    asked: dict[str, Any] = {"account": account, "trigger": trigger, "requested_by": user, "slot": slot}
    asked["accepts_id"] = accepts.pk if accepts else carried_acceptance(account)
    for _ in range(MOST_RACES):
        if run := live_run(account):
            return run
        with suppress(IntegrityError), transaction.atomic():
            return SyncRun.objects.create(**asked, lease_expires_at=timezone.now() + RING_AGAIN)
        if slot and (past := SyncRun.objects.filter(account=account, slot=slot).first()):
            return past
    raise RuntimeError(f"No run could be queued for {account}.")


def carried_acceptance(account: Account) -> int | None:
    """The held run a person accepted, when the run that was to act on it did not get so far, or still listed nothing.

    So a provider that fails meanwhile, or an account that was emptied, needs no second word from that person.
    """
    last = SyncRun.objects.filter(account=account).exclude(state__in=SyncRun.LIVE).order_by("-pk").first()
    broken_off = last is not None and last.state in (SyncRun.State.PARTIAL, SyncRun.State.FAILED, SyncRun.State.LOST)
    still_empty = last is not None and last.state == SyncRun.State.COMPLETE and not last.numbers_seen
    return last.accepts_id if last and (broken_off or still_empty) else None


def live_run(account: Account) -> SyncRun | None:
    return SyncRun.objects.filter(account=account, state__in=SyncRun.LIVE).first()


def open_hold(account: Account) -> SyncRun | None:
    """The held run that waits for a person: the newest one, unless it is decided or a complete run came after it."""
    judged = SyncRun.objects.filter(account=account, state__in=SyncRun.JUDGED)
    newest = judged.select_related("account").order_by("-pk").first()
    return newest if newest and newest.is_undecided else None


def due_account_runs(now: dt.datetime) -> list[int]:
    """Queue a run for every account whose time has come. Returns what to ring for; two callers share the work."""
    accounts = Account.objects.filter(is_paused=False)
    if not settings.DEMO:
        accounts = accounts.filter(is_demo=False)
    due = [account for account in accounts if is_due(account, now) and not spared_until(account, now)]
    return [run.pk for account in due if (run := start_slot_alone(account, now))]


def is_due(account: Account, now: dt.datetime) -> bool:
    """Its moment has come, or is further ahead than we ever set one: the clock was put back."""
    return account.next_sync_at <= now or account.next_sync_at > now + max(account.interval, PAUSE_AFTER_REFUSAL)


def start_slot_alone(account: Account, now: dt.datetime) -> SyncRun | None:
    """`start_slot`, where one account's trouble is not the others'."""
    try:
        return start_slot(account, now)
    except Exception:
        logger.exception("no sync for this account", account=account.pk)
        return None


def start_slot(account: Account, now: dt.datetime) -> SyncRun | None:
    """The run of the account's next moment. Moments that went by unseen are skipped, a live run stands for its own."""
    slot = account.next_sync_at
    missed = (now - slot) // account.interval
    next_at = slot + (missed + 1) * account.interval if slot <= now else now + account.interval
    with transaction.atomic():
        waiting = Account.objects.filter(pk=account.pk, next_sync_at=slot)
        if not waiting.update(next_sync_at=next_at):
            return None
        if live_run(account):
            return None
        return request_sync(account, trigger=SyncRun.Trigger.SCHEDULE, slot=slot)


def reap_runs(now: dt.datetime) -> list[int]:
    """Take runs from workers that went quiet. Returns the queued runs to ring for, again or at last."""
    quiet = SyncRun.objects.filter(has_lapsed(now))
    running = quiet.filter(state=SyncRun.State.RUNNING)
    for run in running.filter(attempt__gte=MAX_ATTEMPTS):
        give_up(run, running.filter(pk=run.pk), now)
    running.filter(attempt__lt=MAX_ATTEMPTS).update(state=SyncRun.State.QUEUED, lease_token=None)
    pks = list(quiet.filter(state=SyncRun.State.QUEUED).values_list("pk", flat=True))
    quiet.filter(pk__in=pks, state=SyncRun.State.QUEUED).update(lease_expires_at=now + RING_AGAIN)
    return pks


def give_up(run: SyncRun, still_quiet: QuerySet[SyncRun], now: dt.datetime) -> None:
    sentence = f"Its worker was lost {run.attempt} times, so it was given up. The next sync starts afresh."
    lost = {"state": SyncRun.State.LOST, "finished_at": now, "error_slug": "lost", "detail": sentence}
    with transaction.atomic():
        if still_quiet.update(**lost):
            Account.objects.filter(pk=run.account_id).update(
                health=Account.Health.FAILING, health_detail=f"A sync was given up: {sentence}"
            )


def claim_run(run_id: int) -> "Lease | None":
    """The queued run, ours from now on; None when there is nothing to do for this message."""
    now = timezone.now()
    token = uuid.uuid4()
    fresh: dict[str, Any] = dict.fromkeys(COUNTED_ANEW, 0)
    claimed = SyncRun.objects.filter(pk=run_id, state=SyncRun.State.QUEUED).update(
        state=SyncRun.State.RUNNING,
        phase=SyncRun.Phase.CONNECTING,
        started_at=now,
        started_seq=Sequence.next(),
        attempt=F("attempt") + 1,
        lease_token=token,
        lease_expires_at=lease_end(now),
        numbers_total=None,
        **fresh,
    )
    if not claimed:
        return None
    run = SyncRun.objects.select_related("account").filter(pk=run_id, lease_token=token).first()
    if run and run.attempt > 1:
        HeldNumber.objects.filter(run=run).delete()  # Of an earlier try, whose worker was lost.
    return Lease(run) if run else None


class Lease:
    """A worker's hold on a run."""

    def __init__(self, run: SyncRun) -> None:
        self.run = run
        self._moved_at = time.monotonic()
        self._requests = 0

    def renew(self, **progress: Any) -> None:
        """Hold it for longer, and say how far it is. Raises LeaseLost when it is somebody else's."""
        self._extend(**progress)
        self._moved_at = time.monotonic()

    def report(self, **progress: Any) -> None:
        """The same, unless it was done a moment ago: nobody looks more often, and it costs as much as thirty rows."""
        if time.monotonic() - self._moved_at > REPORT_SECONDS:
            self.renew(**progress)

    def stay_alive(self, requests: int = 0) -> None:
        """For the heartbeat: hold it for longer, unless its worker has stood still for too long.

        It moves while it makes `requests`: what surrounds the numbers can take thousands before the first is stored.
        While it syncs it is a sign of life of its queue, whose other messages may have to wait behind it.
        """
        if requests != self._requests:
            self._requests, self._moved_at = requests, time.monotonic()
        if time.monotonic() - self._moved_at > LONGEST_STANDSTILL_SECONDS:
            raise LeaseLost(f"{self.run} does not move any more.")
        self._extend()
        Pulse.record(SYNCS)

    def _extend(self, **columns: Any) -> None:
        held = SyncRun.objects.filter(pk=self.run.pk, lease_token=self.run.lease_token, state=SyncRun.State.RUNNING)
        if not held.update(lease_expires_at=lease_end(timezone.now()), **columns):
            raise LeaseLost(f"{self.run} was taken from this worker.")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A short transaction that commits only while the run is ours."""
        with transaction.atomic():
            self.renew()
            yield

    def finish(
        self,
        state: str,
        health: str,
        *,
        detail: str = "",
        error_slug: str = "",
        asked_seconds: float = 0.0,
        is_reachable: bool = True,
        **columns: Any,
    ) -> None:
        """End the run and say how the account is; edits wait only for a provider that is not reachable.

        Raises LeaseLost.
        """
        now = timezone.now()
        over = {"state": state, "phase": SyncRun.Phase.DONE, "finished_at": now, "detail": detail}
        with transaction.atomic():
            self.renew(error_slug=error_slug, **over, **columns)
            spared = ""
            if health == Account.Health.FAILING:
                spared = note_failure(self.run.account_id, now, asked_seconds, may_be_edited=is_reachable)
            else:
                note_success(self.run.account_id, by=now + self.run.account.interval)
            self._judge_account(state, health, f"{detail} {spared}".strip(), now)

    def _judge_account(self, state: str, health: str, detail: str, now: dt.datetime) -> None:
        account_id, columns = self.run.account_id, dict[str, Any](health=health, health_detail=detail)
        if health in REFUSED:
            columns["next_sync_at"] = now + max(self.run.account.interval, PAUSE_AFTER_REFUSAL)
        if state == SyncRun.State.PARTIAL and health == Account.Health.OK and (hold := open_hold(self.run.account)):
            columns |= {"health": Account.Health.HELD, "health_detail": hold.detail}  # Which is still to be decided.
        if state == SyncRun.State.COMPLETE:
            columns["fresh_at"] = self.run.started_at
        if self._has_newer_credentials():  # Nobody knows yet what those open.
            columns = {**({} if health in REFUSED else columns), "next_sync_at": now}
        Account.objects.filter(pk=account_id).update(**columns)

    def _has_newer_credentials(self) -> bool:
        """They were entered since the run began, which signed in with those before."""
        account = self.run.account
        return Account.objects.only("credentials").get(pk=account.pk).credentials != account.credentials
