"""An account that operators change, and the judge of what became of that: the provider's own journal and its calls.

Nothing here looks at how an edit works: what is stored and told is compared with what the provider did.
"""

import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from phone_numbers.models import Account, Change, Crew, Event, PhoneNumber
from phone_numbers.services import changes
from providers.simulator import Simulator
from tests.chaos.processes import Installation
from tests.chaos.worlds import simulated
from tests.phone_numbers.jobs import sync
from tests.phone_numbers.pages import PIECE
from tests.roles import make_user

State = Change.State
ENDS = (State.CONFIRMED, State.REFUSED, State.CONFLICT, State.MISMATCH, State.FAILED, State.CANCELLED)


class Desk:
    """One account, read once, and the operator Olga."""

    def __init__(self, installation: Installation, simulator: Simulator, name: str = "Plivo main") -> None:
        self.simulator = simulator
        self.account: Account = installation.add_accounts(name)[0]
        self.world = simulated(simulator, self.account)
        assert sync(self.account).state == "complete"
        self.user: User = make_user("operator", username="olga")
        self.numbers = list(self.account.numbers.order_by("pk"))
        simulator.requests.clear()

    def browser(self, user: User | None = None) -> Client:
        client = Client()
        client.force_login(user or self.user)
        return client

    def browsers(self, count: int) -> list[Client]:
        """Of one session, as several tabs are."""
        cookies = self.browser().cookies
        clients = [Client() for _ in range(count)]
        for client in clients:
            client.cookies = cookies.copy()
        return clients

    def change_elsewhere(self, number: PhoneNumber, alias: str) -> None:
        """By somebody else, at the provider."""
        self.simulator.world.change(self.world, number.remote_id, alias=alias)

    def alias_of(self, number: PhoneNumber) -> str | None:
        """At the provider; None when it is gone."""
        held = self.world.find(number.remote_id)
        return held and (held.alias or "")

    def applied(self) -> Counter[tuple[str, str]]:
        """How often the provider gave a number an alias because we asked for it."""
        ours = [entry for entry in self.simulator.world.journal if entry.method == "POST" and entry.after]
        return Counter((entry.number, entry.after["alias"]) for entry in ours)

    def doubled(self) -> int:
        """More often than once."""
        return sum(count - 1 for count in self.applied().values())

    def calls(self) -> dict[str, list[Any]]:
        """Number to the requests for it, in order."""
        found: dict[str, list[Any]] = {}
        for request in self.simulator.requests.kept.copy():
            if match := re.search(r"/Number/(\d+)/", request.target):
                found.setdefault(match[1], []).append(request)
        return found

    def sent_unread(self) -> int:
        """Writes that no reading of the number went before."""
        methods = [["", *(call.method for call in calls)] for calls in self.calls().values()]
        pairs = [pair for each in methods for pair in pairwise(each)]
        return sum(call == "POST" and before != "GET" for before, call in pairs)

    def is_wrong(self, change: Change) -> str:
        """What a change that is over tells, and the provider does not."""
        in_force = self.alias_of(change.number) == change.desired["alias"]
        if change.state == State.CONFIRMED and not in_force:
            return "falsely confirmed"
        return "falsely failed" if change.state in ENDS and change.state != State.CONFIRMED and in_force else ""


def misrecorded(asked: Iterable[Change]) -> int:
    """Changes whose history has not exactly one line for each of their steps."""
    return sum(not is_well_told(change) for change in asked)


def is_well_told(change: Change) -> bool:
    """A write that was held back was told as sent before, and is not counted as one."""
    kinds = Counter(Event.objects.filter(change=change).values_list("kind", flat=True))
    ends = {state: kinds[state] for state in ENDS if kinds[state]}
    sent = kinds[Event.Kind.SENT]
    is_each_sending_told = sent == change.attempt or (sent > change.attempt and kinds[Event.Kind.POSTPONED] > 0)
    return is_each_sending_told and kinds[Event.Kind.REQUESTED] == 1 and ends == {change.state: 1}


def let_leases_lapse() -> None:
    """Of workers that were killed."""
    for model in (Change, Crew):
        model.objects.exclude(lease_token=None).update(lease_expires_at=timezone.now())


def due(pks: Iterable[int]) -> list[int]:
    """Those of them whose time has come."""
    waiting = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    return list(Change.objects.filter(waiting, pk__in=pks, state__in=Change.LIVE).values_list("pk", flat=True))


def together(act: Callable[[Any], Any], each_with: Iterable[Any], hands: int) -> list[Any]:
    """In so many threads, each of which does its share over one connection to the database."""
    arguments = list(each_with)

    def do_share(rank: int) -> list[Any]:
        try:
            return [act(argument) for argument in arguments[rank::hands]]
        finally:
            connection.close()

    with ThreadPoolExecutor(hands) as pool:
        return [result for results in pool.map(do_share, range(hands)) for result in results]


def carry_on(pks: list[int], seconds: float, judge: Callable[[Change], None] = lambda _: None, hands: int = 4) -> None:
    """Workers are rung for these changes whenever one is due, until all are over; `judge` sees each after its turn."""

    def work(pk: int) -> None:
        changes.apply_change(pk)
        judge(Change.objects.select_related("number").get(pk=pk))

    end = time.monotonic() + seconds
    while Change.objects.filter(pk__in=pks, state__in=Change.LIVE).exists() and time.monotonic() < end:
        together(work, due(pks), hands)
        time.sleep(0.02)


def alias_form(number: PhoneNumber, alias: str, key: str = "") -> dict[str, str]:
    """What the list's cell sends, filled in by somebody who saw the number as `number` is."""
    return {"base-alias": number.alias, "alias": alias, "idempotency_key": key or uuid.uuid4().hex}


def save_alias(client: Client, number: PhoneNumber, form: dict[str, str]) -> tuple[int, str]:
    answer = client.post(f"/numbers/{number.pk}/alias/edit/", form, headers=PIECE)
    return answer.status_code, answer.content.decode()
