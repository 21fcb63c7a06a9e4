"""The HTTP client is a security border: whatever the other side says, a call ends soon and with a typed error."""

import gzip
import logging
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from providers.errors import (
    AuthenticationFailed,
    MalformedResponse,
    NotFound,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
    Unsupported,
)
from providers.http import HttpClient, Limits
from providers.network import GuardedBackend, resolve
from tests.providers.wire import (
    ALLOWED,
    ONCE,
    TOKEN,
    Say,
    Wire,
    answer,
    cut_short,
    cut_without_length,
    dripping,
    opened,
    read,
    reset,
    silence,
)

Open = Callable[..., HttpClient]
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


@pytest.fixture
def client() -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda *args, **settings: stack.enter_context(closing(opened(*args, **settings)))


# What arrives


def test_it_decodes_json() -> None:
    assert read(answer('{"a": [1, null]}')) == {"a": [1, None]}


def test_it_inflates_gzip() -> None:
    assert read(answer(gzip.compress(b'{"a": 1}'), content_encoding="gzip")) == {"a": 1}


@pytest.mark.parametrize(
    ("say", "error"),
    [
        (answer("<h1>Maintenance</h1>", content_type="text/html"), MalformedResponse),
        (answer("{}", content_type="text/plain"), MalformedResponse),
        (answer("{}", content_type=""), MalformedResponse),
        (answer(""), MalformedResponse),
        (answer('{"objects": [{"number": "1415'), MalformedResponse),
        (answer("[" * 100_000), MalformedResponse),
        (answer("[" * 400 + "]" * 400), MalformedResponse),
        (answer(b'"\xff"'), MalformedResponse),
        (answer("{}", status=206), MalformedResponse),
        (answer(b"\x0b\x02\x80{}\x03", content_encoding="br"), MalformedResponse),
        (answer(b"not gzip", content_encoding="gzip"), MalformedResponse),
        (answer(gzip.compress(b"{}" * 50)[:-9], content_encoding="gzip"), MalformedResponse),
        (cut_without_length, MalformedResponse),
        (cut_short, Unavailable),
        (reset, Unavailable),
        (lambda connection: connection.sendall(b"\x16\x03\x01 no HTTP at all\r\n\r\n"), Unavailable),
    ],
)
def test_it_refuses_what_is_not_a_whole_json_answer(say: Say, error: type[ProviderError]) -> None:
    with pytest.raises(error) as caught:
        read(say)
    assert str(caught.value).startswith("Plivo ")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("status", [204, 206])
def test_it_says_that_an_answer_is_not_the_whole(status: int) -> None:
    with pytest.raises(MalformedResponse, match=rf"^Plivo did not send the whole answer \({status}\)\.$"):
        read(answer("", status=status))


def test_it_keeps_nul_characters_from_the_database() -> None:
    assert read(answer(r'{"alias": "a\u0000b"}')) == {"alias": "a\ufffdb"}


# What it may cost


@pytest.mark.parametrize(
    "say",
    [
        silence,
        dripping(JSON_HEAD, b" "),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nX-Endless: ", b"a"),
        dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
    ids=["silence", "body", "headers", "one header", "informational answers"],
)
def test_it_stops_at_the_deadline(say: Say) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="did not answer within 1 seconds"):
        read(say)
    assert 0.9 < time.monotonic() - started < 2.0


def test_it_stops_at_the_deadline_when_names_are_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(3) or [])
    http = HttpClient({"api": "https://api.plivo.com"}, ("u", "p"), allowed_calls=ALLOWED, limits=ONCE)
    started = time.monotonic()
    with closing(http), pytest.raises(Unavailable):
        http.get_json("/list/")
    assert time.monotonic() - started < 2.0


