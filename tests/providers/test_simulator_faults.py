"""Every scripted misbehaviour, as a bare HTTP client sees it."""

import datetime as dt
import time
import zlib
from email.utils import parsedate_to_datetime

import httpx
import pytest

from providers.simulator.faults import BEHAVIOURS, BOMB_BYTES, OVERSIZED_BYTES
from tests.simulators import NUMBERS


def update(plivo_http, simulator, alias="Renamed"):
    number = next(iter(simulator.world.account()))
    return plivo_http.post(f"Number/{number.digits}/", json={"alias": alias})


def alias(simulator):
    return next(iter(simulator.world.account())).alias


def test_it_strikes_the_nth_match_as_often_as_told(plivo_http, simulator):
    simulator.fault("error", method="GET", path=r"/Number/\?", nth=2, times=2, status=503)

    statuses = [plivo_http.get(path).status_code for path in ("Number/?", "Application/", *["Number/?"] * 4)]

    assert statuses == [200, 200, 503, 503, 200, 200]


def test_it_strikes_with_a_reproducible_probability(plivo_http, simulator):
    fault = simulator.fault("error", times=0, probability=0.3)

    statuses = [plivo_http.get("Number/?limit=1").status_code for _ in range(100)]

    assert statuses.count(500) == fault.struck
    assert 15 < fault.struck < 45


@pytest.mark.parametrize("kind", ["error", "error_page"])
@pytest.mark.parametrize("after", [True, False])
def test_it_fails_before_or_after_applying(plivo_http, simulator, kind, after):
    simulator.fault(kind, method="POST", status=502, after=after)

    answer = update(plivo_http, simulator)

    assert answer.status_code == 502
    assert (alias(simulator) == "Renamed") is after


@pytest.mark.parametrize("after", [True, False])
def test_it_resets_the_connection_before_or_after_applying(plivo_http, simulator, after):
    simulator.fault("reset", method="POST", after=after)

    with pytest.raises(httpx.ReadError, match="reset"):
        update(plivo_http, simulator)

    assert (alias(simulator) == "Renamed") is after


@pytest.mark.parametrize("after", [True, False])
def test_it_dawdles_before_or_after_applying(plivo_http, simulator, after):
    simulator.fault("latency", method="POST", after=after, seconds=60)
    plivo_http.timeout = 0.2

    with pytest.raises(httpx.ReadTimeout):
        update(plivo_http, simulator)

    assert (alias(simulator) == "Renamed") is after


@pytest.mark.parametrize("retry_after", [None, "2", "0", "Sat, 21 Nov 2026 10:00:00 GMT", "soon", "86400"])
def test_it_limits_the_rate_with_or_without_a_hint(plivo_http, simulator, retry_after):
    simulator.fault("rate_limited", retry_after=retry_after)

    answer = update(plivo_http, simulator)

    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == retry_after
    assert len(simulator.world.journal) == 0


def test_it_names_the_moment_to_come_back_at(plivo_http, simulator):
    simulator.fault("rate_limited", retry_after="date", seconds=30)

    moment = parsedate_to_datetime(plivo_http.get("Number/").headers["Retry-After"])

    assert 28 < (moment - dt.datetime.now(dt.UTC)).total_seconds() <= 30


@pytest.mark.parametrize("kind", ["slow_body", "slow_headers"])
def test_it_drips(plivo_http, simulator, kind):
    simulator.fault(kind, seconds=0.001)
    began = time.monotonic()

    answer = plivo_http.get("Number/?limit=1")

    assert len(answer.json()["objects"]) == 1
    assert time.monotonic() - began > 0.1


def test_it_stops_while_a_response_is_dripping(plivo_http, simulator):
    simulator.fault("slow_body", seconds=60)

    with plivo_http.stream("GET", "Number/") as answer:
        simulator.stop()
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def test_it_cuts_a_body_short_of_its_announced_length(plivo_http, simulator):
    simulator.fault("cut_short")

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message"):
        plivo_http.get("Number/")


def test_it_cuts_a_body_nobody_can_tell_is_short(plivo_http, simulator):
    simulator.fault("cut_without_length")

    answer = plivo_http.get("Number/")

    assert "Content-Length" not in answer.headers
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


def test_it_answers_a_page_of_html(plivo_http, simulator):
    simulator.fault("html")

    answer = plivo_http.get("Number/")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_it_answers_invalid_json(plivo_http, simulator):
    simulator.fault("invalid_json")

    with pytest.raises(ValueError, match="Unterminated"):
        plivo_http.get("Number/").json()


