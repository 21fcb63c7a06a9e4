"""The list beside a model in plain Python: whatever is searched for, by whatever way its rows are found and read."""

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phone_numbers.filters import InventoryQuery, directory, facets, found, paging
from phone_numbers.filters.directory import current_edition
from phone_numbers.filters.rows import NumberPage, find_page, list_numbers
from phone_numbers.filters.search import terms_of
from phone_numbers.models import LocalFields, PhoneNumber
from phone_numbers.services.notes import add_note
from tests.phone_numbers.rows import make_account, make_application, make_number

pytestmark = pytest.mark.django_db

NAMES = ["North desk", "north Clinic", "50% off", "Ünder_score", "Clinic", ""]
TARGETS = ["111", "222", "https://hooks.example.com/4155", ""]
WORDS = [
    "north",
    "NORTH",
    "clin",
    "desk",
    "50%",
    "_",
    "der_",
    "hooks",
    "4155",
    "0466",
    "ivr",
    "no",
    "(415) 5",
    "222",
    "ü",
    "ÜN",
]
SORTS = ["number", "-number", "alias", "-alias", "voice", "type", "rate", "-renewal", "account"]
PER_PAGE = 25


@pytest.fixture
def inventory():
    """Enough for three pages, no two alike in what is searched, and none twice in the order of any sort."""
    accounts = [make_account("First"), make_account("Second")]
    for account in accounts:
        make_application(account, "111", "North IVR")
    for place in range(70):
        target = TARGETS[place % 4]
        make_number(
            accounts[place % 2],
            f"+1{415 if place % 3 else 212}5{place * 46_601 % 1_000_000:06d}",
            alias=NAMES[place % len(NAMES)],
            number_type=("local", "toll_free")[place % 5 == 0],
            presence=("present", "released")[place % 11 == 0],
            voice_kind="url" if "://" in target else "application" if target else "",
            voice_target=target,
            monthly_rate=None if place % 7 == 0 else place % 3,
        )
    return list(PhoneNumber.objects.all())


def texts_of(number: PhoneNumber) -> list[str]:
    columns = (number.e164, number.alias, number.tendlc_campaign_id, number.voice_target, number.message_target)
    return [" ".join(columns).lower(), "north ivr" if goes_to_application(number) else ""]


def goes_to_application(number: PhoneNumber) -> bool:
    return number.voice_kind == "application" and number.voice_target == "111"


def is_wanted(number: PhoneNumber, text: str, kind: str, application: str) -> bool:
    if number.presence == "released" or kind not in {"", number.number_type}:
        return False
    if application and not goes_to_application(number):
        return False
    return all(
        any(spelling in said for spelling in (term.word, term.digits or term.word) for said in texts_of(number))
        for term in terms_of(text)
    )


def forget() -> None:
    directory.read_directory.cache_clear()
    facets.cells_of.cache_clear()
    facets.counted.cache_clear()
    found.in_order.cache_clear()
    paging._starts.clear()


def read(**options: str) -> InventoryQuery:
    parameters = QueryDict(mutable=True)
    parameters.update({"per_page": str(PER_PAGE), **options})
    return InventoryQuery.read(parameters, {})


def ids(page: NumberPage) -> list[int]:
    return [number.pk for number in page.numbers]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(WORDS), max_size=2),
    kind=st.sampled_from(["", "local", "toll_free"]),
    application=st.sampled_from(["", "North IVR"]),
    sort=st.sampled_from(SORTS),
    walked_from=st.sampled_from([0, 10, 4000]),
    kept=st.booleans(),
)
def test_it_finds_counts_and_orders_as_plain_python_does(inventory, words, kind, application, sort, walked_from, kept):
    text = " ".join(words)
    wanted = {number.pk for number in inventory if is_wanted(number, text, kind, application)}
    query, edition = read(q=text, type=kind, application=application, sort=sort), current_edition()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paging, "WALKED_FROM", walked_from)
        forget()
        listed = [number.pk for number in list_numbers(query)]
        if not kept:
            forget()
        pages = [find_page(query.having(page=str(at + 1)), edition) for at in range(-(-len(wanted) // PER_PAGE))]
        again = [find_page(query.having(page=str(at + 1)), edition) for at in range(len(pages))]
        turned = [
            find_page(query.having(page=str(at), before=str(pages[at].first)), edition) for at in range(1, len(pages))
        ]
        onward = [
            find_page(query.having(page=str(at + 1), after=str(pages[at - 1].last)), edition)
            for at in range(1, len(pages))
        ]
    assert sorted(listed) == sorted(wanted)
    assert [pk for page in pages for pk in ids(page)] == listed
    assert [ids(page) for page in again] == [ids(page) for page in pages]
    assert [ids(page) for page in turned] == [ids(page) for page in pages[:-1]]
    assert [ids(page) for page in onward] == [ids(page) for page in pages[1:]]
    assert {page.total for page in pages} <= {len(wanted)}
    assert [page.first for page in again] == [page.first for page in pages]


@pytest.mark.parametrize("text", ["ärzte", "ÄRZTE", "är", "Ä", "ÜBERGABE", "Üb", "öffn", "Ö", "И", "ИВАН"])
def test_it_makes_nothing_of_capitals_in_any_alphabet(operator, text):
    account = make_account()
    numbers = {word: make_number(account) for word in ("ärztehaus", "übergabe", "öffnung")}
    numbers["иван"] = make_number(account, alias="Горячая линия, Иван")
    LocalFields.objects.create(number=numbers["ärztehaus"], owner="Ärztehaus")
    LocalFields.objects.create(number=numbers["öffnung"], cost_centre="Öffnung")
    add_note(numbers["übergabe"], "Übergabe am Montag", user=operator)
    found = [number.pk for number in list_numbers(read(q=text))]
    assert found == [number.pk for word, number in numbers.items() if text.lower() in word]


def test_it_searches_once_for_what_stays_the_same(inventory, django_assert_num_queries):
    query, edition = read(q="north"), current_edition()
    forget()
    with django_assert_num_queries(3):
        find_page(query, edition)
    with django_assert_num_queries(2):
        find_page(query, edition)
    with django_assert_num_queries(1):
        find_page(query, edition)


def test_it_puts_what_a_filter_found_in_order_once(inventory, django_assert_num_queries):
    query, edition = read(application="North IVR"), current_edition()
    forget()
    find_page(query, edition)
    with django_assert_num_queries(2):
        again = find_page(query, edition)
    with django_assert_num_queries(1):
        assert ids(find_page(query, edition)) == ids(again)


def test_it_begins_at_the_first_row_after_the_list_was_read_to_its_end(inventory):
    query, edition = read(type="local", sort="voice"), current_edition()
    forget()
    listed = [number.pk for number in list_numbers(query)]
    assert ids(find_page(query, edition)) == listed[:PER_PAGE]


def test_it_keeps_the_ids_of_few_only(inventory, monkeypatch):
    monkeypatch.setattr(facets, "KEPT_FOUND", 3)
    forget()
    page = find_page(read(q="north"), current_edition())
    forget()
    assert {cell[facets.IDS] for cell in page.facets.matching} == {None}
