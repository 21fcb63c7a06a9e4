"""The demo: accounts that talk to the simulator, and a user to look at them. Never touches anything else."""

from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import Group, User

from phone_numbers.encryption import Sealed, UnreadableSecret
from phone_numbers.models import Account
from providers import simulator


class DemoAccount(NamedTuple):
    name: str
    provider: str
    credentials: Mapping[str, str]


def demo_account(name: str, provider: str, **credentials: str) -> DemoAccount:
    return DemoAccount(name, provider, credentials)


DEMO_ACCOUNTS = (
    demo_account("Plivo main", "plivo", auth_id=simulator.PLIVO_AUTH_ID, auth_token=simulator.PLIVO_AUTH_TOKEN),
    demo_account(
        "Plivo logistics",
        "plivo",
        auth_id=simulator.OTHER_PLIVO_AUTH_ID,
        auth_token=simulator.OTHER_PLIVO_AUTH_TOKEN,
    ),
    demo_account("Twilio main", "twilio", account_sid=simulator.TWILIO_ACCOUNT_SID, secret=simulator.TWILIO_AUTH_TOKEN),
    demo_account(
        "Twilio East",
        "twilio",
        account_sid=simulator.OTHER_TWILIO_ACCOUNT_SID,
        secret=simulator.OTHER_TWILIO_AUTH_TOKEN,
    ),
    demo_account(
        "SignalWire main",
        "signalwire",
        space=simulator.SIGNALWIRE_SPACE,
        project_id=simulator.SIGNALWIRE_PROJECT_ID,
        api_token=simulator.SIGNALWIRE_TOKEN,
    ),
    demo_account(
        "SignalWire Labs",
        "signalwire",
        space=simulator.SIGNALWIRE_SPACE,
        project_id=simulator.OTHER_SIGNALWIRE_PROJECT_ID,
        api_token=simulator.OTHER_SIGNALWIRE_TOKEN,
    ),
    demo_account(
        "Fone Dynamics trades",
        "fone_dynamics",
        account_sid=simulator.FONE_DYNAMICS_ACCOUNT_SID,
        token=simulator.FONE_DYNAMICS_TOKEN,
    ),
    demo_account(
        "Fone Dynamics dental",
        "fone_dynamics",
        account_sid=simulator.OTHER_FONE_DYNAMICS_ACCOUNT_SID,
        token=simulator.OTHER_FONE_DYNAMICS_TOKEN,
    ),
)
"""Two of each provider. "Twilio East" is a subaccount of "Twilio main", with credentials of its own."""
DEMO_USER = "demo"
DEMO_PASSWORD = "demo"  # noqa: S105 printed at every start; made in embedded mode only, which listens on this machine
DEMO_ROLE = "operator"


class NoDemo(Exception):
    """This installation has its demo switched off."""


def seed_demo() -> None:
    """Make what is missing of the demo. Raises NoDemo where DEMO is off."""
    if not settings.DEMO:
        raise NoDemo("The demo is switched off (DEMO).")
    opened = opened_by_demo_accounts()
    for account in DEMO_ACCOUNTS:
        if account.credentials not in opened:
            add_account(account)
    if not settings.PRODUCTION:
        add_user()


def opened_by_demo_accounts() -> list[dict[str, str]]:
    """The credentials of the demo accounts there are, whatever they are called by now."""
    found = []
    for account in Account.objects.filter(is_demo=True):
        try:
            found.append(account.credentials.open())
        except UnreadableSecret:
            continue
    return found


def add_account(account: DemoAccount) -> None:
    """Unless somebody else's account has the name."""
    sealed = Sealed.seal(account.credentials)
    Account.objects.get_or_create(
        name=account.name, defaults={"provider": account.provider, "is_demo": True, "credentials": sealed}
    )


def add_user() -> None:
    user, is_new = User.objects.get_or_create(username=DEMO_USER)
    if is_new:
        user.set_password(DEMO_PASSWORD)
        user.save(update_fields=["password"])
        user.groups.set(Group.objects.filter(name=DEMO_ROLE))
    elif not user.is_active and user.check_password(DEMO_PASSWORD):
        User.objects.filter(pk=user.pk).update(is_active=True)


def retire_demo() -> None:
    """Where DEMO is off, nobody may come in by a password that everybody knows. The accounts stay, unsynced."""
    user = User.objects.filter(username=DEMO_USER, is_active=True).first()
    if user and user.check_password(DEMO_PASSWORD):
        User.objects.filter(pk=user.pk).update(is_active=False)
