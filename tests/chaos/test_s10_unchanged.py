"""S10: a second sync of an account where nothing changed writes no row of any number."""

import time

from pytest_django import Settings

from providers.simulator import Simulator
from tests.chaos.rows import report
from tests.phone_numbers.jobs import make_account, sync, written_tables
from tests.simulators import TODAY

NUMBERS = 2_000
OF_NUMBERS = {"numbers_phonenumber", "numbers_numberpayload"}


def test_s10_unchanged(db: None, settings: Settings) -> None:
    with Simulator(numbers=NUMBERS, today=TODAY) as simulator:
        settings.SIMULATOR_URL = simulator.root
        account = make_account()
        sync(account)
        began = time.monotonic()
        with written_tables() as tables:
            run = sync(account)
    seconds = time.monotonic() - began
    assert (run.state, run.numbers_seen) == ("complete", NUMBERS)
    rows = sum(table in OF_NUMBERS for table in tables)
    report("S10", f"writes to rows of {NUMBERS:,} numbers", f"{rows} in {seconds:.1f} s", "0", holds=rows == 0)
    events = tables.count("numbers_event")
    report("S10", "writes to their history", events, "0", holds=events == 0)
