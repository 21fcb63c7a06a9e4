"""Twilio's adapter against the simulated Twilio: what it reads, what it sends, and what it never does."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from providers.contract import (
    NOWHERE,
    Compliance,
    Provenance,
    Provider,
    RemoteNumber,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.errors import (
    AuthenticationFailed,
    MalformedResponse,
    NotFound,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)
from providers.http import Limits
from providers.registry import open_provider
from providers.simulator import (
    OTHER_TWILIO_ACCOUNT_SID,
    TWILIO_ACCOUNT_SID,
    TWILIO_AUTH_TOKEN,
    TWILIO_KEY_SECRET,
    TWILIO_KEY_SID,
    Simulator,
)
from providers.simulator.twilio_rows import number_sid
from providers.simulator.world import Account
from providers.twilio import Twilio
from providers.twilio_rows import MESSAGING_SERVICE, read_page

AC, PN, TK, AP = (prefix + "a" * 32 for prefix in ("AC", "PN", "TK", "AP"))
URL = "https://a.example/hook"
CREDENTIALS = {"account_sid": TWILIO_ACCOUNT_SID, "secret": TWILIO_AUTH_TOKEN}
KEY = {"account_sid": TWILIO_ACCOUNT_SID, "api_key_sid": TWILIO_KEY_SID, "secret": TWILIO_KEY_SECRET}


@contextmanager
def opened(simulator: Simulator, credentials: dict[str, str] = CREDENTIALS) -> Iterator[Provider]:
    hosts = {host: f"{simulator.root}/twilio/{host}" for host in Twilio.base_urls(credentials)}
    with closing(open_provider("twilio", credentials, base_urls=hosts, limits=Limits(attempts=1))) as provider:
        yield provider


@pytest.fixture
def twilio(simulator: Simulator) -> Iterator[Provider]:
    with opened(simulator) as provider:
        yield provider


@pytest.fixture
def account(simulator: Simulator) -> Account:
    return simulator.world.account("twilio")


def numbers_of(provider: Provider) -> list[RemoteNumber]:
    return [number for page in provider.list_numbers() for number in page.numbers]


def asked(simulator: Simulator) -> list[str]:
    return [f"{entry.method} {entry.target.partition('?')[0]}" for entry in simulator.requests.kept]


@pytest.mark.parametrize("simulator", [{"numbers": 1200}], indirect=True)
def test_it_lists_every_number_once_with_few_requests(simulator, twilio, account):
    numbers = numbers_of(twilio)

    assert [number.e164 for number in numbers] == [f"+{number.digits}" for number in account]
    hosts = Counter(target.split("/")[2] for target in asked(simulator))
    assert hosts == {"api": 3, "trunking": 4, "messaging": 6}


def test_it_gets_what_it_lists(twilio):
    for number in numbers_of(twilio):
        assert twilio.get(number.id) == number


@pytest.mark.parametrize("uri", ["nowhere", "/2010-04-01/Accounts", "/a/b/c/d"])
def test_it_believes_no_list_that_does_not_name_its_account(uri):
    http = SimpleNamespace(get_json=lambda *_, **__: {"uri": uri})
    with pytest.raises(MalformedResponse, match="which account"):
        Twilio(KEY, http).whoami()


def test_it_gets_with_the_payload_it_lists(twilio):
    listed = next(number for number in numbers_of(twilio) if number.voice.kind == "trunk")

    assert twilio.get(listed.id).payload == listed.payload


def test_it_names_the_account_with_a_token_and_with_a_standard_key(simulator, twilio):
    with opened(simulator, KEY) as by_key:
        assert twilio.whoami() == by_key.whoami() == TWILIO_ACCOUNT_SID


def test_it_lists_subaccounts_without_their_tokens(twilio):
    found = list(twilio.list_subaccounts())

    assert [one.enabled for one in found] == [True, False]
    assert found[0].id == OTHER_TWILIO_ACCOUNT_SID
    assert "Token" not in repr(found)


def test_it_says_that_a_key_lists_no_subaccounts(simulator):
    with opened(simulator, KEY) as by_key, pytest.raises(Unsupported, match="auth token"):
        list(by_key.list_subaccounts())


def test_it_lists_applications_trunks_and_services(twilio, account):
    kinds = Counter(application.kind for application in twilio.list_applications())

    assert kinds == {
        "application": len(account.applications), "trunk": len(account.trunks), MESSAGING_SERVICE: 5,
    }  # fmt: skip
    assert not any(one.assignable for one in twilio.list_applications() if one.kind == MESSAGING_SERVICE)


def test_it_tells_the_registration_of_every_number(twilio, account):
    numbers, facts = numbers_of(twilio), twilio.compliance()

    for number in numbers:
        fact = facts.get(number.id, Compliance())
        assert (fact.tendlc or number.tendlc).provenance == Provenance.INFERRED
        assert fact.toll_free or number.toll_free
    registered = {f"+{n.digits}" for n in account if n.campaign and account.campaigns[n.campaign].status == "VERIFIED"}
    assert registered == {
        number.e164 for number in numbers
        if (fact := facts.get(number.id)) and fact.tendlc.status == TenDlcStatus.REGISTERED
    }  # fmt: skip


def test_it_names_the_campaign_of_a_registered_number(twilio, account):
    facts = twilio.compliance()
    campaigns = {number_sid(number.digits): number.campaign for number in account if number.campaign}

    for sid, fact in facts.items():
        assert fact.tendlc.campaign_id in ("", campaigns.get(sid))


def test_it_verifies_toll_free_numbers(twilio, account):
    facts = {sid: fact.toll_free for sid, fact in twilio.compliance().items() if fact.toll_free}

    worded = {number_sid(n.digits): n.toll_free for n in account if n.toll_free and "sms" in n.services}
    assert facts.keys() == worded.keys()
    assert {sid for sid, status in facts.items() if status == TollFreeStatus.VERIFIED} == {
        sid for sid, word in worded.items() if word == "verified"
    }


@pytest.mark.parametrize("path", ["/v1/Services", "/v1/Services/MG", "/v1/Trunks"])
@pytest.mark.parametrize("status", [401, 403, 404])
def test_it_reads_numbers_without_the_other_products(simulator, twilio, account, path, status):
    simulator.fault("error", path=path, status=status, times=0)

    numbers = numbers_of(twilio)

    assert len(numbers) == len(account)
    if status != 404 or path != "/v1/Services/MG":
        assert [sentence.startswith("These credentials") for sentence in twilio.missing_scopes] == [True]


def test_it_gets_what_it_lists_where_trunks_have_no_numbers_resource(simulator, twilio):
    """As in the region IE1 (regional product availability, Nov 2026)."""
    simulator.fault("error", path="/v1/Trunks/TK", status=404, times=0)

    for number in numbers_of(twilio):
        assert twilio.get(number.id) == number
        assert "trunk_phone_number" not in number.payload


def test_it_calls_nothing_unregistered_when_messaging_is_closed(simulator, twilio):
    simulator.fault("error", path="/v1/Services", status=403, times=0)
    simulator.fault("error", path="/v1/Tollfree", status=403, times=0)

    numbers, facts = numbers_of(twilio), twilio.compliance()

    assert TenDlcStatus.UNREGISTERED not in {number.tendlc.status for number in numbers}
    assert {fact.toll_free for fact in facts.values()} == {TollFreeStatus.UNKNOWN}


def test_it_calls_a_campaign_it_may_not_read_unknown(simulator, twilio):
    simulator.fault("error", path="Usa2p", status=403, times=0)

    statuses = {fact.tendlc.status for fact in twilio.compliance().values()}

    assert statuses == {TenDlcStatus.UNKNOWN, TenDlcStatus.NOT_APPLICABLE}


@pytest.mark.parametrize("nth", range(1, 12))
def test_it_stops_one_request_after_the_credentials_are_revoked(simulator, twilio, nth):
    simulator.fault("revoked", nth=nth, times=0)

    with pytest.raises(AuthenticationFailed):
        numbers_of(twilio)
    assert simulator.requests.by_status[401] <= 2


@pytest.mark.parametrize("path", ["/v1/Trunks", "/v1/Services", "IncomingPhoneNumbers"])
def test_it_raises_what_may_pass_instead_of_reading_on(simulator, twilio, path):
    simulator.fault("error", path=path, status=503, times=0)

    with pytest.raises(Transient):
        numbers_of(twilio)


def number_in(account: Account, **wanted: object) -> str:
    found = (n for n in account if all(getattr(n, name) == value for name, value in wanted.items()))
    return number_sid(next(found).digits)


def test_it_edits_and_reads_back(twilio, account):
    sid = number_in(account, voice="")
    application, trunk = next(iter(account.applications)), next(iter(account.trunks))

    assert twilio.update(sid, {"alias": "Front desk"}).alias == "Front desk"
    for route in (f"application:{application}", f"trunk:{trunk}", f"url:{URL}", ""):
        assert twilio.update(sid, {"voice": route}).value("voice") == route


def test_it_detaches_from_a_trunk_without_releasing(simulator, twilio, account):
    digits = next(number.digits for number in account if number.voice.startswith("trunk:"))

    number = twilio.update(number_sid(digits), {"voice": f"url:{URL}"})

    assert (number.voice.kind, number.shadowed_voice) == ("url", ())
    assert account.find(digits).voice == ""
    assert [entry.method for entry in simulator.world.journal] == ["POST"]


def test_it_clears_messages_and_leaves_voice(twilio, account):
    sid = next(number_sid(n.digits) for n in account if not n.campaign and n.settings.get("sms_url") and n.voice)
    before = twilio.get(sid)

    after = twilio.update(sid, {"messages": ""})

    assert (after.messages, after.voice) == (NOWHERE, before.voice)


def test_it_refuses_to_set_messages_that_a_service_would_take(simulator, twilio):
    served = next(number for number in numbers_of(twilio) if number.messages.kind == MESSAGING_SERVICE)

    with pytest.raises(Unsupported, match="Messaging Service"):
        twilio.update(served.id, {"messages": f"url:{URL}"})
    assert not list(simulator.world.journal)


def test_it_may_be_sent_again_after_a_conflicting_update(simulator, twilio, account):
    simulator.fault("error", method="POST", status=409)

    with pytest.raises(Transient) as caught:
        twilio.send_edit(number_sid(account.at(0).digits), {"alias": "Front desk"})
    assert caught.value.status == 409


def test_it_quotes_why_twilio_refused(twilio, account):
    with pytest.raises(Rejected) as caught:
        twilio.send_edit(number_sid(account.at(0).digits), {"voice": f"application:{AP}"})

    assert "is not accessible" in caught.value.words


def test_it_reports_the_concurrency_limit(simulator, twilio):
    simulator.fault("rate_limited", retry_after="7")

    with pytest.raises(RateLimited) as caught:
        twilio.whoami()
    assert caught.value.retry_after == 7


def test_it_finds_no_number_that_is_gone(simulator, twilio, account):
    digits = account.at(0).digits
    simulator.world.remove(account, digits)

    with pytest.raises(NotFound):
        twilio.get(number_sid(digits))


@pytest.mark.parametrize(
    "fault", ["html", "invalid_json", "cut_short", "looping_link", "redirect", "gzip_bomb", "empty_page"]
)
def test_it_raises_on_a_broken_listing(simulator, twilio, monkeypatch, fault):
    monkeypatch.setattr("providers.twilio_products.PAGE_SIZE", 20)
    simulator.fault(fault, path="IncomingPhoneNumbers", times=0)

    with pytest.raises((MalformedResponse, Transient)):
        numbers_of(twilio)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"code": 20003, "message": "Authenticate"},
        {"incoming_phone_numbers": []},
        {"incoming_phone_numbers": None, "next_page_uri": None},
        {"incoming_phone_numbers": ["PN"], "next_page_uri": None},
        {"incoming_phone_numbers": [], "next_page_uri": 7},
        {"incoming_phone_numbers": [], "next_page_uri": "/more"},
        {"phone_numbers": [], "meta": {"key": "phone_numbers"}},
        {"phone_numbers": [], "meta": {"key": "numbers", "next_page_url": None}},
        {"phone_numbers": [], "meta": ["key"]},
    ],
)
def test_it_refuses_what_is_no_page(body):
    with pytest.raises(MalformedResponse):
        read_page(body)


def test_it_follows_absolute_links_on_its_own_host_only(simulator, twilio, account, monkeypatch):
    """Its links name https://trunking.twilio.com, which no test may reach."""
    monkeypatch.setattr("providers.twilio_products.PAGE_SIZE", 2)

    on_trunks = [number for number in numbers_of(twilio) if "trunk_phone_number" in number.payload]

    assert len(on_trunks) == sum(number.voice.startswith("trunk:") for number in account) > 2
    assert sum("/trunking/v1/Trunks" in target for target in asked(simulator)) > 1 + len(account.trunks)


