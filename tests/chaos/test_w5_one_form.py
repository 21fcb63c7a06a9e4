"""W5: a form that is sent twenty times at once, and once more much later, is one edit."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier

import pytest
from django.test import Client

from phone_numbers.models import Change, ChangeSet, PhoneNumber
from phone_numbers.services.change_crews import work_for_account
from providers.simulator import Simulator
from tests.chaos.change_mutants import CHANGE_MUTANTS
from tests.chaos.desk import Desk, alias_form, carry_on, save_alias, together
from tests.chaos.processes import Installation
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.jobs import sync
from tests.simulators import simulator_of

pytestmark = [pytest.mark.lane2, pytest.mark.timeout(240)]

TIMES, FORMS = (20, 10) if FULL else (6, 3)
ALIAS = "Sent often"
CAUGHT = ("the key of a form is ignored",)
MAKE = "/changes/plans/make/"
simulator = simulator_of(60)


def send_at_once(desk: Desk, send: Callable[[Client], str]) -> Counter[str]:
    """From so many tabs at one moment; what they were answered."""
    start = Barrier(TIMES)

    def wait_and_send(client: Client) -> str:
        start.wait()
        return send(client)

    return Counter(together(wait_and_send, desk.browsers(TIMES), TIMES))


def send_forms(installation: Installation, simulator: Simulator, count: int = FORMS) -> dict[str, int]:
    desk = Desk(installation, simulator)
    client = desk.browser()
    forms = [(number, alias_form(number, ALIAS)) for number in desk.numbers[:count]]
    same = 0
    for number, form in forms:
        answers = send_at_once(desk, lambda tab, it=number, sent=form: answer(tab, it, sent))
        same += answers["Sending"] == TIMES
    carry_on(list(Change.objects.values_list("pk", flat=True)), 60)
    for number, _ in forms:
        desk.change_elsewhere(number, number.alias)
    sync(desk.account)
    for number, form in forms:
        answer(client, number, form)
    carry_on(list(Change.objects.values_list("pk", flat=True)), 60)
    return {
        "answered alike": same,
        "edits": Change.objects.count(),
        "writes": desk.applied().total(),
        "written over what was put back": sum(desk.alias_of(number) != number.alias for number, _ in forms),
    }


def answer(client: Client, number: PhoneNumber, form: dict[str, str]) -> str:
    status, page = save_alias(client, number, form)
    return "Sending" if status == 200 and "Sending" in page else f"{status}"


def test_w5_one_form_is_one_edit(install: Callable[..., Installation], simulator: Simulator) -> None:
    found = send_forms(install("sqlite"), simulator)
    what = f"{FORMS} forms {TIMES} times each: answered alike"
    report("W5", what, f"{found['answered alike']}/{FORMS}", "all", holds=found["answered alike"] == FORMS)
    for what in ("edits", "writes"):
        report("W5", f"{what} of {FORMS} forms", found[what], f"{FORMS}", holds=found[what] == FORMS)
    again = found["written over what was put back"]
    report("W5", "edits made when they are sent once more later", again, "0", holds=not again)


def test_w5_one_plan_is_carried_out_once(install: Callable[..., Installation], simulator: Simulator) -> None:
    desk = Desk(install("sqlite"), simulator)
    numbers = desk.numbers[:9]
    ticked = ",".join(str(number.pk) for number in numbers)
    form = {"numbers": ticked, "alias-mode": "set", "alias": ALIAS, "idempotency_key": "one form"}
    send_at_once(desk, lambda tab: str(tab.post(MAKE, form).status_code))
    plan = ChangeSet.objects.latest("created_at")
    path, typed = f"/changes/plans/{plan.pk}/apply/", {"hash": plan.plan_hash, "typed_count": str(len(numbers))}
    send_at_once(desk, lambda tab: str(tab.post(path, typed).status_code))
    together(lambda _: work_for_account(desk.account.pk, hands=1), range(2), 2)
    work_for_account(desk.account.pk, hands=1)
    plans, writes = ChangeSet.objects.count(), desk.applied().total()
    report("W5", f"one plan asked for and applied {TIMES} times: plans", plans, "1", holds=plans == 1)
    report("W5", f"writes of its {len(numbers)} numbers", writes, f"{len(numbers)}", holds=writes == len(numbers))


@pytest.mark.parametrize("bug", CAUGHT)
def test_w5_catches(install: Callable[..., Installation], simulator: Simulator, bug: str) -> None:
    with CHANGE_MUTANTS[bug]():
        edits = send_forms(install("sqlite"), simulator, 2)["edits"]
    report_bite("W5", bug, f"{edits} edits of 2 forms" if edits > 2 else "")
