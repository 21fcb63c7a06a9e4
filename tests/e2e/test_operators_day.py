"""An operator's day with many numbers, in a browser, at a provider that fails now and then.

What counts is not what the pages say but what the provider's journal holds: nothing lost, nothing written twice.
"""

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connections
from playwright.sync_api import expect

from phone_numbers.models import ChangeSet
from tests.phone_numbers.jobs import carry_out, edits, states, sync

EVERY = 33
"""So many changes from one that goes wrong to the next: three in a hundred, and never a fifth of twenty in a row."""
TROUBLES = (
    *[{"kind": "error", "status": 400}] * 6,
    *[{"kind": "not_applied"}] * 3,
    *[{"kind": "error", "status": 500}] * 3,
    *[{"kind": "error", "status": 500, "after": True}] * 3,
)
"""Six are refused and three said yes to in vain; six end well, though the provider says nothing of use."""
LOST = 9
HALF_WAY = 200


@pytest.fixture
def target(account):
    """An application that some of the numbers go to already."""
    chosen = account.numbers.filter(number_type__in=("toll_free", "national", "fixed"), voice_kind="application")
    return account.applications.get(remote_id=chosen.earliest("e164").voice_target)


def choose(page):
    """Half a thousand of two thousand, by their filters."""
    for title, asked in (("Toll-free", "toll_free"), ("National", "national"), ("Fixed", "fixed")):
        page.get_by_role("checkbox", name=title, exact=True).first.check()
        expect(page).to_have_url(re.compile(asked))
    expect(page.locator("#results")).to_have_attribute("data-total", "500")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Select all 500 matching").click()
    expect(page.locator("#selected")).to_contain_text("500 numbers, all matching")
    page.get_by_role("button", name="Change …").click()


def make_plan(page, target):
    expect(page.get_by_role("heading", name="Change 500 numbers")).to_be_visible()
    page.get_by_label("Application").select_option(target.route_key)
    page.get_by_label("For the change log").fill("OPS-214: calls go to the new flow")
    page.get_by_role("button", name="Make the plan").click()
    return find_plan(page)


def find_plan(page):
    expect(page.get_by_role("heading", name=re.compile("Plan: change"))).to_be_visible()
    return ChangeSet.objects.get(pk=page.url.rstrip("/").rsplit("/", 1)[-1])


def planned(plan):
    changes = plan.changes.filter(state="planned").order_by("pk")
    return list(changes.values_list("number__remote_id", flat=True))


def fail_some(simulator, numbers):
    for trouble, number in zip(TROUBLES, numbers[::EVERY], strict=True):
        simulator.fault(**trouble, method="POST", path=f"/Number/{number}/")


@contextmanager
def stopped_at(simulator, number):
    """The provider takes its time over one number, so that there is something to watch."""
    goes_on = threading.Event()
    simulator.fault("act", method="POST", path=f"/Number/{number}/", action=lambda _: goes_on.wait(20))
    try:
        yield goes_on
    finally:
        goes_on.set()


@contextmanager
def crew_at(plan):
    """The crew of the account, as it works beside the browser until the plan is through."""

    def work():
        try:
            return carry_out(plan, hands=None)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        yield
        done.result()


def send(page, plan):
    """Typed and sent, as far as the page; the crew comes on its own."""
    count = len(planned(plan))
    if (box := page.get_by_label("to go on")).count():
        box.fill(str(count))
    page.get_by_role("button", name=f"Send {count} change").click()
    expect(page.locator(".page-head").get_by_text("Under way", exact=True)).to_be_visible()


def see_through(page, plan):
    """To its end, without a reload."""
    send(page, plan)
    with crew_at(plan):
        expect(page.locator(".page-head").get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)


def expect_written_once(simulator, numbers, before=()):
    assert Counter(number for number, _ in edits(simulator)[len(before) :]) == Counter(numbers)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("simulator", [{"numbers": 2000}], indirect=True)
def test_it_reroutes_500_of_2000_numbers_and_takes_it_back(site, account, target, simulator):
    routes = dict(account.numbers.values_list("remote_id", "voice_target"))
    page = site.open("/numbers/")
    choose(page)
    plan = make_plan(page, target)
    numbers = planned(plan)
    assert len(numbers) + plan.changes.filter(left_out="already").count() == 500
    expect(page.get_by_role("region", name="What else this brings about")).to_contain_text("leaves the trunk")
    assert edits(simulator) == []

    fail_some(simulator, numbers)
    send(page, plan)
    with stopped_at(simulator, numbers[HALF_WAY]) as goes_on, crew_at(plan):
        part = re.compile(rf"\b[1-9]\d* of {len(numbers)} over")
        expect(page.locator(".plan-progress")).to_contain_text(part)
        goes_on.set()
    expect(page.locator(".page-head").get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)
    assert states(plan) == {"confirmed": len(numbers) - LOST, "refused": 6, "mismatch": 3} | left_alone(numbers)
    lost = [number for number, trouble in zip(numbers[::EVERY], TROUBLES, strict=True) if is_lost(trouble)]
    expect_written_once(simulator, set(numbers) - set(lost))

    page.get_by_role("button", name=f"Plan the {LOST} that failed again").click()
    again = find_plan(page)
    assert sorted(planned(again)) == sorted(lost)
    see_through(page, again)
    expect_written_once(simulator, numbers)
    assert routes_now(account) == {**routes, **dict.fromkeys(numbers, target.remote_id)}

    for done in (again, plan):
        sent = edits(simulator)
        page = site.open(f"/changes/plans/{done.pk}/")
        page.get_by_role("button", name=re.compile("^Plan to undo it( alone)?$")).click()
        back = find_plan(page)
        see_through(page, back)
        expect_written_once(simulator, lost if done == again else set(numbers) - set(lost), before=sent)
    assert routes_now(account) == routes


def is_lost(trouble):
    return trouble.get("status") == 400 or trouble["kind"] == "not_applied"


def left_alone(numbers):
    return {"left_out": 500 - len(numbers)}


def routes_now(account):
    """As the provider has them, by the numbers' own reading."""
    sync(account)
    return dict(account.numbers.values_list("remote_id", "voice_target"))
