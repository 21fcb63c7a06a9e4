"""One number's page: everything known of it, and the form that edits it with or without JavaScript."""

import re

import pytest

from phone_numbers.models import Change, NumberPayload, PhoneNumber
from phone_numbers.services.changes import apply_change
from tests.phone_numbers.pages import PIECE, text_of, words_of
from tests.phone_numbers.rows import make_account, make_application, make_change, make_number
from tests.roles import make_user


def form_of(client, number):
    """The page's form as a browser without JavaScript would send it back."""
    text = text_of(client.get(f"/numbers/{number.pk}/"))
    hidden = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', text))
    fields = {name.removeprefix("base-"): value for name, value in hidden.items() if name.startswith("base-")}
    return {**hidden, **fields, "reason": ""}


def send(client, number, **headers):
    def posted(form):
        return client.post(f"/numbers/{number.pk}/edit/", form, headers=headers)

    return posted


class TestFacts:
    def test_it_shows_every_typed_field(self, signed_in):
        account = make_account()
        columns = {
            "alias": "Front desk",
            "number_type": "toll_free",
            "region": "Nevada",
            "city": "Reno",
            "carrier": "Some Carrier",
            "provider_status": "active",
            "subaccount": "SA123",
            "tendlc_campaign_id": "CAMP1",
            "tendlc_status": "registered",
            "tendlc_provenance": "inferred",
            "toll_free_status": "pending",
            "cnam": "ACME",
            "cnam_lookup": "enabled",
            "e911": "registered address",
            "added_on": "2024-02-29",
            "renewal_date": "2026-12-24",
            "currency": "USD",
            "monthly_rate": "0.80",
            "sms_rate": "0.0055",
            "mms_rate": "0.02",
            "voice_rate": "0.0085",
        }
        shown = words_of(signed_in.get(f"/numbers/{make_number(account, **columns).pk}/"))
        as_words = {"number_type": "Toll-free", "tendlc_status": "Registered", "toll_free_status": "Pending"}
        as_words |= {"cnam_lookup": "Enabled", "currency": "$"}
        for column, value in columns.items():
            assert as_words.get(column, value) in shown

    def test_it_shows_the_providers_own_row_and_settings_only_it_has(self, signed_in):
        number = make_number(make_account())
        NumberPayload.objects.filter(number=number).update(
            body={"odd <b>field": ["x", None]}, extras={"profile_uuid": "beef-1"}
        )
        page = text_of(signed_in.get(f"/numbers/{number.pk}/"))
        assert "odd &lt;b&gt;field.0" in page
        assert "beef-1" in page

    def test_it_shows_where_calls_and_messages_go(self, signed_in):
        account = make_account()
        make_application(account, "111", "Support IVR", voice_url="https://ivr.example/answer")
        routed = make_number(account, voice_kind="application", voice_target="111")
        shown = words_of(signed_in.get(f"/numbers/{routed.pk}/"))
        assert "Decided by Application Plivo has only this one setting. Goes to Support IVR 111 https://ivr.ex" in shown
        assert "No route is set: messages to this number reach nothing." in shown

    def test_it_links_to_the_providers_console(self, signed_in):
        page = text_of(signed_in.get(f"/numbers/{make_number(make_account()).pk}/"))
        assert re.search(r'href="https://[\w.]*plivo\.com/[^"]*" target="_blank" rel="noopener noreferrer"', page)

    def test_it_still_shows_a_number_of_a_provider_this_server_does_not_know(self, signed_in):
        number = make_number(make_account(provider="acme"), voice_kind="flow", voice_target="f1")
        for path in ("/numbers/", f"/numbers/{number.pk}/"):
            assert signed_in.get(path).status_code == 200

    def test_it_is_not_there_for_a_number_that_does_not_exist(self, signed_in):
        page = signed_in.get("/numbers/999999/")
        assert page.status_code == 404
        assert "There is nothing here" in text_of(page)


