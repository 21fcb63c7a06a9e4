"""The admin site: accounts, schedules and users to set up, everything else to look at. Importing registers it."""

from phone_numbers.admin import changes, numbers, schedules, syncs, users

__all__ = ["changes", "numbers", "schedules", "syncs", "users"]
