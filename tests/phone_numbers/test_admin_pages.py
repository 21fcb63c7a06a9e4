"""Which role may open which page of the admin site, and that lists cost the same however long they are."""

import re

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from phone_numbers.models import (
    Account,
    Application,
    Change,
    ChangeSet,
    Event,
    NumberPayload,
    PhoneNumber,
    Subaccount,
    Surprise,
    SyncRun,
)
from tests.roles import make_user

pytestmark = pytest.mark.django_db

READERS = {"viewer", "operator", "admin", "superuser"}
OPERATORS = {"operator", "admin", "superuser"}
ADMINS = {"admin", "superuser"}
SUPERUSERS = {"superuser"}
NOBODY: set[str] = set()
ROLES = ("nobody", "viewer", "operator", "admin", "superuser")
SYNCED = ("phonenumber", "application", "subaccount", "syncrun", "surprise", "changeset", "change", "event")
TABLE = {
    ("auth_group", "add"): SUPERUSERS,
    ("auth_group", "changelist"): ADMINS,
    ("auth_user", "add"): ADMINS,
    ("auth_user", "changelist"): ADMINS,
    ("django_celery_beat_crontabschedule", "changelist"): ADMINS,
    ("django_celery_beat_intervalschedule", "changelist"): ADMINS,
    ("django_celery_beat_periodictask", "add"): ADMINS,
    ("django_celery_beat_periodictask", "change"): ADMINS,
    ("django_celery_beat_periodictask", "changelist"): ADMINS,
    ("numbers_account", "add"): ADMINS,
    ("numbers_account", "change"): READERS,
    ("numbers_account", "changelist"): READERS,
    ("numbers_account", "delete"): ADMINS,
    ("numbers_account", "forget"): SUPERUSERS,
    **{(f"numbers_{model}", "changelist"): READERS for model in SYNCED},
    **{(f"numbers_{model}", "change"): READERS for model in SYNCED},
    **{(f"numbers_{model}", "add"): NOBODY for model in SYNCED},
    **{(f"numbers_{model}", "delete"): NOBODY for model in SYNCED},
}


def make_number(account, position=0):
    number = PhoneNumber.objects.create(
        account=account, remote_id=str(position), e164=f"+1415555{position:04}", digest=b"", service_bits=3
    )
    NumberPayload.objects.create(number=number, body={"resource_uri": "<b>raw</b>"})
    return number


def make_change(number, user=None):
    change_set = ChangeSet.objects.create(created_by=user, created_by_name="Ada", idempotency_key=str(number.pk))
    return Change.objects.create(change_set=change_set, number=number, base={"alias": ""}, desired={"alias": "Front"})


def make_surprise(account, name="brand_new"):
    return Surprise.objects.create(account=account, name=name, seen_count=3)


@pytest.fixture
def account():
    return Account.objects.create(name="Main", provider="plivo", remote_id="MAXXXXXXXXXXXXXXXXXX")


@pytest.fixture
def rows(account):
    """One row for every page, by the model's name in addresses."""
    number = make_number(account)
    change = make_change(number)
    empty = Account.objects.create(name="Empty", provider="plivo")
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)
    return {
        "numbers_account": empty,
        "numbers_application": Application.objects.create(account=account, remote_id="1"),
        "numbers_change": change,
        "numbers_changeset": change.change_set,
        "numbers_event": Event.objects.create(number=number, kind=Event.Kind.FIRST_SEEN),
        "numbers_phonenumber": number,
        "numbers_subaccount": Subaccount.objects.create(account=account, remote_id="1"),
        "numbers_surprise": make_surprise(account),
        "numbers_syncrun": SyncRun.objects.create(account=account),
        "django_celery_beat_periodictask": PeriodicTask.objects.create(
            name="tick", task="numbers.tick", interval=every
        ),
    }


def address(model, verb, rows):
    return reverse(f"admin:{model}_{verb}", args=[] if verb in {"add", "changelist"} else [rows[model].pk])


def client_of(role):
    client = Client()
    client.force_login(make_user(role))
    return client


