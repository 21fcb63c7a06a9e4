"""The admin site: accounts, schedules and users to set up, everything else to look at. Importing registers it."""

from phone_numbers.admin import accounts, changes, numbers, schedules, syncs, users

__all__ = ["accounts", "changes", "numbers", "schedules", "syncs", "users"]
