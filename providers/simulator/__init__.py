"""Stateful stand-ins for the providers' HTTP APIs, for tests, the demo and trying things out.

They are written from the providers' reference pages and judged by the providers' own client libraries. They import no
adapter: an adapter that misreads the reference must fail here.
"""

from providers.simulator.faults import Fault
from providers.simulator.fone_dynamics_world import ACCOUNT_SID as FONE_DYNAMICS_ACCOUNT_SID
from providers.simulator.fone_dynamics_world import OTHER_ACCOUNT_SID as OTHER_FONE_DYNAMICS_ACCOUNT_SID
from providers.simulator.fone_dynamics_world import OTHER_TOKEN as OTHER_FONE_DYNAMICS_TOKEN
from providers.simulator.fone_dynamics_world import TOKEN as FONE_DYNAMICS_TOKEN
from providers.simulator.journal import StateMismatch
from providers.simulator.plivo_world import AUTH_ID as PLIVO_AUTH_ID
from providers.simulator.plivo_world import AUTH_TOKEN as PLIVO_AUTH_TOKEN
from providers.simulator.plivo_world import OTHER_AUTH_ID as OTHER_PLIVO_AUTH_ID
from providers.simulator.plivo_world import OTHER_AUTH_TOKEN as OTHER_PLIVO_AUTH_TOKEN
from providers.simulator.signalwire_world import NUMBERS_TOKEN as SIGNALWIRE_NUMBERS_TOKEN
from providers.simulator.signalwire_world import OTHER_PROJECT_ID as OTHER_SIGNALWIRE_PROJECT_ID
from providers.simulator.signalwire_world import OTHER_TOKEN as OTHER_SIGNALWIRE_TOKEN
from providers.simulator.signalwire_world import PROJECT_ID as SIGNALWIRE_PROJECT_ID
from providers.simulator.signalwire_world import SPACE as SIGNALWIRE_SPACE
from providers.simulator.signalwire_world import TOKEN as SIGNALWIRE_TOKEN
from providers.simulator.simulator import Simulator
from providers.simulator.twilio_world import ACCOUNT_SID as TWILIO_ACCOUNT_SID
from providers.simulator.twilio_world import AUTH_TOKEN as TWILIO_AUTH_TOKEN
from providers.simulator.twilio_world import KEY_SECRET as TWILIO_KEY_SECRET
from providers.simulator.twilio_world import KEY_SID as TWILIO_KEY_SID
from providers.simulator.twilio_world import OTHER_ACCOUNT_SID as OTHER_TWILIO_ACCOUNT_SID
from providers.simulator.twilio_world import OTHER_AUTH_TOKEN as OTHER_TWILIO_AUTH_TOKEN

__all__ = [
    "FONE_DYNAMICS_ACCOUNT_SID",
    "FONE_DYNAMICS_TOKEN",
    "OTHER_FONE_DYNAMICS_ACCOUNT_SID",
    "OTHER_FONE_DYNAMICS_TOKEN",
    "OTHER_PLIVO_AUTH_ID",
    "OTHER_PLIVO_AUTH_TOKEN",
    "OTHER_SIGNALWIRE_PROJECT_ID",
    "OTHER_SIGNALWIRE_TOKEN",
    "OTHER_TWILIO_ACCOUNT_SID",
    "OTHER_TWILIO_AUTH_TOKEN",
    "PLIVO_AUTH_ID",
    "PLIVO_AUTH_TOKEN",
    "SIGNALWIRE_NUMBERS_TOKEN",
    "SIGNALWIRE_PROJECT_ID",
    "SIGNALWIRE_SPACE",
    "SIGNALWIRE_TOKEN",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_KEY_SECRET",
    "TWILIO_KEY_SID",
    "Fault",
    "Simulator",
    "StateMismatch",
]
