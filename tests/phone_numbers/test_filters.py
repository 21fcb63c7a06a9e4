"""The query string of the list: what each filter finds, and what is not understood."""

import datetime as dt
from itertools import chain, combinations

import pytest
from django.http import QueryDict

from phone_numbers.filters import FILTERS, InventoryQuery
from phone_numbers.filters.directory import current_edition
from phone_numbers.filters.rows import find_page, list_numbers
from phone_numbers.filters.search import digits_of
from phone_numbers.models import PhoneNumber, Subaccount
from tests.phone_numbers.rows import make_account, make_application, make_number

ALL_SERVICES = ("voice", "sms", "mms", "fax")
EVERY_SET = [set(each) for each in chain.from_iterable(combinations(ALL_SERVICES, size) for size in range(5))]
RENEWALS = {
    "renewal_date": {2},
    "renewal_date__gt": {3},
    "renewal_date__gte": {2, 3},
    "renewal_date__lt": {1},
    "renewal_date__lte": {1, 2},
}


def read(text, accounts=()):
    return InventoryQuery.read(QueryDict(text), {str(account.pk): account.name for account in accounts})


def found(text, *accounts):
    query = read(text, accounts)
    assert query.mistakes == ()
    return {number.alias for number in list_numbers(query)}


@pytest.fixture
def account(db):
    return make_account()


class TestReading:
    @pytest.mark.parametrize(
        ("given", "printed"),
        [
            ("", ""),
            ("q=&alias=&type=", ""),
            ("type=toll_free&type=local", "type=local,toll_free"),
            ("type=local,toll_free,local", "type=local,toll_free"),
            ("services=sms&services=voice&services_match=all", "services=voice,sms&services_match=all"),
            ("services_match=any&sort=number&page=1&per_page=50", ""),
            ("prefix=%2B1+%28415%29", "prefix=1415"),
            ("country=us,GB", "country=GB,US"),
            ("tendlc=REGISTERED", "tendlc=registered"),
            ("page=3&sort=-alias&q=main", "q=main&sort=-alias&page=3"),
            ("alias=a%26b,c", "alias=a%26b,c"),
        ],
    )
    def test_it_prints_itself_back_in_one_spelling(self, given, printed):
        query = read(given)
        assert (str(query), query.mistakes) == (printed, ())
        assert str(read(str(query))) == printed

    @pytest.mark.parametrize(
        ("given", "parameter", "word"),
        [
            ("colour=red", "colour", "colour"),
            ("type=tollfree", "type", "tollfree"),
            ("services=fax,telex", "services", "telex"),
            ("services_match=some", "services_match", "some"),
            ("tendlc=done", "tendlc", "done"),
            ("toll_free=yes", "toll_free", "yes"),
            ("presence=gone", "presence", "gone"),
            ("unrouted=fax", "unrouted", "fax"),
            ("columns=colour", "columns", "colour"),
            ("view=mine", "view", "mine"),
            ("cnam_lookup=on", "cnam_lookup", "on"),
            ("provider=acme", "provider", "acme"),
            ("country=USA", "country", "USA"),
            ("country=QQ", "country", "QQ"),
            ("account=99", "account", "99"),
            ("account=main", "account", "main"),
            ("prefix=415x", "prefix", "415x"),
            ("renewal_date=tomorrow", "renewal_date", "tomorrow"),
            ("renewal_date__gt=2026-02-30", "renewal_date__gt", "2026-02-30"),
            ("renewal_date__ne=2026-01-01", "renewal_date__ne", "renewal_date__ne"),
            ("sort=password", "sort", "password"),
            ("page=0", "page", "0"),
            ("page=-1", "page", "-1"),
            ("page=９", "page", "９"),
            ("per_page=33", "per_page", "33"),
            ("q=%00", "q", "plain text"),
            (f"alias={'x' * 256}", "alias", "at most 255"),
            ("alias=one&alias=two", "alias", "more than once"),
        ],
    )
    def test_it_names_what_it_does_not_understand(self, given, parameter, word):
        (mistake,) = read(given).mistakes
        assert mistake.parameter == parameter
        assert word in mistake.sentence

    def test_it_shows_no_rows_when_anything_is_not_understood(self, account):
        make_number(account)
        assert list(list_numbers(read("type=local&colour=red"))) == []

    def test_it_removes_one_value_of_a_chip_and_keeps_the_rest(self):
        chips = {chip.value: str(chip.rest) for chip in read("type=local,toll_free&q=x&page=4&sort=alias").chips()}
        assert chips == {
            "x": "type=local,toll_free&sort=alias",
            "Local": "q=x&type=toll_free&sort=alias",
            "Toll-free": "q=x&type=local&sort=alias",
        }

    def test_it_says_in_words_how_services_match(self):
        titles = [chip.title for chip in read("services=voice,sms&services_match=all").chips()]
        assert titles == ["Services, all of", "Services, all of"]


