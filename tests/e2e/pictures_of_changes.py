"""Pictures of edits, the log, conflicts and what changed outside. Not a test: `tests.e2e.screenshots` runs it."""

import os

import pytest

from phone_numbers.models import Change, DriftVerdict, Event
from phone_numbers.services.verdicts import judge_drift
from tests.e2e.pictures import FOLDER, VIEWS, show_as, take
from tests.phone_numbers.jobs import ask, carry_out, plan, start, sync, work

pytestmark = pytest.mark.parametrize("simulator", [{"numbers": 200}], indirect=True)


@pytest.fixture
def numbers(account, operator, simulator):
    """With a plan half of which went wrong, an edit that waits, and changes behind our back."""
    numbers = list(account.numbers.filter(voice_kind="application", country="US").exclude(alias="")[:12])
    draft = plan(numbers[:6], operator, alias="Support line")
    draft.reason = "OPS-214: calls go to the new flow"
    draft.save()
    change_set = start(draft, operator, request_id="7e1f0c5a")
    for number in numbers[:2]:
        simulator.world.change(simulator.world.account(), number.remote_id, alias="Somebody else’s")
    simulator.fault("error", method="POST", status=400, path=numbers[2].remote_id)
    carry_out(change_set)
    waiting = work(ask(numbers[7], operator, alias="Front desk"))
    Change.objects.filter(pk=waiting.pk).update(state="sending", detail="The provider takes its time over CNAM.")
    for number in numbers[8:11]:
        simulator.world.change(simulator.world.account(), number.remote_id, alias="Changed at Plivo", voice="")
    sync(account)
    judge_drift(Event.objects.filter(kind="drift")[:2], DriftVerdict.Kind.ACCEPTED, user=operator, reason="As agreed")
    return numbers


@pytest.mark.skipif(FOLDER not in os.environ, reason="only when a folder is named")
@pytest.mark.parametrize("view", VIEWS)
def test_it_pictures_changes(site, account, watch, view, numbers):
    watch.expected.append("status of (409|422)")
    show_as(site.page, view)
    done = Change.objects.filter(state="conflict").earliest("pk").change_set
    paths = {
        "edits": "/changes/",
        "edits-conflict": "/changes/?state=conflict",
        "edits-live": "/changes/?state=live",
        "log": "/changes/log/",
        "log-filtered": f"/changes/log/?kind=edits&person=olga&account={account.pk}&since=2026-01-01&q=alias",
        "log-plan": f"/changes/log/?plan={done.pk}",
        "log-mistake": "/changes/log/?account=77&since=tomorrow",
        "log-nothing": "/changes/log/?person=nobody",
        "drift": "/changes/drift/",
        "drift-decided": "/changes/drift/?state=decided",
        "drift-nothing": "/changes/drift/?kind=money",
        "plan-done": f"/changes/plans/{done.pk}/",
        "number-conflict": f"/numbers/{numbers[0].pk}/",
        "number-waiting": f"/numbers/{numbers[7].pk}/",
        "number-drift": f"/numbers/{numbers[8].pk}/?kind=drift#log",
    }
    for name, path in paths.items():
        take(site.open(path), f"{view}-{name}")
