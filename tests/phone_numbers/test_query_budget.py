"""Every page asks the database as often for a thousand rows as for ten, and never more often than its budget says.

Counted is the first request after the inventory changed; of the list also the next one, as nearly all are such.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phone_numbers import urls
from phone_numbers.filters import directory, facets
from phone_numbers.models import (
    Account,
    Change,
    ChangeSet,
    Event,
    HeldNumber,
    LocalFields,
    Note,
    NumberList,
    NumberPayload,
    PhoneNumber,
    SyncRun,
    Tag,
)
from tests.phone_numbers.pages import PIECE
from tests.phone_numbers.rows import make_account, make_application
from tests.roles import make_user

pytestmark = pytest.mark.django_db

LIST = ("", "?q=555", "?application=Support", "?type=local&services=sms&sort=voice", "?tag=vip", "?sort=-alias&page=2")
FEW, MANY = 10, 1000
LIST_BUDGET = 8
STREAMED = {"export", "log_export"}
"""Read in chunks, each of which is a query."""
BUDGETS = {
    **{f"list{query}": LIST_BUDGET + 5 for query in LIST},
    "export": 12,
    "columns": 6,
    "view_list": 8,
    "paste": 6,
    "pasted": 12,
    "detail": 30,
    "edit": 20,
    "cell": 8,
    "cell_edit": 9,
    "change_list": 10,
    "change_state": 8,
    "log_list": 12,
    "log_export": 12,
    "drift_list": 12,
    "provider_list": 6,
    "import_new": 6,
    "import_template": 8,
    "change_set_list": 9,
    "change_set_detail": 14,
    "account_list": 10,
    "account_freshness": 8,
    "account_detail": 16,
    "account_progress": 10,
    "sync_list": 10,
    "sync_detail": 16,
}
ONLY_WRITTEN_TO = """
    refresh view_save view_default view_replace view_rename view_delete local_new local_apply
    local_edit note_add note_withdraw change_cancel change_undo change_again change_keep drift_judge
    change_set_new change_set_plan change_set_apply change_set_again change_set_discard change_set_undo change_set_retry
    change_set_pause change_set_resume change_set_cancel account_sync account_test account_pause sync_accept
    sync_dismiss
