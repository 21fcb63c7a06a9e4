"""Under a thumb, at twice the size, in forced colours, and while it changes: nothing is out of reach, nothing jumps."""

import pytest
from playwright.sync_api import expect

from tests.phone_numbers.rows import make_event

PHONE = pytest.mark.browser_context_args(viewport={"width": 360, "height": 780}, has_touch=True)
TWICE = pytest.mark.browser_context_args(viewport={"width": 720, "height": 450}, device_scale_factor=2)
PATHS = (
    *("/numbers/", "/numbers/?type=local&services=sms", "/numbers/{number}/", "/numbers/columns/", "/numbers/paste/"),
    *("/accounts/", "/accounts/{account}/", "/changes/", "/changes/plans/", "/changes/log/", "/changes/drift/"),
    *("/changes/import/", "/syncs/"),
)
TOO_SMALL = """() => {
  const small = new Set();
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  for (const each of document.querySelectorAll(controls)) {
    const inText = each.matches("a") && getComputedStyle(each).display === "inline" && !each.matches(".row .number");
    if (inText || each.closest(".unseen, .skip-link") || !each.checkVisibility({ visibilityProperty: true })) continue;
    const target = (each.matches("input") && each.closest("label")) || each;
    if (target.matches(".unseen")) continue;
    target.scrollIntoView({ block: "center", inline: "center" });
    const box = target.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const reach = (right, down) => {
      for (let step = 1; step < 44; step += 1) {
        const hit = document.elementFromPoint(x + step * right, y + step * down);
        if (hit !== target && !target.contains(hit)) return step - 1;
      }
      return 44;
    };
    const isHigh = box.height >= 43.5 || reach(0, -1) + reach(0, 1) >= 42;
    const isWide = box.width >= 43.5 || reach(-1, 0) + reach(1, 0) >= 42;
    if (!isHigh || !isWide) small.add(`${each.tagName} ${each.className} ${each.id} ${box.width} x ${box.height}`);
  }
  return [...small];
}"""
PLACES = """() => ["thead", ".table-scroll", ".page-head", ".filters", ".topbar", "#q", ".pager"]
  .concat([...document.querySelectorAll("thead th")].map((each) => `thead th[data-column=${each.dataset.column}]`))
  .map((selector) => {
    const { x, y, width } = document.querySelector(selector).getBoundingClientRect();
    return [selector, x, y, width];
  })"""


@pytest.fixture
def addresses(account):
    number = account.numbers.earliest("e164")
    return [path.format(number=number.pk, account=account.pk) for path in PATHS]


@PHONE
def test_it_can_be_hit_with_a_thumb(site, addresses):
    found = {path: site.open(path).evaluate(TOO_SMALL) for path in addresses}
    assert {path: small for path, small in found.items() if small} == {}


@PHONE
def test_it_marks_the_menu_when_somebody_is_needed(site, account):
    mark = "getComputedStyle(document.querySelector('.topbar-menu'), '::after').content"
    assert site.open("/numbers/").evaluate(mark) == "none"
    make_event(account.numbers.earliest("e164"), "drift", field="alias", before="a", after="b")
    assert site.open("/numbers/").evaluate(mark) == '""'


@TWICE
def test_it_needs_no_sideways_scroll_at_twice_the_size(site, addresses):
    widths = {path: site.open(path).evaluate("document.documentElement.scrollWidth") for path in addresses}
    assert {path: width for path, width in widths.items() if width > 720} == {}


def test_it_moves_nothing_while_the_results_change(site, account):
    page = site.open("/numbers/")
    before = page.evaluate(PLACES)
    page.get_by_role("checkbox", name="Local", exact=True).first.check()
    expect(page.locator(".chip")).to_contain_text("Local")
    page.locator("#sort-alias").click()
    expect(page.locator("th[aria-sort]")).to_contain_text("Alias")
    assert page.evaluate(PLACES) == before


def test_it_shows_where_one_is_without_colours(site, account):
    site.page.emulate_media(forced_colors="active")
    page = site.open("/numbers/?type=local")
    drawn = "[...document.querySelectorAll('[aria-current]')].map((each) => getComputedStyle(each).outlineStyle)"
    assert set(page.evaluate(drawn)) == {"solid"}
