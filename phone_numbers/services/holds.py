"""Held runs: what a person makes of absences that are out of the ordinary. Reads no provider, and changes no number.

Of several people who decide, or one who clicks twice, the first one's conditional UPDATE counts.
"""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from phone_numbers.models import Account, SyncRun
from phone_numbers.services.runs import MOST_RACES, open_hold, request_sync

BEFORE_ABSENCES = (SyncRun.Phase.CONNECTING, SyncRun.Phase.APPLICATIONS, SyncRun.Phase.NUMBERS)


class HoldRefused(Exception):
    """This cannot be decided, or not so; `str()` is the sentence. Nothing was changed."""


def accept_absences(run: SyncRun, *, count: int, user: User) -> SyncRun:
    """Let the next run take these numbers for absent, each after asking for it. Returns that run; the caller rings.

    `count` is what the person typed: how many numbers the held run's list lacks. Raises HoldRefused.
    """
    with transaction.atomic():
        decide(run, SyncRun.Decision.ACCEPTED, user)
        lacking = run.held_numbers.count()
        if count != lacking:
            raise HoldRefused(f"The list lacks {lacking:,} numbers, and {count:,} was typed. Nothing was decided.")
        return queue_accepting(run, user)


def dismiss_absences(run: SyncRun, *, user: User) -> None:
    """Keep all numbers; the next sync judges afresh. Raises HoldRefused."""
    with transaction.atomic():
        decide(run, SyncRun.Decision.DISMISSED, user)
        held = Account.objects.filter(pk=run.account_id, health=Account.Health.HELD)
        detail = f"{user.get_username()} kept the numbers that {run} did not list. The next sync judges afresh."
        held.update(health=Account.Health.OK, health_detail=detail)


def decide(run: SyncRun, decision: SyncRun.Decision, user: User) -> None:
    hold = open_hold(run.account)
    undecided = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.HELD, decision="")
    by = {"decided_at": timezone.now(), "decided_by": user, "decided_by_name": user.get_username()}
    if hold is None or hold.pk != run.pk or not undecided.update(decision=decision, **by):
        raise HoldRefused(why_closed(run))


def why_closed(run: SyncRun) -> str:
    run = SyncRun.objects.get(pk=run.pk)
    if run.decision:
        return f"{run.decided_by_name} has {run.get_decision_display().lower()} these absences already."
    if run.state != SyncRun.State.HELD:
        return "This sync was not held: there is nothing to decide."
    return "A later sync has judged the account since. Nothing was decided."


def queue_accepting(run: SyncRun, user: User) -> SyncRun:
    """A run that accepts what `run` held back: a new one, or the live one while its absences are not judged yet."""
    for _ in range(MOST_RACES):
        queued = request_sync(run.account, trigger=SyncRun.Trigger.ACCEPTED, user=user, accepts=run)
        early = SyncRun.objects.filter(pk=queued.pk, state__in=SyncRun.LIVE, phase__in=BEFORE_ABSENCES)
        if queued.accepts_id == run.pk or early.update(accepts=run):
            return SyncRun.objects.get(pk=queued.pk)
    raise HoldRefused("A sync is checking this account's absences just now: see what it finds first.")
