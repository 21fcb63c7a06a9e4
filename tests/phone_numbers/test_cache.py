"""Readings as rows: what counts as different, what is written of it, what is told."""

import datetime as dt
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from types import MappingProxyType

import phonenumbers
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from phone_numbers.models import Account, Event, NumberPayload, PhoneNumber, Sequence, SyncRun
from phone_numbers.services import cache, runs
from phone_numbers.services.cache import Stored, locked, store_batch
from phone_numbers.services.columns import Reading, format_nationally
from phone_numbers.services.connections import open_account
from providers.contract import (
    NumberType,
    RemoteNumber,
    Route,
    Service,
    TenDlc,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.paging import ListedNumber
from tests.phone_numbers.jobs import make_account

REMOTE = RemoteNumber(
    id="14155550100",
    e164="+14155550100",
    alias="Front desk",
    number_type=NumberType.LOCAL,
    country="US",
    services=frozenset({Service.VOICE, Service.SMS}),
    voice=Route(kind="application", target="17", label="Reception"),
    tendlc=TenDlc(status=TenDlcStatus.REGISTERED, campaign_id="C17"),
    toll_free=TollFreeStatus.NOT_APPLICABLE,
    monthly_rate=Decimal("0.8"),
    currency="USD",
    renewal_date=dt.date(2026, 12, 1),
    extras={"reputation": "good"},
    payload={"number": "14155550100", "alias": "Front desk"},
)


@pytest.fixture
def run(db: None) -> SyncRun:
    return runs.claim_run(runs.request_sync(make_account(), trigger="person").pk).run


def store(run: SyncRun, *remotes: RemoteNumber, announce: bool = False) -> Stored:
    return store_batch(run, [ListedNumber.of(remote) for remote in remotes], announce=announce, fence=lambda: None)


def drifts() -> list[tuple[str, str, str]]:
    found = Event.objects.filter(kind=Event.Kind.DRIFT).order_by("field")
    return list(found.values_list("field", "before", "after"))


def test_it_knows_a_row_by_any_order_of_its_keys() -> None:
    turned = replace(REMOTE, payload=dict(reversed(REMOTE.payload.items())))
    assert Reading.of(turned).digest == Reading.of(REMOTE).digest


@pytest.mark.parametrize("field", [{"payload": {}}, {"alias": ""}, {"extras": {}}, {"surprises": ("new=1",)}])
def test_it_notices_whatever_differs(field: dict[str, object]) -> None:
    assert Reading.of(replace(REMOTE, **field)).digest != Reading.of(REMOTE).digest


def test_it_takes_any_mapping_for_a_payload() -> None:
    assert Reading.of(replace(REMOTE, payload=MappingProxyType(REMOTE.payload))).digest == Reading.of(REMOTE).digest


def test_it_reads_a_number_alike_in_the_list_and_on_its_own(account: Account) -> None:
    with open_account(account) as provider:
        listed = [number for page in provider.list_numbers() for number in page.numbers]
        alone = [provider.get(number.id) for number in listed]
    assert [Reading.of(number).digest for number in alone] == [Reading.of(number).digest for number in listed]


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+14155550100", "(415) 555-0100"),
        ("+18005550199", "(800) 555-0199"),
        ("+442079460000", "020 7946 0000"),
        ("+61290000000", "(02) 9000 0000"),
        ("nonsense", "nonsense"),
    ],
)
def test_it_writes_numbers_as_their_country_does(e164: str, shown: str) -> None:
    assert format_nationally(e164) == shown


@pytest.mark.parametrize("rest", ["2345678", "0001111", "5550100", "9119999"])
def test_it_writes_north_american_numbers_as_the_library_does(rest: str) -> None:
    for e164 in (f"+1{area}{rest}" for area in range(200, 1000)):
        parsed = phonenumbers.parse(e164)
        assert format_nationally(e164) == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def test_it_stores_every_column(run: SyncRun) -> None:
    store(run, REMOTE)
    number = PhoneNumber.objects.get()
    assert (number.alias, number.voice.key, number.services) == ("Front desk", "application:17", ["voice", "sms"])
    assert (number.tendlc_status, number.tendlc_campaign_id, number.monthly_rate) == (
        "registered",
        "C17",
        Decimal("0.8"),
    )
    assert (number.national, number.presence, number.extras) == ("(415) 555-0100", "present", {"reputation": "good"})
    assert number.payload.body == REMOTE.payload


def test_it_tells_every_field_that_changed(run: SyncRun) -> None:
    store(run, REMOTE)
    later = replace(
        REMOTE,
        alias="Back door",
        voice=Route(kind="trunk", target="9"),
        services=frozenset({Service.VOICE}),
        monthly_rate=Decimal("1.25"),
        renewal_date=None,
        extras={"reputation": "bad"},
    )
    assert store(run, later).changed == 1
    assert drifts() == [
        ("alias", "Front desk", "Back door"),
        ("monthly_rate", "0.8", "1.25"),
        ("renewal_date", "2026-12-01", ""),
        ("reputation", "good", "bad"),
        ("services", "voice, sms", "voice"),
        ("voice", "application:17", "trunk:9"),
    ]


