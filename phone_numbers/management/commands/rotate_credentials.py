"""Puts every account's credentials under the first of CREDENTIALS_KEYS, so that older keys can be taken away.

Each account is a write of its own: interrupted at any point, every credential stays readable and a second run finishes.
"""

from argparse import ArgumentParser
from collections import defaultdict

from django.core.management.base import BaseCommand, CommandError

from phone_numbers.encryption import UnreadableSecret
from phone_numbers.models import Account

OUTCOMES = {
    "current": "under the first key already",
    "rotated": "re-encrypted with the first key",
    "older": "still need an older key: keep all keys and run this command again",
    "unreadable": "unreadable with any key: enter their credentials again",
}


def rotate(account: Account, *, check: bool) -> str:
    """One of OUTCOMES. Writes nothing when `check`, or when the credentials were replaced in the meantime."""
    sealed = account.credentials
    if sealed.is_current:
        return "current"
    try:
        rotated = sealed.rotated()
    except UnreadableSecret:
        return "unreadable"
    if check or not Account.objects.filter(pk=account.pk, credentials=sealed).update(credentials=rotated):
        return "older"
    return "rotated"


class Command(BaseCommand):
    help = "Re-encrypt the credentials of every account with the first of CREDENTIALS_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail while an older key is needed.")

    def handle(self, *, check: bool, **_: object) -> None:
        names = defaultdict(list)
        for account in Account.objects.exclude(credentials=""):
            names[rotate(account, check=check)].append(account.name)
        for outcome, sentence in OUTCOMES.items():
            self.stdout.write(f"{len(names[outcome])} {sentence}")
        if left := names["older"] + names["unreadable"]:
            raise CommandError(f"Not under the first key: {', '.join(left)}.")
