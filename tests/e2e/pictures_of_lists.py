"""Pictures of the list in its states. Not a test: `tests.e2e.screenshots` runs it."""

import os

import pytest

from phone_numbers.models import PhoneNumber, SavedView, SyncRun
from phone_numbers.services.list_preferences import keep_density
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from tests.e2e.pictures import FOLDER, VIEWS, show_as, take
from tests.phone_numbers.rows import make_account
from tests.phone_numbers.scenes import make_run

pytestmark = pytest.mark.skipif(FOLDER not in os.environ, reason="only when a folder is named")


def make_list(account, operator):
    """With owners, tags, numbers that are gone, a long alias, and two views; the first of them."""
    numbers = list(account.numbers.order_by("e164").values_list("pk", flat=True))
    edit_local_fields(numbers[::3], LocalEdit(owner="Olga Ivanova", add_tags=["VIP, vans"]), user=operator)
    PhoneNumber.objects.filter(pk__in=numbers[2:60:9]).update(presence="unconfirmed")
    PhoneNumber.objects.filter(pk__in=numbers[4:60:13]).update(presence="missing")
    PhoneNumber.objects.filter(pk__in=numbers[5:7]).update(alias="The number on the old stationery " * 4)
    long = "A name that is as long as the name of a view may be"
    SavedView.objects.create(owner=operator, name=long, query="tendlc=failed,unregistered&sort=-alias")
    return SavedView.objects.create(owner=operator, name="Toll-free desk", query="type=toll_free", is_shared=True)


@pytest.mark.parametrize("simulator", [{"numbers": 400}], indirect=True)
@pytest.mark.parametrize("view", VIEWS)
def test_it_pictures_the_list(site, account, operator, watch, view):
    watch.expected.append("status of 422")
    show_as(site.page, view)
    toll_free = make_list(account, operator)
    paths = {
        "list-50": "/numbers/",
        "list-extra-columns": "/numbers/?columns=alias,tags,owner,city,region,country,campaign,carrier,type,read",
        "list-no-match": "/numbers/?type=shared_rate&q=zzz",
        "list-error": "/numbers/?type=local&colour=red&prefix=abc",
    }
    for name, path in paths.items():
        take(site.open(path), f"{view}-{name}")
    keep_density(operator, "compact")
    take(site.open("/numbers/?per_page=250"), f"{view}-list-compact")
    keep_density(operator, "comfortable")
    picture_tools(site, view, toll_free)


def picture_tools(site, view, saved):
    """What opens over the list."""
    page = site.open("/numbers/")
    page.locator("#columns-open").click()
    page.locator("#columns").wait_for()
    take(page, f"{view}-list-columns-dialog")
    page = site.open("/numbers/?services=sms")
    page.locator("tbody .pick").nth(1).check()
    page.locator("tbody .pick").nth(2).check()
    take(page, f"{view}-list-selected")
    page.get_by_role("button", name="Tag …").click()
    take(page, f"{view}-list-tagging")
    page = site.open(f"/numbers/?type=toll_free&services=sms&view={saved.pk}")
    page.locator(".views > summary").click()
    take(page, f"{view}-list-views")
    take(site.open("/numbers/views/"), f"{view}-views")
    page = site.open("/numbers/?type=toll_free")
    page.emulate_media(media="print")
    take(page, f"{view}-list-printed")


@pytest.mark.parametrize("view", VIEWS)
def test_it_pictures_the_first_sync(site, operator, view):
    show_as(site.page, view)
    take(site.open("/numbers/"), f"{view}-list-no-account")
    account = make_account("Plivo main", health="new", fresh_at=None)
    take(site.open("/numbers/"), f"{view}-list-no-numbers")
    live = {"phase": "numbers", "numbers_total": 2000, "numbers_seen": 740, "pages_read": 37}
    make_run(account, SyncRun.State.RUNNING, **live)
    take(site.open("/numbers/"), f"{view}-list-first-sync")
