"""Bugs in how changes are asked for and carried out, for the W rows; see mutants.py."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from phone_numbers.models import Account, Change, ChangeSet, Crew, Event, PhoneNumber
from phone_numbers.services import change_crews, change_requests, change_sets, change_states, changes
from phone_numbers.services.cache import locked
from phone_numbers.services.change_states import monotonic_lease_end, record, settle
from phone_numbers.services.leases import lease_end
from providers.contract import Provider
from tests.chaos.mutants import Mutant, mutant, swapped

EVERYBODY = UUID(int=1)
"""A token that is nobody's own."""
CHANGE_MUTANTS: dict[str, Mutant] = {}
change_mutant = partial(mutant, among=CHANGE_MUTANTS)


def store_over_others(
    change_set: ChangeSet, number: PhoneNumber, desired: Mapping[str, str], _: Mapping[str, str]
) -> Change:
    """Whatever the operator saw, and whoever else is at it."""
    with transaction.atomic():
        (present,) = locked(PhoneNumber.objects.filter(pk=number.pk))
        Change.objects.filter(number=number, state__in=Change.LIVE).update(state=Change.State.CANCELLED)
        change_set.save(force_insert=True)
        base = {name: present.value(name) for name in desired}
        change = Change.objects.create(change_set=change_set, number=present, base=base, desired=dict(desired))
        record(change, Event.Kind.REQUESTED)
    return change


@change_mutant("the later form wins")
def the_later_form_wins() -> Iterator[None]:
    with swapped((change_requests, "store_change"), by=store_over_others):
        yield


@change_mutant("the key of a form is ignored")
def key_is_ignored() -> Iterator[None]:
    """A form that comes again is one more edit."""
    right = change_requests.store_change

    def store_as_new(change_set: ChangeSet, *rest: Any) -> Change:
        change_set.idempotency_key = uuid4().hex
        return right(change_set, *rest)

    with (
        swapped((change_requests, "find_change"), by=lambda *_: None),
        swapped((change_requests, "store_change"), by=store_as_new),
    ):
        yield


@change_mutant("no reading back")
def no_reading_back() -> Iterator[None]:
    """A provider's yes is taken for the deed."""
    right = changes.check

    def believe(change: Change, provider: Provider) -> None:
        if change.accepted_at:
            settle(change, Change.State.CONFIRMED)
        else:
            right(change, provider)

    with swapped((changes, "check"), by=believe):
        yield


@change_mutant("a third value is overwritten")
def third_value_is_overwritten() -> Iterator[None]:
    """What somebody else put there in the meantime is nobody's business."""
    with swapped((changes, "third_values"), by=lambda *_: []):
        yield


@change_mutant("a stale plan is applied")
def stale_plan_is_applied() -> Iterator[None]:
    with swapped((change_sets, "check_numbers"), by=lambda _: None):
        yield


@change_mutant("no breaker")
def no_breaker() -> Iterator[None]:
    """A plan goes on whatever the provider answers."""
    with swapped((change_crews.Gang, "note"), by=lambda *_: None):
        yield


@change_mutant("refused credentials are used again")
def refused_credentials_are_used_again() -> Iterator[None]:
    """Two guards stand in for each other here: both are gone."""
    with (
        swapped((change_crews.Gang, "note"), by=lambda *_: None),
        swapped((change_crews.Gang, "may_call"), by=lambda _: True),
    ):
        yield


@change_mutant("claims without comparing")
def claims_without_comparing() -> Iterator[None]:
    """Whoever is rung takes the account's crew, and the changes, and writes whatever the rows say by then."""

    def take_crew(account: Account) -> UUID:
        Crew.objects.update_or_create(account=account, defaults={"lease_token": EVERYBODY})
        return EVERYBODY

    def take_change(change_id: int) -> Change | None:
        held = Change.objects.select_related("change_set", "number__account", "number__payload")
        change = held.filter(state__in=Change.LIVE, pk=change_id).first()
        if change is None:
            return None
        change.held_until = monotonic_lease_end()
        Change.objects.filter(pk=change_id).update(lease_expires_at=lease_end(timezone.now()))
        return change

    with (
        swapped((change_crews, "claim_crew"), by=take_crew),
        swapped((changes, "claim_change"), by=take_change),
        swapped((change_states, "held_by_us"), by=lambda change: Change.objects.filter(pk=change.pk)),
    ):
        yield
