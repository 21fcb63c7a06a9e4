"""Edits by the hundred, and what became of them at the provider: lost, doubled or done."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import QuerySet

from phone_numbers.models import Account, Change, SyncRun
from phone_numbers.services.runs import request_sync
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from tests.phone_numbers.jobs import ask
from tests.roles import make_user

ALIAS = "By us"


class Edits:
    """Edits of one account's numbers, one after the other."""

    def __init__(self, account: Account, simulator: Simulator) -> None:
        self.account, self.simulator = account, simulator
        run_sync(request_sync(account, trigger=SyncRun.Trigger.PERSON).pk)
        self.user: User = make_user("operator", username="olga")
        self._numbers = iter(list(account.numbers.order_by("pk")))
        self.pks: list[int] = []

    def ask(self) -> Change:
        """An edit of a number that was not edited before."""
        change = ask(next(self._numbers), self.user, alias=ALIAS)
        self.pks.append(change.pk)
        return change

    def confirmed(self) -> int:
        return self._changes().filter(state=Change.State.CONFIRMED).count()

    def live(self) -> int:
        return self._changes().filter(state__in=Change.LIVE).count()

    def states(self) -> list[tuple[int, str, str]]:
        return list(self._changes().exclude(state=Change.State.CONFIRMED).values_list("pk", "state", "detail"))

    def effects(self) -> list[str]:
        """The numbers the provider gave the alias to, once for every time."""
        return [entry.number for entry in self.simulator.world.journal if entry.after == {"alias": ALIAS}]

    def doubled(self) -> int:
        return len(self.effects()) - len(set(self.effects()))

    def lost(self) -> int:
        """Asked for, and not both confirmed and in force."""
        done = set(self.effects())
        rows: Iterable[tuple[str, str]] = self._changes().values_list("state", "number__e164")
        return sum(state != Change.State.CONFIRMED or e164.removeprefix("+") not in done for state, e164 in rows)

    def _changes(self) -> "QuerySet[Change]":
        return Change.objects.filter(pk__in=self.pks)
