"""Accounts in the admin site: what can be set, and that credentials go in and never come out."""

from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from phone_numbers.admin import account_forms, accounts
from phone_numbers.encryption import Sealed
from phone_numbers.models import Account, PhoneNumber, SyncRun
from providers.registry import PROVIDERS
from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN
from tests.phone_numbers.pages import sign_in
from tests.roles import make_user
from tests.servers import free_port

pytestmark = pytest.mark.django_db

AUTH_ID = "MAYWI0NDK4ZDC0ODCZZM"
AUTH_TOKEN = "canaryNjE4MzQ1NmY3ODkwMTIzNDU2Nzg5MGFi99"
OTHER_TOKEN = "canaryOWJiZjEyMzQ1Njc4OTAxMjM0NTY3ODkw77"
LIST = "/admin/numbers/account/"
ADD = f"{LIST}add/?provider=plivo"


@pytest.fixture
def superuser(client):
    return sign_in(client, "superuser")


@pytest.fixture
def account():
    secrets = {"auth_id": AUTH_ID, "auth_token": AUTH_TOKEN}
    return Account.objects.create(name="Main", provider="plivo", credentials=Sealed.seal(secrets))


def form(**fields):
    return {
        "name": "Main",
        "sync_interval_seconds": "300",
        "hold_minimum": "3",
        "hold_percent": "2",
        "credential_auth_id": AUTH_ID,
        "credential_auth_token": AUTH_TOKEN,
        **fields,
    }


def page_of(account, verb="change"):
    return reverse(f"admin:numbers_account_{verb}", args=[account.pk])


def stored():
    return Account.objects.get(name="Main").credentials.open()


def text(answer):
    return answer.content.decode()


def test_it_adds_an_account_that_is_due_at_once(client, superuser):
    assert client.post(ADD, form()).status_code == 302
    account = Account.objects.get()
    assert (account.provider, stored()) == ("plivo", {"auth_id": AUTH_ID, "auth_token": AUTH_TOKEN})
    assert account.next_sync_at <= timezone.now()


def test_it_asks_for_the_provider_first(client, superuser):
    answer = text(client.get(f"{LIST}add/"))
    assert all(f'<a href="?provider={kind}">{provider.title}</a>' in answer for kind, provider in PROVIDERS.items())


def test_it_asks_for_nothing_when_there_is_one_provider(client, superuser, monkeypatch):
    monkeypatch.setattr(accounts, "PROVIDERS", {"plivo": PROVIDERS["plivo"]})
    assert 'name="credential_auth_id"' in text(client.get(f"{LIST}add/"))


@pytest.mark.parametrize("kind", PROVIDERS)
def test_it_has_an_input_for_every_credential_of_the_provider(client, superuser, kind):
    page = text(client.get(f"{LIST}add/?provider={kind}"))
    assert all(f'name="credential_{field.name}"' in page for field in PROVIDERS[kind].credential_fields)


def test_it_asks_again_when_the_address_names_an_unknown_provider(client, superuser):
    answer = text(client.get(f"{LIST}add/?provider=acme"))
    assert "Which provider" in answer


@pytest.mark.parametrize("verb", ["change", "history", "delete", "forget"])
def test_it_never_shows_a_secret(client, superuser, account, verb):
    assert AUTH_TOKEN not in text(client.get(page_of(account, verb)))


def test_it_never_shows_a_secret_on_the_list_or_after_saving(client, superuser, account):
    answer = client.post(page_of(account), form(credential_auth_token=OTHER_TOKEN), follow=True)
    assert stored()["auth_token"] == OTHER_TOKEN
    assert "canary" not in text(answer) + text(client.get(LIST)) + text(client.get("/admin/"))


def test_it_logs_that_credentials_changed_but_not_what_they_are(client, superuser, account):
    client.post(page_of(account), form(credential_auth_token=OTHER_TOKEN))
    entry = LogEntry.objects.get()
    assert "token" in entry.get_change_message().lower()
    assert "canary" not in f"{entry.change_message} {entry.object_repr}"


def test_it_dumps_no_secret(client, superuser, account):
    client.post(page_of(account), form(credential_auth_token=OTHER_TOKEN))
    out = StringIO()
    call_command("dumpdata", stdout=out)
    assert "canary" not in out.getvalue() + repr(account) + repr(vars(account)) + repr(list(Account.objects.values()))


def test_it_says_only_how_a_stored_secret_ends(client, superuser, account):
    page = text(client.get(page_of(account)))
    assert f"Stored, ends in …{AUTH_TOKEN[-4:]}." in page
    assert AUTH_ID not in page


def test_it_keeps_what_is_stored_when_left_blank(client, superuser, account):
    client.post(page_of(account), form(name="Main", credential_auth_id="", credential_auth_token=""))
    assert stored() == {"auth_id": AUTH_ID, "auth_token": AUTH_TOKEN}


