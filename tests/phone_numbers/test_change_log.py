"""History can be added to and read, and nothing else."""

import csv

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, models, transaction
from django.utils import timezone

from phone_numbers.models import Account, Event, PhoneNumber, PlanEvent, SyncRun
from phone_numbers.services.change_log import log_as_csv
from phone_numbers.services.spreadsheets import protect, unprotect
from tests.phone_numbers.jobs import ask, carry_out, plan, start, work
from tests.phone_numbers.rows import make_account, make_event, make_number


@pytest.fixture
def event(db: None, operator: User) -> Event:
    account = make_account()
    run = SyncRun.objects.create(account=account)
    return make_event(make_number(account), Event.Kind.DRIFT, actor=operator, actor_name="olga", run=run)


def other_value(field: models.Field) -> object:
    """One that the column takes, and that no line of these tests has."""
    if field.is_relation or isinstance(field, models.AutoField):
        return 987654
    return timezone.now() if isinstance(field, models.DateTimeField) else "x"


@pytest.mark.parametrize("field", Event._meta.concrete_fields, ids=lambda field: field.name)
def test_it_refuses_to_change_a_line(event: Event, field: models.Field) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(**{field.attname: other_value(field)})


@pytest.mark.parametrize("field", PlanEvent._meta.concrete_fields, ids=lambda field: field.name)
def test_it_refuses_to_change_a_line_of_a_plan(number: PhoneNumber, operator: User, field: models.Field) -> None:
    start(plan([number], operator, alias="New"), operator)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        PlanEvent.objects.update(**{field.attname: other_value(field)})


def test_it_refuses_to_delete_a_line(event: Event) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        event.delete()


def test_it_keeps_the_name_of_a_user_who_is_deleted(event: Event, operator: User) -> None:
    operator.delete()
    event.refresh_from_db()
    assert (event.actor, event.actor_name) == (None, "olga")


def test_it_outlives_its_sync_run(event: Event) -> None:
    SyncRun.objects.all().delete()
    event.refresh_from_db()
    assert event.run is None


def test_it_gives_a_line_to_nobody_else(event: Event) -> None:
    Event.objects.update(actor=None)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.update(actor=User.objects.create(username="oscar"))


@pytest.mark.django_db(transaction=True)
def test_it_is_guarded_again_after_the_tables_were_emptied(number: PhoneNumber) -> None:
    make_event(number, Event.Kind.DRIFT)
    with pytest.raises(DatabaseError, match="append-only"):
        Event.objects.all().delete()


# As a table


def rows_of(events: models.QuerySet[Event]) -> list[dict[str, str]]:
    return list(csv.DictReader(log_as_csv(events)))


def test_it_tells_who_changed_what_and_why(synced: Account, number: PhoneNumber, operator: User) -> None:
    draft = plan([number], operator, alias="New")
    draft.reason = "As agreed"
    draft.save()
    carry_out(start(draft, operator))
    row = rows_of(Event.objects.filter(kind=Event.Kind.CONFIRMED))[0]
    told = {name: row[name] for name in ("number", "account", "field", "before", "after", "by", "reason", "change set")}
    assert told == {
        "number": number.e164,
        "account": synced.name,
        "field": "alias",
        "before": number.alias,
        "after": "New",
        "by": "olga",
        "reason": "As agreed",
        "change set": str(draft.pk),
    }


def test_it_contains_no_formula(number: PhoneNumber, operator: User) -> None:
    work(ask(number, operator, alias="=1+1"))
    assert {row["after"] for row in rows_of(Event.objects.all())} == {"'=1+1"}


@pytest.mark.parametrize("text", ["=1", "+1 2", "-1", "@x", "\tx", "'=1", "''=1", "'s", "plain", "+14155550100", ""])
def test_it_gives_a_cell_back_as_it_was(text: str) -> None:
    assert unprotect(protect(text)) == text
    assert protect("+14155550100") == "+14155550100"


def test_it_asks_the_database_as_often_for_many_lines(number: PhoneNumber, django_assert_num_queries) -> None:
    for _ in range(20):
        make_event(number, Event.Kind.DRIFT)
    with django_assert_num_queries(1):
        assert len(rows_of(Event.objects.all())) == 20
