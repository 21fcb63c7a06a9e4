"""Pictures of every page in its states. Not a test: `tests.e2e.screenshots` runs it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project
from django.utils import timezone
from playwright.sync_api import Page

from phone_numbers.models import Account, Change, SyncRun
from phone_numbers.services.changes import apply_change
from tests.phone_numbers.jobs import ask
from tests.phone_numbers.rows import make_account

FOLDER = "PICTURES"
README_PICTURE = Path(project.BASE_DIR) / "docs" / "images" / "numbers.png"
LARGEST_README_PICTURE = 350_000
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 780}
VIEWS = {"wide": (WIDE, "light"), "dark": (WIDE, "dark"), "phone": (PHONE, "light"), "phone-dark": (PHONE, "dark")}
FILTERED = "/numbers/?type=local&services=sms&tendlc=unregistered,in_progress,registered"

pytestmark = pytest.mark.parametrize("simulator", [{"numbers": 2000}], indirect=True)


@pytest.fixture
def number(account, operator):
    """One with a history: an edit that was confirmed, and one that conflicted."""
    Account.objects.filter(pk=account.pk).update(name="Plivo demo")
    number = account.numbers.filter(voice_kind="application", tendlc_status="registered").earliest("e164")
    apply_change(ask(number, operator, alias="Front desk").pk)
    late = ask(number, operator, cnam="NORTHWIND")
    Change.objects.filter(pk=late.pk).update(
        state="conflict", found={"cnam": "FABRIKAM"}, detail="The number was changed at Plivo since you looked at it."
    )
    return number


def show_as(page: Page, view: str, **size: int) -> None:
    """In one of VIEWS, or as large as `size` says."""
    viewport, scheme = VIEWS[view]
    page.set_viewport_size({**viewport, **size})
    page.emulate_media(color_scheme=scheme)


def take(page: Page, name: str) -> None:
    """At once: a page that polls is never idle. Hiding the caret would break the page's own policy."""
    page.evaluate("document.fonts.ready")
    page.screenshot(path=f"{os.environ[FOLDER]}/{name}.png", caret="initial")


def edit(page: Page, field: str, row: int) -> None:
    page.locator("tr.row").nth(row).hover()
    page.locator("tr.row").nth(row).locator(f"[data-column={field}] .cell-edit").click()
    page.locator(".editor").wait_for()


def test_it_pictures_the_readme(site, account, number):
    site.page.set_viewport_size({"width": 1440, "height": 820})
    page = site.open(FILTERED)
    page.mouse.move(0, 0)
    README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=README_PICTURE, caret="initial")
    assert README_PICTURE.stat().st_size <= LARGEST_README_PICTURE


@pytest.mark.skipif(FOLDER not in os.environ, reason="only when a folder is named")
@pytest.mark.parametrize("view", VIEWS)
def test_it_pictures_every_page(site, account, number, watch, view):
    watch.expected.append("status of (404|409|422)")
    show_as(site.page, view)
    paths = {
        "list": "/numbers/",
        "list-filtered": FILTERED,
        "list-empty": "/numbers/?type=shared_rate",
        "list-mistake": "/numbers/?type=local&colour=red",
        "number": f"/numbers/{number.pk}/",
        "changes": "/changes/",
        "changes-empty": "/changes/?state=cancelled",
        "accounts": "/accounts/",
        "account": f"/accounts/{account.pk}/",
        "not-found": "/nowhere/",
    }
    for name, path in paths.items():
        take(site.open(path), f"{view}-{name}")
    picture_editing(site.open("/numbers/"), view)
    picture_accounts(site, account, view)
    site.sign_out()
    take(site.open("/login/"), f"{view}-sign-in")


def picture_editing(page: Page, view: str) -> None:
    edit(page, "alias", 2)
    take(page, f"{view}-editing")
    page.locator(".editor input.input").fill("x" * 151)
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    take(page, f"{view}-refused")
    page.keyboard.press("Escape")
    edit(page, "voice", 4)
    page.locator(".editor select").select_option("")
    page.locator(".editor button").click()
    page.locator(".effects").wait_for()
    take(page, f"{view}-effects")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Sending", exact=True).wait_for()
    take(page, f"{view}-sending")
    Change.objects.filter(state="pending").update(state="confirmed")
    page.get_by_text("Confirmed", exact=True).wait_for()
    take(page, f"{view}-confirmed")


def picture_accounts(site, account: Account, view: str) -> None:
    now = timezone.now()
    troubled = make_account(
        "Support Europe",
        health="failing",
        health_detail="Plivo answered 503 three times.",
        fresh_at=now - timedelta(hours=3),
    )
    run = SyncRun.objects.create(
        account=account,
        state="running",
        phase="numbers",
        numbers_seen=740,
        numbers_total=2000,
        pages_read=37,
        lease_expires_at=now + timedelta(minutes=5),
    )
    page = site.open("/accounts/")
    take(page, f"{view}-accounts-syncing")
    take(site.open("/numbers/"), f"{view}-list-out-of-date")
    run.delete()
    troubled.delete()
