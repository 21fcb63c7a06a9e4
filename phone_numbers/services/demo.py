"""The demo: accounts that talk to the simulator, and a user to look at them. Never touches anything else."""

from django.conf import settings
from django.contrib.auth.models import Group, User

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account
from providers import simulator

DEMO_ACCOUNTS = (
    ("Plivo demo", "plivo", {"auth_id": simulator.PLIVO_AUTH_ID, "auth_token": simulator.PLIVO_AUTH_TOKEN}),
)
DEMO_USER = "demo"
DEMO_PASSWORD = "demo"  # noqa: S105 printed at every start; made in embedded mode only, which listens on this machine
DEMO_ROLE = "operator"


class NoDemo(Exception):
    """This installation has its demo switched off."""


def seed_demo() -> None:
    """Make what is missing of the demo. Raises NoDemo where DEMO is off."""
    if not settings.DEMO:
        raise NoDemo("The demo is switched off (DEMO).")
    for name, provider, credentials in DEMO_ACCOUNTS:
        add_account(name, provider, credentials)
    if not settings.PRODUCTION:
        add_user()


def add_account(name: str, provider: str, credentials: dict[str, str]) -> None:
    """Unless it is there, or somebody else's account has the name."""
    Account.objects.get_or_create(
        name=name, defaults={"provider": provider, "is_demo": True, "credentials": Sealed.seal(credentials)}
    )


def add_user() -> None:
    user, is_new = User.objects.get_or_create(username=DEMO_USER)
    if is_new:
        user.set_password(DEMO_PASSWORD)
        user.save(update_fields=["password"])
        user.groups.set(Group.objects.filter(name=DEMO_ROLE))
