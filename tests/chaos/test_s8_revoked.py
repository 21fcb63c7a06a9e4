"""S8: credentials that are revoked while a list is read end the reading at once, and change nobody's presence."""

from dataclasses import replace

import pytest
from pytest_django import Settings

from phone_numbers.models import Account, SyncRun
from providers.plivo import Plivo
from providers.simulator import Simulator
from tests.chaos.rows import FULL, report
from tests.phone_numbers.jobs import LIST, make_account, presences, sync
from tests.simulators import TODAY

NUMBERS = 1_600
PAGES = range(1, 11) if FULL else (1, 4, 10)
IN_FLIGHT = 4
"""So few that a call which leaves after the refusal is not taken for one of those."""


def revoke_at(simulator: Simulator, page: int) -> None:
    """From this page of the list on, no request is answered any more."""
    if page == 1:
        simulator.fault("revoked", path=LIST, times=0)
    else:
        revoke = lambda _: simulator.fault("revoked", times=0)  # noqa: E731
        simulator.fault("act", path=LIST, nth=page - 1, action=revoke)


def calls_after_the_refusal(simulator: Simulator) -> int:
    """Refused calls beyond those that may have been under way, side by side, and could not be called back."""
    return max(simulator.requests.by_status[401] - IN_FLIGHT, 0)


def test_s8_revoked(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plivo, "capabilities", replace(Plivo.capabilities, max_in_flight=IN_FLIGHT))
    most_calls = moved = retries = flagged = 0
    with Simulator(numbers=NUMBERS, today=TODAY) as simulator:
        settings.SIMULATOR_URL = simulator.root
        account = make_account()
        sync(account)
        for page in PAGES:
            simulator.world.remove(simulator.world.account(), simulator.world.account().at(7 * page).digits)
            revoke_at(simulator, page)
            simulator.requests.clear()
            run = sync(account)
            most_calls = max(most_calls, calls_after_the_refusal(simulator))
            moved += presences(account) != {"present": NUMBERS}
            retries += run.retries
            flagged += (run.state, account.health) == (SyncRun.State.FAILED, Account.Health.AUTH_FAILED)
            simulator.faults.clear()
    of = len(PAGES)
    report(
        "S8",
        f"refused calls beyond {IN_FLIGHT} in flight, at most",
        most_calls,
        "≤ 1",
        holds=most_calls <= 1,
    )
    report("S8", "runs that changed somebody's presence", f"{moved} of {of}", "0", holds=not moved)
    report("S8", "calls repeated", retries, "0", holds=not retries)
    report("S8", "accounts flagged", f"{flagged} of {of}", "all", holds=flagged == of)


@pytest.mark.usefixtures("db")
def test_s8_recovers_when_credentials_are_entered_anew(settings: Settings) -> None:
    with Simulator(numbers=40, today=TODAY) as simulator:
        settings.SIMULATOR_URL = simulator.root
        account = make_account()
        simulator.fault("revoked", times=0)
        sync(account)
        simulator.faults.clear()
        run = sync(account)
    report("S8", "the account once they are accepted again", account.health, "ok", holds=run.state == "complete")
