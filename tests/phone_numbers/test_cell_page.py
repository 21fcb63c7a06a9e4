"""Editing in the list's cells: every answer is a piece of the page, and says what became of the edit."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from phone_numbers.models import Application, Change
from phone_numbers.services.changes import apply_change
from tests.phone_numbers.pages import PIECE, text_of
from tests.phone_numbers.rows import make_account, make_application, make_change
from tests.roles import make_user


def open_editor(client, number, field="alias"):
    """The form as the browser would send it back."""
    text = client.get(f"/numbers/{number.pk}/{field}/edit/", headers=PIECE).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', text))
    return {**hidden, field: hidden[f"base-{field}"]}


def save(client, number, form, field="alias"):
    return client.post(f"/numbers/{number.pk}/{field}/edit/", form, headers=PIECE)


def watch(client, number, field="alias"):
    return client.get(f"/numbers/{number.pk}/{field}/?change={Change.objects.latest('pk').pk}", headers=PIECE)


class TestAlias:
    def test_it_shows_sending_then_confirmed(self, signed_in, number):
        form = {**open_editor(signed_in, number), "alias": "Front desk"}
        sending = save(signed_in, number, form)
        assert "Sending" in text_of(sending)
        assert "Front desk" in text_of(sending)
        assert 'hx-trigger="every 1s"' in text_of(watch(signed_in, number))
        apply_change(Change.objects.get().pk)
        confirmed = watch(signed_in, number)
        assert confirmed.status_code == 286
        assert "Confirmed" in text_of(confirmed)
        assert "hx-trigger" not in text_of(confirmed)

    def test_it_keeps_the_text_when_we_refuse_it(self, signed_in, number):
        page = save(signed_in, number, {**open_editor(signed_in, number), "alias": "x" * 151})
        assert page.status_code == 422
        assert "x" * 151 in text_of(page)
        assert "at most 150" in text_of(page)
        assert not Change.objects.exists()

    def test_it_keeps_the_text_and_the_words_when_the_provider_refuses_it(self, signed_in, number, simulator):
        save(signed_in, number, {**open_editor(signed_in, number), "alias": "Front desk"})
        simulator.fault("error", method="POST", status=405)
        apply_change(Change.objects.get().pk)
        page = watch(signed_in, number)
        assert page.status_code == 286
        assert 'value="Front desk"' in text_of(page)
        assert "method not allowed" in text_of(page)

    def test_it_shows_mine_and_theirs_when_the_number_was_changed_meanwhile(self, signed_in, number):
        form = {**open_editor(signed_in, number), "alias": "Mine"}
        seen = number.alias
        type(number).objects.filter(pk=number.pk).update(alias="Theirs")
        page = save(signed_in, number, form)
        assert page.status_code == 409
        words = re.findall(r"<dd>(.*?)</dd>", text_of(page))
        assert words == [seen, "Theirs", "Mine"]
        assert 'name="base-alias" value="Theirs"' in text_of(page)
        assert not Change.objects.exists()

    def test_it_shows_a_conflict_found_at_the_provider(self, signed_in, number, simulator):
        save(signed_in, number, {**open_editor(signed_in, number), "alias": "Mine"})
        simulator.world.change(simulator.world.account(), number.remote_id, alias="Theirs")
        apply_change(Change.objects.get().pk)
        page = watch(signed_in, number)
        assert re.findall(r"<dd>(.*?)</dd>", text_of(page))[1:] == ["Theirs", "Mine"]

    def test_it_makes_one_change_of_a_form_sent_twice(self, signed_in, number):
        form = {**open_editor(signed_in, number), "alias": "Front desk"}
        pages = [save(signed_in, number, form) for _ in range(2)]
        assert [page.status_code for page in pages] == [200, 200]
        assert Change.objects.count() == 1

    def test_it_keeps_the_text_of_a_form_sent_again_with_other_values(self, signed_in, number):
        form = {**open_editor(signed_in, number), "alias": "Front desk"}
        save(signed_in, number, form)
        page = save(signed_in, number, {**form, "alias": "Back door"})
        assert page.status_code == 422
        assert 'value="Back door"' in text_of(page)
        assert form["idempotency_key"] not in text_of(page)

    def test_it_only_closes_when_nothing_was_changed(self, signed_in, number):
        page = save(signed_in, number, open_editor(signed_in, number))
        assert "<form" not in text_of(page)
        assert not Change.objects.exists()

    def test_it_asks_to_wait_while_another_edit_is_under_way(self, signed_in, number, operator):
        form = {**open_editor(signed_in, number), "alias": "Second"}
        make_change(number, operator, desired="First")
        page = save(signed_in, number, form)
        assert page.status_code == 409
        assert "An edit by olga is under way" in text_of(page)

    @pytest.mark.parametrize("named", ["9" * 5000, "x", "-1"])
    def test_it_is_at_rest_when_no_change_is_named(self, signed_in, number, named):
        page = signed_in.get(f"/numbers/{number.pk}/alias/?change={named}", headers=PIECE)
        assert (page.status_code, number.alias in text_of(page)) == (200, True)

    def test_it_stops_watching_an_edit_that_no_worker_takes(self, signed_in, number, operator):
        change = make_change(number, operator)
        Change.objects.filter(pk=change.pk).update(created_at=timezone.now() - timedelta(minutes=6))
        page = watch(signed_in, number)
        assert page.status_code == 286
        assert "hx-trigger" not in text_of(page)


class TestRoute:
    @pytest.fixture
    def target(self, number):
        others = number.account.applications.filter(kind="application", is_assignable=True)
        return others.exclude(remote_id=number.voice_target).first()

    def test_it_offers_only_what_the_account_can_assign(self, signed_in, number):
        make_application(number.account, "not-this", "Outbound trunk", is_assignable=False)
        make_application(make_account("Other"), "nor-this", "Foreign")
        text = text_of(signed_in.get(f"/numbers/{number.pk}/voice/edit/", headers=PIECE))
        assert '<optgroup label="Applications">' in text
        assert "not-this" not in text
        assert "nor-this" not in text

    def test_it_has_side_effects_confirmed_first(self, signed_in, number):
        form = {**open_editor(signed_in, number, "voice"), "voice": ""}
        asked = text_of(save(signed_in, number, form, "voice"))
        assert "Messages no longer go to any application" in asked
        assert not Change.objects.exists()
        confirmed = re.search(r'name="confirmed" value="([^"]*)"', asked)[1].replace("&quot;", '"')
        sent = save(signed_in, number, {**form, "confirmed": confirmed}, "voice")
        assert "Sending" in text_of(sent)
        assert Change.objects.get().desired == {"voice": ""}

    def test_it_does_not_ask_twice_for_what_every_such_edit_brings_about(self, signed_in, number, target):
        form = {**open_editor(signed_in, number, "voice"), "voice": target.route_key}
        assert "Sending" in text_of(save(signed_in, number, form, "voice"))

    def test_it_has_other_side_effects_confirmed_again(self, signed_in, number):
        form = {**open_editor(signed_in, number, "voice"), "voice": ""}
        save(signed_in, number, {**form, "confirmed": '{"voice": "application:1"}'}, "voice")
        assert not Change.objects.exists()

    @pytest.mark.parametrize(
        "key", ["application:foreign", "application:", "trunk:foreign", "url:https://x.example", "?"]
    )
    def test_it_refuses_what_is_not_the_accounts_own(self, signed_in, number, key):
        make_application(make_account("Other"), "foreign", "Foreign")
        page = save(signed_in, number, {**open_editor(signed_in, number, "voice"), "voice": key}, "voice")
        assert page.status_code == 422
        assert re.search(r'class="field-error" role="alert">.*\w+ .*\.</p>', text_of(page), re.DOTALL)
        assert not Change.objects.exists()

    def test_it_says_why_messages_cannot_be_routed(self, signed_in, number):
        page = text_of(signed_in.get(f"/numbers/{number.pk}/messages/", headers=PIECE))
        assert "by one application" in page
        assert "cell-edit" not in page

    def test_it_still_shows_a_target_that_is_not_offered_any_more(self, signed_in, number):
        Application.objects.filter(remote_id=number.voice_target).update(is_present=False)
        page = text_of(signed_in.get(f"/numbers/{number.pk}/voice/edit/", headers=PIECE))
        assert f'value="{number.voice.key}" selected' in page


@pytest.mark.parametrize("path", ["alias/", "alias/edit/"])
def test_it_gives_a_window_the_whole_page(signed_in, number, path):
    assert signed_in.get(f"/numbers/{number.pk}/{path}")["Location"] == f"/numbers/{number.pk}/"


@pytest.mark.parametrize("path", ["{}/e164/", "{}/digest/edit/", "999999/alias/"])
def test_it_has_cells_only_for_what_the_list_edits(signed_in, number, path):
    assert signed_in.get(f"/numbers/{path.format(number.pk)}", headers=PIECE).status_code == 404


def test_it_lets_viewers_watch_but_not_edit(client, number, operator):
    make_change(number, operator, state="refused", detail="No.")
    client.force_login(make_user("viewer"))
    assert "Refused" in text_of(watch(client, number))
    assert client.get(f"/numbers/{number.pk}/alias/edit/", headers=PIECE).status_code == 403
    assert client.post(f"/numbers/{number.pk}/alias/edit/", headers=PIECE).status_code == 403