def bomb() -> bytes:
    """A gibibyte of blanks: the same deflated blocks over and over."""
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = deflate.compress(b" " * (1 << 24)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * 64


def test_it_defuses_a_gzip_bomb() -> None:
    say = answer(bomb(), content_encoding="gzip")
    tracemalloc.start()
    started = time.monotonic()
    try:
        with pytest.raises(MalformedResponse, match="inflates to more"):
            read(say)
        took, (_, peak) = time.monotonic() - started, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < 1.0
    assert peak < 64 * 1024 * 1024


def test_it_refuses_a_huge_page() -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(MalformedResponse, match="more than"):
        read(dripping(head, chunk, pause=0.0001))


# Where it goes


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_it_follows_no_redirect(status: int) -> None:
    with Wire((answer(),)) as elsewhere:
        with pytest.raises(MalformedResponse, match="redirects are never followed"):
            read(answer("", status=status, location=f"{elsewhere.root}/list/"))
        assert elsewhere.requests == []


@pytest.mark.parametrize("location", ["https://[::1", "http://a:b:c/", "http://exa mple:99999999/", "//[", "é://x"])
def test_it_does_not_even_read_where_a_redirect_leads(location: str) -> None:
    with pytest.raises(MalformedResponse, match="redirects are never followed"):
        read(answer("", status=302, location=location))


@pytest.mark.parametrize("address", [("127.0.0.2", 443), ("api.plivo.com", 80), ("169.254.169.254", 80)])
def test_it_connects_to_the_providers_hosts_only(address: tuple[str, int]) -> None:
    backend = GuardedBackend([("api.plivo.com", 443)], connect_seconds=1)
    with pytest.raises(Unsupported, match="refused to connect"):
        backend.connect_tcp(*address, timeout=time.monotonic() + 1)


def test_it_resolves_names_to_addresses() -> None:
    assert "127.0.0.1" in resolve("127.0.0.1", 80, seconds=1)


def test_it_ignores_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert read(answer()) == {}


@pytest.mark.parametrize(
    "call",
    [
        lambda http: http.get_json("/other/"),
        lambda http: http.get_json("/list/1/../../other/"),
        lambda http: http.get_json("/list/1%2F2/"),
        lambda http: http.get_json("/list/?/other/"),
        lambda http: http.get_json("/list/#"),
        lambda http: http.get_json("/list/\n"),
        lambda http: http.get_json("@127.0.0.2/list/"),
        lambda http: http.send_json("POST", "/list/", {}),
        lambda http: http.send_json("DELETE", "/list/1/", {}),
        lambda http: http.send_form("PUT", "/list/1/", {}),
    ],
)
def test_it_sends_nothing_but_allowed_calls(client: Open, call: Callable[[HttpClient], object]) -> None:
    with Wire((answer(),)) as wire:
        with pytest.raises(Unsupported):
            call(client(wire))
        assert wire.requests == []


# Pages


def test_it_reads_pages_from_many_threads(client: Open) -> None:
    with Wire((answer("[1]"),)) as wire, ThreadPoolExecutor(8) as pool:
        http = client(wire)
        pages = list(pool.map(lambda page: http.get_json("/list/", {"offset": page}), range(80)))
        assert pages == [[1]] * 80
        assert (http.stats.requests, http.stats.retries) == (80, 0)


# What a status means


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, AuthenticationFailed),
        (403, AuthenticationFailed),
        (404, NotFound),
        (405, Rejected),
        (408, Unavailable),
        (409, Rejected),
        (422, Rejected),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
        (999, MalformedResponse),
    ],
)
def test_it_turns_a_status_into_an_error(status: int, error: type[ProviderError]) -> None:
    with pytest.raises(error) as caught:
        read(answer('{"error": "the words", "api_id": "ref-1"}', status=status))
    assert type(caught.value) is error
    assert f"({status})" in str(caught.value)
    assert caught.value.status == status
    assert caught.value.words == "the words"
    assert caught.value.request_id == "ref-1"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": "not found"}', "not found"),
        ('{"error": {"error": "inner"}}', "inner"),
        ('{"message": "alias\\n is  too long"}', "alias is too long"),
        ('{"errors": [{"detail": "one", "code": "1"}, {"title": "two"}]}', "one; two"),
        ('{"ResponseStatus": {"ErrorCode": "X", "Message": "Forbidden"}}', "Forbidden"),
        ('"plain"', "plain"),
        ("{}", ""),
        ("no JSON", ""),
        ('{"error":' * 400 + '"deep"' + "}" * 400, ""),
        ("[" * 900 + "]" * 900, ""),
        ('{"error": "%s"}' % ("x" * 9000), "x" * 500),
    ],
)
def test_it_quotes_the_providers_words_whatever_their_shape(body: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        read(answer(body, status=400))
    assert caught.value.words == words


def test_it_quotes_no_secret() -> None:
    with pytest.raises(Rejected) as caught:
        read(answer(f'{{"error": "bad token {TOKEN}"}}', status=400))
    assert caught.value.words == "bad token •••"
    assert TOKEN not in str(caught.value)


def test_it_lets_the_adapter_read_the_words() -> None:
    with pytest.raises(Rejected) as caught:
        read(answer('{"odd": "said so"}', status=400), error_words=lambda body: body["odd"])
    assert str(caught.value) == "Plivo refused the request (400): said so."


def test_it_says_when_nobody_is_there(client: Open) -> None:
    with Wire((answer(),)) as wire:
        http = client(wire)
    with pytest.raises(Unavailable, match=r"Plivo cannot be reached \(.*refused\)\."):
        http.get_json("/list/")


# What it says


def test_it_sends_json_and_forms(client: Open) -> None:
    with Wire((answer('{"message": "changed"}', status=202), answer("", status=204))) as wire:
        http = client(wire)
        assert http.send_json("POST", "/list/1/", {"alias": ""}) == {"message": "changed"}
        assert http.send_form("POST", "/list/1/", {"FriendlyName": "a b&c"}) is None
    assert wire.requests[0].endswith(b'{"alias":""}')
    assert wire.requests[1].endswith(b"FriendlyName=a+b%26c")


def test_it_asks_for_json_in_gzip_and_says_who_it_is(client: Open) -> None:
    with Wire((answer(),)) as wire:
        client(wire).get_json("/list/")
    head = wire.requests[0].lower()
    assert b"\r\naccept-encoding: gzip\r\n" in head
    assert b"\r\naccept: application/json\r\n" in head
    assert b"\r\nuser-agent: numberdesk" in head


def test_it_gives_no_cookie_back(client: Open) -> None:
    with Wire((answer(set_cookie="session=1; Path=/"),)) as wire:
        http = client(wire)
        http.get_json("/list/")
        http.get_json("/list/")
    assert b"cookie" not in wire.requests[1].lower()


def test_it_leaves_credentials_and_addresses_out_of_errors_and_logs(
    client: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Wire((answer("", status=503), answer("", status=401))) as wire:
        http = client(wire, Limits(), sleep=lambda _: None)
        with pytest.raises(AuthenticationFailed) as caught:
            http.get_json("/list/")
    said = f"{caught.value!r} {caught.value.__cause__!r} {http!r} {caplog.text}"
    assert TOKEN not in said
    assert "/list/" not in caplog.text


def test_it_counts_from_many_threads(client: Open) -> None:
    with Wire((answer(),)) as wire:
        http = client(wire)
        threads = [threading.Thread(target=http.get_json, args=("/list/",)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert http.stats.requests == 20
