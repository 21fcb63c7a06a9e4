"""Tags, owner, cost centre and notes out of a table: shown in the plan, written here when it is applied, never sent."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from phone_numbers.models import Account, Change, ChangeSet, Event, LocalFields, Note, PhoneNumber, Tag
from phone_numbers.services import change_plans, change_reversals, change_sets, local_changes
from phone_numbers.services.change_crews import due_accounts
from phone_numbers.services.change_plans import Wish, make_plan
from phone_numbers.services.change_reversals import plan_undo
from phone_numbers.services.change_sets import (
    StalePlan,
    apply_plan,
    cancel_change_set,
    with_local_left,
    write_local_changes,
)
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields, read_values
from phone_numbers.services.notes import add_note
from providers.simulator import Simulator
from tests.phone_numbers.jobs import carry_out, edits, origin, start, states
from tests.phone_numbers.rows import make_account, make_number
from tests.phone_numbers.test_change_imports import read, sentences, table, wanted


@pytest.fixture
def number(db: None) -> PhoneNumber:
    return make_number(make_account("Plivo main"), "+14155550100", alias="Desk")


def plan_of(user: User, number: PhoneNumber, **cells: str) -> ChangeSet:
    report = read(user, table(["number", *cells], [number.e164, *cells.values()]))
    assert report.change_set, report.errors
    return report.change_set


def local(number: PhoneNumber) -> dict[str, str]:
    return read_values([number.pk])[number.pk]


def history(number: PhoneNumber) -> list[tuple[str, str, str, str, str]]:
    rows = Event.objects.filter(number=number).order_by("pk")
    return list(rows.values_list("kind", "field", "before", "after", "actor_name"))


def test_it_plans_what_only_we_keep_and_writes_nothing_yet(number: PhoneNumber, operator: User) -> None:
    plan = plan_of(operator, number, tags="VIP, north", owner="Ann", cost_centre="C1", note="Call first")
    change = plan.changes.get()
    assert (change.is_local, change.state) == (True, "planned")
    assert change.desired == {"tags": "north, VIP", "owner": "Ann", "cost_centre": "C1", "note": "Call first"}
    assert (local(number), Event.objects.count()) == ({"tags": "", "owner": "", "cost_centre": ""}, 0)


def test_it_writes_it_when_the_plan_is_applied(number: PhoneNumber, operator: User) -> None:
    plan = start(plan_of(operator, number, tags="VIP, north", owner="Ann", note="Call first"), operator)
    assert (plan.state, states(plan)) == ("done", {"confirmed": 1})
    assert local(number) == {"tags": "north, VIP", "owner": "Ann", "cost_centre": ""}
    assert Note.objects.values_list("text", "author_name").get() == ("Call first", "olga")
    assert history(number) == [
        ("noted", "", "", "Call first", "olga"),
        ("local", "owner", "", "Ann", "olga"),
        ("local", "tags", "", "north, VIP", "olga"),
    ]
    assert {event.change for event in Event.objects.all()} == {plan.changes.get()}


def test_it_sends_the_other_fields_of_the_row(synced: Account, operator: User, simulator: Simulator) -> None:
    number = synced.numbers.earliest("pk")
    plan = start(plan_of(operator, number, alias="New", tags="VIP"), operator)
    assert (plan.state, states(plan), edits(simulator)) == ("applying", {"confirmed": 1, "planned": 1}, [])
    assert (carry_out(plan).state, states(plan)) == ("done", {"confirmed": 2})
    assert edits(simulator) == [(number.remote_id, {"alias": "New"})]


def test_it_counts_a_number_once(number: PhoneNumber, operator: User) -> None:
    plan = plan_of(operator, number, alias="New", tags="VIP")
    assert plan.changes.count() == 2
    assert apply_plan(plan, expected_hash=plan.plan_hash, user=operator, canary=1).canary is None


def plan_page(client: Client, user: User, plan: ChangeSet) -> str:
    client.force_login(user)
    return client.get(f"/changes/plans/{plan.pk}/").content.decode()


def test_it_has_the_numbers_typed_and_not_the_changes(client: Client, synced: Account, operator: User) -> None:
    rows = [[number.e164, "New", "VIP"] for number in synced.numbers.all()]
    plan = read(operator, table(["number", "alias", "tags"], *rows)).change_set
    assert plan
    page = plan_page(client, operator, plan)
    assert f"Plan: change {len(rows)} numbers" in page
    assert f"Type <strong>{len(rows)}</strong> to go on." in page
    assert f"Send {2 * len(rows)} changes" in page


def test_it_says_that_no_provider_is_told(client: Client, number: PhoneNumber, operator: User) -> None:
    page = plan_page(client, operator, plan_of(operator, number, tags="VIP"))
    assert "Write 1 change" in page
    assert "no provider is told" in page


def test_it_takes_the_tags_of_a_cell_for_all_of_them(number: PhoneNumber, operator: User) -> None:
    edit_local_fields([number.pk], LocalEdit(add_tags=["old, kept"]), user=operator)
    start(plan_of(operator, number, tags="Kept, new"), operator)
    assert local(number)["tags"] == "kept, new"
    assert set(Tag.objects.values_list("name", flat=True)) == {"old", "kept", "new"}


@pytest.mark.parametrize("tags", ["north,VIP", "vip, north", " VIP ,  North"])
def test_it_takes_the_same_tags_in_another_order_for_no_change(number: PhoneNumber, operator: User, tags: str) -> None:
    edit_local_fields([number.pk], LocalEdit(add_tags=["VIP, north"]), user=operator)
    assert read(operator, table(["number", "tags"], [number.e164, tags])).unchanged == 1


def test_it_clears_what_it_is_told_to(number: PhoneNumber, operator: User) -> None:
    edit_local_fields([number.pk], LocalEdit(add_tags=["VIP"], owner="Ann"), user=operator)
    start(plan_of(operator, number, tags="(clear)", owner="(clear)"), operator)
    assert local(number) == {"tags": "", "owner": "", "cost_centre": ""}


def test_it_takes_the_newest_note_for_no_news(number: PhoneNumber, operator: User) -> None:
    add_note(number, "Call first", user=operator)
    assert read(operator, table(["number", "note"], [number.e164, "Call first"])).unchanged == 1


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("owner", "x" * 81, "Owner: at most 80 characters."),
        ("tags", "y" * 41, f"“{'y' * 41}” is too long for a tag: at most 40 characters."),
        ("tags", ",".join(f"t{rank}" for rank in range(21)), "A number takes at most 20 tags."),
        ("note", "(clear)", "A note is withdrawn on the number's page."),
        ("note", "z" * 4001, "A note is plain text of at most 4,000 characters; this has 4,001."),
    ],
)
def test_it_tells_what_cannot_be_kept(number: PhoneNumber, operator: User, name: str, text: str, sentence: str) -> None:
    assert sentences(read(operator, table(["number", name], [number.e164, text]))) == [
        (2, f"{number.e164}: {sentence}")
    ]


def test_it_keeps_something_of_a_released_number_too(number: PhoneNumber, operator: User) -> None:
    PhoneNumber.objects.update(presence="released")
    start(plan_of(operator, number, owner="Ann"), operator)
    assert local(number)["owner"] == "Ann"


def test_it_edits_no_released_number(number: PhoneNumber, operator: User) -> None:
    PhoneNumber.objects.update(presence="released")
    report = read(operator, table(["number", "alias"], [number.e164, "New"]))
    assert sentences(report) == [(2, f"{number.e164}: This number was released; it cannot be edited.")]


def test_it_refuses_a_plan_whose_tags_somebody_else_changed(number: PhoneNumber, operator: User) -> None:
    plan = plan_of(operator, number, tags="VIP")
    edit_local_fields([number.pk], LocalEdit(add_tags=["theirs"]), user=operator)
    with pytest.raises(StalePlan, match="Tags was nothing, is “theirs” now"):
        start(plan, operator)
    assert local(number)["tags"] == "theirs"


def test_it_overwrites_nothing_that_changes_while_it_is_applied(number: PhoneNumber, operator: User) -> None:
    plan = plan_of(operator, number, owner="Ann")
    ChangeSet.objects.update(state="applying")
    LocalFields.objects.create(number=number, owner="Theirs")
    write_local_changes(str(plan.pk))
    change = plan.changes.get()
    assert (local(number)["owner"], change.state, change.found) == ("Theirs", "conflict", {"owner": "Theirs"})


def test_it_goes_on_where_a_killed_process_left_off(number: PhoneNumber, operator: User) -> None:
    plan = plan_of(operator, number, owner="Ann")
    ChangeSet.objects.update(state="applying")
    assert (due_accounts(plan.created_at), with_local_left()) == ([], [plan.pk])
    assert write_local_changes(str(plan.pk)) is False
    plan.refresh_from_db()
    assert (local(number)["owner"], plan.state, len(history(number))) == ("Ann", "done", 1)


def test_it_leaves_most_of_a_large_plan_to_the_worker(
    synced: Account, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_changes, "BATCH", 2)
    numbers = synced.numbers.order_by("pk")[:5]
    wishes = [Wish(number=number.pk, desired={"owner": "Ann"}) for number in numbers]
    plan = start(make_plan(origin(operator), {"file": "a.csv"}, wishes), operator)
    assert (plan.state, states(plan)) == ("applying", {"confirmed": 2, "planned": 3})
    assert write_local_changes(str(plan.pk)) is False
    plan.refresh_from_db()
    assert (plan.state, states(plan)) == ("done", {"confirmed": 5})


def test_it_writes_no_longer_than_a_slice(number: PhoneNumber, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(operator, number, owner="Ann")
    ChangeSet.objects.update(state="applying")
    monkeypatch.setattr(change_sets, "SLICE_SECONDS", 0)
    assert (write_local_changes(str(plan.pk)), with_local_left()) == (True, [plan.pk])


def test_it_writes_nothing_of_a_cancelled_plan(number: PhoneNumber, operator: User) -> None:
    plan = plan_of(operator, number, owner="Ann")
    ChangeSet.objects.update(state="applying")
    cancel_change_set(plan, user=operator)
    assert (with_local_left(), write_local_changes(str(plan.pk))) == ([], False)
    assert (local(number)["owner"], states(plan)) == ("", {"cancelled": 1})


def test_it_undoes_it(synced: Account, operator: User, simulator: Simulator) -> None:
    number = synced.numbers.exclude(alias="").earliest("pk")
    edit_local_fields([number.pk], LocalEdit(add_tags=["old"]), user=operator)
    done = carry_out(start(plan_of(operator, number, alias="New", tags="VIP", owner="Ann", note="Hello"), operator))
    undo = plan_undo(origin(operator, source=ChangeSet.Source.UNDO), done)
    assert carry_out(start(undo, operator)).state == "done"
    assert local(number) == {"tags": "old", "owner": "", "cost_centre": ""}
    assert (edits(simulator)[-1][1], Note.objects.count()) == ({"alias": number.alias}, 1)


def test_it_says_of_a_note_that_it_stays(number: PhoneNumber, operator: User) -> None:
    undo = plan_undo(origin(operator), start(plan_of(operator, number, note="Hello"), operator))
    assert undo.changes.get().detail == "A note stays; its author can withdraw it on the number's page."


def test_it_undoes_a_note_and_an_edit_of_one_number_in_whatever_batch(
    synced: Account, operator: User, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = synced.numbers.exclude(alias="").earliest("pk")
    done = carry_out(start(plan_of(operator, number, alias="New", note="Hello"), operator))
    for module in (change_plans, change_reversals):
        monkeypatch.setattr(module, "BATCH", 1)
    assert plan_undo(origin(operator), done).changes.get().desired == {"alias": number.alias}


def test_it_leaves_what_was_changed_since_alone_when_it_undoes(number: PhoneNumber, operator: User) -> None:
    done = start(plan_of(operator, number, owner="Ann"), operator)
    edit_local_fields([number.pk], LocalEdit(owner="Bob"), user=operator)
    undo = plan_undo(origin(operator, source=ChangeSet.Source.UNDO), done)
    change = undo.changes.get()
    assert (change.left_out, change.detail) == ("changed", "Owner was changed since, to “Bob”, and stays so.")


def test_it_makes_one_wish_of_a_numbers_two(number: PhoneNumber, operator: User) -> None:
    wishes = [Wish(number=number.pk, desired={"alias": "New"}), Wish(number=number.pk, desired={"tags": "VIP"})]
    plan = make_plan(origin(operator), {}, wishes)
    assert sorted(Change.objects.filter(change_set=plan).values_list("is_local", "state")) == [
        (False, "planned"),
        (True, "planned"),
    ]


def test_it_finds_the_newest_of_a_number_that_was_released_and_rented_again(
    number: PhoneNumber, operator: User
) -> None:
    PhoneNumber.objects.update(presence="released")
    again = make_number(number.account, number.e164, remote_id="again")
    report = read(operator, table(["number", "alias"], [number.e164, "New"]))
    assert [change.number for change in report.change_set.changes.all()] == [again]
    assert wanted(report) == {again.e164: {"alias": "New"}}
