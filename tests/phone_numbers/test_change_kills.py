"""A crew is killed in the middle of a plan: another one goes on, nothing is lost and nothing is sent twice."""

import signal
from collections import Counter

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from phone_numbers.models import Account, Change, Crew, Event
from phone_numbers.services import changes
from providers.contract import Provider
from providers.simulator import Simulator
from tests.phone_numbers.jobs import carry_out, edits, plan, start, states
from tests.phone_numbers.killing import killed

PLACES = (
    *("before_intent", "after_intent", "after_claim", "after_get", "before_send", "after_send", "after_yes"),
    *("after_read_back", "after_confirm", "after_audit"),
)


def let_leases_lapse() -> None:
    for model in (Change, Crew):
        model.objects.exclude(lease_token=None).update(lease_expires_at=timezone.now())


def sent(simulator: Simulator) -> Counter[str]:
    return Counter(number for number, _ in edits(simulator))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.django_db(transaction=True)
def test_it_goes_on_after_a_crew_was_killed(
    synced: Account, operator: User, simulator: Simulator, settings: Settings, place: str
) -> None:
    numbers = list(synced.numbers.exclude(alias="")[:10])
    change_set = start(plan(numbers, operator, alias="New"), operator)
    assert killed("account", synced.pk, simulator, settings, place) == -signal.SIGKILL
    let_leases_lapse()
    carry_out(change_set)
    assert (change_set.state, states(change_set)) == ("done", {"confirmed": 10})
    assert sent(simulator) == Counter(number.remote_id for number in numbers)
    for kind in ("requested", "confirmed"):
        assert Event.objects.filter(kind=kind).count() == 10


@pytest.mark.slow
@pytest.mark.parametrize("simulator", [{"numbers": 150}], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_it_settles_every_change_of_a_plan_that_is_killed_twice(
    synced: Account, operator: User, simulator: Simulator, settings: Settings
) -> None:
    """Errors before and after the provider applied an edit, numbers that are gone, and two crews killed."""
    numbers = list(synced.numbers.exclude(alias="")[:120])
    for nth in range(7, 120, 20):
        simulator.fault("error", status=500, method="POST", nth=nth, after=nth % 40 == 7)
    for number in numbers[:2]:
        simulator.world.remove(simulator.world.account(), number.remote_id)
    change_set = start(plan(numbers, operator, alias="New"), operator)
    for place in ("after_send", "after_yes"):
        assert killed("account", synced.pk, simulator, settings, place) == -signal.SIGKILL
        let_leases_lapse()
    carry_out(change_set)
    assert (change_set.state, states(change_set)) == ("done", {"confirmed": 118, "failed": 2})
    assert sent(simulator) == Counter(number.remote_id for number in numbers[2:])


@pytest.mark.django_db(transaction=True)
def test_it_would_notice_an_engine_that_sends_again_without_reading(
    synced: Account, operator: User, simulator: Simulator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_set = start(plan(synced.numbers.exclude(alias="")[:1], operator, alias="New"), operator)
    assert killed("account", synced.pk, simulator, settings, "after_send") == -signal.SIGKILL
    let_leases_lapse()

    def send_again(change: Change, provider: Provider) -> None:
        provider.send_edit(change.number.remote_id, change.desired)
        changes.check(change, provider)

    monkeypatch.setattr(changes, "resume", send_again)
    carry_out(change_set)
    assert sent(simulator).most_common(1)[0][1] == 2
