"""Works through plans: one crew per account, as many hands as the provider takes calls at once.

A crew takes what is due a few changes at a time and stops after a while, so that a message never stands for a long job.
Every hand keeps its connection. Single edits never come here, so none waits behind a plan.
"""

import datetime as dt
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from phone_numbers.models import Account, Change, ChangeSet, Crew, Event, Pulse
from phone_numbers.services.change_sets import end_if_over, pause_change_set
from phone_numbers.services.change_states import event_of, may_be_tried, may_send
from phone_numbers.services.changes import ChangeRefused, bring_on, one_try
from phone_numbers.services.circuits import spared_until
from phone_numbers.services.connections import open_account, shared_limiter
from phone_numbers.services.crash_points import crash_point
from phone_numbers.services.leases import is_free, lease_end
from providers.contract import Provider, Rate
from providers.errors import AuthenticationFailed, NotSent, ProviderError, RateLimited
from providers.limits import Limiter
from providers.registry import PROVIDERS

PLANS = "plans"
"""The queue of the crews' messages, and the name of its pulse."""
SLICE_SECONDS = 15.0
WAVE_PER_HAND = 3
MOST_HANDS = 7
"""Enough to use an account's rate; few enough that little is under way when the credentials are refused."""
LOOKED_AT, MOST_TROUBLED = 20, 4
"""Of the last so many changes, so many may go wrong before the change set pauses: a fifth."""
SHARE, CALLS_PER_CHANGE = 0.9, 3
"""Of an account's rate, so much is for plans: an edit in between always finds room."""

BAD_ENDS = (Change.State.REFUSED, Change.State.FAILED, Change.State.MISMATCH)
MAY_BE_SENT = Q(change_set__state__in=(ChangeSet.State.APPLYING, ChangeSet.State.CANCELLED))
WORKABLE = Q(state__in=(Change.State.SENDING, Change.State.UNKNOWN)) | Q(MAY_BE_SENT, state=Change.State.PENDING)
"""What was sent is read back whatever became of its change set."""

logger = structlog.get_logger(__name__)


def due_accounts(now: dt.datetime) -> list[int]:
    """Whose crews to ring for: something of a plan is due, and nobody works on it."""
    end_change_sets()
    planned = Change.objects.filter(state=Change.State.PLANNED, is_local=False, change_set__in=open_sets())
    found = {*accounts_in(planned), *accounts_in(due_now(now))}
    found -= {*Crew.objects.exclude(is_free(now)).values_list("account", flat=True)}
    accounts = Account.objects.only("retry_at").in_bulk(found) if found else {}
    return sorted(pk for pk, account in accounts.items() if not spared_until(account, now))


def accounts_in(changes: QuerySet[Change]) -> Iterable[int]:
    return changes.order_by().values_list("number__account", flat=True).distinct()


def open_sets() -> QuerySet[ChangeSet]:
    return ChangeSet.objects.filter(is_planned=True, state=ChangeSet.State.APPLYING)


def due_now(now: dt.datetime) -> QuerySet[Change]:
    free = Change.objects.filter(is_free(now), may_be_tried(now))
    return free.filter(WORKABLE, state__in=Change.LIVE, change_set__is_planned=True)


def work_for_account(account_id: int, hands: int | None = None) -> dt.datetime | None:
    """A slice of the account's plans. Returns when to call again, None when that is not needed.

    `hands`: how many changes at once; as many as the provider takes calls, if not said.
    """
    Pulse.record(PLANS)
    account = Account.objects.get(pk=account_id)
    if until := spared_until(account, timezone.now()):
        return until
    token = claim_crew(account)
    if token is None:
        return None
    try:
        Gang(account, token, hands or hands_of(account)).work()
    finally:
        Crew.objects.filter(account=account, lease_token=token).update(lease_token=None, lease_expires_at=None)
    end_change_sets()
    return next_time(account)


def claim_crew(account: Account) -> uuid.UUID | None:
    now = timezone.now()
    token = uuid.uuid4()
    Crew.objects.get_or_create(account=account)
    claimed = Crew.objects.filter(is_free(now), account=account)
    return token if claimed.update(lease_token=token, lease_expires_at=lease_end(now)) else None


