"""Kills worker processes at named places, with the tests' own database and simulator."""

import os
import subprocess
import sys

from django.db import connection
from pytest_django import Settings

from providers.simulator import Simulator


def killed(duty: str, pk: int, simulator: Simulator, settings: Settings, place: str) -> int:
    """How a worker process ended that was told to die at this place."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
        "DATABASE_URL": database_url(),
        "SIMULATOR_URL": simulator.root,
        "SECRET_KEY": settings.SECRET_KEY,
        "CREDENTIALS_KEYS": ",".join(settings.CREDENTIALS_KEYS),
        "CRASH_AT": place,
    }
    command = [sys.executable, "-m", "tests.phone_numbers.killed_worker", duty, str(pk)]
    return subprocess.run(command, env=environment, check=False, timeout=60).returncode


def database_url() -> str:
    """The tests' own database, for another process."""
    used = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{used['NAME']}"
    return f"postgresql://{used['USER']}@{used['HOST']}:{used['PORT']}/{used['NAME']}"
