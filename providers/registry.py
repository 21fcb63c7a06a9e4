"""Which providers there are, and how one is opened."""

from collections.abc import Callable, Mapping

from providers.contract import Provider
from providers.errors import Unsupported
from providers.fone_dynamics import FoneDynamics
from providers.http import HttpClient, Limits
from providers.limits import Limiter
from providers.plivo import Plivo
from providers.signalwire import SignalWire
from providers.twilio import Twilio

PROVIDERS: Mapping[str, type[Provider]] = {
    provider.kind: provider for provider in (Plivo, Twilio, SignalWire, FoneDynamics)
}


def open_provider(
    kind: str,
    credentials: Mapping[str, str],
    *,
    base_urls: Mapping[str, str] | None = None,
    limiter: Limiter | None = None,
    may_call: Callable[[], bool] | None = None,
    may_send: Callable[[], bool] | None = None,
    limits: Limits | None = None,
    sleep: Callable[[float], object] | None = None,
) -> Provider:
    """One account at one provider, to be closed after use. Sends nothing yet.

    `base_urls` replaces the provider's own hosts; `limiter` is waited for before every request;
    `may_call` is asked after that, right before every request, and `may_send` right before every write.
    """
    provider = PROVIDERS.get(kind)
    if provider is None:
        raise Unsupported(f"There is no provider called {kind!r}.")
    http = HttpClient(
        base_urls or provider.base_urls(credentials),
        provider.authorization(credentials),
        allowed_calls=provider.allowed_calls,
        limiter=limiter,
        may_call=may_call or (lambda: True),
        may_send=may_send or (lambda: True),
        limits=limits or Limits(),
        title=provider.title,
        error_words=provider.error_words,
        sleep=sleep,
    )
    return provider(credentials, http)
