"""What can go wrong at a provider. `str(error)` is one sentence an operator can read, free of secrets.

ProviderError
├── Transient             the same call may succeed later, after `retry_after` seconds when the provider said so
│   ├── RateLimited       not processed (429)
│   ├── NotSent           we held a call back: whoever asked for it may not make it any more, or not now
│   └── Unavailable       time-out, reset, 5xx: the outcome of a write is unknown
└── Permanent             the same call will fail again
    ├── AuthenticationFailed
    ├── NotFound          no longer in this account
    ├── Rejected          the provider refused the request; `words` quotes it
    ├── Unsupported       we refused before anything was sent
    └── MalformedResponse an answer that is not what the API promises
        └── WrongAccount  the credentials answer for another account than the one stored
"""


class NotWanted(Exception):
    """No failure: the call was not made, because whoever waited for its answer has given up."""


class ProviderError(Exception):
    """Base of every failure a provider call can end in."""

    slug = "provider_error"

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        words: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(sentence)
        self.status = status
        """HTTP status, when there was an answer."""
        self.words = words
        """The provider's own message, at most 500 characters."""
        self.request_id = request_id
        """The provider's reference for a support request."""


class Transient(ProviderError):
    slug = "transient"

    def __init__(
        self,
        sentence: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        words: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(sentence, status=status, words=words, request_id=request_id)
        self.retry_after = retry_after
        """Seconds to wait before the next try, when the provider said so."""


class RateLimited(Transient):
    slug = "rate_limited"


class NotSent(Transient):
    slug = "not_sent"


class Unavailable(Transient):
    slug = "unavailable"


class Permanent(ProviderError):
    slug = "permanent"


class AuthenticationFailed(Permanent):
    slug = "authentication_failed"


class NotFound(Permanent):
    slug = "not_found"


class Rejected(Permanent):
    slug = "rejected"


class Unsupported(Permanent):
    slug = "unsupported"


class MalformedResponse(Permanent):
    slug = "malformed_response"


class WrongAccount(MalformedResponse):
    slug = "wrong_account"
