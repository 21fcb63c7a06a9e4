"""Plivo: what is its own. What every adapter owes is the contract suite's."""

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from providers.contract import Provider
from providers.errors import AuthenticationFailed, MalformedResponse, NotFound, Rejected, Unavailable, Unsupported
from providers.http import Limits
from providers.plivo import Plivo, next_query
from providers.registry import open_provider
from providers.simulator import OTHER_PLIVO_AUTH_ID, PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, Simulator
from tests.providers.wire import Say, Wire, answer

CREDENTIALS = {"auth_id": PLIVO_AUTH_ID, "auth_token": PLIVO_AUTH_TOKEN}


@pytest.fixture
def plivo(simulator: Simulator) -> Iterator[Provider]:
    hosts = {"api": f"{simulator.root}/plivo/api"}
    with closing(open_provider("plivo", CREDENTIALS, base_urls=hosts, sleep=lambda _: None)) as provider:
        yield provider


def open_at(wire: Wire) -> Provider:
    return open_provider("plivo", CREDENTIALS, base_urls={"api": wire.root}, limits=Limits(attempts=1))


def numbers_of(provider: Provider) -> list[str]:
    return [number.id for page in provider.list_numbers() for number in page.numbers]


# Lists


def test_it_asks_for_twenty_at_a_time(plivo, simulator):
    list(plivo.list_numbers())
    queries = [request.target.partition("?")[2] for request in simulator.requests.kept]
    assert sorted(queries) == ["limit=20&offset=0", "limit=20&offset=19", "limit=20&offset=38"]


@pytest.mark.parametrize("simulator", [{"numbers": 65, "cursors": True}], indirect=True)
def test_it_follows_cursors_without_offsets(plivo, simulator):
    assert len(set(numbers_of(plivo))) == 65
    later = [request.target for request in simulator.requests.kept][1:]
    assert len(later) == 3
    assert all("cursor=" in target and "offset=" not in target for target in later)


@pytest.mark.parametrize(
    ("link", "query"),
    [
        ("/v1/Account/MA/Number/?limit=20&offset=20", "limit=20&offset=20"),
        ("/v1/Account/MA/Number/?limit=20&offset=20&cursor=abc%3D", "limit=20&cursor=abc%3D"),
        ("https://elsewhere.example/?cursor=x", "cursor=x"),
        (7, ""),
    ],
)
def test_it_takes_only_the_query_of_a_link(link, query):
    assert next_query(link) == query


@pytest.mark.parametrize("fault", ["looping_link", "foreign_link", "empty_page", "html", "cut_short", "wrong_account"])
def test_it_breaks_off_a_listing_that_goes_wrong_in_the_middle(plivo, simulator, fault):
    simulator.fault(fault, path="offset=19", times=0)
    pages = plivo.list_numbers()
    assert len(next(pages).numbers) == 20
    with pytest.raises((MalformedResponse, Unavailable)):
        list(pages)


@pytest.mark.parametrize("value", [None, 7, "", ["1"], "call me"])
def test_it_refuses_a_whole_page_for_one_row_without_a_number(plivo, simulator, value):
    simulator.fault("wrong_type", field="number", value=value)
    with pytest.raises(MalformedResponse):
        next(plivo.list_numbers())


@pytest.mark.parametrize(
    "body",
    [
        {"objects": []},
        {"meta": {}, "objects": {}},
        {"meta": {}, "objects": [7]},
        {"meta": {"total_count": "20"}, "objects": []},
        {"meta": {"total_count": -1}, "objects": []},
        {"meta": {"total_count": 2**31}, "objects": []},
        {"meta": {"total_count": True}, "objects": []},
        {"meta": {"next": "/x/?offset=20"}, "objects": []},
    ],
)
def test_it_refuses_what_is_no_page(body):
    with Wire((answer(json.dumps(body)),)) as wire:
        provider = open_at(wire)
        with closing(provider), pytest.raises(MalformedResponse):
            numbers_of(provider)


