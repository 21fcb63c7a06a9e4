"""Pictures of plans in their states. Not a test: `tests.e2e.screenshots` runs it."""

import os

import pytest

from phone_numbers.models import Change, ChangeSet, PhoneNumber
from tests.e2e.pictures import FOLDER, VIEWS, show_as, take

SELECT = """numbers => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/changes/plans/new/";
  form.append(document.querySelector("[name=csrfmiddlewaretoken]").cloneNode());
  form.append(Object.assign(document.createElement("input"), { name: "numbers", value: numbers }));
  document.body.append(form);
  form.submit();
}"""

pytestmark = pytest.mark.parametrize("simulator", [{"numbers": 400}], indirect=True)


@pytest.mark.skipif(FOLDER not in os.environ, reason="only when a folder is named")
@pytest.mark.parametrize("view", VIEWS)
def test_it_pictures_plans(site, account, watch, view):
    watch.expected.append("status of (409|422)")
    show_as(site.page, view)
    page = site.open("/changes/plans/")
    take(page, f"{view}-plans-empty")
    page.evaluate(SELECT, ",".join(map(str, account.numbers.order_by("pk").values_list("pk", flat=True)[:120])))
    page.get_by_text("Make the plan").wait_for()
    take(page, f"{view}-plan-new")
    page.get_by_label("Application").select_option(index=3)
    page.get_by_label("Alias", exact=True).select_option("set")
    page.get_by_label("New Alias").fill("Support {last4}")
    page.get_by_label("For the change log").fill("Move support to the new flow, OPS-214")
    page.get_by_role("button", name="Make the plan").click()
    page.get_by_text("Number by number").wait_for()
    take(page, f"{view}-plan")
    plan = ChangeSet.objects.latest("created_at")
    moved = plan.changes.filter(state="planned").order_by("pk")[3]
    PhoneNumber.objects.filter(pk=moved.number_id).update(alias="Moved meanwhile")
    page.get_by_label("Type").fill(str(plan.changes.filter(state="planned").count()))
    page.get_by_role("button", name="Send").click()
    take(page, f"{view}-plan-stale")
    planned = list(plan.changes.filter(state="planned").values_list("pk", flat=True))
    for state, some in (("confirmed", planned[:60]), ("failed", planned[60:63]), ("conflict", planned[63:65])):
        Change.objects.filter(pk__in=some).update(state=state, detail="" if state == "confirmed" else "Plivo said no.")
    ChangeSet.objects.filter(pk=plan.pk).update(state="applying", applied_by_name="olga")
    take(site.open(f"/changes/plans/{plan.pk}/"), f"{view}-plan-under-way")
    ChangeSet.objects.filter(pk=plan.pk).update(state="paused", state_detail="6 of the last 20 changes went wrong.")
    take(site.open(f"/changes/plans/{plan.pk}/?show=conflict"), f"{view}-plan-paused")
    take(site.open("/changes/plans/"), f"{view}-plans")