def next_time(account: Account) -> dt.datetime | None:
    """When something of the account's plans is due next."""
    now = timezone.now()
    mine = Q(number__account=account)
    can_open = any(canary_left(each) != 0 and openable(account, each).exists() for each in open_sets())
    if can_open or due_now(now).filter(mine).exists():
        return now
    waiting = Change.objects.filter(mine, WORKABLE, change_set__is_planned=True, next_attempt_at__gt=now)
    next_at: dt.datetime | None = waiting.aggregate(at=Min("next_attempt_at"))["at"]
    return next_at


def openable(account: Account, change_set: ChangeSet) -> QuerySet[Change]:
    """Its planned changes at this account; where the number has a live one, that goes first."""
    live = Change.objects.filter(number=OuterRef("number"), state__in=Change.LIVE).order_by()
    planned = change_set.changes.filter(state=Change.State.PLANNED, is_local=False, number__account=account)
    return planned.filter(~Exists(live))


def canary_left(change_set: ChangeSet) -> int | None:
    """How many more may be sent before somebody looks; None for all."""
    if change_set.canary is None:
        return None
    begun = change_set.changes.filter(is_local=False).exclude(state__in=Change.UNASKED).count()
    return max(change_set.canary - begun, 0)


def end_change_sets() -> None:
    """Plans that are through are done; those whose first few are through wait for somebody to look."""
    for change_set in open_sets():
        if end_if_over(change_set) or change_set.changes.filter(state__in=Change.LIVE).exists():
            continue
        if canary_left(change_set) == 0:
            with suppress(ChangeRefused):
                pause_change_set(change_set, f"The first {change_set.canary:,} are through. Look at them, then go on.")


class Gang:
    """The hands of one crew, for one slice."""

    def __init__(self, account: Account, token: uuid.UUID, hands: int) -> None:
        self.account, self.token, self.hands = account, token, hands
        self.ends_at = time.monotonic() + SLICE_SECONDS
        self.pace = pace_of(account)
        self._queue: deque[tuple[int, uuid.UUID]] = deque()
        self._lock = threading.Lock()
        self._crew = [Hand(self) for _ in range(hands)]
        self._stopped: set[uuid.UUID] = set()
        self._results: dict[uuid.UUID, deque[bool]] = {}

    def work(self) -> None:
        if self.hands == 1:
            self._crew[0].work()
            return
        with ThreadPoolExecutor(self.hands, thread_name_prefix=f"crew-{self.account.pk}") as pool:
            for done in [pool.submit(hand.work_in_thread) for hand in self._crew]:
                done.result()

    def may_call(self) -> bool:
        """Not once the credentials were refused: nobody waits for that to be written down."""
        return not any(hand.is_refused for hand in self._crew)

    def take(self) -> int | None:
        """The next change to work on; None when the slice is over or nothing is due."""
        with self._lock:
            while time.monotonic() < self.ends_at and self.may_call():
                if not self._queue:
                    self._refill()
                if not self._queue:
                    return None
                change_id, change_set_id = self._queue.popleft()
                if change_set_id not in self._stopped:
                    return change_id
            return None

    def _refill(self) -> None:
        """Only while the crew is ours: another one may have taken over."""
        now = timezone.now()
        if not Crew.objects.filter(account=self.account, lease_token=self.token).update(
            lease_expires_at=lease_end(now)
        ):
            return
        size = WAVE_PER_HAND * self.hands
        due = due_now(now).filter(number__account=self.account).exclude(change_set__in=self._stopped)
        self._queue += due.order_by("next_attempt_at", "pk").values_list("pk", "change_set")[:size]
        if len(self._queue) < size:
            self._queue += open_changes(self.account, size - len(self._queue))

    def note(self, change: Change) -> None:
        """Pause its change set when credentials are refused, or when too many of the last twenty went wrong."""
        trouble = change.trouble
        if isinstance(trouble, RateLimited | NotSent):
            return
        with self._lock:
            results = self._results.setdefault(change.change_set_id, deque(maxlen=LOOKED_AT))
            results.append(trouble is not None or change.state in BAD_ENDS)
            if isinstance(trouble, AuthenticationFailed):
                self._stop(change, f"{trouble} Nothing more is sent until somebody has looked.")
            elif sum(results) > MOST_TROUBLED:
                last = str(trouble) if isinstance(trouble, ProviderError) else change.detail
                self._stop(
                    change, f"{sum(results)} of the last {len(results)} changes went wrong; the last one: {last}"
                )

    def _stop(self, change: Change, why: str) -> None:
        if change.change_set_id not in self._stopped:
            self._stopped.add(change.change_set_id)
            with suppress(ChangeRefused):
                pause_change_set(change.change_set, why)


