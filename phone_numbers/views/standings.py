"""How accounts are doing: what is the matter, why, and what a person can do. The same words wherever they are shown."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from phone_numbers.models import Account, SyncRun
from phone_numbers.services.circuits import spared_until
from phone_numbers.views.causes import BY_ITSELF, CAUSES, Step, cause_of

Health = Account.Health


class Rank(IntEnum):
    """Who needs a person first."""

    REFUSED = 0
    HELD = 1
    FAILING = 2
    LATE = 3
    NEW = 4
    PAUSED = 5
    WELL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the pages say of an account."""

    rank: Rank
    tone: str
    shape: str
    title: str
    why: str = ""
    advice: str = ""
    step: Step = Step.NOTHING

    @property
    def is_warning(self) -> bool:
        """Its numbers should not be trusted without a look."""
        return self.rank <= Rank.LATE


@dataclass(frozen=True, slots=True)
class Situation:
    """An account with the runs that tell how it is doing."""

    account: Account
    live_run: SyncRun | None
    last_run: SyncRun | None
    """The newest run that has ended."""
    hold: SyncRun | None
    """The held run that a person should decide on."""
    standing: Standing


def find_situations(accounts: "QuerySet[Account]") -> list[Situation]:
    """In two queries."""
    runs = SyncRun.objects.filter(account=OuterRef("pk")).order_by("-pk").values("pk")
    rows = accounts.defer("credentials").annotate(
        live=Subquery(runs.filter(state__in=SyncRun.LIVE)[:1]),
        ended=Subquery(runs.exclude(state__in=SyncRun.LIVE)[:1]),
        judged=Subquery(runs.filter(state__in=SyncRun.JUDGED)[:1]),
    )
    found = list(rows)
    shown = SyncRun.objects.in_bulk({pk for row in found for pk in (row.live, row.ended, row.judged) if pk})
    return [situation_of(row, *(shown.get(pk or 0) for pk in (row.live, row.ended, row.judged))) for row in found]


def situation_of(
    account: Account, live_run: SyncRun | None, last_run: SyncRun | None, judged: SyncRun | None
) -> Situation:
    for run in (live_run, last_run, judged):
        if run:
            run.account = account
    hold = judged if judged and judged.is_undecided else None
    standing = standing_of(account, last_run, timezone.now())
    if live_run and standing.rank == Rank.NEW:
        standing = replace(standing, tone="busy", shape="arrow-path", title="First sync", why="")
    return Situation(account, live_run, last_run, hold, standing)


def needs_warning(account: Account) -> bool:
    """The same as `standing.is_warning`, told from the account alone."""
    return standing_of(account, None, timezone.now()).is_warning


def count_needing_person(accounts: Iterable[Account] | None = None) -> int:
    """How many accounts will not be well again before a person does something."""
    needing = (Health.AUTH_FAILED, Health.WRONG_ACCOUNT, Health.HELD)
    if accounts is None:
        return Account.objects.filter(health__in=needing).count()
    return sum(account.health in needing for account in accounts)


def standing_of(account: Account, last_run: SyncRun | None, now: dt.datetime) -> Standing:
    if account.health in (Health.AUTH_FAILED, Health.WRONG_ACCOUNT):
        return refused(account)
    if account.health == Health.HELD:
        return held_back(account, last_run)
    if account.health == Health.FAILING:
        return failing(account, last_run, now)
    if account.health != Health.NEW and account.is_stale:
        return late(account, last_run)
    return paused(account) if account.is_paused else well(account, last_run)


def refused(account: Account) -> Standing:
    slug = "authentication_failed" if account.health == Health.AUTH_FAILED else "wrong_account"
    cause = CAUSES[slug]
    return Standing(
        rank=Rank.REFUSED,
        tone="bad",
        shape="lock-closed" if slug == "authentication_failed" else "x-circle",
        title=cause.title,
        why=account.health_detail,
        advice=cause.advice,
        step=cause.step,
    )


def held_back(account: Account, last_run: SyncRun | None) -> Standing:
    """`Step.HOLD` leads to the held run while nobody has decided on it."""
    is_decided = last_run is not None and bool(last_run.decision)
    return Standing(
        rank=Rank.HELD,
        tone="warn",
        shape="exclamation-triangle",
        title="Held",
        why=account.health_detail,
        advice="" if is_decided else CAUSES["held"].advice,
        step=Step.NOTHING if is_decided else Step.HOLD,
    )


def failing(account: Account, last_run: SyncRun | None, now: dt.datetime) -> Standing:
    cause = cause_of(last_run.error_slug) if last_run else None
    spared = spared_until(account, now)
    return Standing(
        rank=Rank.FAILING,
        tone="bad",
        shape="clock" if spared else "exclamation-triangle",
        title=f"Spared until {timezone.localtime(spared):%H:%M}" if spared else cause.title if cause else "Failing",
        why=account.health_detail,
        advice=cause.advice if cause else BY_ITSELF,
        step=cause.step if cause else Step.NOTHING,
    )


def late(account: Account, last_run: SyncRun | None) -> Standing:
    """Nothing failed, yet no whole listing was read for longer than two intervals."""
    why = "No sync has ended since." if last_run is None else last_run.detail
    advice, step = "Look whether a worker is running.", Step.HEALTH
    if account.is_paused:
        why, advice, step = "It is paused, so its numbers may be out of date.", "", Step.NOTHING
    elif last_run and last_run.state == SyncRun.State.PARTIAL:
        advice, step = CAUSES["moving_list"].advice, Step.NOTHING
    return Standing(
        rank=Rank.LATE,
        tone="warn",
        shape="exclamation-triangle",
        title="Out of date",
        why=why or "No sync has ended well since.",
        advice=advice,
        step=step,
    )


def paused(account: Account) -> Standing:
    return Standing(
        rank=Rank.PAUSED,
        tone="quiet",
        shape="minus-circle",
        title="Paused",
        why="It is not synced on schedule." if account.fresh_at else "It was never synced.",
    )


def well(account: Account, last_run: SyncRun | None) -> Standing:
    if account.health == Health.NEW:
        first = "It is read for the first time as soon as a worker is free."
        return Standing(rank=Rank.NEW, tone="quiet", shape="clock", title="Not synced yet", why=first)
    remark = last_run.detail if last_run and last_run.state == SyncRun.State.PARTIAL else account.health_detail
    return Standing(rank=Rank.WELL, tone="good", shape="check-circle", title="In step", why=remark)
