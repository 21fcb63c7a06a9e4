"""Undoing, putting back and trying again: always a plan, never over what was changed since."""

import pytest
from django.contrib.auth.models import User

from phone_numbers.models import Change, ChangeSet, Event, PhoneNumber
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_reversals import (
    count_retried,
    plan_anew,
    plan_restore,
    plan_retry,
    plan_undo,
    plan_undo_of_change,
)
from providers.simulator import Simulator
from tests.phone_numbers.jobs import ask, carry_out, edits, number_of, origin, plan, start, states, sync, work


def drift(simulator: Simulator, number: PhoneNumber, **values: str) -> None:
    """Somebody changes it at the provider, and the next sync finds it."""
    simulator.world.change(simulator.world.account(), number.remote_id, **values)
    sync(number.account)


def test_it_undoes_a_change_set(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    done = carry_out(start(plan(numbers[:5], operator, alias="New"), operator))
    undone = carry_out(start(plan_undo(origin(operator), done), operator))
    assert (states(undone), undone.follows) == ({"confirmed": 5}, done)
    assert [number_of(number.remote_id).alias for number in numbers[:5]] == [number.alias for number in numbers[:5]]
    assert len(edits(simulator)) == 10


def test_it_undoes_one_change(numbers: list[PhoneNumber], operator: User) -> None:
    done = work(ask(numbers[0], operator, alias="New"))
    carry_out(start(plan_undo_of_change(origin(operator), done), operator))
    assert number_of(numbers[0].remote_id).alias == numbers[0].alias


def test_it_undoes_an_undoing(numbers: list[PhoneNumber], operator: User) -> None:
    done = carry_out(start(plan(numbers[:1], operator, alias="New"), operator))
    undone = carry_out(start(plan_undo(origin(operator), done), operator))
    carry_out(start(plan_undo(origin(operator), undone), operator))
    assert number_of(numbers[0].remote_id).alias == "New"


def test_it_leaves_alone_what_was_changed_since(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    done = carry_out(start(plan(numbers[:3], operator, alias="New"), operator))
    drift(simulator, numbers[0], alias="Theirs")
    undoing = plan_undo(origin(operator), done)
    change = undoing.changes.get(number=numbers[0])
    assert (change.left_out, change.detail) == ("changed", "Alias was changed since, to “Theirs”, and stays so.")
    assert states(undoing) == {"planned": 2, "left_out": 1}


def test_it_sends_nothing_over_what_was_changed_since_unseen(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    done = carry_out(start(plan(numbers[:3], operator, alias="New"), operator))
    undoing = start(plan_undo(origin(operator), done), operator)
    simulator.world.change(simulator.world.account(), numbers[0].remote_id, alias="Theirs")
    assert states(carry_out(undoing)) == {"confirmed": 2, "conflict": 1}


def test_it_undoes_the_fields_that_were_not_changed_since(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    number = next(each for each in numbers if each.country == "US")
    done = work(ask(number, operator, alias="New", voice=""))
    drift(simulator, number, alias="Theirs")
    change = plan_undo_of_change(origin(operator), done).changes.get()
    assert (change.state, change.desired) == ("planned", {"voice": number.voice.key})
    assert change.detail == "Alias was changed since, to “Theirs”, and stays so."


def test_it_undoes_nothing_that_was_so_already(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    change = ask(numbers[0], operator, alias="New")
    simulator.world.change(simulator.world.account(), numbers[0].remote_id, alias="New")
    left = plan_undo_of_change(origin(operator), work(change)).changes.get()
    assert (left.left_out, left.detail) == ("already", "It was so already when this was asked for; nothing was sent.")


def test_it_undoes_nothing_that_was_not_confirmed(numbers: list[PhoneNumber], operator: User) -> None:
    with pytest.raises(ChangeRefused, match="nothing to undo"):
        plan_undo_of_change(origin(operator), ask(numbers[0], operator, alias="New"))


def test_it_puts_back_what_drifted(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    drift(simulator, numbers[0], alias="Theirs")
    restoring = plan_restore(origin(operator), [Event.objects.get(kind=Event.Kind.DRIFT)])
    assert states(carry_out(start(restoring, operator))) == {"confirmed": 1}
    assert edits(simulator) == [(numbers[0].remote_id, {"alias": numbers[0].alias})]


def test_it_puts_back_what_was_before_the_first_drift(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    for alias in ("Theirs", "Theirs again"):
        drift(simulator, numbers[0], alias=alias)
    change = plan_restore(origin(operator), list(Event.objects.filter(kind=Event.Kind.DRIFT))).changes.get()
    assert (change.base, change.desired) == ({"alias": "Theirs again"}, {"alias": numbers[0].alias})


def test_it_does_not_put_back_what_moved_on(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    drift(simulator, numbers[0], alias="Theirs")
    first = Event.objects.get(kind=Event.Kind.DRIFT)
    drift(simulator, numbers[0], alias="Theirs again")
    assert plan_restore(origin(operator), [first]).changes.get().left_out == "changed"


def test_it_tells_what_cannot_be_put_back(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    drift(simulator, numbers[0], carrier="Another")
    change = plan_restore(origin(operator), list(Event.objects.filter(field="carrier"))).changes.get()
    assert (change.left_out, change.detail) == ("cannot", "Carrier cannot be edited at this provider.")


def test_it_puts_back_nothing_but_drift(numbers: list[PhoneNumber], operator: User) -> None:
    work(ask(numbers[0], operator, alias="New"))
    with pytest.raises(ChangeRefused, match="changed at the provider"):
        plan_restore(origin(operator), list(Event.objects.all()))


def test_it_tries_again_only_what_failed(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    simulator.fault("error", status=400, method="POST", nth=2)
    simulator.fault("error", status=404, method="POST", nth=4)
    first = carry_out(start(plan(numbers[:9], operator, alias="New"), operator))
    assert states(first) == {"confirmed": 7, "refused": 1, "failed": 1}
    second = carry_out(start(plan_retry(origin(operator), first), operator))
    assert (second.follows, states(second), len(edits(simulator))) == (first, {"confirmed": 2}, 9)


def test_it_tries_again_nothing_when_nothing_failed(numbers: list[PhoneNumber], operator: User) -> None:
    done = carry_out(start(plan(numbers[:1], operator, alias="New"), operator))
    with pytest.raises(ChangeRefused, match="nothing to try again"):
        plan_retry(origin(operator), done)


def test_it_keeps_three_values_of_a_conflict(numbers: list[PhoneNumber], operator: User, simulator: Simulator) -> None:
    change = ask(numbers[0], operator, alias="Mine")
    simulator.world.change(simulator.world.account(), numbers[0].remote_id, alias="Theirs")
    work(change)
    values = (change.base, change.desired, change.found)
    assert values == ({"alias": numbers[0].alias}, {"alias": "Mine"}, {"alias": "Theirs"})
    assert change.state == Change.State.CONFLICT
    assert ChangeSet.objects.get().state == "done"


def test_it_leaves_alone_what_was_changed_since_when_made_anew(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    done = carry_out(start(plan(numbers[:2], operator, alias="New"), operator))
    undoing = plan_undo(origin(operator), done)
    drift(simulator, numbers[0], alias="Theirs")
    anew = plan_anew(origin(operator), undoing)
    assert (states(anew), anew.follows) == ({"planned": 1, "left_out": 1}, done)
    assert anew.changes.get(number=numbers[0]).left_out == "changed"


@pytest.mark.parametrize("of_all", [True, False])
def test_it_makes_undoing_one_change_and_putting_back_anew(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator, of_all: bool
) -> None:
    if of_all:
        old = plan_undo_of_change(origin(operator), work(ask(numbers[0], operator, alias="New")))
    else:
        drift(simulator, numbers[0], alias="New")
        old = plan_restore(origin(operator), list(Event.objects.filter(kind=Event.Kind.DRIFT)))
    drift(simulator, numbers[0], alias="Theirs")
    assert plan_anew(origin(operator), old).changes.get().left_out == "changed"


def test_it_undoes_what_was_tried_again_only_when_asked(
    numbers: list[PhoneNumber], operator: User, simulator: Simulator
) -> None:
    done = carry_out(start(plan(numbers[:2], operator, alias="New"), operator))
    drift(simulator, numbers[0], alias=numbers[0].alias)
    done.changes.filter(number=numbers[0]).update(state=Change.State.FAILED)
    carry_out(start(plan_retry(origin(operator), done), operator))
    alone = plan_undo(origin(operator), done)
    both = plan_undo(origin(operator), done, with_retries=True)
    assert (count_retried(done), alone.changes.count(), states(both)) == (1, 1, {"planned": 2})
    carry_out(start(both, operator))
    assert [number_of(each.remote_id).alias for each in numbers[:2]] == [each.alias for each in numbers[:2]]