@pytest.mark.parametrize("total", [{}, {"total_count": None}])
def test_it_lists_without_a_total(total):
    body = {"meta": {"next": None, **total}, "objects": [{"number": "12125550142"}]}
    with Wire((answer(json.dumps(body)),)) as wire, closing(open_at(wire)) as provider:
        (page,) = provider.list_numbers()
    assert (page.total, len(page.numbers)) == (None, 1)


def endless(numbers: Callable[[int], str], total: int | None) -> Say:
    """Pages of one number, each with a link to a next one."""
    pages = itertools.count()

    def say(connection: socket.socket) -> object:
        page = next(pages)
        meta = {"next": f"/v1/?limit=20&offset={page + 1}", "total_count": total}
        return answer(json.dumps({"meta": meta, "objects": [{"number": numbers(page)}]}))(connection)

    return say


@pytest.mark.parametrize(
    ("numbers", "total", "most"),
    [(lambda _: "12125550142", None, 3), (lambda page: f"1212555{page:04}", 20, 130)],
    ids=["the same page", "more than there are"],
)
def test_it_ends_a_listing_that_never_ends(numbers, total, most):
    with Wire((endless(numbers, total),)) as wire, closing(open_at(wire)) as provider:
        with pytest.raises(MalformedResponse, match="same page again, or more"):
            numbers_of(provider)
        assert len(wire.requests) <= most


@pytest.mark.parametrize("path", ["/Application/", "/Zentrunk/", "/Subaccount/"])
def test_it_believes_no_list_that_is_not_what_plivo_counts(plivo, simulator, path):
    simulator.fault("empty_page", path=path, times=0)
    with pytest.raises(MalformedResponse, match=r"Plivo counts|others follow"):
        list(plivo.list_subaccounts() if path == "/Subaccount/" else plivo.list_applications())


@pytest.mark.parametrize("simulator", [{"numbers": 200}], indirect=True)
@pytest.mark.parametrize("change", ["remove", "add"])
def test_it_notices_a_list_that_moved_between_two_pages(plivo, simulator, change):
    """One gone from the first page and one new at the end: the total is the same, and a number is on no page."""
    world = simulator.world.account()

    def swap(it):
        it.remove(world, world.at(3).digits)
        if change == "add":
            it.add(world)

    simulator.fault("act", path=r"/Number/\?.*offset=0", action=swap)
    assert [page.moved for page in plivo.list_numbers()][:2] == [False, True]


@pytest.mark.parametrize("simulator", [{"numbers": 200}], indirect=True)
def test_it_delivers_the_shared_row_once(plivo):
    pages = list(plivo.list_numbers())
    assert not any(page.moved for page in pages)
    assert [len(page.rows) for page in pages] == [20] + [19] * 9 + [9]


@pytest.mark.parametrize("simulator", [{"numbers": 200}], indirect=True)
def test_it_reads_on_in_a_list_that_has_grown(plivo, simulator):
    simulator.fault("act", path=r"offset=19\b", action=lambda it: [it.add(it.account()) for _ in range(60)])
    assert len(set(numbers_of(plivo))) == 260


@pytest.mark.parametrize("simulator", [{"numbers": 200}], indirect=True)
def test_it_ends_where_a_list_has_shrunk(plivo, simulator):
    world = simulator.world.account()
    simulator.fault(
        "act", path=r"offset=0\b", action=lambda it: [it.remove(world, world.at(100).digits) for _ in range(90)]
    )
    assert len(numbers_of(plivo)) == 110


@pytest.mark.parametrize("simulator", [{"numbers": 2000, "latency_seconds": 0.02}], indirect=True)
def test_it_asks_for_nothing_more_once_it_was_refused(plivo, simulator):
    """What was on its way at that moment is answered; nothing is sent after it."""
    simulator.fault("revoked", path=r"/Number/\?", nth=10, times=0)
    with pytest.raises(AuthenticationFailed):
        numbers_of(plivo)
    assert simulator.requests.by_status[401] <= plivo.capabilities.max_in_flight
    assert plivo.http.stats.retries == 0