class _Listener(BaseHTTPRequestHandler):
    """Another host that writes down what it is sent."""

    def do_GET(self) -> None:
        self.server.heard.append(dict(self.headers))
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Listener) as server:
        server.heard = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_it_sends_credentials_to_no_host_named_in_a_body(simulator, twilio, elsewhere, monkeypatch):
    monkeypatch.setattr("providers.twilio_products.PAGE_SIZE", 20)
    link = f"http://127.0.0.1:{elsewhere.server_port}/2010-04-01/Accounts.json?Page=1"
    simulator.fault("json_text", path="Accounts.json", value={"accounts": [{"sid": AC}], "next_page_uri": link})

    list(twilio.list_subaccounts())

    assert elsewhere.heard == []


def test_it_lives_at_three_hosts_of_a_region():
    assert Twilio.base_urls({}) == {
        "api": "https://api.twilio.com",
        "trunking": "https://trunking.twilio.com",
        "messaging": "https://messaging.twilio.com",
    }
    assert Twilio.base_urls({"region": "dublin.ie1"})["trunking"] == "https://trunking.dublin.ie1.twilio.com"


@pytest.mark.parametrize(
    "region", ["ie1", "dublin", "evil.example/ie1", "a.ie1.evil.example#", "DUBLIN.IE1", "dublin.ie1\n"]
)
def test_it_refuses_a_region_that_would_lead_elsewhere(region):
    with pytest.raises(Unsupported):
        Twilio.base_urls({"region": region})


def test_it_signs_in_with_the_key_where_there_is_one():
    assert Twilio.authorization({"account_sid": AC, "secret": "s", "api_key_sid": ""}) == (AC, "s")
    assert Twilio.authorization({"account_sid": AC, "secret": "s", "api_key_sid": "SK1"}) == ("SK1", "s")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers/{PN}.json"),
        ("POST", f"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers.json"),
        ("DELETE", f"/v1/Trunks/{TK}/PhoneNumbers/{PN}"),
        ("POST", f"/2010-04-01/Accounts/{AC}.json"),
    ],
)
def test_it_has_no_way_to_release_or_buy(twilio, method, path):
    with pytest.raises(Unsupported):
        twilio.http.send_form(method, path, {})
