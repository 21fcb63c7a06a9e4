"""W3: of two operators who save the same number at once one wins, and the other is told who did and keeps the text."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from phone_numbers.models import Change, PhoneNumber
from providers.simulator import Simulator
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.desk import Desk, alias_form, carry_on, save_alias
from tests.chaos.processes import Installation
from tests.chaos.rows import FULL, report, report_bite
from tests.roles import make_user
from tests.simulators import simulator_of

pytestmark = [pytest.mark.timeout(240)]

RACES = 200 if FULL else 15
CAUGHT = ("the later form wins",)
simulator = simulator_of(RACES + 10)


class Races:
    """Olga and Otto, each with the form of the same number open."""

    def __init__(self, installation: Installation, simulator: Simulator) -> None:
        self.desk = Desk(installation, simulator)
        otto = make_user("operator", username="otto")
        self.clients = {"olga": self.desk.browser(), "otto": self.desk.browser(otto)}
        self.start = Barrier(len(self.clients))

    def run(self, count: int) -> Counter[str]:
        found: Counter[str] = Counter()
        wished: dict[int, str] = {}
        with ThreadPoolExecutor(len(self.clients)) as pool:
            for number in self.desk.numbers[:count]:
                told = dict(zip(self.clients, pool.map(self.save, self.clients, [number] * 2), strict=True))
                winners = [who for who, answer in told.items() if answer == "won"]
                found["one wins"] += len(winners) == 1
                found["loser told"] += sorted(told.values()) == ["told", "won"]
                wished[number.pk] = f"By {winners[-1]}" if winners else ""
            list(pool.map(lambda _: self.leave(), self.clients))
        pks = list(Change.objects.values_list("pk", flat=True))
        carry_on(pks, 60)
        found["lost updates"] = sum(self.is_lost(number, wished) for number in self.desk.numbers[:count])
        found["sent besides"] = len(self.desk.applied()) + self.desk.doubled() - count
        return found

    def save(self, who: str, number: PhoneNumber) -> str:
        """What the page answers: won, told, or something else."""
        form = alias_form(number, f"By {who}")
        self.start.wait()
        return judged(who, *save_alias(self.clients[who], number, form))

    def leave(self) -> None:
        self.start.wait()
        connection.close()

    def is_lost(self, number: PhoneNumber, wished: dict[int, str]) -> bool:
        """Whoever was told that theirs is on its way finds it in force, and in the list."""
        shown = PhoneNumber.objects.get(pk=number.pk).alias
        return not self.desk.alias_of(number) == shown == wished[number.pk]


def judged(who: str, status: int, page: str) -> str:
    other = "otto" if who == "olga" else "olga"
    if status == 200 and "Sending" in page:
        return "won"
    is_told = f"An edit by {other} is under way" in page and f'value="By {who}"' in page
    return "told" if status == 409 and is_told else f"{status}"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"] if FULL else ["sqlite"])
def test_w3_one_of_two_operators_wins(kind: str, install: Callable[..., Installation], simulator: Simulator) -> None:
    found = Races(install(kind), simulator).run(RACES)
    for what in ("one wins", "loser told"):
        report("W3", f"{what}, on {kind}", f"{found[what]}/{RACES}", "all", holds=found[what] == RACES)
    for what in ("lost updates", "sent besides"):
        report("W3", f"{what}, on {kind}", found[what], "0", holds=not found[what])


@pytest.mark.parametrize("bug", CAUGHT)
def test_w3_catches(install: Callable[..., Installation], simulator: Simulator, bug: str) -> None:
    with CHANGE_MUTANTS[bug]():
        found = Races(install("sqlite"), simulator).run(10)
    report_bite("W3", bug, f"one wins {found['one wins']}/10" if found["one wins"] < 10 else "")