@pytest.mark.parametrize(("model", "verb"), TABLE)
def test_it_opens_a_page_to_exactly_the_roles_of_the_table(model, verb, rows):
    answers = {role: client_of(role).get(address(model, verb, rows)).status_code for role in ROLES}
    assert answers == {role: 200 if role in TABLE[model, verb] else 403 for role in ROLES}


@pytest.mark.parametrize(("verb", "allowed"), [("test", ADMINS), ("sync", OPERATORS)])
def test_it_lets_exactly_these_roles_press_a_button(verb, allowed, rows):
    where = address("numbers_account", verb, rows)
    answers = {role: client_of(role).post(where).status_code for role in ROLES}
    assert answers == {role: 302 if role in allowed else 403 for role in ROLES}


@pytest.mark.parametrize("verb", ["test", "sync"])
def test_it_acts_on_no_link(verb, rows):
    assert client_of("superuser").get(address("numbers_account", verb, rows)).status_code == 405


def test_it_opens_the_index_to_every_staff_member():
    assert client_of("nobody").get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("model", ["clockedschedule", "solarschedule"])
def test_it_hides_schedules_that_nothing_uses(model):
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:django_celery_beat_{model}_changelist")


@pytest.mark.parametrize("model", SYNCED)
def test_it_keeps_synced_rows_even_when_a_form_is_posted_by_hand(model, rows):
    row = rows[f"numbers_{model}"]
    before = type(row).objects.values().get(pk=row.pk)
    form = {field.attname: "1" for field in row._meta.fields}
    answer = client_of("superuser").post(address(f"numbers_{model}", "change", rows), form)
    assert answer.status_code == 403
    assert type(row).objects.values().get(pk=row.pk) == before


def test_it_shows_the_payload_as_text_and_links_to_the_numbers_own_page(rows):
    page = client_of("viewer").get(address("numbers_phonenumber", "change", rows)).content.decode()
    assert "&quot;resource_uri&quot;: &quot;&lt;b&gt;raw&lt;/b&gt;&quot;" in page
    assert reverse("numbers:detail", args=[rows["numbers_phonenumber"].pk]) in page


def test_it_shows_the_changes_of_a_change_set(rows):
    page = client_of("viewer").get(address("numbers_changeset", "change", rows)).content.decode()
    assert "+14155550000" in page
    assert "Front" in page


@pytest.mark.parametrize(("model", "verb"), [page for page, roles in TABLE.items() if "superuser" in roles])
def test_it_has_nothing_inline_that_the_content_security_policy_would_block(model, verb, rows):
    answer = client_of("superuser").get(address(model, verb, rows))
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"].split("; ")
    inline = r"<style|<script(?![^>]*\b(?:src=|type=\"application/json))[^>]*>|<[^>]+\s(?:style|on[a-z]+)="
    assert re.findall(inline, answer.content.decode()) == []


def test_it_leaves_out_schedules_that_nothing_uses(rows):
    page = client_of("admin").get(address("django_celery_beat_periodictask", "change", rows)).content.decode()
    assert "solar" not in page.lower()


def add_rows(account, start, count):
    for position in range(start, start + count):
        number = make_number(account, position)
        Event.objects.create(number=number, kind=Event.Kind.DRIFT)
        make_change(number)
        Application.objects.create(account=account, remote_id=str(position))
        Subaccount.objects.create(account=account, remote_id=str(position))
        SyncRun.objects.create(account=account, state=SyncRun.State.COMPLETE)
        make_surprise(account, f"field_{position}")
        Account.objects.create(name=f"account {position}", provider="plivo")
        make_user("viewer", username=f"viewer {position}")


@pytest.mark.parametrize("model", ["auth_user", "numbers_account", *(f"numbers_{model}" for model in SYNCED)])
def test_it_lists_ten_and_twenty_rows_with_the_same_number_of_queries(
    model, account, django_assert_max_num_queries, settings
):
    client = client_of("superuser")
    add_rows(account, 0, 10)
    with django_assert_max_num_queries(20) as ten:
        client.get(address(model, "changelist", {}))
    add_rows(account, 10, 10)
    with django_assert_max_num_queries(len(ten)):
        assert client.get(address(model, "changelist", {})).status_code == 200