def test_it_writes_the_new_payload_too(run: SyncRun) -> None:
    store(run, REMOTE)
    store(run, replace(REMOTE, payload={"number": "14155550100", "new": True}))
    assert NumberPayload.objects.get().body == {"number": "14155550100", "new": True}


def test_it_keeps_what_the_row_does_not_tell(run: SyncRun) -> None:
    store(run, REMOTE)
    store(run, replace(REMOTE, tendlc=None, toll_free=None))
    number = PhoneNumber.objects.get()
    assert (number.tendlc_status, number.tendlc_campaign_id, number.toll_free_status) == (
        "registered",
        "C17",
        "not_applicable",
    )
    assert drifts() == []


def test_it_takes_no_rounding_for_a_change(run: SyncRun) -> None:
    store(run, replace(REMOTE, sms_rate=Decimal("0.0000074")))
    store(run, replace(REMOTE, sms_rate=Decimal("0.00000740"), payload={}))
    assert drifts() == []


def test_it_formats_a_number_anew_that_changed(run: SyncRun) -> None:
    store(run, REMOTE)
    store(run, replace(REMOTE, e164="+12125550100"))
    assert PhoneNumber.objects.get().national == "(212) 555-0100"


def test_it_announces_new_numbers_when_told_to(run: SyncRun) -> None:
    store(run, REMOTE, announce=True)
    assert Event.objects.get().kind == Event.Kind.FIRST_SEEN


def test_it_takes_the_last_of_two_rows_with_one_id(run: SyncRun) -> None:
    stored = store(run, REMOTE, replace(REMOTE, alias="Later"))
    assert PhoneNumber.objects.get().alias == "Later"
    assert len(stored.seen) == 2


