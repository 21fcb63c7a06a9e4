"""Accounts and syncs in every state the pages know: rows as syncs leave them behind."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from phone_numbers.models import Account, HeldNumber, PhoneNumber, Subaccount, SyncRun
from phone_numbers.models.surprises import Surprise
from phone_numbers.services.circuits import sentence
from tests.phone_numbers.rows import make_account, make_application, make_event, make_number

MINUTE = timedelta(minutes=1)
GONE = "The provider's list lacks it, and asked for on its own it is not found."


def make_run(account: Account, state: str = "complete", *, ago: timedelta = MINUTE, **columns: Any) -> SyncRun:
    """A run that started so long ago and took 8 seconds, unless it lives."""
    started = timezone.now() - ago
    ended = None if state in SyncRun.LIVE else started + timedelta(seconds=8.4)
    defaults = {"started_at": started, "finished_at": ended, "attempt": 1, "numbers_seen": 340, "pages_read": 17}
    return SyncRun.objects.create(
        account=account,
        state=state,
        **{**defaults, "requests": 22, "lease_expires_at": started + 5 * MINUTE, **columns},
    )


def make_scene() -> dict[str, Account]:
    """One account in each state."""
    now = timezone.now()
    accounts = {
        "refused": make_account(
            "Warehouse",
            health="auth_failed",
            health_detail="Plivo refused the credentials.",
            fresh_at=now - 90 * MINUTE,
        ),
        "failing": make_account(
            "Support Europe",
            provider="signalwire",
            health="failing",
            health_detail=f"SignalWire answered 503. {sentence(5, now + 17 * MINUTE)}",
            fresh_at=now - 180 * MINUTE,
            failures_in_row=5,
            retry_at=now + 17 * MINUTE,
        ),
        "limited": make_account(
            "Field sales",
            provider="twilio",
            health="failing",
            health_detail="Twilio answers that it is asked too often.",
            fresh_at=now - 7 * MINUTE,
        ),
        "late": make_account("Logistics", fresh_at=now - 60 * MINUTE),
        "new": make_account("Dental practices", provider="fone_dynamics", health="new", fresh_at=None),
        "first": make_account("Labs", health="new", fresh_at=None),
        "paused": make_account("Seasonal", is_paused=True),
        "lost": make_account("Trades", provider="fone_dynamics"),
    }
    make_run(accounts["refused"], "failed", error_slug="authentication_failed", numbers_seen=0, pages_read=0)
    make_run(accounts["failing"], "failed", error_slug="unavailable", numbers_seen=0, retries=3)
    make_run(accounts["limited"], "partial", error_slug="rate_limited", retries=9)
    make_run(accounts["late"], "partial", error_slug="moving_list", detail="The list moved while it was read.")
    make_run(accounts["paused"])
    live = {"phase": "numbers", "numbers_total": 2000, "numbers_seen": 740, "pages_read": 37, "requests": 41}
    make_run(accounts["first"], "running", ago=timedelta(seconds=20), **live)
    make_run(accounts["lost"], "running", ago=2 * MINUTE, **{**live, "lease_expires_at": now - timedelta(seconds=10)})
    return accounts


def make_held(size: int = 38) -> SyncRun:
    """A held run of an account with some history."""
    now = timezone.now()
    account = make_account("Northwind main", health="held", fresh_at=now - 12 * MINUTE)
    make_application(account)
    Subaccount.objects.create(account=account, remote_id="SA1", name="Returns desk")
    why = f"The provider's list lacks {size} of 500 numbers, more than leave in the ordinary way."
    Account.objects.filter(pk=account.pk).update(health_detail=why)
    run = make_run(
        account, "held", numbers_seen=500 - size, numbers_absent=size, detail=why, error_slug="held", numbers_total=462
    )
    numbers = [
        make_number(account, alias=f"Line {place}", voice_kind="application", voice_target="111")
        for place in range(size)
    ]
    HeldNumber.objects.bulk_create(HeldNumber(run=run, number=number) for number in numbers)
    return run


def make_eventful(account: Account) -> SyncRun:
    """A run that found every kind of news, a history around it, and numbers that are gone."""
    now = timezone.now()
    for place in range(30):
        make_run(account, ago=(place + 2) * 5 * MINUTE, retries=place % 3)
    kinds = {"new": 2, "changed": 2, "unconfirmed": 1, "missing": 1, "released": 1, "returned": 1, "left_alone": 3}
    run = make_run(account, **{f"numbers_{kind}": count for kind, count in kinds.items()})
    numbers = list(PhoneNumber.objects.filter(account=account).order_by("e164")[:7])
    make_event(numbers[0], "first_seen", run=run)
    make_event(numbers[1], "first_seen", run=run)
    window = {"run": run, "known_at": now - 6 * MINUTE}
    make_event(numbers[2], "drift", field="alias", before="Front desk", after="Reception", **window)
    make_event(numbers[3], "drift", field="voice", before="application:1", after="", **window)
    for number, presence in zip(numbers[4:], ("unconfirmed", "missing", "released"), strict=True):
        if presence != "unconfirmed":
            make_event(number, "presence", before="present", after="unconfirmed", detail=GONE)
        make_event(number, "presence", before="present", after=presence, detail=GONE, run=run)
        PhoneNumber.objects.filter(pk=number.pk).update(presence=presence, presence_since=now - 30 * MINUTE)
    make_event(numbers[0], "presence", before="missing", after="present", run=run)
    Surprise.objects.create(account=account, name="voice_carrier", example="Some Carrier", seen_count=212)
    Surprise.objects.create(account=account, name="number_type=satellite", example="satellite", seen_count=3)
    Surprise.objects.create(account=account, name="legacy_tier", seen_count=0, last_seen_at=now - 9 * 60 * MINUTE)
    return run
