"""Where calls and messages can be sent at each provider: offered, checked, sent and shown in that provider's words."""

import html
import re

import pytest

from phone_numbers.models import Application, Change
from phone_numbers.services import editing
from phone_numbers.services.changes import apply_change
from providers.registry import PROVIDERS
from tests.phone_numbers.jobs import demo_account, sync
from tests.phone_numbers.pages import PIECE, words_in
from tests.phone_numbers.rows import make_account, make_application, make_number

HOOK = "https://calls.example/answer"


@pytest.fixture
def account_at(db, simulator, settings):
    """A simulated account at a provider, read once."""
    settings.SIMULATOR_URL = simulator.root

    def read(provider):
        account = demo_account(provider)
        sync(account)
        return account

    return read


def number_going(account, field, kind):
    """A number whose calls (voice) or messages (message) go to such a target."""
    return account.numbers.filter(**{f"{field}_kind": kind}).earliest("pk")


def field_of(number, name):
    return next(field for field in editing.editable_fields(number) if field.name == name)


def text_of(page):
    return html.unescape(page.content.decode())


def words_of(page):
    return words_in(text_of(page))


def form_of(page):
    """Every field of a page's form as it would be sent untouched, but for what is chosen in selects."""
    inputs = re.findall(r'<input (?:type="hidden"|class="input[^"]*" id="[^"]*") name="([\w-]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in inputs}


class Cell:
    def __init__(self, client, number, field):
        self.client, self.path, self.field = client, f"/numbers/{number.pk}/{field}/", field
        self.form = form_of(self.open().content.decode())

    def open(self):
        return self.client.get(f"{self.path}edit/", headers=PIECE)

    def save(self, value, target=None, **more):
        typed = {} if target is None else {f"{self.field}-target": target}
        return self.client.post(f"{self.path}edit/", {**self.form, self.field: value, **typed, **more}, headers=PIECE)

    def confirm(self, value, target=None):
        """Save, and confirm whatever else that would change."""
        answer = self.save(value, target)
        form = form_of(answer.content.decode())
        return self.save(value, target, confirmed=form["confirmed"]) if "confirmed" in form else answer

    def watch(self):
        return self.client.get(f"{self.path}?change={Change.objects.latest('pk').pk}", headers=PIECE)


@pytest.fixture
def open_cell(signed_in):
    return lambda number, field="voice": Cell(signed_in, number, field)


def applied(journal):
    return [entry.after for entry in journal]


# What is offered


@pytest.mark.parametrize(
    ("provider", "field", "listed", "typed", "barred"),
    [
        ("plivo", "voice", {"application", "trunk"}, [], []),
        ("twilio", "voice", {"application", "trunk"}, ["URL"], []),
        ("twilio", "messages", {"application"}, ["URL"], ["Messaging Service"]),
        ("signalwire", "messages", {"application"}, ["URL", "Relay topic", "Relay application", "Relay context"], []),
        ("fone_dynamics", "voice", set(), ["Endpoint number"], ["Flow", "Application"]),
    ],
)
def test_it_offers_what_the_provider_takes(account_at, provider, field, listed, typed, barred):
    number = account_at(provider).numbers.exclude(message_kind="messaging_service").earliest("pk")
    found = field_of(number, field)
    assert {value.partition(":")[0] for value, _ in found.choices} == listed
    assert [kind.title for kind in found.typed] == typed
    assert [each.titles for each in found.barred] == barred


def test_it_bars_kinds_of_the_same_reason_together(account_at):
    (fabric,) = field_of(account_at("signalwire").numbers.earliest("pk"), "voice").barred
    assert fabric.titles == "Call flow, AI agent, Subscriber, SIP gateway, Call queue"
    assert fabric.why_not.startswith("This target is assigned in SignalWire's Call Fabric")


def test_it_says_that_an_account_has_no_applications(db):
    number = make_number(make_account("Empty", provider="signalwire"))
    assert field_of(number, "messages").barred[0].why_not == "Empty has none that can be assigned."


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_has_a_title_for_every_kind(provider):
    edits = PROVIDERS[provider].capabilities.edits
    kinds = {kind for edit in edits for kind in (*edit.route_kinds, *edit.route_why_not)}
    assert kinds <= PROVIDERS[provider].route_titles.keys()


# What is refused


@pytest.mark.parametrize(
    ("provider", "value", "sentence"),
    [
        ("twilio", "url:", "Enter the URL."),
        (
            "twilio",
            "url:calls.example",
            "“calls.example” is not a whole address: it begins with",
        ),
        ("twilio", "url:ftp://calls.example", "“ftp://calls.example” is not a whole address"),
        ("twilio", "url:https://", "“https://” is not a whole address"),
        ("twilio", "url:https://calls.example:port", "is not a whole address"),
        ("twilio", "url:https://calls.example/a b", "is not a whole address"),
        ("twilio", "url:https://calls.example/" + "x" * 2048, "URL: at most 2048 characters."),
        ("twilio", "url:https://calls.example/\0", "Voice must be one line of plain text."),
        ("twilio", "application:foreign", "Main has no application of that id."),
        ("twilio", "application:\0", "Voice must be one line of plain text."),
        ("twilio", "flow:F1", "Voice can only go to: Trunk, Application, URL."),
        ("signalwire", "relay_topic:", "Enter the name or id of the Relay topic."),
        ("signalwire", "relay_topic:two\nlines", "Voice must be one line of plain text."),
        ("signalwire", "relay_script:office", "“office” is not a whole address"),
        ("signalwire", "ai_agent:a", "This target is assigned in SignalWire's Call Fabric"),
        ("signalwire", "", "Voice cannot be cleared at this provider."),
        ("fone_dynamics", "endpoint:office", "“office” is not a phone number."),
        ("fone_dynamics", "endpoint:0255501234", "“0255501234” is not a phone number."),
        ("fone_dynamics", "endpoint:+1", "“+1” is not a phone number."),
        ("fone_dynamics", "flow:F1", "A flow is chosen in the Fone Dynamics portal"),
    ],
)
def test_it_refuses_a_route_in_a_clear_sentence(db, provider, value, sentence):
    make_application(make_account("Other", provider=provider), "foreign")
    number = make_number(make_account(provider=provider))
    assert sentence in editing.refusal_of(number, "voice", value)


@pytest.mark.parametrize(
    ("country", "typed", "stored"),
    [
        ("AU", "02 5550 1234", "+61255501234"),
        ("AU", " (02) 5550-1234 ", "+61255501234"),
        ("AU", "+1 907 555 0123", "+19075550123"),
        ("US", "907-555-0123", "+19075550123"),
        ("", "0255501234", "0255501234"),
        ("AU", "5550 1234", "5550 1234"),
        ("AU", "02 5550 1234 ext 5", "02 5550 1234 ext 5"),
    ],
)
def test_it_takes_a_phone_number_in_any_spelling_of_its_country(db, country, typed, stored):
    number = make_number(make_account(provider="fone_dynamics"), country=country)
    assert editing.normalised(number, "voice", f"endpoint:{typed}") == f"endpoint:{stored}"


def test_it_does_not_assign_what_is_read_only(account_at, open_cell):
    account = account_at("twilio")
    Application.objects.filter(account=account, kind="trunk").update(is_assignable=False, why_not="Read only.")
    number = number_going(account, "voice", "application")
    trunk = account.applications.filter(kind="trunk").first()
    assert trunk.route_key not in dict(field_of(number, "voice").choices)
    page = open_cell(number).save(trunk.route_key)
    assert (page.status_code, "Read only." in text_of(page)) == (422, True)


def test_it_keeps_what_was_typed(account_at, open_cell):
    cell = open_cell(number_going(account_at("twilio"), "voice", "trunk"))
    page = cell.save("url:", "calls.example")
    assert page.status_code == 422
    assert 'name="voice-target" value="calls.example"' in text_of(page)
    assert re.search(r'<option value="url:" data-form="url" selected>', text_of(page))
    assert not Change.objects.exists()


def test_it_never_selects_another_target_than_asked_for_or_in_force(account_at, open_cell):
    number = number_going(account_at("twilio"), "voice", "trunk")
    page = open_cell(number).save("application:AP" + "0" * 32)
    assert page.status_code == 422
    assert re.findall(r'<option value="([^"]*)"[^>]* selected', text_of(page)) == [number.voice.key]


def test_it_uses_the_text_only_for_kinds_that_are_typed(account_at, open_cell):
    number = number_going(account_at("twilio"), "voice", "url")
    target = number.account.applications.filter(kind="application").first()
    open_cell(number).confirm(target.route_key, HOOK)
    assert Change.objects.get().desired == {"voice": target.route_key}


def test_it_sends_nothing_when_the_form_was_left_as_it_was(account_at, open_cell):
    cell = open_cell(number_going(account_at("fone_dynamics"), "voice", "endpoint"))
    page = cell.save("endpoint:", cell.form["voice-target"])
    assert page.status_code == 200
    assert not Change.objects.exists()


def test_it_offers_nowhere_only_where_a_route_can_be_cleared(account_at, open_cell):
    for provider, is_clearable in (("twilio", True), ("signalwire", False)):
        page = text_of(open_cell(number_going(account_at(provider), "voice", "url")).open())
        assert ('<option value="">Nowhere</option>' in page) == is_clearable
        assert ("Voice cannot be cleared at this provider." in page) != is_clearable


# A Messaging Service


@pytest.fixture
def served(account_at):
    """A Twilio number whose messages are handled by a Messaging Service."""
    return number_going(account_at("twilio"), "message", "messaging_service")


def test_it_locks_what_a_messaging_service_handles(served, signed_in):
    page = text_of(signed_in.get(f"/numbers/{served.pk}/messages/", headers=PIECE))
    assert "Remove the number from it in Twilio's console first." in page
    assert "cell-edit" not in page
    assert "Messaging Service" in page


def test_it_refuses_to_route_around_a_messaging_service(served, signed_in):
    form = {"idempotency_key": "k", "base-messages": served.messages.key, "messages": f"url:{HOOK}"}
    cell = signed_in.post(f"/numbers/{served.pk}/messages/edit/", form, headers=PIECE)
    page = signed_in.post(f"/numbers/{served.pk}/edit/", form)
    assert (cell.status_code, page.status_code) == (422, 422)
    assert "Remove the number from it in Twilio's console first. What you typed is kept." in words_of(page)
    assert not Change.objects.exists()


# Sent, and read back


@pytest.mark.parametrize(
    ("provider", "now", "value", "target", "shown"),
    [
        ("plivo", "application", "trunk", None, "Trunk"),
        ("twilio", "application", "url:", HOOK, "URL"),
        ("twilio", "trunk", "application", None, "Application"),
        ("signalwire", "application", "relay_topic:", "night", "Relay topic"),
        ("signalwire", "ai_agent", "relay_script:", HOOK, "SWML script"),
        ("fone_dynamics", "endpoint", "endpoint:", "+61 2 5550 1234", "Endpoint number"),
        ("fone_dynamics", "flow", "endpoint:", "+61 2 5550 1234", "Endpoint number"),
    ],
)
def test_it_re_routes_calls(account_at, open_cell, signed_in, simulator, provider, now, value, target, shown):
    number = number_going(account_at(provider), "voice", now)
    if target is None:
        value = number.account.applications.filter(kind=value, is_assignable=True).first().route_key
    cell = open_cell(number)
    cell.confirm(value, target)
    apply_change(Change.objects.get().pk)
    assert "Confirmed" in text_of(cell.watch())
    assert len(simulator.world.journal) == 1
    listed = words_of(signed_in.get(f"/numbers/?q={number.e164[1:]}"))
    page, log = (words_of(signed_in.get(path)) for path in (f"/numbers/{number.pk}/", "/changes/"))
    number.refresh_from_db()
    for words in (listed, page):
        assert f"{shown} " in words
    assert f"→ {shown} · " in page
    assert f"→ {shown} · " in log
    assert number.voice.key.startswith(value)


@pytest.mark.parametrize(
    ("provider", "value", "target"),
    [("twilio", "url:", HOOK), ("signalwire", "relay_context:", "night"), ("signalwire", "application", None)],
)
def test_it_re_routes_messages_apart_from_calls(account_at, open_cell, simulator, provider, value, target):
    number = number_going(account_at(provider), "message", "url")
    value = value if target else number.account.applications.first().route_key
    open_cell(number, "messages").confirm(value, f"{target or HOOK}")
    change = Change.objects.get()
    apply_change(change.pk)
    change.refresh_from_db()
    assert (change.state, list(change.desired)) == ("confirmed", ["messages"])
    assert len(simulator.world.journal) == 1


def test_it_clears_a_route(account_at, open_cell):
    number = number_going(account_at("twilio"), "voice", "application")
    open_cell(number).confirm("")
    apply_change(Change.objects.get().pk)
    number.refresh_from_db()
    assert number.voice.key == ""


def test_it_shows_in_the_cell_what_the_adapter_refuses_to_send(account_at, open_cell, simulator):
    number = number_going(account_at("twilio"), "voice", "application")
    make_application(number.account, "not-a-sid")
    cell = open_cell(number)
    cell.confirm("application:not-a-sid")
    apply_change(Change.objects.get().pk)
    assert "not-a-sid is not an application at Twilio." in words_of(cell.watch())
    assert not len(simulator.world.journal)


# Side effects


@pytest.mark.parametrize(
    ("provider", "now", "value", "target", "effect"),
    [
        ("twilio", "trunk", "application", None, "Assigning an application takes the number off trunk “{name}”."),
        ("signalwire", "ai_agent", "relay_topic:", "night", "can only be put back at SignalWire."),
        ("signalwire", "application", "url:", HOOK, "SignalWire makes a resource of its own for this number"),
        ("fone_dynamics", "flow", "endpoint:", "+61255501234", "can only be put back in the portal."),
        ("plivo", "trunk", "application", None, "The number leaves the trunk “{name}”."),
    ],
)
def test_it_has_side_effects_confirmed(account_at, open_cell, signed_in, provider, now, value, target, effect):
    number = number_going(account_at(provider), "voice", now)
    if target is None:
        value = number.account.applications.filter(kind=value).first().route_key
    name = editing.route_label(number.account_id, number.voice_kind, number.voice_target)
    cell = open_cell(number)
    form = {**cell.form, "voice": value, "voice-target": target or ""}
    answers = [cell.save(value, target), signed_in.post(f"/numbers/{number.pk}/edit/", form)]
    for answer in answers:
        assert effect.format(name=name) in words_of(answer)
        assert "Nothing has been sent yet." in words_of(answer)
        assert 'name="confirmed"' in text_of(answer)
    assert not Change.objects.exists()


# The number's page


def test_it_tells_where_calls_go_and_what_is_ignored(account_at, signed_in):
    account = account_at("twilio")
    number = account.numbers.filter(voice_kind="application", payload__shadowed__has_key="voice").earliest("pk")
    page = signed_in.get(f"/numbers/{number.pk}/")
    assert re.search(r"Ignored: <del>URL · https://hooks\.northwind\.example/twilio/voice</del>", text_of(page))
    assert "At Twilio a trunk goes before an application, and an application before a URL." in words_of(page)


def test_it_follows_what_is_ignored(account_at, open_cell, signed_in):
    account = account_at("twilio")
    number = account.numbers.filter(voice_kind="url").earliest("pk")
    url = number.voice_target
    trunk = account.applications.filter(kind="trunk").first()
    open_cell(number).confirm(trunk.route_key)
    apply_change(Change.objects.get().pk)
    assert f"Ignored: URL · {url}" in words_of(signed_in.get(f"/numbers/{number.pk}/"))


def test_it_edits_settings_that_only_one_provider_has(account_at, signed_in, simulator):
    account = account_at("fone_dynamics")
    number = next(each for each in account.numbers.select_related("payload") if each.extras["recording"] == "Off")
    page = text_of(signed_in.get(f"/numbers/{number.pk}/"))
    assert re.search(
        r'name="recording".*?<option value="Off" selected>Off</option>\s*<option value="Call">', page, re.S
    )
    assert "<dt>Recording</dt><dd>Off</dd>" in page
    form = form_of(page) | {"recording": "Call", "attribution_source": "Radio", "voice": "endpoint:"}
    signed_in.post(f"/numbers/{number.pk}/edit/", form)
    apply_change(Change.objects.get().pk)
    assert Change.objects.get().desired == {"recording": "Call", "attribution_source": "Radio"}
    page = words_of(signed_in.get(f"/numbers/{number.pk}/"))
    assert "Recording Call" in page
    assert "Attribution source Radio" in page
    assert len(simulator.world.journal) == 1