def test_it_asks_once_about_a_batch_that_did_not_change(
    run: SyncRun, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    batch = [replace(REMOTE, id=str(rank)) for rank in range(500)]
    store(run, *batch)
    with django_assert_num_queries(1):
        stored = store(run, *batch)
    assert (stored.new, stored.changed, len(stored.seen)) == (0, 0, 500)


def test_it_writes_a_batch_that_changed_in_few_statements(run: SyncRun) -> None:
    """A look-up, the last whole listing, two to read; then begin and end, two to lock and look, three to write."""
    batch = [replace(REMOTE, id=str(rank)) for rank in range(20)]
    store(run, *batch)
    with CaptureQueriesContext(connection) as queries:
        store(run, *[replace(remote, alias="Changed") for remote in batch])
    assert len([query for query in queries if "PRAGMA" not in query["sql"]]) == 11
    assert len(drifts()) == 20


def test_it_finds_what_did_not_change_by_its_own_keys(run: SyncRun) -> None:
    """Not by looking through the account for every batch."""
    rows = [replace(REMOTE, id=str(rank)) for rank in range(2000)]
    batch = rows[:20]
    stored = store(run, *rows)
    with CaptureQueriesContext(connection) as queries:
        assert sorted(store(run, *batch, announce=True).seen) == stored.seen[:20]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(f"EXPLAIN {'' if connection.vendor == 'postgresql' else 'QUERY PLAN'} {queries[0]['sql']}")
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert len(queries) == 1
    assert re.search(r"account_id ?= ?[?\d]+\)? AND \(?\(?remote_id", plan), plan


@pytest.mark.parametrize("presence", ["unconfirmed", "missing", "released"])
def test_it_takes_no_number_that_is_away_for_unchanged(run: SyncRun, presence: str) -> None:
    store(run, REMOTE)
    PhoneNumber.objects.update(presence=presence)
    assert store(run, REMOTE, announce=True).returned == 1


def unread(_: object) -> RemoteNumber:
    raise AssertionError("A row that did not change was read.")


def test_it_reads_no_row_that_did_not_change(run: SyncRun) -> None:
    row = ListedNumber.of(REMOTE)
    store_batch(run, [row], announce=False, fence=lambda: None)
    stored = store_batch(run, [ListedNumber(row.id, row.digest, REMOTE, unread)], announce=False, fence=lambda: None)
    assert (stored.new, stored.changed, stored.surprising) == (0, 0, [])


def test_it_counts_the_surprises_of_rows_that_did_not_change(run: SyncRun) -> None:
    strange = replace(REMOTE, surprises=("new=1",))
    store(run, strange)
    stored = store(run, strange, replace(REMOTE, id="14155550101"))
    assert (stored.surprising, stored.new, stored.changed) == ([strange], 1, 0)


def test_it_fills_every_column_it_does_not_name_with_its_default(run: SyncRun) -> None:
    store(run, replace(REMOTE, tendlc=None, toll_free=None))
    number, fresh = PhoneNumber.objects.get(), PhoneNumber()
    assert (number.tendlc_status, number.toll_free_status) == (fresh.tendlc_status, fresh.toll_free_status)
    assert (number.edited_seq, number.presence, number.presence_since) == (0, "present", run.started_at)


def test_it_takes_a_number_back_that_did_not_change(run: SyncRun) -> None:
    store(run, REMOTE)
    PhoneNumber.objects.update(presence=PhoneNumber.Presence.UNCONFIRMED)
    assert store(run, REMOTE).returned == 1
    assert PhoneNumber.objects.get().presence == PhoneNumber.Presence.PRESENT
    assert list(Event.objects.values_list("kind", "before", "after")) == [("presence", "unconfirmed", "present")]


def test_it_keeps_when_a_number_was_first_seen(run: SyncRun) -> None:
    store(run, REMOTE)
    first = PhoneNumber.objects.get()
    store(run, replace(REMOTE, alias="Changed"))
    again = PhoneNumber.objects.get()
    assert again.first_seen_at == first.first_seen_at
    assert again.changed_at > first.changed_at


@pytest.mark.django_db(transaction=True)
def test_it_knows_the_payload_of_a_row_it_had_to_wait_for(run: SyncRun) -> None:
    def extras_when_locked() -> dict[str, str]:
        try:
            with transaction.atomic():
                (number,) = locked(PhoneNumber.objects.all())
                return number.extras
        finally:
            connection.close()

    store(run, REMOTE)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locked(PhoneNumber.objects.all())
            waiting = pool.submit(extras_when_locked)
            time.sleep(0.3)
            NumberPayload.objects.update(extras={"reputation": "bad"})
            PhoneNumber.objects.update(alias="New")
        assert waiting.result() == {"reputation": "bad"}


@pytest.mark.parametrize("letters", ["é", "日", "🙂"])
def test_it_keeps_the_longest_targets_in_any_script(run: SyncRun, letters: str) -> None:
    """An index of PostgreSQL takes 2,704 bytes; what can be compressed takes less, so none of it repeats."""
    target = "".join(chr(ord(letters) + place % 40 + random.Random(place).randrange(40)) for place in range(2048))
    stored = replace(REMOTE, voice=Route(kind="url", target=target), messages=Route(kind="url", target=target))
    store(run, stored)
    assert target.startswith(PhoneNumber.objects.get().voice_target)
    store(run, replace(stored, payload={}))
    assert drifts() == []


def test_it_cuts_no_address_of_plain_letters(run: SyncRun) -> None:
    address = "https://a.example/" + "".join(chr(97 + place * place % 26) for place in range(2030))
    store(run, replace(REMOTE, voice=Route(kind="url", target=address)))
    assert PhoneNumber.objects.get().voice_target == address


def test_it_writes_nothing_over_an_edit_that_came_while_it_worked_out_what_to_write(run: SyncRun) -> None:
    store(run, REMOTE, replace(REMOTE, id="14155550101"))

    def edit_meanwhile() -> None:
        PhoneNumber.objects.filter(remote_id=REMOTE.id).update(alias="Edited", edited_seq=Sequence.next())

    rows = [ListedNumber.of(replace(REMOTE, id=pk, alias="Stale")) for pk in (REMOTE.id, "14155550101")]
    stored = store_batch(run, rows, announce=False, fence=edit_meanwhile)
    assert sorted(PhoneNumber.objects.values_list("alias", flat=True)) == ["Edited", "Stale"]
    assert (len(stored.left_alone), stored.changed, len(drifts())) == (1, 1, 1)


@pytest.mark.parametrize(
    "meanwhile",
    [{"digest": "another"}, {"presence": "unconfirmed"}, {"edited_seq": -1}],
    ids=["digest", "presence", "seq"],
)
def test_it_leaves_a_row_alone_that_is_not_as_it_was_read(run: SyncRun, meanwhile: dict[str, object]) -> None:
    store(run, REMOTE)
    row = ListedNumber.of(replace(REMOTE, alias="Stale"))
    fence = partial(PhoneNumber.objects.update, **meanwhile)
    stored = store_batch(run, [row], announce=False, fence=fence)
    assert (PhoneNumber.objects.get().alias, len(stored.left_alone)) == ("Front desk", 1)


def test_it_writes_little_at_a_time_and_lets_others_have_a_turn(run: SyncRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cache.MOST_ROWS, connection.vendor, 20)
    batch = [replace(REMOTE, id=str(rank)) for rank in range(50)]
    store(run, *batch)
    written = PhoneNumber.objects.filter(alias="Changed")
    counts: list[int] = []
    rows = [ListedNumber.of(replace(remote, alias="Changed")) for remote in batch]
    store_batch(run, rows, announce=False, fence=lambda: counts.append(written.count()))
    assert counts == [0, 20, 40]
