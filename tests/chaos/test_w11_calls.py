"""W11: every row's calls are watched (conftest.py); here, that a call which must not be made is noticed."""

from collections.abc import Callable

import httpx
import pytest

from providers.plivo import Plivo
from providers.registry import PROVIDERS
from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN, Simulator
from tests.chaos.calls import Calls
from tests.chaos.desk import Desk
from tests.chaos.mutants import swapped
from tests.chaos.processes import Installation
from tests.chaos.rows import report_bite
from tests.phone_numbers.jobs import ask, demo_account, sync, work

pytestmark = [pytest.mark.lane2]


@pytest.mark.parametrize("provider", list(PROVIDERS))
def test_w11_knows_the_calls_of_every_provider(
    db: None, settings: object, simulator: Simulator, calls: Calls, provider: str
) -> None:
    settings.SIMULATOR_URL = simulator.root
    assert sync(demo_account(provider)).state == "complete"
    assert (calls.made > 0, calls.outside) == (True, [])


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "Number/14155550100/"), ("POST", "PhoneNumber/14155550100/"), ("POST", "Number/")]
)
def test_w11_tells_what_must_not_be_called(simulator: Simulator, calls: Calls, method: str, path: str) -> None:
    url = f"{simulator.root}/plivo/api/v1/Account/{PLIVO_AUTH_ID}/{path}"
    httpx.request(method, url, auth=(PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN))
    assert [call.partition(" ")[0] for call in calls.take_outside()] == [method]


def test_w11_catches_an_adapter_that_gives_numbers_back(
    install: Callable[..., Installation], simulator: Simulator, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a call of that kind among those it allows itself."""
    desk = Desk(install("sqlite"), simulator)

    def give_back(plivo: Plivo, number_id: str, _: object) -> None:
        plivo.http.send_json("DELETE", plivo._path(f"Number/{number_id}/"), {})

    released = ("DELETE", r"/v1/Account/\w+/Number/[0-9]+/")
    monkeypatch.setattr(Plivo, "allowed_calls", (*Plivo.allowed_calls, released))
    with swapped((Plivo, "send_edit"), by=give_back):
        work(ask(desk.numbers[0], desk.user, alias="Gone"))
    told = calls.take_outside()
    report_bite("W11", "an edit gives the number back", told[0].partition("/")[0].strip() if told else "")
