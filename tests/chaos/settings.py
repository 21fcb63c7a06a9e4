"""Settings of the processes that are killed: the shipped ones, but for what CHAOS_SETTINGS says otherwise (JSON).

What it says of a dictionary is added to the shipped one.
"""

import json
import os

from dashboard.settings import *  # noqa: F403

INSTALLED_APPS += ["tests.chaos.breakages.Breakages"]  # noqa: F405
BREAKAGE = ""

for name, value in json.loads(os.environ.get("CHAOS_SETTINGS", "{}")).items():
    shipped = globals().get(name)
    globals()[name] = {**shipped, **value} if isinstance(shipped, dict) else value
