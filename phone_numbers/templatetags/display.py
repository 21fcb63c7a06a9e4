"""How values look: words, icons, times and money. Asks the database nothing."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from phone_numbers.filters.words import in_words
from phone_numbers.models import Account, PhoneNumber, SyncRun
from providers.contract import Provenance, TenDlcStatus
from providers.registry import PROVIDERS

register = template.Library()

Look = tuple[str, str]
GOOD, WARN, BAD, BUSY, QUIET = "good", "warn", "bad", "busy", "quiet"

LOOKS: Mapping[str, Mapping[str, Look]] = {
    "tendlc": {
        "registered": (GOOD, "check-circle"),
        "in_progress": (BUSY, "clock"),
        "unregistered": (WARN, "exclamation-triangle"),
        "failed": (BAD, "x-circle"),
        "unknown": (QUIET, "question-mark-circle"),
    },
    "toll_free": {
        "verified": (GOOD, "check-circle"),
        "pending": (BUSY, "clock"),
        "unverified": (WARN, "exclamation-triangle"),
        "rejected": (BAD, "x-circle"),
        "unknown": (QUIET, "question-mark-circle"),
    },
    "presence": {
        "present": (GOOD, "check"),
        "unconfirmed": (WARN, "question-mark-circle"),
        "missing": (BAD, "exclamation-triangle"),
        "released": (QUIET, "minus-circle"),
    },
    "change": {
        "planned": (QUIET, "clock"),
        "pending": (BUSY, "arrow-path"),
        "sending": (BUSY, "arrow-path"),
        "unknown": (BUSY, "question-mark-circle"),
        "confirmed": (GOOD, "check-circle"),
        "refused": (BAD, "x-circle"),
        "conflict": (WARN, "exclamation-triangle"),
        "mismatch": (WARN, "exclamation-triangle"),
        "failed": (BAD, "x-circle"),
        "cancelled": (QUIET, "minus-circle"),
    },
    "change_set": {
        "draft": (QUIET, "clock"),
        "applying": (BUSY, "arrow-path"),
        "paused": (WARN, "exclamation-triangle"),
        "done": (GOOD, "check-circle"),
        "cancelled": (QUIET, "minus-circle"),
    },
    "run": {
        "queued": (BUSY, "clock"),
        "running": (BUSY, "arrow-path"),
        "complete": (GOOD, "check-circle"),
        "partial": (WARN, "exclamation-triangle"),
        "held": (WARN, "exclamation-triangle"),
        "failed": (BAD, "x-circle"),
        "lost": (BAD, "x-circle"),
    },
    "account": {
        "new": (QUIET, "clock"),
        "ok": (GOOD, "check-circle"),
        "failing": (BAD, "exclamation-triangle"),
        "held": (WARN, "exclamation-triangle"),
        "auth_failed": (BAD, "lock-closed"),
        "wrong_account": (BAD, "x-circle"),
    },
}
INFERRED_LOOKS: Mapping[str, Look] = {
    "registered": (QUIET, "check-circle-outline"),
    "in_progress": (BUSY, "clock"),
    "failed": (BAD, "x-circle"),
}
"""For what a campaign tells; a number without one is unregistered whoever says so."""
CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "AUD": "A$", "CAD": "C$"}


@register.simple_tag
@lru_cache(maxsize=128)
def icon(name: str) -> SafeString:
    """One of the icons that `_icons.html` puts on every page."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#icon-{}"/></svg>', name)


@register.simple_tag
@lru_cache(maxsize=1024, typed=True)
def status(family: str, value: str, title: str = "") -> SafeString:
    """A status by icon, word and colour; what does not apply is only a quiet dash with its meaning for readers."""
    if value == "not_applicable":
        return format_html('<span class="none" title="{0}">–<span class="unseen">{0}</span></span>', in_words(value))
    tone, shape = LOOKS[family].get(value, (QUIET, "question-mark-circle"))
    return as_status(tone, shape, title or in_words(value))


