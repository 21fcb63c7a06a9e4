"""A list's links are followed only within the list that was begun, on our own host, and each of them once."""

from contextlib import closing

import pytest

from providers.errors import MalformedResponse
from tests.providers.wire import Wire, answer, opened


def test_it_follows_a_link_to_another_host_on_our_own() -> None:
    with Wire((answer("1"), answer("2"))) as wire, Wire((answer(),)) as elsewhere, closing(opened(wire)) as http:
        http.get_json("/list/", {"limit": 20})
        assert http.follow(f"{elsewhere.root}/list/?limit=20&offset=20") == 2
        assert wire.requests[1].startswith(b"GET /list/?limit=20&offset=20 HTTP/1.1")
        assert elsewhere.requests == []


def test_it_follows_no_link_twice() -> None:
    with Wire((answer(),)) as wire, closing(opened(wire)) as http:
        http.get_json("/list/", {"limit": 20})
        http.follow("/list/?limit=20&offset=20")
        for looping in ("/list/?limit=20&offset=20", "/list/?limit=20"):
            with pytest.raises(MalformedResponse, match="circle"):
                http.follow(looping)
        assert len(wire.requests) == 2


def test_it_lists_again_from_the_first_page() -> None:
    with Wire((answer(),)) as wire, closing(opened(wire)) as http:
        for _ in range(2):
            http.get_json("/list/", {"limit": 20})
            http.follow("/list/?limit=20&offset=20")
        assert len(wire.requests) == 4


def test_it_follows_no_list_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every link is new."""
    monkeypatch.setattr("providers.http.MOST_PAGES", 3)
    with Wire((answer(),)) as wire, closing(opened(wire)) as http:
        http.get_json("/list/")
        http.follow("/list/?page=2")
        http.follow("/list/?page=3")
        with pytest.raises(MalformedResponse, match="did not end after 3 pages"):
            http.follow("/list/?page=4")
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    "link", [None, 7, "", "list/", "/elsewhere/?page=2", "http://[", "/list/\x00", {"a": 1}, "/list/1/?page=2"]
)
def test_it_follows_no_link_that_leads_elsewhere(link: object) -> None:
    """Neither to a call that is not allowed, nor to one that is, but is not of the list that was begun."""
    with Wire((answer(),)) as wire, closing(opened(wire)) as http:
        http.get_json("/list/")
        with pytest.raises(MalformedResponse, match="leads nowhere"):
            http.follow(link)
        assert len(wire.requests) == 1
