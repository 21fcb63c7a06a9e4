"""What somebody else does to an account while we read it: numbers come, go and change between two of our requests.

Drawn from the world's seed and version, so that the same requests always meet the same changes.
"""

import random
from typing import Any

from providers.simulator.world import Account, World


def remove_first(world: World, account: Account) -> None:
    """Every later row moves up by one."""
    if len(account):
        world.remove(account, account.at(0).digits)


def add_one(world: World, account: Account) -> None:
    world.add(account)


def swap_one(world: World, account: Account) -> None:
    """A number goes and another comes: the total tells nothing of it."""
    if len(account):
        world.remove(account, drawn(account))
    world.add(account)


def edit_one(world: World, account: Account, field: str, value: Any) -> None:
    """Sets a field of some number; without one named, its alias."""
    if len(account):
        alias = f"Changed elsewhere {account.version}"
        fields: dict[str, Any] = {field or "alias": alias if value is None else value}
        world.change(account, drawn(account), **fields)


def drawn(account: Account) -> str:
    """The digits of some number of the account."""
    chance = random.Random(f"{account.seed}:{account.version}")  # noqa: S311 reproducible, not secret
    return account.at(chance.randrange(len(account))).digits