@pytest.mark.parametrize("value", [None, [], "text", 1, {}])
def test_it_answers_any_json(plivo_http, simulator, value):
    simulator.fault("json_text", value=value)

    assert plivo_http.get("Number/").json() == value


def test_it_tampers_with_fields_of_rows(plivo_http, simulator):
    simulator.fault("wrong_type", field="number", value=["1"])
    simulator.fault("missing_field", field="number", nth=2)
    simulator.fault("extra_field", field="object_id", value=7, nth=3)

    rows = [plivo_http.get("Number/").json()["objects"][0] for _ in range(3)]

    assert [row.get("number", "missing") for row in rows[:2]] == [["1"], "missing"]
    assert rows[2]["object_id"] == 7


def test_it_tampers_with_a_single_row(plivo_http, simulator):
    simulator.fault("missing_field", field="number")
    number = next(iter(simulator.world.account()))

    assert "number" not in plivo_http.get(f"Number/{number.digits}/").json()


def test_it_repeats_a_page(plivo_http, simulator):
    simulator.fault("duplicate_page", nth=2)

    pages = [plivo_http.get(f"Number/?offset={offset}").json() for offset in (0, 20)]

    assert pages[0]["objects"] == pages[1]["objects"]
    assert pages[1]["meta"]["offset"] == 20


@pytest.mark.parametrize(("kind", "total"), [("empty_page", NUMBERS), ("total_zero", 0)])
def test_it_empties_a_page(plivo_http, simulator, kind, total):
    simulator.fault(kind)

    page = plivo_http.get("Number/").json()

    assert (page["objects"], page["meta"]["total_count"]) == ([], total)


def test_it_links_a_page_to_itself(plivo_http, simulator):
    simulator.fault("looping_link")

    page = plivo_http.get("Number/?limit=20&offset=20").json()

    assert page["meta"]["next"] == "/v1/Account/MANUMBERDESKDEMO0001/Number/?limit=20&offset=20"


def test_it_links_to_another_host(plivo_http, simulator):
    simulator.fault("foreign_link")

    assert plivo_http.get("Number/").json()["meta"]["next"].startswith("http://elsewhere.invalid/")


def test_it_ends_a_list_before_its_end(plivo_http, simulator):
    simulator.fault("no_link")

    page = plivo_http.get("Number/").json()

    assert (page["meta"]["next"], page["meta"]["total_count"]) == (None, NUMBERS)


def test_it_redirects_to_another_host(plivo_http, simulator):
    simulator.fault("redirect")

    answer = plivo_http.get("Number/")

    assert (answer.status_code, answer.has_redirect_location) == (302, True)


def test_it_answers_a_small_body_that_inflates_to_a_gibibyte(plivo_http, simulator):
    simulator.fault("gzip_bomb")

    with plivo_http.stream("GET", "Number/") as answer:
        packed = b"".join(answer.iter_raw())

    unpacker, total, rest = zlib.decompressobj(wbits=31), 0, packed
    while rest:
        total += len(unpacker.decompress(rest, 1 << 26))
        rest = unpacker.unconsumed_tail
    assert (total, unpacker.eof) == (BOMB_BYTES, True)
    assert len(packed) < 4 << 20


def test_it_answers_with_rows_of_another_account(plivo_http, simulator):
    simulator.fault("wrong_account")

    page = plivo_http.get("Number/").json()

    assert {row["resource_uri"].split("/")[3] for row in page["objects"]} == {"MANUMBERDESKDEMO9999"}


def test_it_moves_rows_up_between_pages(plivo_http, simulator):
    everything = [number.digits for number in simulator.world.account()]
    simulator.fault("row_removed")

    seen = [
        row["number"] for offset in (0, 20, 40) for row in plivo_http.get(f"Number/?offset={offset}").json()["objects"]
    ]

    assert seen == everything[:20] + everything[21:]


def test_it_moves_rows_down_between_pages(plivo_http, simulator):
    simulator.world.account().newest_first = True
    simulator.fault("row_added")

    first, second = (plivo_http.get(f"Number/?offset={offset}").json()["objects"] for offset in (0, 20))

    assert first[-1] == second[0]


def test_it_swaps_rows_without_a_trace_in_the_total(plivo_http, simulator):
    simulator.fault("rows_swapped", path=r"/Number/\?", times=0, probability=0.5)
    before = {number.digits for number in simulator.world.account()}

    totals = {plivo_http.get("Number/?limit=1").json()["meta"]["total_count"] for _ in range(20)}

    after = {number.digits for number in simulator.world.account()}
    assert totals == {NUMBERS}
    assert 4 <= len(before - after) <= 16
    assert len(after - before) == len(before - after)


