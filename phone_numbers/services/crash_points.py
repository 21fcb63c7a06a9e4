"""Named places where a test can kill this process, to show that nothing is lost there.

Inert unless the settings have a CRASH_AT, which the shipped ones have not.
"""

import os
import signal

from django.conf import settings


def crash_point(name: str) -> None:
    if name and getattr(settings, "CRASH_AT", "") == name:
        os.kill(os.getpid(), signal.SIGKILL)
