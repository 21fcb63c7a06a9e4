"""Deletes old sync runs that nothing hangs on any more, a few at a time. Never events, and nothing of a number."""

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from phone_numbers.models import Account, Event, SyncRun

BATCH = 500


def prune_runs() -> int:
    """Of every account, a batch of what is older than the newest SYNC_RUNS_KEPT runs. Returns how many went."""
    return sum(prune_account(pk) for pk in Account.objects.order_by().values_list("pk", flat=True))


def prune_account(account_id: int) -> int:
    runs = SyncRun.objects.filter(account=account_id).order_by("-pk").values_list("pk", flat=True)
    oldest_kept = runs[settings.SYNC_RUNS_KEPT - 1 : settings.SYNC_RUNS_KEPT].first()
    if oldest_kept is None:
        return 0
    newest_whole = runs.filter(state=SyncRun.State.COMPLETE)[:1]  # Later runs are judged by it.
    newest_judged = runs.filter(state__in=SyncRun.JUDGED)[:1]  # It may be held, and wait for a person.
    old = forgettable_runs().filter(account=account_id, pk__lt=oldest_kept)
    pks = list(old.exclude(pk__in=[*newest_whole, *newest_judged]).values_list("pk", flat=True).order_by("pk")[:BATCH])
    if pks:
        SyncRun.objects.filter(pk__in=pks).delete()
    return len(pks)


def forgettable_runs() -> "QuerySet[SyncRun]":
    """Over, and named by no line of a number's history, nor by a run that took the absences accepted in them."""
    told = Exists(Event.objects.filter(run=OuterRef("pk")))
    return SyncRun.objects.exclude(Q(state__in=SyncRun.LIVE) | told | Q(accepted_in__isnull=False))