"""


@dataclass
class World:
    """One of everything that has a page, each with as many rows as `grow` was told."""

    account: Account
    run: SyncRun
    plan: ChangeSet
    pasted: NumberList
    tag: Tag
    number: PhoneNumber | None = None
    change: Change | None = None

    def grow(self, start: int, end: int) -> None:
        numbers = self.add_numbers(start, end)
        self.number = self.number or numbers[0]
        changes = self.add_changes(numbers)
        self.change = self.change or changes[0]
        self.add_history(numbers)
        self.pasted.numbers.add(*numbers)
        self.tag.numbers.add(*numbers)
        HeldNumber.objects.bulk_create(HeldNumber(run=self.run, number=number) for number in numbers)
        SyncRun.objects.bulk_create(SyncRun(account=self.account, state="complete", **ended()) for _ in numbers)

    def add_numbers(self, start: int, end: int) -> list[PhoneNumber]:
        route = {"voice_kind": "application", "voice_target": "111"}
        shown = {"number_type": "local", "country": "US", "service_bits": 3, "alias": "Desk", **route}
        places = range(start, end)
        absent = {0: "missing", 1: "unconfirmed"}
        PhoneNumber.objects.bulk_create(
            PhoneNumber(
                account=self.account,
                remote_id=f"R{place}",
                e164=f"+1415555{place:04d}",
                presence=absent.get(place % 5, "present"),
                **shown,
            )
            for place in places
        )
        numbers = list(PhoneNumber.objects.filter(remote_id__in=[f"R{place}" for place in places]).order_by("pk"))
        NumberPayload.objects.bulk_create(NumberPayload(number=number) for number in numbers)
        LocalFields.objects.bulk_create(LocalFields(number=number, owner="Sales") for number in numbers)
        return numbers

    def add_changes(self, numbers: list[PhoneNumber]) -> list[Change]:
        kept: dict[str, Any] = {"base": {"alias": "Desk"}, "desired": {"alias": "New"}}
        Change.objects.bulk_create(
            Change(change_set=self.plan, number=each, state="pending", **kept) for each in numbers
        )
        made = [ChangeSet(idempotency_key=uuid.uuid4().hex, created_by_name="olga") for _ in numbers]
        sets = ChangeSet.objects.bulk_create(made)
        inline = [
            Change(change_set=own, number=each, state="confirmed", **kept)
            for own, each in zip(sets, numbers, strict=True)
        ]
        return Change.objects.bulk_create(inline)

    def add_history(self, numbers: list[PhoneNumber]) -> None:
        drift = {"kind": "drift", "field": "alias", "before": "A", "after": "B", "run": self.run}
        Event.objects.bulk_create(Event(number=number, **drift) for number in numbers)
        Event.objects.bulk_create(Event(number=self.number, **drift) for _ in numbers)
        Note.objects.bulk_create(Note(number=self.number, text="A note", author_name="olga") for _ in numbers)

    def address_of(self, name: str) -> str:
        route, _, query = name.partition("?")
        needed = {
            "pasted": [self.pasted.pk],
            "detail": [self.number.pk],
            "edit": [self.number.pk],
            "cell": [self.number.pk, "alias"],
            "cell_edit": [self.number.pk, "alias"],
            "change_state": [self.change.pk],
            "change_set_detail": [self.plan.pk],
            "account_detail": [self.account.pk],
            "account_progress": [self.account.pk],
            "sync_detail": [self.run.pk],
        }
        return reverse(f"numbers:{route}", args=needed.get(route)) + (f"?{query}" if query else "")


def ended() -> dict[str, Any]:
    now = timezone.now()
    return {"created_at": now, "started_at": now, "finished_at": now}


@pytest.fixture
def world() -> World:
    user = make_user("admin")
    account = make_account()
    make_application(account, "111", "Support")
    run = SyncRun.objects.create(account=account, state="held", error_slug="held", **ended())
    plan = ChangeSet.objects.create(
        created_by=user,
        created_by_name="olga",
        idempotency_key="plan",
        is_planned=True,
        plan_hash="a",
        state="applying",
    )
    tag = Tag.objects.create(name="VIP")
    return World(account, run, plan, NumberList.objects.create(user=user), tag)


def queries_of(client: Client, path: str, headers: dict[str, str], *, again: bool = False) -> int:
    if not again:
        directory.read_directory.cache_clear()
        facets.counted.cache_clear()
        facets.cells_of.cache_clear()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path, headers=headers)
        if page.streaming:
            b"".join(page.streaming_content)
    assert page.status_code in {200, 286, 302}, (path, page.status_code)
    return len(queries)


def count_all(client: Client, world: World, headers: dict[str, str]) -> dict[str, int]:
    """Of every page there is: with few numbers there is no second one."""
    asked = [name for name in BUDGETS if "page=2" not in name or PhoneNumber.objects.count() > FEW]
    counts = {}
    for name in asked:
        counts[name] = queries_of(client, world.address_of(name), headers)
        if name.startswith("list"):
            counts[f"{name}, again"] = queries_of(client, world.address_of(name), headers, again=True)
    return counts


@pytest.mark.parametrize("headers", [{}, PIECE], ids=["page", "fragment"])
def test_it_asks_as_little_for_1000_rows_as_for_10(world: World, client: Client, headers: dict[str, str]) -> None:
    world.grow(0, FEW)
    client.force_login(world.pasted.user)
    few = count_all(client, world, headers)
    world.grow(FEW, MANY)
    many = count_all(client, world, headers)
    assert {name: many[name] for name in few if name not in STREAMED} == {n: few[n] for n in few.keys() - STREAMED}
    assert {name: count for name, count in many.items() if count > BUDGETS.get(name, LIST_BUDGET)} == {}


def test_it_has_a_budget_for_every_page() -> None:
    walked = {name.partition("?")[0] for name in BUDGETS}
    assert {pattern.name for pattern in urls.urlpatterns} == walked | {*ONLY_WRITTEN_TO.split()}