@pytest.mark.parametrize(("settings", "expected"), [({}, "Changed elsewhere 0"), ({"value": "Theirs"}, "Theirs")])
def test_it_edits_a_number_behind_our_back(plivo_http, simulator, settings, expected):
    simulator.fault("row_edited", **settings)

    plivo_http.get("Number/")

    (entry,) = simulator.world.journal
    assert (entry.path, entry.after) == ("second writer", {"alias": expected})


def test_it_repeats_a_row_of_a_page(plivo_http, simulator):
    simulator.fault("duplicate_row")

    rows = plivo_http.get("Number/").json()["objects"]

    assert (len(rows), rows[0]) == (20, rows[-1])


def test_it_sends_what_is_no_http(plivo_http, simulator):
    simulator.fault("garbled")

    with pytest.raises(httpx.RemoteProtocolError):
        plivo_http.get("Number/")


def test_it_sends_more_than_anybody_should_read(plivo_http, simulator):
    simulator.fault("oversized")

    answer = plivo_http.get("Number/")

    assert len(answer.content) > OVERSIZED_BYTES
    assert len(answer.json()["objects"]) == 20


def test_it_breaks_off_a_packed_answer(plivo_http, simulator):
    simulator.fault("broken_gzip")

    with plivo_http.stream("GET", "Number/") as answer:
        packed = b"".join(answer.iter_raw())

    unpacker = zlib.decompressobj(wbits=31)
    unpacker.decompress(packed)
    assert not unpacker.eof


def test_it_answers_nothing_at_all(plivo_http, simulator):
    simulator.fault("no_body")

    answer = plivo_http.get("Number/")

    assert (answer.status_code, answer.content) == (200, b"")


def test_it_lets_a_test_act_between_pages(plivo_http, simulator):
    simulator.fault("act", action=lambda world: world.add(world.account(), "14155550100", alias="New"))

    totals = [plivo_http.get("Number/").json()["meta"]["total_count"] for _ in range(2)]

    assert totals == [NUMBERS, NUMBERS + 1]


def test_it_accepts_an_update_and_forgets_it(plivo_http, simulator):
    simulator.fault("not_applied", method="POST")

    answer = update(plivo_http, simulator)

    assert answer.status_code == 202
    assert len(simulator.world.journal) == 0


def test_it_accepts_an_update_and_applies_it_later(plivo_http, simulator):
    simulator.fault("applied_late", method="POST", seconds=0.2)
    number = next(iter(simulator.world.account()))

    update(plivo_http, simulator)

    assert plivo_http.get(f"Number/{number.digits}/").json()["alias"] == number.alias
    time.sleep(0.25)
    assert plivo_http.get(f"Number/{number.digits}/").json()["alias"] == "Renamed"


def test_it_applies_later_what_it_answers_with_an_error(plivo_http, simulator):
    simulator.fault("applied_late", method="POST", seconds=0.0, after=True, status=500)
    number = next(iter(simulator.world.account()))

    assert update(plivo_http, simulator).status_code == 500
    assert plivo_http.get(f"Number/{number.digits}/").json()["alias"] == "Renamed"


def test_it_keeps_an_answer_back_while_others_are_answered(plivo_http, simulator):
    number = next(iter(simulator.world.account()))
    path = f"Number/{number.digits}/"
    simulator.fault("kept_back", method="GET", action=lambda _: update(plivo_http, simulator))

    assert plivo_http.get(path).json()["alias"] == number.alias
    assert plivo_http.get(path).json()["alias"] == "Renamed"


def test_it_revokes_the_credentials_from_a_request_on(plivo_http, simulator):
    simulator.fault("revoked", nth=3, times=0)

    assert [plivo_http.get("Number/").status_code for _ in range(5)] == [200, 200, 401, 401, 401]


@pytest.mark.parametrize(
    "kind", [kind for kind in BEHAVIOURS if kind not in ("reset", "cut_short", "gzip_bomb", "garbled", "broken_gzip")]
)
def test_it_survives_any_fault_on_a_caller_who_is_not_signed_in(plivo_http, simulator, kind):
    simulator.fault(kind)

    plivo_http.get("Number/", auth=None)

    assert plivo_http.get("Number/").status_code == 200


def test_it_refuses_a_fault_it_does_not_know(simulator):
    with pytest.raises(ValueError, match="No such fault: gremlins"):
        simulator.fault("gremlins")