def test_it_replaces_one_credential_and_keeps_the_other(client, superuser, account):
    client.post(page_of(account), form(credential_auth_id="", credential_auth_token=OTHER_TOKEN))
    assert stored() == {"auth_id": AUTH_ID, "auth_token": OTHER_TOKEN}


def test_it_refuses_a_wrong_pattern_and_keeps_the_other_inputs(client, superuser):
    answer = text(client.post(ADD, form(name="Branch", credential_auth_id="wrong")))
    assert "This is not a" in answer
    assert 'value="Branch"' in answer
    assert not Account.objects.exists()


def test_it_asks_for_a_typed_secret_again_rather_than_sending_it_back(client, superuser):
    answer = text(client.post(ADD, form(name="")))
    assert "Type this again" in answer
    assert AUTH_TOKEN not in answer


TWILIO = {
    "account_sid": "AC" + "0" * 32,
    "api_key_sid": "SK" + "1" * 32,
    "secret": "canary" + "2" * 32,
}


def test_it_stores_an_optional_credential_only_when_it_is_given(client, superuser):
    typed = {"credential_account_sid": TWILIO["account_sid"], "credential_secret": TWILIO["secret"]}
    client.post(f"{LIST}add/?provider=twilio", form(**typed))
    assert stored() == {name: TWILIO[name] for name in ("account_sid", "secret")}


def test_it_clears_an_optional_credential_when_asked(client, superuser):
    account = Account.objects.create(name="Main", provider="twilio", credentials=Sealed.seal(TWILIO))
    client.post(page_of(account), form(clear_api_key_sid="on"))
    assert stored() == {name: TWILIO[name] for name in ("account_sid", "secret")}


def test_it_needs_every_credential_of_a_new_account(client, superuser):
    client.post(ADD, form(credential_auth_token=""))
    assert not Account.objects.exists()


def test_it_asks_for_credentials_again_when_no_key_opens_them(client, superuser, account, settings):
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    assert "Enter the credentials again" in text(client.get(page_of(account)))
    assert "Re-enter the credentials" in text(client.get(LIST))
    client.post(page_of(account), form(credential_auth_id=""))
    assert account_forms.needs_credentials(Account.objects.get())
    client.post(page_of(account), form())
    assert stored() == {"auth_id": AUTH_ID, "auth_token": AUTH_TOKEN}


def test_it_takes_no_credentials_for_a_demo_account(client, superuser, account):
    Account.objects.update(is_demo=True)
    assert "credential_" not in text(client.get(page_of(account)))
    client.post(page_of(account), form(credential_auth_token=OTHER_TOKEN))
    assert stored()["auth_token"] == AUTH_TOKEN


def test_it_offers_a_viewer_no_inputs_and_no_buttons(client, account):
    client.force_login(make_user("viewer"))
    page = text(client.get(page_of(account)))
    assert "credential_" not in page
    assert "Test connection" not in page
    assert "Sync now" not in page


@pytest.mark.parametrize("field", ["remote_id", "health", "is_demo", "provider", "fresh_at", "credentials", "retry_at"])
def test_it_ignores_other_fields_posted_by_hand(client, superuser, account, field):
    before = Account.objects.values(field).get()
    client.post(page_of(account), form(credential_auth_id="", credential_auth_token="", **{field: "1"}))
    assert Account.objects.values(field).get() == before


def test_it_writes_only_what_was_edited(client, superuser, account):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.post(page_of(account), form(name="New", credential_auth_id="", credential_auth_token=""))
    (update,) = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "numbers_account"')]
    assert '"name"' in update
    assert '"health"' not in update


def test_it_takes_the_limits_of_held_syncs(client, superuser, account):
    kept = {"credential_auth_id": "", "credential_auth_token": ""}
    client.post(page_of(account), form(hold_minimum="10", hold_percent="5", **kept))
    assert Account.objects.values_list("hold_minimum", "hold_percent").get() == (10, 5)


@pytest.mark.parametrize("percent", ["-1", "101"])
def test_it_refuses_a_limit_that_is_no_percentage(client, superuser, account, percent):
    client.post(page_of(account), form(hold_percent=percent, credential_auth_id="", credential_auth_token=""))
    assert Account.objects.get().hold_percent == 2


def edit_list(client, account, **fields):
    posted = {f"form-0-{name}": value for name, value in fields.items()}
    management = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": account.pk, "_save": "Save"}
    return client.post(LIST, {**management, **posted})


def test_it_brings_the_next_sync_in_step_with_a_longer_interval(client, superuser, account):
    Account.objects.update(fresh_at=timezone.now())
    edit_list(client, account, sync_interval_seconds="3600")
    account.refresh_from_db()
    assert account.next_sync_at == account.fresh_at + timedelta(hours=1)


