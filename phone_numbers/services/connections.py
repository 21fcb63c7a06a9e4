"""Opens an account's provider: credentials are decrypted here and nowhere else. Writes nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings

from phone_numbers.encryption import UnreadableSecret
from phone_numbers.models import Account
from providers.contract import Provider, Rate
from providers.errors import AuthenticationFailed, ProviderError, Unsupported
from providers.http import Limits
from providers.limits import Limiter, rate_limiter
from providers.registry import PROVIDERS, open_provider


@contextmanager
def open_account(
    account: Account,
    limits: Limits | None = None,
    *,
    may_call: Callable[[], bool] | None = None,
    may_send: Callable[[], bool] | None = None,
) -> Iterator[Provider]:
    """The account's provider, signed in and limited to its rate. Raises ProviderError.

    `may_call` is asked right before every request, `may_send` right before every write; when one says no, NotSent is
    raised and nothing leaves.
    """
    kind = provider_class(account)
    credentials = open_credentials(account)
    provider = open_provider(
        account.provider,
        credentials,
        base_urls=simulated_hosts(kind, credentials) if account.is_demo else None,
        limiter=shared_limiter(account, kind.capabilities.rate),
        may_call=may_call,
        may_send=may_send,
        limits=limits,
    )
    try:
        yield provider
    finally:
        provider.close()


def provider_class(account: Account) -> type[Provider]:
    try:
        return PROVIDERS[account.provider]
    except KeyError:
        raise Unsupported(f"This server knows no provider called “{account.provider}”.") from None


def open_credentials(account: Account) -> dict[str, str]:
    try:
        credentials = account.credentials.open()
    except UnreadableSecret as error:
        raise AuthenticationFailed(f"{error} Enter them again.") from error
    if not credentials:
        raise AuthenticationFailed("No credentials are stored for this account yet.")
    return credentials


def simulated_hosts(kind: type[Provider], credentials: Mapping[str, str]) -> dict[str, str]:
    return {host: f"{settings.SIMULATOR_URL}/{kind.kind}/{host}" for host in kind.base_urls(credentials)}


def shared_limiter(account: Account, rate: Rate, purpose: str = "") -> Limiter | None:
    """One bucket per account, shared by all workers. The simulator needs no sparing."""
    if account.is_demo:
        return None
    broker = settings.CELERY_BROKER_URL
    return rate_limiter(
        f"{purpose}{account.provider}-{account.pk}",
        rate,
        redis_url=broker if broker.startswith("redis") else None,
        directory=settings.DATA_DIR / "limits",
    )


def in_full(error: ProviderError) -> str:
    """The sentence, with the provider's own words when it does not quote them."""
    if not error.words or error.words.rstrip(".") in str(error):
        return str(error)
    return f"{error} The provider says: “{error.words}”"