class TestFinding:
    @pytest.mark.parametrize("match", ["any", "all", "exactly"])
    @pytest.mark.parametrize("wanted", [{"sms"}, {"voice", "sms"}, {"mms", "fax"}, set(ALL_SERVICES)])
    def test_it_matches_sets_of_services(self, account, match, wanted):
        for held in EVERY_SET:
            make_number(account, services=" ".join(held), alias="+".join(sorted(held)) or "none")
        rule = {"any": wanted.__and__, "all": wanted.__le__, "exactly": wanted.__eq__}[match]
        expected = {"+".join(sorted(held)) or "none" for held in EVERY_SET if rule(held)}
        assert found(f"services={','.join(wanted)}&services_match={match}") == expected

    def test_it_never_takes_a_toll_free_number_for_unregistered(self, account):
        make_number(account, alias="toll-free", number_type="toll_free", tendlc_status="not_applicable")
        make_number(account, alias="local", tendlc_status="unregistered")
        assert found("tendlc=unregistered") == {"local"}

    @pytest.mark.parametrize(
        ("column", "value", "text"),
        [
            ("number_type", "toll_free", "type=toll_free"),
            ("tendlc_status", "failed", "tendlc=failed"),
            ("toll_free_status", "verified", "toll_free=verified"),
            ("country", "GB", "country=GB"),
            ("presence", "missing", "presence=missing"),
            ("subaccount", "SA1", "subaccount=SA1"),
            ("tendlc_campaign_id", "CAMP1", "campaign=CAMP1"),
            ("cnam_lookup", "enabled", "cnam_lookup=enabled"),
            ("e164", "+442079460018", "prefix=4420"),
        ],
    )
    def test_it_finds_by_one_column(self, account, column, value, text):
        make_number(account, **{"alias": "wanted", column: value})
        make_number(account, alias="other", tendlc_campaign_id="CAMP10")
        assert found(text) == {"wanted"}

    def test_it_finds_an_alias_only_when_it_is_exactly_that(self, account):
        make_number(account, alias="Main")
        make_number(account, alias="Main line")
        assert found("alias=Main") == {"Main"}

    @pytest.mark.parametrize(("parameter", "days"), RENEWALS.items())
    def test_it_compares_renewal_dates(self, account, parameter, days):
        for day in (1, 2, 3):
            make_number(account, alias=str(day), renewal_date=dt.date(2026, 12, day))
        make_number(account, alias="unknown")
        assert found(f"{parameter}=2026-12-02") == {str(day) for day in days}

    def test_it_finds_the_numbers_of_some_accounts(self, account):
        other = make_account("Other")
        make_number(account, alias="a")
        make_number(other, alias="b")
        assert found(f"account={other.pk}", account, other) == {"b"}
        assert found(f"account={other.pk},{account.pk}&provider=plivo", account, other) == {"a", "b"}

    def test_it_finds_the_numbers_of_an_application_by_name_or_id(self, account):
        make_application(account, "111", "Support IVR")
        make_number(account, alias="calls", voice_kind="application", voice_target="111")
        make_number(account, alias="texts", message_kind="application", message_target="111")
        make_number(make_account("Other"), alias="elsewhere", voice_kind="application", voice_target="111")
        assert found("application=support ivr") == found("application=111") == {"calls", "texts"}

    def test_it_finds_a_subaccount_by_its_name(self, account):
        Subaccount.objects.create(account=account, remote_id="SA1", name="Retail")
        Subaccount.objects.create(account=account, remote_id="SA2", name="Other")
        make_number(account, alias="retail", subaccount="SA1")
        assert [number.alias for number in list_numbers(read("subaccount=Retail"))] == ["retail"]

    def test_it_combines_filters(self, account):
        make_number(account, alias="both", number_type="toll_free", tendlc_status="failed")
        make_number(account, alias="one", number_type="toll_free")
        assert found("type=toll_free&tendlc=failed") == {"both"}

    def test_it_leaves_out_released_numbers_until_they_are_asked_for(self, account):
        make_number(account, alias="held")
        make_number(account, alias="released", presence="released")
        assert found("") == {"held"}
        assert found("presence=released,present") == {"held", "released"}


