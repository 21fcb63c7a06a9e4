"""W7: nothing is sent over a value that changed since somebody looked at it, and they are shown what it is now."""

from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client

from phone_numbers.models import Change, ChangeSet, PhoneNumber
from providers.simulator import Simulator
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.desk import PIECE, Desk, alias_form, carry_on, save_alias
from tests.chaos.processes import Installation
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.jobs import plan, sync, work
from tests.simulators import simulator_of

pytestmark = [pytest.mark.lane2, pytest.mark.timeout(240)]

COUNT = 100 if FULL else 10
ALIAS = "Mine"
FORMS, PLANS = "forms", "plans"
CAUGHT = {"a third value is overwritten": FORMS, "a stale plan is applied": PLANS}
simulator = simulator_of(2 * COUNT + 10)


class Lookers:
    """Olga has seen the numbers; then somebody else changes each of them at the provider, to a value of its own."""

    def __init__(self, installation: Installation, simulator: Simulator, count: int) -> None:
        self.desk = Desk(installation, simulator)
        self.client: Client = self.desk.browser()
        self.numbers, self.others = self.desk.numbers[:count], self.desk.numbers[count : 2 * count]
        self.found: Counter[str] = Counter()

    def change_all(self, numbers: list[PhoneNumber]) -> None:
        for number in numbers:
            self.desk.change_elsewhere(number, theirs(number))

    def count(self, number: PhoneNumber, page: str) -> None:
        self.found["blocked"] += self.desk.alias_of(number) == theirs(number)
        self.found["third value shown"] += f"“{theirs(number)}”" in page or f">{theirs(number)}<" in page

    def save_forms(self) -> Counter[str]:
        """Every other one after a sync saw the new value; the rest meets it only when it is carried out."""
        seen, unseen = self.numbers[::2], self.numbers[1::2]
        self.change_all(seen)
        sync(self.desk.account)
        for number in seen:
            status, page = save_alias(self.client, number, alias_form(number, ALIAS))
            self.found["told at once"] += status == 409
            self.count(number, page)
        for number in unseen:
            save_alias(self.client, number, alias_form(number, ALIAS))
        self.change_all(unseen)
        carry_on(list(Change.objects.values_list("pk", flat=True)), 60)
        for number in unseen:
            change = Change.objects.get(number=number)
            self.found["told at once"] += change.state == Change.State.CONFLICT
            path = f"/numbers/{number.pk}/alias/?change={change.pk}"
            self.count(number, self.client.get(path, headers=PIECE).content.decode())
        return self.judged()

    def apply_plans(self) -> Counter[str]:
        """Each plan is for a number that changes and one that does not."""
        plans = [plan(pair, self.desk.user, alias=ALIAS) for pair in zip(self.numbers, self.others, strict=True)]
        self.change_all(self.numbers)
        sync(self.desk.account)
        for number, draft in zip(self.numbers, plans, strict=True):
            form = {"hash": draft.plan_hash, "typed_count": "2"}
            answer = self.client.post(f"/changes/plans/{draft.pk}/apply/", form)
            draft.refresh_from_db()
            self.found["told at once"] += (answer.status_code, draft.state) == (409, ChangeSet.State.DRAFT)
            self.count(number, answer.content.decode())
        return self.judged()

    def judged(self) -> Counter[str]:
        self.found["sent"] = self.desk.applied().total()
        return self.found


def theirs(number: PhoneNumber) -> str:
    return f"Theirs {number.remote_id}"


def look(installation: Installation, simulator: Simulator, what: str, count: int = COUNT) -> Counter[str]:
    lookers = Lookers(installation, simulator, count)
    return lookers.save_forms() if what == FORMS else lookers.apply_plans()


@pytest.mark.parametrize("what", [FORMS, PLANS])
def test_w7_what_changed_since_is_not_overwritten(
    install: Callable[..., Installation], simulator: Simulator, what: str
) -> None:
    found = look(install("sqlite"), simulator, what)
    for each in ("blocked", "told at once", "third value shown"):
        report("W7", f"{what}: {each}", f"{found[each]}/{COUNT}", "all", holds=found[each] == COUNT)
    report("W7", f"{what}: anything sent", found["sent"], "0", holds=not found["sent"])


@pytest.mark.parametrize(("bug", "what"), CAUGHT.items())
def test_w7_catches(install: Callable[..., Installation], simulator: Simulator, bug: str, what: str) -> None:
    with CHANGE_MUTANTS[bug]():
        missed = 10 - look(install("sqlite"), simulator, what, 10)["told at once"]
    report_bite("W7", bug, (missed and f"{missed} of 10 not told") or "")


def test_w7_leaves_a_slow_form_alone(install: Callable[..., Installation], simulator: Simulator) -> None:
    """One that nobody else touched is sent: the row does not pass by refusing everything."""
    desk = Desk(install("sqlite"), simulator)
    number = desk.numbers[0]
    save_alias(desk.browser(), number, alias_form(number, ALIAS))
    assert work(Change.objects.get()).state == Change.State.CONFIRMED
