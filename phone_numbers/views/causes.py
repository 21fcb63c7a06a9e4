"""Why a sync did not end well, in words, and what a person can do about it."""

from dataclasses import dataclass
from enum import StrEnum

from phone_numbers.filters.words import in_words


class Step(StrEnum):
    """Where a person can do something about it."""

    NOTHING = ""
    SETTINGS = "settings"
    HOLD = "hold"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Cause:
    title: str
    advice: str
    step: Step = Step.NOTHING


BY_ITSELF = "Nothing to do: it is tried again by itself, and until then the numbers stay as they were last read."
ANEW = "Enter the credentials anew. Until then the numbers stay as they were last read."
OURS = "If it comes again, report it with what the log of the worker says."

CAUSES = {
    "rate_limited": Cause(
        "Rate limited",
        "Nothing to do: Numberdesk waits as long as the provider asks for. If it goes on, sync less often.",
        Step.SETTINGS,
    ),
    "unavailable": Cause("Provider unavailable", BY_ITSELF),
    "transient": Cause("Provider unavailable", BY_ITSELF),
    "authentication_failed": Cause("Credentials refused", ANEW, Step.SETTINGS),
    "wrong_account": Cause("Wrong account", "Enter the credentials of the account it was connected as.", Step.SETTINGS),
    "not_found": Cause("Not found", "Look whether the account still exists at its provider.", Step.SETTINGS),
    "rejected": Cause("Request refused", "Look whether the credentials may read numbers.", Step.SETTINGS),
    "permanent": Cause("Request refused", "Look whether the credentials may read numbers.", Step.SETTINGS),
    "unsupported": Cause("Not supported", "Look whether this version of Numberdesk knows the provider."),
    "malformed_response": Cause(
        "Answer not understood",
        "The next sync tries again. If it goes on, the provider has changed its API: look for a newer version.",
    ),
    "provider_error": Cause("Provider failed", BY_ITSELF),
    "not_sent": Cause("Not sent", BY_ITSELF),
    "moving_list": Cause("List moved while read", "Nothing to do: the next sync reads it again."),
    "held": Cause("Held", "Look at what would vanish, then accept it or keep all.", Step.HOLD),
    "lost": Cause("Worker lost", "The next sync starts afresh. If it comes again, look at the workers.", Step.HEALTH),
    "internal_error": Cause("Numberdesk failed", OURS, Step.HEALTH),
}


def cause_of(slug: str) -> Cause | None:
    """Nothing for a sync that ended well."""
    if not slug:
        return None
    return CAUSES.get(slug) or Cause(in_words(slug), BY_ITSELF)
