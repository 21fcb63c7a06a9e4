"""W8: five thousand numbers are selected in the page, planned and applied; nobody is told that a form is too large."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from phone_numbers.models import Change, ChangeSet
from phone_numbers.services.change_sets import cancel_change_set
from providers.simulator import Simulator
from tests.chaos.desk import Desk
from tests.chaos.processes import HIDDEN, Installation
from tests.chaos.rows import FULL, report, report_bite
from tests.phone_numbers.pages import words_of
from tests.simulators import simulator_of

pytestmark = [pytest.mark.lane2, pytest.mark.timeout(240)]

SELECTED = 5000 if FULL else 1010
"""Even the fewer ones are more than the fields that Django lets one form have."""
NEW, MAKE = "/changes/plans/new/", "/changes/plans/make/"
simulator = simulator_of(SELECTED)


def ticked(desk: Desk) -> dict[str, str]:
    """What the list's script posts for numbers that were ticked one by one."""
    return {"numbers": ",".join(str(number.pk) for number in desk.numbers)}


def all_matching(desk: Desk) -> dict[str, str]:
    """What it posts for “all that match”."""
    return {"matching": "all", "filter": f"account={desk.account.pk}", "count": str(len(desk.numbers))}


def take_through(client: Client, selected: dict[str, str]) -> dict[str, str]:
    """From the list to the plan that is under way, by what each page shows and sends back."""
    form = client.post(NEW, selected).content.decode()
    fields = {name: unescape(value) for name, value in HIDDEN.findall(form)}
    asked = re.search(r"<h1>Change ([\d,]+) numbers", form)
    shown = client.post(MAKE, {**fields, "alias-mode": "set", "alias": "Line {last4}"}, follow=True)
    draft = ChangeSet.objects.latest("created_at")
    planned = draft.changes.filter(state=Change.State.PLANNED).count()
    page = words_of(shown)
    previewed = re.search(r"Plan: change ([\d,]+) number", page)
    typed = {"hash": draft.plan_hash, "typed_count": str(planned)}
    applied = client.post(f"/changes/plans/{draft.pk}/apply/", typed)
    draft.refresh_from_db()
    return {
        "selected": asked[1] if asked else "refused",
        "previewed": previewed[1] if previewed else f"{shown.status_code}",
        "planned": f"{planned:,}",
        "applied": f"{applied.status_code} {draft.state}",
    }


def test_w8_five_thousand_are_taken(install: Callable[..., Installation], simulator: Simulator) -> None:
    desk = Desk(install("sqlite"), simulator, "SignalWire main")
    client = desk.browser()
    assert len(desk.numbers) == SELECTED
    for how in (ticked, all_matching):
        found, name = take_through(client, how(desk)), how.__name__.replace("_", " ")
        for what in ("selected", "previewed", "planned"):
            holds = found[what] == f"{SELECTED:,}"
            report("W8", f"{name}: {what}", found[what], f"{SELECTED:,}", holds=holds)
        holds = found["applied"] == "302 applying"
        report("W8", f"{name}: the answer to applying it", found["applied"], "302 applying", holds=holds)
        cancel_change_set(ChangeSet.objects.latest("created_at"), user=desk.user)
    status = client.post(NEW, {"number": [number.pk for number in desk.numbers]}).status_code
    report_bite("W8", "a form with a field for each number", "" if status == 200 else f"answered {status}")
