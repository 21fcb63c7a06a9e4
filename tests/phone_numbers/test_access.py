"""Every address, asked by hand: viewers change nothing, strangers see nothing, no form counts without its token."""

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from phone_numbers.models import (
    Account,
    Change,
    ChangeSet,
    DriftVerdict,
    Event,
    LocalFields,
    Note,
    PhoneNumber,
    PlanEvent,
    SavedView,
    SyncRun,
    Tag,
)
from phone_numbers.urls import urlpatterns
from providers.simulator import Simulator
from tests.phone_numbers.jobs import ask, plan, work_to_the_end
from tests.roles import make_user

KEPT: tuple[type[Model], ...] = (
    *(Account, Change, ChangeSet, DriftVerdict, Event, LocalFields),
    *(Note, PhoneNumber, PlanEvent, SavedView, SyncRun, Tag),
)
FORM = {"numbers": "1", "alias": "Z", "base-alias": "", "alias-mode": "set", "verdict": "accept", "add_tags": "x"}
AS_HTMX = {"HX-Request": "true"}


@pytest.fixture
def addresses(synced: Account, number: PhoneNumber, operator: User) -> list[str]:
    """Each once, about something that is there."""
    view = SavedView.objects.create(owner=operator, name="Mine", query="", is_shared=True)
    subjects = {
        "numbers/views/": view.pk,
        "numbers/paste/": plan([number], operator, alias="X").pk,
        "changes/plans/": plan([number], operator, alias="X").pk,
        "numbers/": number.pk,
        "changes/": ask(number, operator, alias="Y").pk,
        "accounts/": synced.pk,
        "syncs/": SyncRun.objects.latest("pk").pk,
    }
    rest = {"field": "alias", "note": 1}
    found = []
    for pattern in urlpatterns:
        names = pattern.pattern.converters
        subject = next((pk for start, pk in subjects.items() if str(pattern.pattern).startswith(start)), None)
        found.append(reverse(f"numbers:{pattern.name}", kwargs={name: rest.get(name, subject) for name in names}))
    return found


def everything() -> dict[str, list[dict[str, object]]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in KEPT}


@pytest.mark.parametrize("headers", [{}, AS_HTMX])
def test_viewers_change_nothing_whatever_they_post(
    client: Client, addresses: list[str], simulator: Simulator, headers: dict[str, str]
) -> None:
    client.force_login(make_user("viewer", is_staff=False))
    before, asked = everything(), len(simulator.requests.kept)
    for address in addresses:
        client.post(address, FORM, headers=headers)
    assert (everything(), len(simulator.requests.kept)) == (before, asked)


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_comes_in_without_a_role(client: Client, addresses: list[str], method: str) -> None:
    strangers = {getattr(client, method)(address).status_code for address in addresses}
    client.force_login(make_user("nobody", is_staff=False))
    nobody = {getattr(client, method)(address).status_code for address in addresses}
    assert strangers <= {302, 401, 405}
    assert nobody <= {403, 405}


@pytest.mark.parametrize("headers", [{}, AS_HTMX])
def test_no_form_counts_without_its_token(addresses: list[str], operator: User, headers: dict[str, str]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    before = everything()
    assert {strict.post(address, FORM, headers=headers).status_code for address in addresses} == {403}
    assert everything() == before


@pytest.mark.parametrize("headers", [{}, AS_HTMX])
def test_no_get_writes(client: Client, addresses: list[str], operator: User, headers: dict[str, str]) -> None:
    client.force_login(operator)
    before = everything()
    answers = {client.get(address, headers=headers).status_code for address in addresses}
    assert everything() == before
    assert answers <= {200, 286, 302, 404, 405}


def test_an_edit_outlives_the_user_who_asked_for_it(number: PhoneNumber, operator: User) -> None:
    change = ask(number, operator, alias="New")
    operator.delete()
    assert work_to_the_end(change).state == Change.State.CONFIRMED
    assert set(Event.objects.filter(change=change).values_list("actor_name", flat=True)) == {"olga"}
