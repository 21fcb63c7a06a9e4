"""The list when thousands match: it is then read in another way, and must show the same."""

import re

import pytest
from django.db import connection
from django.http import QueryDict

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.directory import current_edition, read_directory
from phone_numbers.filters.facets import count_facets
from phone_numbers.filters.paging import WALKED_FROM, plan_page
from phone_numbers.models import PhoneNumber
from phone_numbers.services.listing import Listing
from phone_numbers.services.reading import keep_numbers
from phone_numbers.services.runs import claim_run, request_sync
from phone_numbers.services.statistics import FEWEST, gather_statistics
from providers.contract import RemoteNumber
from providers.paging import Page
from tests.phone_numbers.rows import make_account
from tests.roles import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(client):
    """Rows the list walks over, and the two accounts they are in."""
    client.force_login(make_user("operator"))
    accounts = [make_account("First"), make_account("Second")]
    shown = {"number_type": "local", "country": "US", "service_bits": 3, "alias": "Front desk"}
    PhoneNumber.objects.bulk_create(
        PhoneNumber(account=accounts[place == 0], remote_id=str(place), e164=f"+1415{place:07d}", **shown)
        for place in range(WALKED_FROM + 100)
    )
    return accounts


@pytest.mark.parametrize(
    "query",
    [
        "",
        "type=local",
        "account={0}&type=local",
        "account={0},{1}&type=local",
        "provider=plivo&country=US",
        "services=sms",
        "services=voice,sms&services_match=exactly&type=local",
        "presence=present&tendlc=unknown",
        "q=desk",
    ],
)
def test_it_shows_as_many_rows_as_it_counts(client, many, query):
    page = client.get(f"/numbers/?{query.format(*(account.pk for account in many))}").content.decode()
    assert int(re.search(r'data-total="(\d+)"', page)[1]) > WALKED_FROM
    assert page.count('class="row"') == 50


@pytest.mark.parametrize("text", ["type=local", "country=US", "tendlc=unknown"])
def test_it_finds_a_far_page_of_one_value_in_an_index_alone(many, text):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL reads no index alone before it has vacuumed, which no test's transaction can do")
    query, edition = InventoryQuery.read(QueryDict(f"{text}&page=40"), {}), current_edition()
    sql, values = plan_page(query, count_facets(query, edition), read_directory(edition)).sql()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        steps = [step for *_, step in cursor.fetchall() if "numbers_phonenumber" in step]
    assert len(steps) == 1
    assert "COVERING INDEX number_by_" in steps[0]


def rows_known_of():
    """As the database has them in its statistics."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'numbers_phonenumber'")
        else:
            cursor.execute("SELECT CAST(stat AS integer) FROM sqlite_stat1 WHERE idx = 'number_by_e164'")
        return cursor.fetchone()[0]


def test_it_tells_the_database_of_a_large_change(many):
    gather_statistics(WALKED_FROM)
    assert rows_known_of() == pytest.approx(WALKED_FROM + 100, rel=0.1)


def test_it_tells_the_database_of_the_first_batch_of_a_large_list():
    lease = claim_run(request_sync(make_account("New"), trigger="person").pk)
    page = Page.of(RemoteNumber(id=str(rank), e164=f"+1415555{rank:04d}") for rank in range(FEWEST))
    keep_numbers(lease, Listing(), page.rows)
    assert rows_known_of() == pytest.approx(FEWEST, rel=0.1)


@pytest.mark.parametrize("written", [0, 499])
def test_it_does_not_trouble_the_database_for_a_small_one(many, django_assert_max_num_queries, written):
    with django_assert_max_num_queries(1):
        gather_statistics(written)
