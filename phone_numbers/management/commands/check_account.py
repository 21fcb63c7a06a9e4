"""Tells what an account's credentials open: for whoever connects an account, or wonders why a sync fails."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from phone_numbers.models import Account
from phone_numbers.services.account_checks import check_account


class Command(BaseCommand):
    help = (
        "Sign in to an account and tell its id, how many numbers it has, a few of them, and what its credentials do "
        "not open. Ends with 0 when the account can be read, with 1 when not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The account's name, as on the page Accounts.")

    def handle(self, *, name: str, **_: Any) -> None:
        for finding in check_account(account_called(name)):
            if not finding.ok:
                raise CommandError(finding.sentence)
            self.stdout.write(f"{finding.title:<14}{finding.sentence}")
        self.stdout.write("The account can be read.")


def account_called(name: str) -> Account:
    """Raises CommandError with the names there are."""
    account = Account.objects.filter(name=name).first()
    if account is None:
        names = ", ".join(Account.objects.values_list("name", flat=True))
        known = f"There are: {names}." if names else "There is none yet."
        raise CommandError(f"There is no account called “{name}”. {known}")
    return account
