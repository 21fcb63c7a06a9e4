"""Makes the demo accounts and, in embedded mode, the demo user. Run at every start; what exists stays as it is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from phone_numbers.services.demo import NoDemo, seed_demo


class Command(BaseCommand):
    help = "Make the demo accounts, which talk to the built-in simulator, and the demo user."

    def handle(self, **_: Any) -> None:
        try:
            seed_demo()
        except NoDemo as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The demo is ready.")