@register.simple_tag
def tendlc_status(number: PhoneNumber) -> SafeString:
    """What is only inferred is never a plain green: it says so, and its icon is an outline."""
    if number.tendlc_provenance != Provenance.INFERRED or number.tendlc_status not in INFERRED_LOOKS:
        return status("tendlc", number.tendlc_status)
    return inferred_status(number.tendlc_status, str(number.account))


@lru_cache(maxsize=1024)
def inferred_status(value: str, account: str) -> SafeString:
    tone, shape = INFERRED_LOOKS[value]
    note = format_html(
        '{} <span class="muted" title="{}">inferred</span>',
        in_words(value),
        f"{account} does not report this of the number: it follows from its campaign.",
    )
    return as_status(tone, shape, note)


@register.filter
def tendlc_provenance(number: PhoneNumber) -> str:
    """Where a 10DLC status is known from, in words; "" where there is none to speak of."""
    if number.tendlc_status in {TenDlcStatus.NOT_APPLICABLE, TenDlcStatus.UNKNOWN}:
        return ""
    provider = provider_title(number.account.provider)
    if number.tendlc_provenance == Provenance.REPORTED:
        return f"Reported by {provider} for this number."
    source = "its campaign" if number.tendlc_campaign_id else "its having no campaign"
    return f"Inferred from {source}; {provider} does not report it for the number."


@register.simple_tag
def as_status(tone: str, shape: str, text: str) -> SafeString:
    return format_html(
        '<span class="status" data-tone="{}">{}<span class="clip">{}</span></span>', tone, icon(shape), text
    )


@register.filter
def words(value: str) -> str:
    return in_words(value)


@register.filter
def provider_title(kind: str) -> str:
    return PROVIDERS[kind].title if kind in PROVIDERS else kind


@register.filter
def provider_beside(account: Account) -> str:
    """The provider's title, where the account's own name does not begin with it."""
    title = provider_title(account.provider)
    return "" if account.name.lower().startswith(title.lower()) else title


@register.filter
@lru_cache(maxsize=1024)
def money(amount: Decimal | None, currency: str = "") -> str:
    """At least two decimals, and as many more as say something: 0.80, 0.0085."""
    if amount is None:
        return ""
    whole, _, cents = f"{amount.normalize():f}".partition(".")
    figure = f"{whole}.{cents:0<2}"
    return f"{CURRENCY_SIGNS[currency]}{figure}" if currency in CURRENCY_SIGNS else f"{figure} {currency}".strip()


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago, or ahead, in one unit: "now", "4 min", "3 h", "12 d"."""
    if moment is None:
        return "never"
    seconds = abs((timezone.now() - moment).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s" if seconds >= 5 else "now"


def as_time(moment: datetime | None, text: str) -> SafeString:
    """The text, with the exact moment behind it."""
    if moment is None:
        return format_html('<span class="none">{}</span>', "never")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        text,
    )


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    text = age(moment)
    is_past = moment is None or moment <= timezone.now()
    return as_time(moment, text if text == "now" else f"{text} ago" if is_past else f"in {text}")


@register.simple_tag
def since(moment: datetime | None) -> SafeString:
    """How long something has lasted: "3 h"."""
    text = age(moment)
    return as_time(moment, "a moment" if text == "now" else text)


@register.simple_tag
def clock(moment: datetime | None) -> SafeString:
    """The time of day, with the day when it is another one: "14:32", "24 Nov 14:32"."""
    if moment is None:
        return as_time(None, "")
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return as_time(moment, f"{local:%H:%M}")
    return as_time(moment, f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}")


@register.filter
def day(value: date | None) -> str:
    return value.isoformat() if value else ""


@register.filter
def figure(count: int) -> str:
    return f"{count:,}"


@register.filter
def duration(run: SyncRun) -> str:
    if not (run.started_at and run.finished_at):
        return ""
    seconds = (run.finished_at - run.started_at).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"
