"""Pictures of accounts and syncs in every state. Not a test: `tests.e2e.screenshots` runs it."""

import os

import pytest

from phone_numbers.models import PhoneNumber
from tests.e2e.pictures import FOLDER, VIEWS, show_as, take
from tests.phone_numbers.rows import make_account
from tests.phone_numbers.scenes import make_eventful, make_held, make_scene

HEIGHT = 1300
"""Enough to see what these long pages begin with."""

pytestmark = pytest.mark.skipif(FOLDER not in os.environ, reason="only when a folder is named")


@pytest.mark.parametrize("view", VIEWS)
def test_it_pictures_accounts_and_syncs(site, account, watch, view):
    watch.expected.append("status of 422")
    show_as(site.page, view, height=HEIGHT)
    never = make_account("Never synced", health="new", fresh_at=None)
    take(site.open(f"/accounts/{never.pk}/"), f"{view}-account-never-synced")
    take(site.open("/syncs/?state=held"), f"{view}-syncs-empty")
    run, held, accounts = make_eventful(account), make_held(), make_scene()
    paths = {
        "accounts-in-every-state": "/accounts/",
        "account-full": f"/accounts/{account.pk}/",
        "account-first-sync": f"/accounts/{accounts['first'].pk}/",
        "account-lost": f"/accounts/{accounts['lost'].pk}/",
        "account-spared": f"/accounts/{accounts['failing'].pk}/",
        "account-refused": f"/accounts/{accounts['refused'].pk}/",
        "account-held": f"/accounts/{held.account_id}/",
        "syncs": "/syncs/",
        "syncs-mistake": "/syncs/?state=asleep",
        "sync-running": f"/syncs/{accounts['first'].runs.get().pk}/",
        "sync-held": f"/syncs/{held.pk}/",
        "sync-new": f"/syncs/{run.pk}/",
        "sync-changed": f"/syncs/{run.pk}/?show=changed",
        "sync-missing": f"/syncs/{run.pk}/?show=missing",
        "list-banner": "/numbers/",
        "list-missing": "/numbers/?presence=missing,unconfirmed,released",
        "number-missing": f"/numbers/{PhoneNumber.objects.filter(presence='missing').latest('pk').pk}/",
    }
    for name, path in paths.items():
        take(site.open(path), f"{view}-{name}")
    page = site.open(f"/syncs/{held.pk}/")
    page.get_by_label("Type how many there are").fill("37")
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("alert").wait_for()
    take(page, f"{view}-sync-held-refused")
