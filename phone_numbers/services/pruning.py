"""Deletes old sync runs that have nothing to tell, a few at a time. Never events, and nothing of a number."""

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from phone_numbers.models import Account, Event, SyncRun

BATCH = 500
TELLING = ("new", "changed", "returned", "absent", "unconfirmed", "missing", "released")


def prune_runs() -> int:
    """Of every account, a batch of what is older than the newest SYNC_RUNS_KEPT runs. Returns how many went."""
    return sum(prune_account(pk) for pk in Account.objects.order_by().values_list("pk", flat=True))


def prune_account(account_id: int) -> int:
    runs = SyncRun.objects.filter(account=account_id).order_by("-pk").values_list("pk", flat=True)
    oldest_kept = runs[settings.SYNC_RUNS_KEPT - 1 : settings.SYNC_RUNS_KEPT].first()
    if oldest_kept is None:
        return 0
    newest_whole = list(runs.filter(state=SyncRun.State.COMPLETE)[:1])  # Later runs are judged by it.
    old = quiet_runs().filter(account=account_id, pk__lt=oldest_kept).exclude(pk__in=newest_whole)
    pks = list(old.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if pks:
        SyncRun.objects.filter(pk__in=pks).delete()
    return len(pks)


def quiet_runs() -> "QuerySet[SyncRun]":
    """Whole, and found everything as it was: no line of history, no error, no decision hangs on them."""
    nothing = {f"numbers_{each}": 0 for each in TELLING}
    quiet = SyncRun.objects.filter(state=SyncRun.State.COMPLETE, error_slug="", decision="", accepts=None, **nothing)
    return quiet.exclude(Exists(Event.objects.filter(run=OuterRef("pk"))))
