"""Facet counts: always what counting the rows one by one would say, whoever wrote them."""

import datetime as dt
import random

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.http import QueryDict
from django.utils import timezone

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.directory import current_edition
from phone_numbers.filters.facets import FACETS, count_facets
from phone_numbers.filters.rows import list_numbers
from phone_numbers.models import Application, Edition, Note, PhoneNumber, Tally
from phone_numbers.services import bookkeeping
from phone_numbers.services.bookkeeping.cells import COLUMNS
from phone_numbers.services.cache import WRITTEN
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from tests.phone_numbers.rows import make_account, make_application, make_number

pytestmark = pytest.mark.django_db

TYPES = ("local", "toll_free", "mobile")


def read(text=""):
    accounts = {str(number.account_id): "" for number in PhoneNumber.objects.all()}
    query = InventoryQuery.read(QueryDict(text), accounts)
    assert query.mistakes == ()
    return query


def facets(text=""):
    return count_facets(read(text), current_edition())


def tallied():
    cells = Tally.objects.values_list(*COLUMNS).annotate(Sum("count"))
    return {tuple(cell): count for *cell, count in cells if count}


@pytest.fixture
def inventory():
    """A few dozen numbers of three accounts, no two facets alike."""
    chance = random.Random(1)
    for name, provider in (("One", "plivo"), ("Two", "plivo"), ("Three", "twilio")):
        account = make_account(name, provider=provider)
        for remote_id, title in (("1", "Support IVR"), ("2", "Sales"), ("3", "")):
            make_application(account, f"{account.pk}{remote_id}", title)
        for _ in range(25):
            voice, messages = (chance.choice(["", "1", "2", "3", "unheard-of"]) for _ in range(2))
            make_number(
                account,
                services=chance.choice(["voice", "voice sms", "sms mms", "fax", ""]),
                alias=chance.choice(["Front desk", "Till", ""]),
                number_type=chance.choice(TYPES),
                country=chance.choice(["US", "GB", ""]),
                presence=chance.choice(["present", "present", "missing", "released"]),
                tendlc_status=chance.choice(["registered", "failed"]),
                toll_free_status=chance.choice(["verified", "unknown"]),
                voice_kind="application" if voice else "",
                voice_target=f"{account.pk}{voice}" if voice else "",
                message_kind="application" if messages else "",
                message_target=f"{account.pk}{messages}" if messages else "",
                monthly_rate=chance.choice([None, "1"]),
                renewal_date=chance.choice([None, dt.date(2026, 12, 1)]),
            )


QUERIES = (
    "",
    "type=local",
    "type=local,mobile&country=US",
    "services=voice,sms&services_match=all",
    "services=voice&services_match=exactly&presence=present,released",
    "provider=plivo&tendlc=failed",
    "application=support ivr",
    "application=sales&toll_free=verified&type=toll_free",
    "q=front desk",
    "q=ivr&type=local",
    "alias=Till&presence=missing",
    "prefix=1415&country=GB",
    "renewal_date__gte=2026-11-30",
)


@pytest.mark.parametrize("text", QUERIES)
def test_it_counts_what_the_list_shows(inventory, text):
    assert facets(text).total == len(list(list_numbers(read(text))))


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("facet", FACETS)
def test_it_tells_what_each_value_would_leave_without_the_choice_made_in_its_facet(inventory, text, facet):
    query = read(text)
    others = query.without_filter(facet)
    counts = facets(text).by_facet[facet]
    for value, count in counts.items():
        narrowed = others.narrowed(facet, value)
        assert (value, count_facets(narrowed, current_edition()).total) == (value, len(list(list_numbers(narrowed))))
        if facet != "services":
            assert (value, count) == (value, len(list(list_numbers(narrowed))))
    assert 0 not in counts.values()


def test_it_counts_services_one_by_one(inventory):
    counts = facets("services=fax&services_match=exactly").by_facet["services"]
    assert counts["voice"] == len(list(list_numbers(read("services=voice"))))


def test_it_counts_nothing_for_a_query_with_a_mistake(inventory):
    mistaken = InventoryQuery.read(QueryDict("colour=red"), {})
    assert count_facets(mistaken, current_edition()).total == 0


def write_by_row(number):
    number.number_type, number.voice_target = "mobile", "https://example.com/voice"
    number.save()


