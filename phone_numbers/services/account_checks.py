"""What an account's credentials open, found out by asking its provider. Stores nothing but the account's id there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from phone_numbers.models import Account
from phone_numbers.services.accounts import check_identity
from phone_numbers.services.connections import in_full, open_account
from providers.contract import Provider, RemoteNumber, Service
from providers.errors import ProviderError, Unsupported

SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Finding:
    title: str
    sentence: str
    ok: bool = True
    """False: the account cannot be read."""


def check_account(account: Account) -> Iterator[Finding]:
    """One finding after the other, as they come. One that is not ok is the last. Never raises ProviderError."""
    try:
        with open_account(account) as provider:
            yield Finding("Account", check_identity(account, provider))
            yield from read_numbers(provider)
            yield read_list("Applications", provider.list_applications)
            yield read_list("Subaccounts", provider.list_subaccounts)
            if provider.capabilities.compliance_is_separate:
                yield Finding("Compliance", f"10DLC or toll-free status of {len(provider.compliance()):,} numbers")
            yield from (Finding("Not open", sentence) for sentence in provider.missing_scopes)
    except ProviderError as error:
        yield Finding("Problem", in_full(error), ok=False)


def read_numbers(provider: Provider) -> Iterator[Finding]:
    """How many there are, as the provider counts them or else counted here, and the first few."""
    count: int | None = None
    seen = 0
    sample: list[RemoteNumber] = []
    for page in provider.list_numbers():
        seen += len(page.rows)
        sample += [row.read() for row in page.rows[: SAMPLE - len(sample)]]
        count = page.total
        if count is not None and len(sample) >= min(SAMPLE, count):
            break
    yield Finding("Numbers", f"{seen if count is None else count:,}")
    yield from (Finding("", in_brief(number)) for number in sample)


def in_brief(number: RemoteNumber) -> str:
    services = ", ".join(each for each in Service if each in number.services) or "no service"
    return " · ".join(filter(None, (number.e164, number.alias, number.number_type, services, number.voice.key)))


def read_list(title: str, listing: Callable[[], Iterable[object]]) -> Finding:
    try:
        return Finding(title, f"{sum(1 for _ in listing()):,}")
    except Unsupported as error:
        return Finding(title, str(error))
