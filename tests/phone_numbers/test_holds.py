"""Held runs: what the list lacked is kept for a person, who accepts exactly that, or keeps everything."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from phone_numbers.models import Account, SyncRun
from phone_numbers.services import absences, holds, presence, runs
from phone_numbers.services.holds import HoldRefused, accept_absences, dismiss_absences
from phone_numbers.services.runs import open_hold
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from providers.simulator.world import World
from tests.phone_numbers.jobs import LIST, ONE, presences, sync


def remove(simulator: Simulator, count: int) -> list[str]:
    """Gone at the provider: the first so many of the list."""
    world = simulator.world.account()
    gone = [world.at(rank).digits for rank in range(count)]
    for digits in gone:
        simulator.world.remove(world, digits)
    return gone


def hold(account: Account, simulator: Simulator, count: int = 5) -> SyncRun:
    remove(simulator, count)
    run = sync(account)
    assert run.state == SyncRun.State.HELD
    return run


def work(run: SyncRun) -> SyncRun:
    run_sync(run.pk)
    run.refresh_from_db()
    return run


def test_it_keeps_the_numbers_that_a_held_list_lacks(synced: Account, simulator: Simulator) -> None:
    gone = remove(simulator, 5)
    run = sync(synced)
    assert sorted(run.held_numbers.values_list("number__remote_id", flat=True)) == sorted(gone)
    assert (run.numbers_absent, presences(synced)) == (5, {"present": 45})


def test_it_keeps_every_number_when_nothing_is_listed(synced: Account, simulator: Simulator) -> None:
    simulator.fault("total_zero", path=LIST)
    assert sync(synced).held_numbers.count() == 45


def test_it_lets_the_accepted_absences_through(synced: Account, simulator: Simulator, operator: User) -> None:
    run = work(accept_absences(hold(synced, simulator), count=5, user=operator))
    assert (run.state, run.trigger, run.requested_by) == ("complete", SyncRun.Trigger.ACCEPTED, operator)
    assert (run.numbers_unconfirmed, presences(synced)) == (5, {"present": 40, "unconfirmed": 5})


def test_it_asks_for_each_accepted_number(synced: Account, simulator: Simulator, operator: User) -> None:
    """The list lacks them all, but they exist."""
    simulator.fault("total_zero", path=LIST, times=2)
    held = sync(synced)
    run = work(accept_absences(held, count=45, user=operator))
    assert (run.state, presences(synced)) == ("complete", {"present": 45})


def test_it_asks_for_all_that_was_accepted_in_one_run(
    synced: Account, simulator: Simulator, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "MOST_ASKED", 1)
    work(accept_absences(hold(synced, simulator), count=5, user=operator))
    assert presences(synced) == {"present": 40, "unconfirmed": 5}


def test_it_takes_the_limits_from_the_account(synced: Account, simulator: Simulator) -> None:
    Account.objects.update(hold_minimum=5, hold_percent=0)
    remove(simulator, 5)
    assert sync(synced).state == SyncRun.State.COMPLETE
    Account.objects.update(hold_minimum=0, hold_percent=2)
    remove(simulator, 1)
    assert sync(synced).state == SyncRun.State.HELD


def test_it_keeps_what_the_last_try_of_a_run_found_only(synced: Account, simulator: Simulator) -> None:
    gone = remove(simulator, 5)
    run = runs.request_sync(synced, trigger="person")
    absences.keep_held(runs.claim_run(run.pk), synced.numbers.values_list("pk", flat=True))
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.QUEUED)
    assert work(run).held_numbers.count() == len(gone)


@pytest.mark.parametrize("count", [-1, 0, 4, 6, 45])
def test_it_refuses_a_wrong_count(synced: Account, simulator: Simulator, operator: User, count: int) -> None:
    held = hold(synced, simulator)
    with pytest.raises(HoldRefused, match="The list lacks 5 numbers"):
        accept_absences(held, count=count, user=operator)
    assert open_hold(synced) == held
    assert runs.live_run(synced) is None


def test_it_remembers_who_decided(synced: Account, simulator: Simulator, operator: User) -> None:
    held = hold(synced, simulator)
    run = accept_absences(held, count=5, user=operator)
    held.refresh_from_db()
    assert (held.decision, held.decided_by, held.decided_by_name) == ("accepted", operator, operator.get_username())
    assert (run.accepts, held.decided_at is not None, open_hold(synced)) == (held, True, None)


def test_it_holds_again_when_more_is_absent_than_was_seen(
    synced: Account, simulator: Simulator, operator: User
) -> None:
    queued = accept_absences(hold(synced, simulator), count=5, user=operator)
    remove(simulator, 4)
    run = work(queued)
    assert (run.state, run.held_numbers.count(), presences(synced)) == ("held", 9, {"present": 45})


def test_it_lets_few_more_through_than_were_seen(synced: Account, simulator: Simulator, operator: User) -> None:
    queued = accept_absences(hold(synced, simulator), count=5, user=operator)
    remove(simulator, 3)
    assert (work(queued).state, presences(synced)) == ("complete", {"present": 37, "unconfirmed": 8})


def test_it_accepts_nothing_that_is_listed_again(synced: Account, simulator: Simulator, operator: User) -> None:
    simulator.fault("total_zero", path=LIST)
    queued = accept_absences(sync(synced), count=45, user=operator)
    assert (work(queued).numbers_absent, presences(synced)) == (0, {"present": 45})


def test_it_keeps_all_when_a_person_says_so(synced: Account, simulator: Simulator, operator: User) -> None:
    held = hold(synced, simulator)
    dismiss_absences(held, user=operator)
    synced.refresh_from_db()
    assert (open_hold(synced), synced.health, presences(synced)) == (None, "ok", {"present": 45})
    assert synced.health_detail.startswith("olga kept the numbers that sync run")


def test_it_judges_afresh_after_that(synced: Account, simulator: Simulator, operator: User) -> None:
    dismiss_absences(hold(synced, simulator), user=operator)
    assert sync(synced).state == SyncRun.State.HELD


def test_it_is_over_once_a_whole_list_came(synced: Account, simulator: Simulator, operator: User) -> None:
    simulator.fault("total_zero", path=LIST)
    held = sync(synced)
    assert sync(synced).state == SyncRun.State.COMPLETE
    assert open_hold(synced) is None
    with pytest.raises(HoldRefused, match="A later sync"):
        accept_absences(held, count=45, user=operator)


def test_it_decides_about_the_newest_only(synced: Account, simulator: Simulator, operator: User) -> None:
    first = hold(synced, simulator)
    second = sync(synced)
    assert open_hold(synced) == second
    with pytest.raises(HoldRefused, match="A later sync"):
        dismiss_absences(first, user=operator)


def test_it_keeps_what_was_decided_about_and_what_is_newest(
    synced: Account, simulator: Simulator, operator: User
) -> None:
    """A list that stays short is held at every interval, for as long as nobody looks."""
    decided = hold(synced, simulator)
    dismiss_absences(decided, user=operator)
    undecided, before, newest = sync(synced), sync(synced), sync(synced)
    assert [run.held_numbers.count() for run in (decided, undecided, before, newest)] == [5, 0, 5, 5]


def test_it_can_be_decided_when_the_next_run_to_be_held_was_lost_at_that(
    synced: Account, simulator: Simulator, operator: User
) -> None:
    held = hold(synced, simulator)
    lease = runs.claim_run(runs.request_sync(synced, trigger="person").pk)
    absences.keep_held(lease, synced.numbers.values_list("pk", flat=True)[:5])
    runs.give_up(lease.run, SyncRun.objects.filter(pk=lease.run.pk), timezone.now())
    assert accept_absences(held, count=5, user=operator).accepts == held


def test_it_decides_about_held_runs_only(synced: Account, operator: User) -> None:
    with pytest.raises(HoldRefused, match="was not held"):
        accept_absences(synced.runs.get(), count=0, user=operator)


def test_it_hands_the_acceptance_to_a_run_that_lives(synced: Account, simulator: Simulator, operator: User) -> None:
    held = hold(synced, simulator)
    live = runs.request_sync(synced, trigger="schedule")
    assert accept_absences(held, count=5, user=operator) == live
    assert (work(live).state, presences(synced)["unconfirmed"]) == ("complete", 5)


def test_it_refuses_while_absences_are_checked(synced: Account, simulator: Simulator, operator: User) -> None:
    held = hold(synced, simulator)
    runs.claim_run(runs.request_sync(synced, trigger="schedule").pk).renew(phase=SyncRun.Phase.ABSENCES)
    with pytest.raises(HoldRefused, match="just now"):
        accept_absences(held, count=5, user=operator)
    assert open_hold(synced) == held


@pytest.mark.django_db(transaction=True)
def test_it_refuses_while_a_number_is_asked_for(synced: Account, simulator: Simulator, operator: User) -> None:
    held = hold(synced, simulator)
    Account.objects.update(hold_minimum=5)
    refusals: list[str] = []

    def accept(_: World) -> None:
        try:
            accept_absences(held, count=5, user=operator)
        except HoldRefused as refusal:
            refusals.append(str(refusal))
        finally:
            connection.close()

    simulator.fault("act", path=ONE, action=accept)
    assert sync(synced).state == SyncRun.State.COMPLETE
    assert len(refusals) == 1
    assert "just now" in refusals[0]


@pytest.mark.usefixtures("no_waiting")
def test_it_needs_no_second_word_when_the_provider_fails(synced: Account, simulator: Simulator, operator: User) -> None:
    queued = accept_absences(hold(synced, simulator), count=5, user=operator)
    simulator.fault("error", status=503, path=LIST, times=4)
    assert work(queued).state == SyncRun.State.FAILED
    assert (sync(synced).state, presences(synced)["unconfirmed"]) == ("complete", 5)


def test_it_needs_no_second_word_for_an_emptied_account(synced: Account, simulator: Simulator, operator: User) -> None:
    work(accept_absences(hold(synced, simulator, 45), count=45, user=operator))
    assert (sync(synced).state, presences(synced)) == ("complete", {"unconfirmed": 45})


def test_it_holds_an_emptied_account_that_was_not_accepted(synced: Account, simulator: Simulator) -> None:
    """Whatever rung its numbers are on: nobody believes in an account that lost its last number."""
    synced.numbers.update(presence="unconfirmed")
    simulator.fault("total_zero", path=LIST)
    run = sync(synced)
    assert (run.state, run.held_numbers.count(), presences(synced)) == ("held", 45, {"unconfirmed": 45})


@pytest.mark.usefixtures("no_waiting")
def test_it_asks_for_a_new_word_when_a_number_could_not_be_asked_for(
    synced: Account, simulator: Simulator, operator: User
) -> None:
    queued = accept_absences(hold(synced, simulator), count=5, user=operator)
    simulator.fault("error", status=503, path=ONE, times=0)
    assert (work(queued).state, presences(synced)) == ("complete", {"present": 45})
    assert sync(synced).state == SyncRun.State.HELD


@pytest.mark.django_db(transaction=True)
def test_it_takes_the_word_of_the_first_of_two(synced: Account, simulator: Simulator, operator: User) -> None:
    held = hold(synced, simulator)

    def decide(rank: int) -> str:
        try:
            if rank % 2:
                holds.accept_absences(held, count=5, user=operator)
            else:
                holds.dismiss_absences(held, user=operator)
        except HoldRefused:
            return ""
        finally:
            connection.close()
        return "accepted" if rank % 2 else "dismissed"

    with ThreadPoolExecutor(6) as pool:
        told = list(filter(None, pool.map(decide, range(6))))
    held.refresh_from_db()
    assert told == [held.decision]
    assert SyncRun.objects.filter(accepts=held).count() == (held.decision == "accepted")


def test_it_stays_visible_through_a_list_that_is_not_certified(synced: Account, simulator: Simulator) -> None:
    held = hold(synced, simulator)
    simulator.fault("duplicate_page", path=rf"{LIST}.*offset=19")
    assert sync(synced).state == SyncRun.State.PARTIAL
    assert open_hold(synced) == held
    assert synced.health == Account.Health.HELD


def test_it_needs_no_second_word_when_the_worker_is_lost(synced: Account, simulator: Simulator, operator: User) -> None:
    queued = accept_absences(hold(synced, simulator), count=5, user=operator)
    lease = runs.claim_run(queued.pk)
    runs.give_up(lease.run, SyncRun.objects.filter(pk=queued.pk), timezone.now())
    assert (sync(synced).state, presences(synced)["unconfirmed"]) == ("complete", 5)


def test_it_needs_no_second_word_when_the_list_moves(synced: Account, simulator: Simulator, operator: User) -> None:
    queued = accept_absences(hold(synced, simulator), count=5, user=operator)
    simulator.fault("duplicate_page", path=rf"{LIST}.*offset=19")
    assert work(queued).state == SyncRun.State.PARTIAL
    assert (sync(synced).state, presences(synced)["unconfirmed"]) == ("complete", 5)


@pytest.mark.usefixtures("no_waiting")
def test_it_hides_no_later_trouble_when_all_are_kept(synced: Account, simulator: Simulator, operator: User) -> None:
    held = hold(synced, simulator)
    simulator.fault("error", status=503, path=LIST, times=4)
    detail = sync(synced).detail
    dismiss_absences(held, user=operator)
    synced.refresh_from_db()
    assert (synced.health, synced.health_detail) == (Account.Health.FAILING, detail)
