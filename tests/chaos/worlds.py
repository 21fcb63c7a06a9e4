"""What really is at the simulated provider, and whether the cache tells it: the judge of most rows."""

from collections.abc import Iterable
from typing import Any

from django.db import DatabaseError, connection

from phone_numbers.models import Account, Event, PhoneNumber, SyncRun
from providers.simulator import Simulator
from providers.simulator.world import Account as SimulatedAccount

ABSENT = (PhoneNumber.Presence.MISSING, PhoneNumber.Presence.RELEASED)


def simulated(simulator: Simulator, account: Account) -> SimulatedAccount:
    """The account at its provider."""
    opened = account.credentials.open()
    keys = ("auth_id", "account_sid", "project_id")
    wanted = {(account.provider, opened[key]) for key in keys if key in opened}
    return next(each for key, each in simulator.world.accounts.items() if key in wanted)


class Shaker:
    """Changes an account at its provider as its own users would: some aliases, a number added, another given back."""

    def __init__(self, simulator: Simulator, account: Account) -> None:
        self.world, self.there = simulator.world, simulated(simulator, account)
        self.account = account
        self.rounds = 0
        self.aliases: dict[str, str] = {}
        """Digits to the alias of this round."""

    def shake(self) -> None:
        self.rounds += 1
        digits = [self.there.at(rank * len(self.there) // 4).digits for rank in range(1, 4)]
        self.aliases = {each: f"Round {self.rounds} {each[-4:]}" for each in digits}
        for each, alias in self.aliases.items():
            self.world.change(self.there, each, alias=alias)
        self.world.add(self.there)
        self.world.remove(self.there, self.there.at(0).digits)

    def lost(self) -> list[str]:
        """Numbers the provider holds that the cache lacks, does not show as present, or shows otherwise."""
        cached = self.cached()
        return [
            each.digits
            for each in self.there
            if cached.get(each.digits, ("", ""))[0] != PhoneNumber.Presence.PRESENT
            or (each.digits in self.aliases and cached[each.digits][1] != self.aliases[each.digits])
        ]

    def wrongly_absent(self) -> list[str]:
        """Numbers the provider holds that the cache calls missing or released."""
        cached = self.cached()
        return [each.digits for each in self.there if cached.get(each.digits, ("", ""))[0] in ABSENT]

    def told_twice(self) -> list[str]:
        """Numbers whose new alias of this round is in their history more or less than once."""
        news = Event.objects.filter(number__account=self.account, kind=Event.Kind.DRIFT, field="alias")
        told = list(news.filter(after__in=self.aliases.values()).values_list("after", flat=True))
        return [alias for alias in self.aliases.values() if told.count(alias) != 1]

    def cached(self) -> dict[str, tuple[str, str]]:
        rows = PhoneNumber.objects.filter(account=self.account).values_list("e164", "presence", "alias")
        return {e164.removeprefix("+"): (presence, alias) for e164, presence, alias in rows}


def stuck(accounts: Iterable[Account]) -> list[SyncRun]:
    """Runs that still want a worker."""
    return list(SyncRun.objects.filter(account__in=list(accounts), state__in=SyncRun.LIVE))


def everything_committed(accounts: Iterable[Account]) -> list[Any]:
    """The rows a sync writes, to be compared."""
    pks = [account.pk for account in accounts]
    return [
        list(Account.objects.filter(pk__in=pks).order_by("pk").values_list()),
        list(SyncRun.objects.filter(account__in=pks).order_by("pk").values_list()),
        list(PhoneNumber.objects.filter(account__in=pks).order_by("pk").values_list()),
        list(Event.objects.filter(number__account__in=pks).order_by("pk").values_list()),
    ]


def is_intact() -> bool:
    """SQLite's own check of the whole file."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            return bool(cursor.fetchone()[0] == "ok")
    except DatabaseError:
        return False
