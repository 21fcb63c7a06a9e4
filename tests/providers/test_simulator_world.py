"""The simulated world itself: valid and reproducible numbers, changes that last, a million rows for nothing."""

import time
import tracemalloc
from collections import Counter

import phonenumbers
import pytest

from providers.simulator import OTHER_PLIVO_AUTH_ID, Simulator, StateMismatch
from providers.simulator.demo import DEMO_SIZES
from tests.simulators import TODAY


def world(numbers=45, seed=1, **settings):
    return Simulator(numbers, seed, today=TODAY, **settings).world


def test_it_makes_the_same_world_from_the_same_seed():
    first, same, other = world(), world(), world(seed=2)

    assert list(first.account()) == list(same.account())
    assert first.account().applications == same.account().applications
    assert not {number.digits for number in other.account()} & {number.digits for number in first.account()}


def test_it_makes_a_larger_world_that_begins_like_the_smaller():
    assert list(world(400).account())[:45] == list(world(45).account())


def sizes(**settings):
    return sorted(map(len, world(**settings).accounts.values()))


def test_it_makes_the_demo_of_one_large_account_and_seven_smaller_ones():
    assert sizes(numbers=2000, sizes=DEMO_SIZES) == sorted([*DEMO_SIZES.values(), 2000])
    assert sizes(numbers=30, sizes=DEMO_SIZES) == [30] * 8


TYPES = {
    "local": {phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE},
    "fixed": {phonenumbers.PhoneNumberType.FIXED_LINE},
    "mobile": {phonenumbers.PhoneNumberType.MOBILE},
    "national": {phonenumbers.PhoneNumberType.UAN},
    "toll_free": {phonenumbers.PhoneNumberType.TOLL_FREE},
}


def test_it_makes_valid_numbers_of_the_types_it_says():
    for number in world(3000).account():
        parsed = phonenumbers.parse(f"+{number.digits}")
        assert phonenumbers.is_valid_number(parsed), number.digits
        assert phonenumbers.number_type(parsed) in TYPES[number.number_type]
        assert number.number_type == "toll_free" or phonenumbers.region_code_for_number(parsed) == number.country


def test_it_has_every_kind_of_number_among_the_first_45():
    numbers = list(world().account())

    assert {number.number_type for number in numbers} == set(TYPES)
    assert {number.country for number in numbers} == {"US", "CA", "GB", "AU", "DE", "FR", "NL"}
    assert {number.tendlc for number in numbers} == {"", "registered", "in_progress", "unregistered"}
    assert {number.voice.partition(":")[0] for number in numbers} == {"", "application", "trunk"}
    assert {number.subaccount for number in numbers} > {""}


@pytest.mark.parametrize("account", ["", OTHER_PLIVO_AUTH_ID])
def test_it_finds_every_number_it_lists(account):
    account = world(3000).account("plivo", account)

    assert all(account.find(number.digits) == number for number in account)


def test_it_mixes_states_as_an_operator_would_see_them():
    numbers = list(world(2000).account())

    assert set(Counter(number.toll_free for number in numbers)) == {"", "verified", "pending", "unverified"}
    assert {None, ""} < {number.alias for number in numbers}
    assert not all(number.active for number in numbers)
    assert all(number.renewal_date > TODAY >= number.added_on for number in numbers)


def test_it_starts_a_million_numbers_at_once_and_in_little_memory():
    tracemalloc.start()
    began = time.monotonic()
    account = world(1_000_000).account()
    last = account.at(999_999)
    seconds = time.monotonic() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert account.find(last.digits) == last
    assert seconds < 2
    assert peak < 10_000_000


def test_it_adds_removes_and_returns_numbers_in_place():
    here = world()
    account = here.account()
    before = [number.digits for number in account]

    here.remove(account, before[7])
    without = [number.digits for number in account]
    here.add(account, before[7])
    here.add(account, "14155550100", alias="Ported in")

    assert without == before[:7] + before[8:]
    assert [number.digits for number in account] == [*before, "14155550100"]
    assert account.held("14155550100").alias == "Ported in"


def test_it_pages_around_many_gaps():
    here = world(500)
    account = here.account()
    for digits in [number.digits for number in account][::3]:
        here.remove(account, digits)

    assert account.page(100, 20) == list(account)[100:120]
    assert len(account) == len(list(account)) == 333


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"position": 3}, "no position"),
        ({"colour": "red"}, "no colour"),
        ({"alias": 5}, "Expected `str"),
        ({"active": "x"}, "bool"),
    ],
)
def test_it_refuses_changes_a_number_cannot_have(fields, complaint):
    here = world()
    account = here.account()

    with pytest.raises(ValueError, match=complaint):
        here.change(account, account.at(0).digits, **fields)

    assert len(here.journal) == 0


def test_it_refuses_to_touch_numbers_that_are_not_there():
    here = world()

    with pytest.raises(KeyError):
        here.change(here.account(), "14155550100", alias="x")
    with pytest.raises(KeyError):
        here.remove(here.account(), "14155550100")
    with pytest.raises(ValueError, match="already"):
        here.add(here.account(), here.account().at(0).digits)


def test_it_drops_a_late_change_to_a_number_that_is_gone_by_then():
    here = world()
    digits = here.account().at(0).digits
    with here.holding(0):
        here.change(here.account(), digits, alias="Late")
    here.remove(here.account(), digits)

    assert [entry.after for entry in here.journal] == [None]


def changed_world(path):
    here = world(state=path)
    account = here.account()
    digits = [number.digits for number in account]
    here.change(account, digits[0], alias="Kept", renewal_date=TODAY)
    here.remove(account, digits[1])
    here.remove(account, digits[2])
    here.add(account, digits[2])
    here.add(account, "14155550100")
    here.add(account)
    here.change(account, "14155550100", voice="")
    here._journal.close()
    return here


def test_it_tells_the_same_world_after_a_restart(tmp_path):
    before = changed_world(tmp_path / "state.jsonl")

    after = world(state=tmp_path / "state.jsonl")

    assert list(after.account()) == list(before.account())
    assert after.journal.entries == before.journal.entries


def test_it_drops_an_entry_that_was_being_written_when_it_died(tmp_path):
    path = tmp_path / "state.jsonl"
    before = changed_world(path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:-20])

    after = world(state=path)

    assert list(after.account()) == list(before.account())
    assert path.read_bytes() == whole


def test_it_survives_dying_before_the_first_line_was_written(tmp_path):
    path = tmp_path / "state.jsonl"
    path.write_bytes(b'{"numb')

    assert len(changed_world(path).journal) == 7


@pytest.mark.parametrize("content", [b'{"numbers":46,"seed":1}\n', b'{"numbers":45,"seed":1}\n{"seq":\n', b"hello\n"])
def test_it_refuses_a_state_file_of_another_world(tmp_path, content):
    path = tmp_path / "state.jsonl"
    path.write_bytes(content)

    with pytest.raises(StateMismatch, match="Use another state file"):
        world(state=path)

    assert path.read_bytes() == content


@pytest.mark.parametrize("numbers", [0, 1_000_001])
def test_it_refuses_a_world_too_small_or_too_large(numbers):
    with pytest.raises(ValueError, match="1 to 1,000,000"):
        Simulator(numbers)
