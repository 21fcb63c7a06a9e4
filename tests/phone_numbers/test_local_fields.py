"""Tags, owner, cost centre and notes: kept by Numberdesk, touched by nobody else."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from phone_numbers.models import Event, LocalFields, Note, PhoneNumber, Tag
from phone_numbers.services.cache import WRITTEN
from phone_numbers.services.local_fields import LocalEdit, LocalRefused, LocalStale, edit_local_fields, read_values
from phone_numbers.services.notes import LONGEST_NOTE, NoteRefused, add_note, withdraw_note
from tests.phone_numbers.jobs import edits, sync
from tests.phone_numbers.rows import make_account, make_number
from tests.roles import make_user


@pytest.fixture
def number(db):
    return make_number(make_account())


def values(number):
    return read_values([number.pk])[number.pk]


def change(number, user, *, seen=None, **edit):
    return edit_local_fields([number.pk], LocalEdit(**edit), user=user, seen=seen or {}, request_id="req-1")


class TestFields:
    def test_it_keeps_all_of_them_and_says_who_changed_them(self, number, operator):
        assert change(number, operator, owner=" Olga  Ivanova ", cost_centre="CC-1", add_tags=["VIP, vans"]) == 1
        assert values(number) == {"tags": "vans, VIP", "owner": "Olga Ivanova", "cost_centre": "CC-1"}
        told = Event.objects.filter(kind="local").values_list("field", "before", "after", "actor_name", "request_id")
        assert set(told) == {
            ("tags", "", "vans, VIP", "olga", "req-1"),
            ("owner", "", "Olga Ivanova", "olga", "req-1"),
            ("cost_centre", "", "CC-1", "olga", "req-1"),
        }

    def test_it_leaves_what_is_not_named(self, number, operator):
        change(number, operator, owner="Olga", add_tags=["a"])
        change(number, operator, cost_centre="CC-1")
        assert values(number) == {"tags": "a", "owner": "Olga", "cost_centre": "CC-1"}

    def test_it_clears_a_text(self, number, operator):
        change(number, operator, owner="Olga")
        change(number, operator, owner="")
        assert values(number)["owner"] == ""

    def test_it_has_no_history_of_what_stays_the_same(self, number, operator):
        change(number, operator, owner="Olga", add_tags=["a"])
        assert change(number, operator, owner="Olga", add_tags=["A"], remove_tags=["b"]) == 0
        assert Event.objects.filter(kind="local").count() == 2

    @pytest.mark.parametrize(("first", "second"), [("VIP", "vip"), ("Straße", "STRASSE"), ("Über", "ÜBER")])
    def test_it_has_one_tag_whatever_its_case(self, number, operator, first, second):
        change(number, operator, add_tags=[first])
        other = make_number(number.account)
        change(other, operator, add_tags=[second])
        assert [tag.name for tag in Tag.objects.all()] == [first]
        assert set(Tag.objects.get().numbers.all()) == {number, other}

    def test_it_takes_a_tag_off_whatever_its_case(self, number, operator):
        change(number, operator, add_tags=["VIP", "vans"])
        change(number, operator, remove_tags=["vip"])
        assert values(number)["tags"] == "vans"

    def test_it_keeps_tags_that_two_people_add_at_once(self, number, operator):
        change(number, operator, add_tags=["a"])
        change(number, make_user("operator"), add_tags=["b"])
        assert values(number)["tags"] == "a, b"

    @pytest.mark.parametrize(
        ("edit", "field"),
        [
            ({"owner": "x" * 81}, "owner"),
            ({"cost_centre": "x" * 41}, "cost_centre"),
            ({"owner": "a\0b"}, "owner"),
            ({"add_tags": ["x" * 41]}, "tags"),
            ({"add_tags": ["a\0"]}, "tags"),
            ({"owner": "Olga", "add_tags": [",".join(map(str, range(21)))]}, "tags"),
        ],
    )
    def test_it_stores_nothing_of_what_it_refuses(self, number, operator, edit, field):
        with pytest.raises(LocalRefused) as refused:
            change(number, operator, **edit)
        assert refused.value.field == field
        assert not any(values(number).values())
        assert not Event.objects.exists()

    def test_it_tells_the_later_of_two_people(self, number, operator):
        change(number, operator, owner="Theirs", seen={"owner": ""})
        with pytest.raises(LocalStale) as stale:
            change(number, operator, owner="Mine", cost_centre="CC-1", seen={"owner": "", "cost_centre": ""})
        assert stale.value.current["owner"] == "Theirs"
        assert values(number) == {"tags": "", "owner": "Theirs", "cost_centre": ""}

    def test_it_is_no_conflict_when_both_want_the_same(self, number, operator):
        change(number, operator, owner="Olga", seen={"owner": ""})
        assert change(number, operator, owner="Olga", seen={"owner": ""}) == 0

    def test_it_needs_as_many_statements_for_many_numbers_as_for_a_few(self, number, operator):
        numbers = [make_number(number.account).pk for _ in range(40)]
        counts = []
        for chosen in (numbers[:2], numbers[2:40]):
            with CaptureQueriesContext(connection) as queries:
                edit = LocalEdit(owner="Olga", add_tags=["a", "b"], remove_tags=["c"])
                assert edit_local_fields(chosen, edit, user=operator) == len(chosen)
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestOthers:
    def test_it_has_no_local_column_among_those_a_sync_writes(self):
        local = {field.name for model in (LocalFields, Note, Tag) for field in model._meta.concrete_fields}
        assert not set(WRITTEN) & (local - {"id", "number"})

    def test_it_survives_a_sync_that_rewrites_the_number(self, synced, simulator, operator):
        number = synced.numbers.earliest("pk")
        change(number, operator, owner="Olga", cost_centre="CC-1", add_tags=["VIP"])
        add_note(number, "On the vans", user=operator)
        PhoneNumber.objects.filter(pk=number.pk).update(alias="Not so at the provider", digest="old")
        assert sync(synced).numbers_changed == 1
        assert values(number) == {"tags": "VIP", "owner": "Olga", "cost_centre": "CC-1"}
        assert number.notes.get().withdrawn_at is None
        assert edits(simulator) == []

    def test_it_asks_the_provider_nothing(self, synced, simulator, operator):
        number, before = synced.numbers.earliest("pk"), simulator.requests.summary()["count"]
        change(number, operator, owner="Olga", add_tags=["VIP"])
        add_note(number, "On the vans", user=operator)
        assert simulator.requests.summary()["count"] == before


class TestNotes:
    def test_it_keeps_a_note_with_its_author(self, number, operator):
        note = add_note(number, " On the vans.\r\nAsk marketing. ", user=operator, request_id="req-1")
        assert (note.text, note.author_name) == ("On the vans.\nAsk marketing.", "olga")
        assert Event.objects.get(kind="noted").after == note.text

    @pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST_NOTE + 1), "a\0b"])
    def test_it_refuses_what_is_no_note(self, number, operator, text):
        with pytest.raises(NoteRefused):
            add_note(number, text, user=operator)
        assert not Note.objects.exists()

    def test_it_notes_once_what_is_sent_twice(self, number, operator):
        assert add_note(number, "Twice", user=operator) == add_note(number, "Twice", user=operator)
        assert Event.objects.filter(kind="noted").count() == 1

    def test_it_keeps_a_withdrawn_note_in_the_history(self, number, operator):
        note = add_note(number, "Wrong", user=operator)
        withdraw_note(note, user=operator)
        withdraw_note(note, user=operator)
        note.refresh_from_db()
        assert note.withdrawn_at
        assert list(Event.objects.values_list("kind", "before", "after")) == [
            ("withdrawn", "Wrong", ""),
            ("noted", "", "Wrong"),
        ]

    def test_it_lets_nobody_withdraw_anothers_note(self, number, operator):
        note = add_note(number, "Mine", user=operator)
        with pytest.raises(NoteRefused, match="Only olga can withdraw"):
            withdraw_note(note, user=make_user("admin"))
        assert Note.objects.filter(withdrawn_at=None).exists()
