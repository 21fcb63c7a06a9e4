"""How many numbers the accounts of the demo hold, so that one large account stands among seven of ordinary size."""

from collections.abc import Mapping

from providers.simulator import fone_dynamics_world, plivo_world, signalwire_world, twilio_world

DEMO_SIZES: Mapping[str, int] = {
    plivo_world.OTHER_AUTH_ID: 180,
    twilio_world.ACCOUNT_SID: 420,
    twilio_world.OTHER_ACCOUNT_SID: 90,
    signalwire_world.PROJECT_ID: 360,
    signalwire_world.OTHER_PROJECT_ID: 120,
    fone_dynamics_world.ACCOUNT_SID: 240,
    fone_dynamics_world.OTHER_ACCOUNT_SID: 60,
}
"""At most. Plivo's first account is not here: it holds all the numbers a world is asked for."""
