"""The Plivo accounts of a simulated world: credentials, applications, trunks, subaccounts and 10DLC campaigns.

Invented, seeded and plausible; nothing here opens anything real.
"""

import random
from collections.abc import Iterable
from typing import Any

from providers.simulator.numbers import APPLICATION_NAMES
from providers.simulator.world import Application, Campaign, Subaccount, Trunk, World

AUTH_ID = "MANUMBERDESKDEMO0001"
AUTH_TOKEN = "NumberdeskSimulatorDemoTokenNotASecret01"  # noqa: S105 it opens nothing but the simulator
OTHER_AUTH_ID = "MANUMBERDESKDEMO0002"
OTHER_AUTH_TOKEN = "NumberdeskSimulatorDemoTokenNotASecret02"  # noqa: S105 it opens nothing but the simulator
OTHER_NUMBERS = 5


def populate(world: World) -> None:
    _add_account(world, AUTH_ID, AUTH_TOKEN, "Northwind Field Services", world.size_of(AUTH_ID))
    _add_account(
        world, OTHER_AUTH_ID, OTHER_AUTH_TOKEN, "Contoso Logistics", world.size_of(OTHER_AUTH_ID, OTHER_NUMBERS)
    )


def _add_account(world: World, account_id: str, token: str, name: str, size: int) -> None:
    chance = random.Random(f"{world.seed}:{account_id}")  # noqa: S311 reproducible, not secret
    subaccounts = list(_subaccounts(chance, account_id))
    world.add_account(
        "plivo",
        account_id,
        token,
        name=name,
        size=size,
        applications=_by_id(_applications(chance, subaccounts[0].id)),
        trunks=_by_id(_trunks(chance)),
        subaccounts=_by_id(subaccounts),
        campaigns=_by_id(_campaigns(chance)),
    )


def _by_id(things: Iterable[Any]) -> dict[str, Any]:
    return {thing.id: thing for thing in things}


def _applications(chance: random.Random, subaccount: str) -> Iterable[Application]:
    for rank, name in enumerate(APPLICATION_NAMES):
        host = f"https://{name.partition('-')[0].lower().replace('_', '-')}.northwind.example"
        yield Application(
            id=str(chance.randrange(10**16, 10**17)),
            name=name,
            voice_url=f"{host}/plivo/answer",
            message_url="" if rank % 3 == 2 else f"{host}/plivo/message",
            fallback_url="https://fallback.northwind.example/busy" if rank % 4 == 0 else "",
            subaccount=subaccount if rank % 11 == 10 else "",
            is_default=rank == 0,
        )


def _trunks(chance: random.Random) -> Iterable[Trunk]:
    for name, inbound in (("Austin-PBX", True), ("Contact-center", True), ("Outbound-dialer", False)):
        trunk_id = str(chance.randrange(10**16, 10**17))
        yield Trunk(id=trunk_id, name=name, domain=f"{trunk_id}.zt.plivo.com", inbound=inbound)


def _subaccounts(chance: random.Random, account_id: str) -> Iterable[Subaccount]:
    for rank, name in enumerate(("Northwind West", "Northwind East", "Pilot project")):
        token = f"{chance.getrandbits(160):040x}"
        created = f"2024-0{4 - rank}-14 08:30:00+00:00"
        yield Subaccount(
            id=f"SA{account_id[-17:]}{rank + 1}", name=name, token=token, enabled=rank < 2, created=created
        )


def _campaigns(chance: random.Random) -> Iterable[Campaign]:
    kinds = (
        ("Order updates", "DELIVERY_NOTIFICATION", "ACTIVE"),
        ("Appointment reminders", "CUSTOMER_CARE", "ACTIVE"),
        ("Sign-in codes", "2FA", "ACTIVE"),
        ("Spring offers", "MARKETING", "PROCESSING"),
    )
    brand = f"B{chance.getrandbits(24):06X}"
    for name, usecase, status in kinds:
        yield Campaign(id=f"C{chance.getrandbits(24):06X}", name=name, brand=brand, usecase=usecase, status=status)