class Hand:
    """One thread's work: change after change over one connection."""

    def __init__(self, gang: Gang) -> None:
        self.gang = gang
        self.change: Change | None = None
        self.limits = one_try()
        self._provider: Provider | None = None
        self._open = ExitStack()

    def work(self) -> None:
        with self._open:
            while (change_id := self.gang.take()) is not None:
                if self.gang.pace:
                    self.gang.pace.wait(settings.LEASE_SECONDS)
                if change := bring_on(change_id, self.opened):
                    self.gang.note(change)

    def work_in_thread(self) -> None:
        try:
            self.work()
        finally:
            connection.close()

    @property
    def is_refused(self) -> bool:
        return self.change is not None and isinstance(self.change.trouble, AuthenticationFailed)

    def opened(self, change: Change) -> AbstractContextManager[Provider]:
        self.change = change
        if self._provider is None:
            gates = {"may_call": self.gang.may_call, "may_send": self.may_send}
            opening = open_account(self.gang.account, self.limits, **gates)
            self._provider = self._open.enter_context(opening)
        return nullcontext(self._provider)

    def may_send(self) -> bool:
        return self.change is not None and may_send(self.change, self.limits.deadline_seconds)


def hands_of(account: Account) -> int:
    provider = PROVIDERS.get(account.provider)
    return min(provider.capabilities.max_in_flight, MOST_HANDS) if provider else 1


def pace_of(account: Account) -> Limiter | None:
    """Changes in a while, so that their calls leave room in the account's rate."""
    if (provider := PROVIDERS.get(account.provider)) is None:
        return None
    rate = provider.capabilities.rate
    changes = max(int(rate.requests * SHARE / CALLS_PER_CHANGE), 1)
    return shared_limiter(account, Rate(requests=changes, seconds=rate.seconds), purpose="plans-")


def open_changes(account: Account, size: int) -> list[tuple[int, uuid.UUID]]:
    """Planned changes become pending, a few of every plan in turn, each with its first line of history."""
    opened: list[tuple[int, uuid.UUID]] = []
    sets = list(open_sets())
    for rank, change_set in enumerate(sets):
        share = -(-(size - len(opened)) // (len(sets) - rank))
        with suppress(IntegrityError):
            opened += open_some(account, change_set, share)
    return opened


def open_some(account: Account, change_set: ChangeSet, count: int) -> list[tuple[int, uuid.UUID]]:
    """No more than the canary allows, whichever crews ask at once.

    Raises IntegrityError when an edit of one of the numbers came in between: then it is tried again later.
    """
    with transaction.atomic():
        still_open = ChangeSet.objects.select_for_update().filter(pk=change_set.pk, state=ChangeSet.State.APPLYING)
        if still_open.first() is None:
            return []
        left = canary_left(change_set)
        count = count if left is None else min(count, left)
        changes = list(openable(account, change_set).select_for_update(of=("self",)).order_by("pk")[:count])
        pks = [change.pk for change in changes]
        columns = {"state": Change.State.PENDING, "created_at": timezone.now(), "detail": ""}
        Change.objects.filter(pk__in=pks, state=Change.State.PLANNED).update(**columns)
        for change in changes:
            change.change_set = change_set
        Event.objects.bulk_create(event_of(change, Event.Kind.REQUESTED) for change in changes)
        crash_point("before_intent")
    crash_point("after_intent")
    return [(pk, change_set.pk) for pk in pks]