class TestSearching:
    @pytest.mark.parametrize(
        "text",
        [
            "+1 415-555-1234",
            "(415) 555-1234",
            "4155551234",
            "001 415 555 1234",
            "1234",
            "415.555.12",
            "Front",
            "camp9",
            "ivr",
        ],
    )
    def test_it_finds_a_number_however_it_is_spelled(self, account, text):
        make_application(account, "111", "Support IVR")
        make_number(
            account,
            "+14155551234",
            alias="Front desk",
            tendlc_campaign_id="CAMP9",
            voice_kind="application",
            voice_target="111",
        )
        make_number(account, "+12125550000", alias="other")
        assert {number.alias for number in list_numbers(InventoryQuery({"q": (text,)}))} == {"Front desk"}

    @pytest.mark.parametrize(
        ("text", "digits"),
        [
            ("+44 (0)20 7946 0018", "442079460018"),
            ("020 7946", "207946"),
            ("0044 20", "4420"),
            ("line 4", ""),
            ("000", "000"),
        ],
    )
    def test_it_reads_the_digits_of_any_spelling(self, text, digits):
        assert digits_of(text) == digits

    def test_it_takes_wildcards_for_what_they_are(self, account):
        make_number(account, alias="50% off")
        make_number(account, alias="full")
        assert {number.alias for number in list_numbers(InventoryQuery({"q": ("%",)}))} == {"50% off"}


class TestSorting:
    @pytest.mark.parametrize("direction", ["", "-"])
    @pytest.mark.parametrize("column", ["alias", "type", "voice", "rate", "renewal", "presence", "account", "services"])
    def test_it_shows_every_row_once_across_pages(self, account, column, direction):
        for position in range(60):
            make_number(account, alias=str(position % 3))
        pages = [read(f"sort={direction}{column}&per_page=25&page={page}") for page in (1, 2, 3)]
        seen = [number.pk for page in pages for number in find_page(page, current_edition()).numbers]
        assert sorted(seen) == sorted(PhoneNumber.objects.values_list("pk", flat=True))

    def test_it_sorts_routes_by_what_people_call_them(self, account):
        for remote_id, name in (("1", "Zulu"), ("2", "Alpha")):
            make_application(account, remote_id, name)
            make_number(account, alias=name, voice_kind="application", voice_target=remote_id)
        assert [number.alias for number in list_numbers(read("sort=voice"))] == ["Alpha", "Zulu"]

    @pytest.mark.parametrize("sort", ["rate", "-rate", "renewal", "-renewal"])
    def test_it_puts_what_is_not_known_last(self, account, sort):
        make_number(account, alias="unknown")
        make_number(account, alias="known", monthly_rate="1", renewal_date=dt.date(2026, 12, 1))
        assert [number.alias for number in list_numbers(read(f"sort={sort}"))] == ["known", "unknown"]


def test_it_has_a_filter_for_every_parameter_of_the_providers_lists():
    promised = "type services tendlc toll_free account provider country presence prefix alias application subaccount"
    ours = {"owner", "cost_centre", "unrouted"}
    dates = "renewal_date renewal_date__gt renewal_date__gte renewal_date__lt renewal_date__lte"
    assert set(FILTERS) == {*promised.split(), *dates.split(), "q", "campaign", "cnam_lookup", "tag", "list", *ours}