class TestEditing:
    def test_it_sends_only_what_was_changed(self, signed_in, number):
        form = {**form_of(signed_in, number), "alias": "Front desk", "cnam": "ACME", "reason": "New tenant"}
        page = send(signed_in, number)(form)
        assert page["Location"] == f"/numbers/{number.pk}/"
        change = Change.objects.get()
        assert change.desired == {"alias": "Front desk", "cnam": "ACME"}
        assert (change.change_set.reason, change.change_set.source) == ("New tenant", "form")
        assert change.change_set.request_id == page["X-Request-ID"]

    def test_it_shows_the_edit_under_way_then_confirmed(self, signed_in, number):
        send(signed_in, number)({**form_of(signed_in, number), "alias": "Front desk"})
        page = text_of(signed_in.get(f"/numbers/{number.pk}/"))
        assert "Latest edit" in page
        assert 'hx-trigger="every 1s"' in page
        apply_change(Change.objects.get().pk)
        page = text_of(signed_in.get(f"/numbers/{number.pk}/"))
        assert "Edit confirmed" in page
        assert "Latest edit" not in page

    @pytest.mark.parametrize("headers", [{}, PIECE], ids=["page", "fragment"])
    def test_it_keeps_everything_typed_when_refused(self, signed_in, number, headers):
        form = {**form_of(signed_in, number), "alias": "x" * 151, "cnam": "ACME", "reason": "New tenant"}
        page = send(signed_in, number, **headers)(form)
        assert page.status_code == 422
        for kept in ("x" * 151, 'value="ACME"', 'value="New tenant"'):
            assert kept in text_of(page)
        assert ("<html" in text_of(page)) == (not headers)

    def test_it_has_side_effects_confirmed(self, signed_in, number):
        form = {**form_of(signed_in, number), "voice": ""}
        asked = text_of(send(signed_in, number)(form))
        assert "Messages no longer go to any application." in asked
        confirmed = re.search(r'name="confirmed" value="([^"]*)"', asked)[1].replace("&quot;", '"')
        assert not Change.objects.exists()
        send(signed_in, number)({**form, "confirmed": confirmed})
        assert Change.objects.get().desired == {"voice": ""}

    def test_it_shows_what_was_changed_meanwhile(self, signed_in, number):
        form = {**form_of(signed_in, number), "alias": "Mine"}
        PhoneNumber.objects.filter(pk=number.pk).update(alias="Theirs")
        page = send(signed_in, number)(form)
        assert page.status_code == 409
        assert "It is now Theirs You want Mine" in words_of(page)
        again = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', text_of(page)))
        assert again["base-alias"] == "Theirs"

    def test_it_sends_nothing_when_nothing_was_changed(self, signed_in, number):
        page = send(signed_in, number)(form_of(signed_in, number))
        assert page.status_code == 422
        assert "Nothing was changed in the form" in text_of(page)

    @pytest.mark.parametrize("field", ["messages", "monthly_rate", "e164", "account", "digest", "pk"])
    def test_it_refuses_fields_that_cannot_be_edited(self, signed_in, number, field):
        form = {"idempotency_key": "k", f"base-{field}": "a", field: "b"}
        page = send(signed_in, number)(form)
        assert page.status_code == 422
        assert not Change.objects.exists()

    def test_it_refuses_a_form_without_its_key(self, signed_in, number):
        form = {**form_of(signed_in, number), "alias": "Front desk", "idempotency_key": ""}
        assert send(signed_in, number)(form).status_code == 422

    def test_it_moves_the_window_when_htmx_sent_the_form(self, signed_in, number):
        page = send(signed_in, number, **PIECE)({**form_of(signed_in, number), "alias": "Front desk"})
        assert page["HX-Redirect"] == f"/numbers/{number.pk}/"

    def test_it_explains_an_edit_that_did_not_end_well(self, signed_in, number, operator):
        make_change(number, operator, state="conflict", found={"alias": "Theirs"}, detail="Somebody was faster.")
        shown = words_of(signed_in.get(f"/numbers/{number.pk}/"))
        assert "Asked for New At the provider Theirs" in shown
        assert "Somebody was faster." in shown

    def test_it_has_no_form_for_viewers(self, client, number):
        client.force_login(make_user("viewer"))
        assert "Your role may look, but not edit." in text_of(client.get(f"/numbers/{number.pk}/"))
        assert client.post(f"/numbers/{number.pk}/edit/").status_code == 403

    def test_it_leads_a_stray_visit_to_the_form(self, signed_in, number):
        assert signed_in.get(f"/numbers/{number.pk}/edit/")["Location"] == f"/numbers/{number.pk}/#edit"
