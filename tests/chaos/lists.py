"""Each provider's list of numbers as the rows know it: where it is, and a size that takes more than one page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from phone_numbers.models import Account
from providers.simulator import Simulator
from providers.simulator.world import Account as World
from tests.phone_numbers.jobs import demo_account, sync
from tests.simulators import TODAY


@dataclass(frozen=True, slots=True)
class NumberList:
    path: str
    """A regular expression of the requests for it."""
    numbers: int
    number_field: str


LISTS = {
    "plivo": NumberList(r"/Number/\?", 60, "number"),
    "twilio": NumberList(r"/IncomingPhoneNumbers\.json\?", 550, "phone_number"),
    "signalwire": NumberList(r"/phone_numbers\?", 1_060, "number"),
    "fone_dynamics": NumberList(r"/Numbers\?Results_Count=200", 220, "Number"),
}


@dataclass(slots=True)
class Listed:
    """An account at some provider that was read once."""

    simulator: Simulator
    account: Account
    world: World
    list: NumberList


@contextmanager
def listed(provider: str, settings: object) -> Iterator[Listed]:
    its_list = LISTS[provider]
    with Simulator(numbers=its_list.numbers, today=TODAY) as simulator:
        settings.SIMULATOR_URL = simulator.root
        account = demo_account(provider)
        world = simulator.world.account(provider)
        assert sync(account).state == "complete"
        assert account.numbers.count() == len(world)
        yield Listed(simulator, account, world, its_list)