def test_it_syncs_at_once_when_a_shorter_interval_is_over_already(client, superuser, account):
    later = timezone.now() + timedelta(hours=1)
    Account.objects.update(fresh_at=timezone.now() - timedelta(minutes=5), next_sync_at=later)
    edit_list(client, account, sync_interval_seconds="60")
    account.refresh_from_db()
    assert account.next_sync_at <= timezone.now()


def test_it_refuses_an_interval_under_fifteen_seconds(client, superuser, account):
    assert "greater than or equal to 15" in text(edit_list(client, account, sync_interval_seconds="5"))


def test_it_shows_health_and_its_sentence_and_the_demo_badge(client, superuser, account):
    Account.objects.update(health=Account.Health.AUTH_FAILED, health_detail="Plivo said <no>.", is_demo=True)
    page = text(client.get(LIST))
    assert "<strong>Credentials refused</strong><br>Plivo said &lt;no&gt;." in page
    assert '<span class="badge">demo</span>' in page


def test_it_refuses_to_delete_an_account_with_numbers(client, superuser, account):
    PhoneNumber.objects.create(account=account, remote_id="1", e164="+14155550100", digest=b"")
    answer = client.post(page_of(account, "delete"), {"post": "yes"}, follow=True)
    assert "Pause it instead" in text(answer)
    assert Account.objects.exists()


def test_it_deletes_an_account_without_numbers_together_with_its_runs(client, account):
    client.force_login(make_user("admin"))
    SyncRun.objects.create(account=account)
    client.post(page_of(account, "delete"), {"post": "yes"})
    assert not Account.objects.exists()


def test_it_offers_no_deletion_of_several(client, superuser, account):
    assert "delete_selected" not in text(client.get(LIST))


@pytest.fixture
def demo(simulator, settings):
    settings.SIMULATOR_URL = simulator.root
    secrets = {"auth_id": PLIVO_AUTH_ID, "auth_token": PLIVO_AUTH_TOKEN}
    return Account.objects.create(name="Demo", provider="plivo", is_demo=True, credentials=Sealed.seal(secrets))


def press_test(client, account):
    return text(client.post(page_of(account, "test"), follow=True))


def test_it_says_that_a_connection_works(client, superuser, demo):
    answer = press_test(client, demo)
    assert f"Demo: The credentials open account {PLIVO_AUTH_ID}, which holds 45 numbers." in answer
    assert PLIVO_AUTH_TOKEN not in answer


def test_it_tests_the_selected_accounts(client, superuser, demo, account):
    chosen = {"action": "test_selected", "_selected_action": [demo.pk], "index": "0"}
    answer = text(client.post(LIST, chosen, follow=True))
    assert "Demo: The credentials open account" in answer
    assert "Main:" not in answer


def test_it_says_that_credentials_are_refused(client, superuser, demo):
    Account.objects.update(credentials=Sealed.seal({"auth_id": PLIVO_AUTH_ID, "auth_token": OTHER_TOKEN}))
    answer = press_test(client, demo)
    assert "refused" in answer
    assert OTHER_TOKEN not in answer


def test_it_says_that_a_provider_is_unreachable(client, superuser, demo, settings):
    settings.SIMULATOR_URL = f"http://127.0.0.1:{free_port()}"
    assert "cannot be reached" in press_test(client, demo)


def test_it_says_that_credentials_have_to_be_entered_again(client, superuser, demo, settings):
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]
    assert "Enter them again" in press_test(client, demo)


def test_it_says_that_the_credentials_open_another_account(client, superuser, demo):
    Account.objects.update(remote_id="MAOTHER")
    assert "MAOTHER. Nothing was stored" in press_test(client, demo)


def test_it_makes_one_run_however_often_sync_now_is_pressed(client, superuser, account):
    client.post(page_of(account, "sync"))
    answer = client.post(page_of(account, "sync"), follow=True)
    run = SyncRun.objects.get()
    assert (run.trigger, run.requested_by) == ("person", superuser)
    assert f"sync run {run.pk}" in text(answer)


def test_it_syncs_the_selected_accounts(client, superuser, account):
    Account.objects.create(name="Not selected", provider="plivo")
    client.post(LIST, {"action": "sync_selected", "_selected_action": [account.pk], "index": "0"})
    assert SyncRun.objects.get().account == account


def test_it_forgets_the_providers_id_only_after_asking(client, superuser, account):
    Account.objects.update(remote_id="MAOLD")
    assert "MAOLD" in text(client.get(page_of(account, "forget")))
    assert Account.objects.get().remote_id == "MAOLD"
    client.post(page_of(account, "forget"))
    assert Account.objects.get().remote_id == ""
    assert "MAOLD" in LogEntry.objects.get().change_message