def test_it_reads_on_after_a_moment_of_trouble(plivo, simulator):
    simulator.fault("error", status=503, path="offset=19", times=2)
    assert len(numbers_of(plivo)) == 45
    assert plivo.http.stats.retries == 2


def test_it_offers_no_outbound_trunk(plivo):
    why_not = {application.why_not for application in plivo.list_applications() if not application.assignable}
    assert why_not == {"Only an inbound trunk can take calls; on this one the number would go silent."}


@pytest.mark.parametrize("status", [403, 404])
def test_it_lists_applications_where_trunks_are_closed(plivo, simulator, status):
    simulator.fault("error", status=status, path="/Zentrunk/", times=0)
    assert {application.kind for application in plivo.list_applications()} == {"application"}
    assert len(plivo.missing_scopes) == (status == 403)
    assert plivo.unlisted_kinds == {"trunk"}


def test_it_raises_when_trunks_are_out_of_order(plivo, simulator):
    simulator.fault("error", status=500, path="/Zentrunk/", times=0)
    with pytest.raises(Unavailable):
        list(plivo.list_applications())


# Single numbers and edits


def test_it_notices_another_number_than_the_one_asked_for(plivo, simulator):
    first, second = numbers_of(plivo)[:2]
    simulator.fault("wrong_type", field="number", value=second)
    with pytest.raises(MalformedResponse):
        plivo.get(first)


@pytest.mark.parametrize("number_id", ["abc", "1/../2", "", "+12125550142"])
def test_it_asks_for_digits_only(plivo, simulator, number_id):
    with pytest.raises(Unsupported):
        plivo.get(number_id)
    assert simulator.requests.by_status.total() == 0


def test_it_sends_only_what_changes():
    with Wire((answer('{"message": "changed"}', status=202),)) as wire, closing(open_at(wire)) as provider:
        provider.send_edit("12125550142", {"voice": "trunk:456", "alias": ""})
        provider.send_edit("12125550142", {"voice": ""})
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in wire.requests]
    assert bodies == [{"app_id": "456", "alias": ""}, {"app_id": ""}]


def test_it_quotes_plivos_refusal(plivo):
    with pytest.raises(Rejected, match=r"^Plivo refused the request \(400\): app_id 1 not found\.$") as caught:
        plivo.send_edit(numbers_of(plivo)[0], {"voice": "application:1"})
    assert caught.value.request_id


def test_it_reads_back_an_edit_that_was_not_applied(plivo, simulator):
    simulator.fault("not_applied", method="POST")
    assert plivo.update(numbers_of(plivo)[0], {"alias": "Never kept"}).alias != "Never kept"


def test_it_cannot_edit_messages_apart():
    with pytest.raises(Unsupported, match="one application"):
        Plivo.capabilities.check({"messages": "application:1"})


@pytest.mark.parametrize(
    ("current", "edit", "fields"),
    [
        ({"voice": "application:1"}, {"alias": "x"}, []),
        ({"voice": "application:1"}, {"voice": "application:1"}, []),
        ({"voice": "application:1"}, {"voice": "application:2"}, ["messages"]),
        ({"voice": "trunk:1"}, {"voice": "application:2"}, ["voice", "messages"]),
        ({"voice": "trunk:1"}, {"voice": ""}, ["voice"]),
        ({"voice": "application:1"}, {"voice": ""}, ["messages"]),
        ({"voice": ""}, {"voice": "trunk:1"}, []),
        ({"subaccount": ""}, {"subaccount": "SA1"}, ["subaccount"]),
        ({"subaccount": "SA1"}, {"subaccount": "SA1"}, []),
    ],
)
def test_it_foretells_side_effects(current, edit, fields):
    assert [effect.field for effect in Plivo.preview(current, edit)] == fields


def test_it_names_the_account_that_answers(plivo, simulator):
    simulator.fault("wrong_account", value=OTHER_PLIVO_AUTH_ID)
    assert plivo.whoami() == OTHER_PLIVO_AUTH_ID


def test_it_finds_nothing_under_anothers_number(plivo):
    with pytest.raises(NotFound, match=r"\(404\)"):
        plivo.get("12025550000")
