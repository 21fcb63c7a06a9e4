"""Pictures of one number in every state, and of the providers. Not a test: `tests.e2e.screenshots` runs it."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from phone_numbers.models import Application, Change, PhoneNumber
from phone_numbers.services.changes import apply_change
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from phone_numbers.services.notes import add_note, withdraw_note
from tests.e2e.pictures import FOLDER, VIEWS, show_as, take
from tests.phone_numbers.jobs import ask, demo_account, sync
from tests.phone_numbers.rows import make_event

pytestmark = pytest.mark.skipif(FOLDER not in os.environ, reason="only when a folder is named")


def make_eventful_number(number, operator):
    """With a line of every kind in its history, and everything that only we keep."""
    apply_change(ask(number, operator, alias="Front desk").pk)
    window = {"known_at": timezone.now() - timedelta(minutes=15)}
    make_event(number, "drift", field="tendlc_status", before="in_progress", after="registered", **window)
    make_event(number, "drift", field="monthly_rate", before="0.8", after="1.15", **window)
    make_event(number, "presence", before="present", after="unconfirmed", detail="The provider's list lacks it.")
    edit = LocalEdit(owner="Olga Ivanova", cost_centre="CC-4100", add_tags=["VIP, sales-de, toll desk"])
    edit_local_fields([number.pk], edit, user=operator)
    add_note(number, "Printed on the vans. Never release without asking marketing.\nContract 2231.", user=operator)
    withdraw_note(add_note(number, "Forwarded until Friday.", user=operator), user=operator)
    late = ask(number, operator, cnam="NORTHWIND")
    detail = "The number was changed at Plivo since you looked at it."
    Change.objects.filter(pk=late.pk).update(state="conflict", found={"cnam": "FABRIKAM"}, detail=detail)


def make_broken(account):
    """Its application is gone, and was spoken to without encryption; every text is as long as it can be."""
    number = account.numbers.filter(voice_kind="application").latest("e164")
    address = f"http://calls.example/{'answer/' * 20}"
    Application.objects.filter(account=account, remote_id=number.voice_target).update(
        is_present=False, voice_url=address, message_url="", name="Interactive voice response " * 8
    )
    PhoneNumber.objects.filter(pk=number.pk).update(alias="The number on the old stationery " * 4)
    return number


@pytest.mark.parametrize("view", VIEWS)
def test_it_pictures_numbers(site, account, operator, watch, view):
    watch.expected.append("status of (409|422)")
    show_as(site.page, view)
    full = account.numbers.filter(voice_kind="application", tendlc_status="registered").earliest("e164")
    make_eventful_number(full, operator)
    broken = make_broken(account)
    elsewhere = {provider: demo_account(provider) for provider in ("twilio", "fone_dynamics")}
    for other in elsewhere.values():
        sync(other)
    paths = {
        "number-full": f"/numbers/{full.pk}/?from=type%3Dlocal%26services%3Dsms",
        "number-drift-only": f"/numbers/{full.pk}/?kind=drift",
        "number-unknown-kind": f"/numbers/{full.pk}/?kind=gossip",
        "number-broken": f"/numbers/{broken.pk}/",
        "number-on-a-trunk": f"/numbers/{elsewhere['twilio'].numbers.filter(voice_kind='trunk').first().pk}/",
        "number-unreported": f"/numbers/{elsewhere['fone_dynamics'].numbers.first().pk}/",
        "providers": "/providers/",
    }
    for name, path in paths.items():
        take(site.open(path), f"{view}-{name}")
    page = site.open(f"/numbers/{full.pk}/")
    page.locator("#payload summary").click()
    edit_local_fields([full.pk], LocalEdit(owner="Somebody else"), user=operator)
    page.get_by_label("Owner").fill("Mine")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    take(page, f"{view}-number-conflict")