def write_by_update(number):
    PhoneNumber.objects.filter(pk__gte=number.pk).update(presence="missing", monthly_rate="2")


def write_by_upsert(number):
    number.country = "DE"
    PhoneNumber.objects.bulk_create([number], update_conflicts=True, unique_fields=["id"], update_fields=WRITTEN)


def write_new(number):
    make_number(number.account, presence="released", message_kind="url", message_target=f"https://{'x' * 200}.com")


def write_nothing_new(number):
    PhoneNumber.objects.filter(pk=number.pk).update(presence=number.presence)


def write_away(number):
    PhoneNumber.objects.filter(pk=number.pk).delete()


WRITERS = (write_by_row, write_by_update, write_by_upsert, write_new, write_nothing_new, write_away)


@pytest.mark.parametrize("write", WRITERS)
def test_it_stays_exact_whoever_writes(inventory, write):
    write(PhoneNumber.objects.earliest("pk"))
    kept = tallied()
    count_anew()
    assert kept == tallied()


def count_anew():
    """As `migrate` does when a trigger is gone, or is of another release."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("COMMENT ON FUNCTION numbers_keep_tally() IS 'an older release'")
        else:
            cursor.execute("DROP TRIGGER numbers_tally_insert")
    bookkeeping.install()


def test_it_forgets_what_a_transaction_undid(inventory):
    before, number = tallied(), PhoneNumber.objects.earliest("pk")
    with transaction.atomic():
        write_away(number)
        transaction.set_rollback(True)
    assert tallied() == before


@pytest.mark.parametrize(
    "write",
    [
        lambda number: PhoneNumber.objects.filter(pk=number.pk).update(alias="Other"),
        lambda number: Application.objects.filter(account=number.account).update(name="Other"),
        lambda number: make_account(f"Not {number.account}"),
        write_away,
    ],
)
def test_it_makes_a_new_edition_of_everything_a_list_could_show(inventory, write):
    before = current_edition()
    write(PhoneNumber.objects.filter(changes=None).earliest("pk"))
    assert current_edition() != before


def test_it_counts_anew_after_a_migration_rebuilt_the_table(inventory):
    before = tallied()
    count_anew()
    make_number(PhoneNumber.objects.earliest("pk").account)
    assert sum(tallied().values()) == sum(before.values()) + 1


def test_it_folds_what_has_gathered(inventory):
    account = PhoneNumber.objects.earliest("pk").account
    for _ in range(300):
        PhoneNumber.objects.filter(account=account, number_type="local").update(number_type="mobile")
        PhoneNumber.objects.filter(account=account, number_type="mobile").update(number_type="local")
    assert Edition.objects.count() < 300
    assert sum(tallied().values()) == PhoneNumber.objects.count()


class TestTags:
    @pytest.fixture
    def tagged(self, inventory, operator):
        numbers = list(PhoneNumber.objects.exclude(presence="released").order_by("pk"))[:5]
        edit_local_fields([number.pk for number in numbers], LocalEdit(add_tags=["VIP"]), user=operator)
        edit_local_fields([numbers[0].pk], LocalEdit(add_tags=["retail"], owner="Olga"), user=operator)
        return numbers

    def test_it_counts_and_filters_by_tag(self, tagged):
        assert facets().by_facet["tag"] == {"vip": 5, "retail": 1}
        assert facets("tag=VIP").total == len(list(list_numbers(read("tag=vip")))) == 5
        assert facets("tag=retail").by_facet["tag"]["vip"] == 5

    @pytest.mark.parametrize(("text", "count"), [("vip", 5), ("olga", 1), ("retail olga", 1), ("zzz", 0), ("ol", 1)])
    def test_it_finds_by_what_we_say_of_numbers_ourselves(self, tagged, text, count):
        assert facets(f"q={text}").total == len(list(list_numbers(read(f"q={text}")))) == count

    def test_it_finds_by_a_note_until_that_is_withdrawn(self, tagged, operator):
        note = Note.objects.create(number=tagged[1], text="Ask Zoë first", author=operator, author_name="olga")
        assert [number.pk for number in list_numbers(read("q=ask zo"))] == [tagged[1].pk]
        Note.objects.filter(pk=note.pk).update(withdrawn_at=timezone.now())
        assert facets("q=ask zo").total == 0
