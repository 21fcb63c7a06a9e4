"""How far a live sync is: sane at its start and its end, and silent about what it cannot know."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phone_numbers.models import Account, SyncRun
from phone_numbers.services.connections import open_account
from phone_numbers.services.listing import Listing
from phone_numbers.services.reading import read_numbers
from phone_numbers.services.runs import claim_run, request_sync
from phone_numbers.views.progress import Progress


def progress(*, after=10.0, state="running", lease=60.0, **columns):
    """Of a run that started so many seconds ago."""
    now = timezone.now()
    run = SyncRun(
        account=Account(),
        **{
            "state": state,
            "phase": "numbers",
            "created_at": now - timedelta(seconds=after),
            "started_at": now - timedelta(seconds=after),
            "lease_expires_at": now + timedelta(seconds=lease),
            **columns,
        },
    )
    return Progress(run, now)


def test_it_tells_rate_and_time_left():
    shown = progress(numbers_seen=500, numbers_total=2000, pages_read=25)
    assert (shown.rate_in_words, shown.left_in_words) == ("50 per second", "about 30 s left")
    assert shown.pages_expected == 100


@pytest.mark.parametrize(
    ("left", "words"),
    [(3, "a few seconds left"), (59.9, "about 60 s left"), (90, "about 2 min left"), (7200, "about 2.0 h left")],
)
def test_it_rounds_the_time_left(left, words):
    assert progress(after=40.0, numbers_seen=4000, numbers_total=4000 + left * 100).left_in_words == words


@pytest.mark.parametrize(
    "columns",
    [
        {"numbers_seen": 0, "numbers_total": None},
        {"numbers_seen": 0, "numbers_total": 0},
        {"numbers_seen": 0, "numbers_total": 2000},
        {"numbers_seen": 20, "numbers_total": 2000, "pages_read": 1, "after": 0.0},
        {"numbers_seen": 20, "numbers_total": 2000, "pages_read": 1, "after": -5.0},
        {"numbers_seen": 20, "numbers_total": 1_000_000, "pages_read": 1},
        {"numbers_seen": 500, "numbers_total": 2000, "phase": "absences"},
        {"numbers_seen": 500, "numbers_total": 2000, "lease": -1.0},
        {"numbers_seen": 500, "numbers_total": 2000, "state": "queued"},
    ],
)
def test_it_guesses_no_time_left(columns):
    assert progress(**columns).left_in_words == ""


def test_it_invents_no_total():
    shown = progress(numbers_seen=500, numbers_total=None, pages_read=25)
    assert (shown.total, shown.pages_expected, shown.left_in_words) == (None, None, "")
    assert shown.rate_in_words == "50 per second"


def test_it_drops_a_total_that_the_list_has_outgrown():
    assert progress(numbers_seen=2001, numbers_total=2000, pages_read=101).total is None


def test_it_expects_no_fewer_pages_than_were_read():
    assert progress(numbers_seen=2000, numbers_total=2000, pages_read=101).pages_expected == 101


def test_it_tells_a_slow_rate_per_minute():
    assert progress(numbers_seen=5, numbers_total=2000).rate_in_words == "30 per minute"


@pytest.mark.parametrize(("lease", "is_lost"), [(1, False), (0, True), (-1, True)])
def test_it_knows_a_lost_worker_as_soon_as_the_lease_has_lapsed(lease, is_lost):
    assert progress(lease=lease).is_lost is is_lost


def test_it_says_which_attempt_waits_for_a_worker():
    assert progress(state="queued", attempt=0).words == "Waiting for a worker"
    assert progress(state="queued", attempt=1).words.endswith("attempt 2 of 3")


def test_it_gives_up_watching_when_nobody_takes_it_up(settings):
    assert not progress(lease=-2.0 * settings.LEASE_SECONDS).is_silent
    assert progress(lease=-2.0 * settings.LEASE_SECONDS - 1).is_silent


def test_it_is_told_by_the_run_itself_while_numbers_are_read(account):
    lease = claim_run(request_sync(account, trigger="person").pk)
    lease.renew(phase="numbers")
    with open_account(account) as provider:
        read_numbers(provider, lease, Listing())
        asked = provider.http.stats.requests
    run = SyncRun.objects.get()
    assert (run.state, run.requests, run.numbers_seen, run.pages_read) == ("running", asked, 45, 3)
    assert Progress.of(run).pages_expected == 3
