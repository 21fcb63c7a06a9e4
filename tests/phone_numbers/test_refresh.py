"""Reading one number for a person who waits: what is stored is never older than what was there."""

import pytest
from django.test import Client

from phone_numbers.models import Account, Event, PhoneNumber, Sequence, SyncRun
from phone_numbers.services.accounts import PROMPT
from phone_numbers.services.cache import store_reading
from phone_numbers.services.connections import open_account
from phone_numbers.services.listing import Listing
from phone_numbers.services.reading import keep_numbers
from phone_numbers.services.refresh import refresh_number, store_newest
from phone_numbers.services.runs import claim_run, request_sync
from providers.paging import Page
from tests.phone_numbers.jobs import ONE, ask, events, number_of, sync, work
from tests.phone_numbers.pages import PIECE
from tests.roles import make_user


def differ(simulator, number, **fields):
    simulator.world.change(simulator.world.account(), number.remote_id, **fields)


def read(number):
    with open_account(number.account, PROMPT) as provider:
        return provider.get(number.remote_id)


def begin(number):
    """As a reading begins: its place in the order of things, and what was known."""
    return {"begun_seq": Sequence.next(), "known": number_of(number.remote_id).digest}


def test_it_stores_what_the_provider_says_now(number, simulator, operator):
    differ(simulator, number, alias="Theirs")
    refreshed = refresh_number(number, user=operator, request_id="req-1")
    assert (refreshed.tone, refreshed.sentence) == ("success", "Read just now. Changed at the provider: Alias.")
    assert number_of(number.remote_id).alias == "Theirs"
    assert events(number) == ["drift", "read"]
    told = Event.objects.get(kind="read")
    assert (told.detail, told.actor_name, told.request_id) == ("Changed at the provider: Alias.", "olga", "req-1")


def test_it_says_when_nothing_differs(number, operator):
    assert refresh_number(number, user=operator).sentence == "Read just now. Nothing differs from what was known."
    assert events(number) == ["read"]


def test_it_leaves_presence_alone_when_the_provider_does_not_know_the_number(number, simulator, operator):
    simulator.world.remove(simulator.world.account(), number.remote_id)
    refreshed = refresh_number(number, user=operator)
    assert refreshed.tone == "warning"
    assert "no longer shows this number" in refreshed.sentence
    assert number_of(number.remote_id).presence == "present"
    assert events(number) == ["read"]


def test_it_takes_a_number_for_present_that_the_provider_shows(number, operator):
    PhoneNumber.objects.filter(pk=number.pk).update(presence="unconfirmed")
    assert "It is present again." in refresh_number(number, user=operator).sentence
    assert number_of(number.remote_id).presence == "present"


@pytest.mark.parametrize("kind", ["error", "reset", "html", "revoked", "rate_limited", "wrong_account"])
def test_it_changes_nothing_when_the_provider_fails(number, simulator, operator, kind):
    simulator.fault(kind, path=ONE, times=0, **({"status": 503} if kind == "error" else {}))
    refreshed = refresh_number(number, user=operator)
    assert refreshed.tone == "error"
    assert refreshed.sentence.endswith("Nothing was read.")
    assert events(number) == []


def test_it_asks_nobody_while_an_edit_is_under_way(number, simulator, operator):
    ask(number, operator, alias="Mine")
    before = simulator.requests.summary()["count"]
    assert "An edit of this number is under way" in refresh_number(number, user=operator).sentence
    assert simulator.requests.summary()["count"] == before


def test_it_leaves_out_what_was_read_before_an_edit_began(number, operator):
    begun, remote = begin(number), read(number)
    ask(number, operator, alias="Mine")
    assert store_newest(number, remote, operator, **begun) is None


def test_it_leaves_out_what_was_read_before_an_edit_ended(number, operator):
    begun, remote = begin(number), read(number)
    work(ask(number, operator, alias="Mine"))
    assert store_newest(number, remote, operator, **begun) is None
    assert number_of(number.remote_id).alias == "Mine"


def test_it_leaves_out_what_was_read_before_a_sync_stored_another_value(number, simulator, operator):
    begun, remote = begin(number), read(number)
    differ(simulator, number, alias="Newer")
    sync(number.account)
    assert store_newest(number, remote, operator, **begun) is None
    assert number_of(number.remote_id).alias == "Newer"


def test_it_leaves_out_what_was_read_before_a_sync_began_that_saw_no_difference(number, operator):
    begun, remote = begin(number), read(number)
    sync(number.account)
    assert store_newest(number, remote, operator, **begun) is None


def test_it_leaves_out_what_was_read_before_another_reading_was_stored(number, simulator, operator):
    begun, remote = begin(number), read(number)
    differ(simulator, number, alias="Newer")
    store_reading(number_of(number.remote_id), read(number))
    assert store_newest(number, remote, operator, **begun) is None


def test_it_goes_before_a_page_that_a_running_sync_read_earlier(number, simulator, operator):
    run = request_sync(number.account, trigger=SyncRun.Trigger.PERSON)
    lease, old = claim_run(run.pk), read(number)
    differ(simulator, number, alias="Newer")
    assert refresh_number(number, user=operator).tone == "success"
    listing = Listing()
    keep_numbers(lease, listing, Page.of([old]).rows)
    assert number_of(number.remote_id).alias == "Newer"
    assert listing.left_alone == {number.pk}


class TestButton:
    def test_it_says_on_the_page_what_came_of_it(self, client: Client, number, operator):
        client.force_login(operator)
        page = client.post(f"/numbers/{number.pk}/refresh/?from=type%3Dlocal", follow=True)
        assert page.redirect_chain == [(f"/numbers/{number.pk}/?from=type%3Dlocal", 302)]
        assert "Nothing differs from what was known." in page.content.decode()

    def test_it_moves_the_window_for_htmx(self, client: Client, number, operator):
        client.force_login(operator)
        page = client.post(f"/numbers/{number.pk}/refresh/", headers=PIECE)
        assert page["HX-Redirect"] == f"/numbers/{number.pk}/"

    def test_it_is_not_for_viewers(self, client: Client, number):
        client.force_login(make_user("viewer"))
        assert "Read now" not in client.get(f"/numbers/{number.pk}/").content.decode()
        assert client.post(f"/numbers/{number.pk}/refresh/").status_code == 403


def test_it_reads_nothing_of_another_account(number, simulator, operator):
    Account.objects.update(remote_id="MASOMEBODYELSE000001")
    simulator.world.change(simulator.world.account(), number.remote_id, alias="Somebody else's")
    refreshed = refresh_number(number, user=operator)
    assert (refreshed.tone, "Nothing was stored" in refreshed.sentence) == ("error", True)
    assert number_of(number.remote_id).alias == number.alias
