"""What every provider adapter offers, in Numberdesk's words.

An adapter subclasses `Provider` once. What it does not override refuses with `Unsupported`, so nothing is ever
silently skipped. Values cross this border already translated; provider vocabularies stay inside the adapters.
"""

import datetime as dt
from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from providers.errors import Unsupported
from providers.paging import Page

if TYPE_CHECKING:
    from providers.http import HttpClient


class NumberType(StrEnum):
    LOCAL = "local"
    MOBILE = "mobile"
    NATIONAL = "national"
    FIXED = "fixed"
    TOLL_FREE = "toll_free"
    SHARED_RATE = "shared_rate"
    LONGCODE = "longcode"
    UNKNOWN = "unknown"


class Service(StrEnum):
    VOICE = "voice"
    SMS = "sms"
    MMS = "mms"
    FAX = "fax"


class TenDlcStatus(StrEnum):
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    UNREGISTERED = "unregistered"
    IN_PROGRESS = "in_progress"
    REGISTERED = "registered"
    FAILED = "failed"


class Provenance(StrEnum):
    """How a compliance status is known: the provider says so of this number, or it follows from something else."""

    REPORTED = "reported"
    INFERRED = "inferred"


class TollFreeStatus(StrEnum):
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    UNVERIFIED = "unverified"
    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"


class RouteKind(StrEnum):
    """The kinds of target every provider shares. An adapter may name further kinds of its own."""

    NONE = ""
    APPLICATION = "application"
    TRUNK = "trunk"
    URL = "url"


class TargetForm(StrEnum):
    """How the target of a route is given, and so how it is checked."""

    LISTED = "listed"
    """The id of one of the account's applications, trunks …"""
    URL = "url"
    NUMBER = "number"
    """A phone number, as E.164."""
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where calls, or messages, of a number go. `key` is its one-string form, "" when routed nowhere."""

    kind: str = RouteKind.NONE
    target: str = ""
    label: str = ""
    fallback: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.target}" if self.kind else ""

    @classmethod
    def from_key(cls, key: str) -> "Route":
        kind, _, target = key.partition(":")
        return cls(kind=kind, target=target)


NOWHERE = Route()


@dataclass(frozen=True, slots=True, kw_only=True)
class TenDlc:
    status: TenDlcStatus = TenDlcStatus.NOT_APPLICABLE
    campaign_id: str = ""
    provenance: Provenance = Provenance.REPORTED


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteNumber:
    """One number as the provider reports it. `None` in `tendlc` or `toll_free` means: the row does not say."""

    id: str
    e164: str
    alias: str = ""
    number_type: NumberType = NumberType.UNKNOWN
    country: str = ""
    """ISO 3166 alpha-2, "" when it cannot be told."""
    region: str = ""
    city: str = ""
    subaccount: str = ""
    carrier: str = ""
    provider_status: str = ""
    services: frozenset[Service] = frozenset()
    voice: Route = NOWHERE
    messages: Route = NOWHERE
    shadowed_voice: tuple[Route, ...] = ()
    """Configured at the provider, but ignored by its precedence."""
    shadowed_messages: tuple[Route, ...] = ()
    tendlc: TenDlc | None = None
    toll_free: TollFreeStatus | None = None
    monthly_rate: Decimal | None = None
    sms_rate: Decimal | None = None
    mms_rate: Decimal | None = None
    voice_rate: Decimal | None = None
    currency: str = ""
    added_on: dt.date | None = None
    renewal_date: dt.date | None = None
    cnam: str = ""
    cnam_lookup: str = ""
    e911: str = ""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Further settings that only this provider has, by name; some may be editable."""
    surprises: tuple[str, ...] = ()
    """Fields and values this adapter does not know yet, as `field` or `field=value`."""
    payload: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The provider's row, untouched but for secrets."""
    digest: str = field(default="", compare=False)
    """Of all this was read from. "" of an adapter that reads every row it lists: it is made of the reading then."""

    def value(self, name: str) -> str:
        """The present value of an editable field, in the form a `NumberEdit` uses."""
        if name in self.extras:
            return self.extras[name]
        value = getattr(self, name, "")
        return value.key if isinstance(value, Route) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteApplication:
    """Something calls or messages can be routed to and that has an id at the provider."""

    id: str
    kind: str = RouteKind.APPLICATION
    name: str = ""
    voice_url: str = ""
    message_url: str = ""
    fallback_url: str = ""
    subaccount: str = ""
    assignable: bool = True
    why_not: str = ""
    """Why a number must not be routed here, when `assignable` is False."""
    payload: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSubaccount:
    id: str
    name: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """10DLC and toll-free facts that are not on the number's own row."""

    tendlc: TenDlc | None = None
    toll_free: TollFreeStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffect:
    """What an edit would change besides the edited field."""

    field: str
    sentence: str
    is_inherent: bool = False
    """Every such edit brings it about, and it takes nothing away: worth showing, not worth asking twice."""


NumberEdit = Mapping[str, str]
"""Field name to desired value; "" clears. Routes are given by their `key`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableField:
    name: str
    title: str
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    route_kinds: tuple[str, ...] = ()
    """For a route: the kinds of target this provider accepts."""
    route_why_not: Mapping[str, str] = field(default_factory=dict)
    """For a kind of target that is shown but not accepted: the reason, as a sentence."""
    locked_by: Mapping[str, str] = field(default_factory=dict)
    """For a kind of target that nothing else can replace while the number has it: the reason, as a sentence."""
    clearable: bool = True
    settles_slowly: bool = False
    """The provider may say yes long before it shows the new value."""
    note: str = ""

    def refusal(self, value: str) -> str:
        """Why this value cannot be sent, or ""."""
        if value == "":
            return "" if self.clearable else f"{self.title} cannot be cleared at this provider."
        if self.max_length is not None and len(value) > self.max_length:
            return f"{self.title} is {len(value)} characters long; the provider takes at most {self.max_length}."
        if any(ord(character) < 32 for character in value):
            return f"{self.title} must be one line of plain text."
        if self.choices and value not in self.choices:
            return f"{self.title} must be one of: {', '.join(self.choices)}."
        kind = Route.from_key(value).kind
        if self.route_kinds and kind not in self.route_kinds:
            return self.route_why_not.get(kind) or f"{self.title} can only go to: {', '.join(self.route_kinds)}."
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `requests` in any window of `seconds`."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do, as data: forms, buttons and the documentation's matrix are drawn from it."""

    page_size: int
    rate: Rate
    max_in_flight: int = 4
    reads: tuple[str, ...] = ()
    """The fields of a `RemoteNumber` this provider ever fills; the others are empty because it does not tell them."""
    edits: tuple[EditableField, ...] = ()
    why_not: Mapping[str, str] = field(default_factory=dict)
    """For a field that cannot be edited: the provider's reason, as a sentence."""
    compliance_is_separate: bool = False
    """10DLC facts are not on the number's row: `Provider.compliance` must be asked."""
    reclaim_days: int | None = None

    def edit(self, name: str) -> EditableField | None:
        for edit in self.edits:
            if edit.name == name:
                return edit
        return None

    def check(self, edit: NumberEdit) -> None:
        """Refuse, before anything is sent, what this provider does not take. Raises Unsupported."""
        for name, value in edit.items():
            declared = self.edit(name)
            if declared is None:
                raise Unsupported(self.why_not.get(name, f"{name} cannot be edited at this provider."))
            if refusal := declared.refusal(value):
                raise Unsupported(refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialField:
    name: str
    title: str
    secret: bool = True
    pattern: str = ""
    """A regular expression the whole value must match."""
    optional: bool = False
    """It may be left out."""
    hint: str = ""


class Provider(ABC):
    """One account at one provider. Not thread-safe unless an adapter says so; close it when done."""

    kind: ClassVar[str]
    title: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    credential_fields: ClassVar[tuple[CredentialField, ...]]
    allowed_calls: ClassVar[tuple[tuple[str, str], ...]]
    """(method, regular expression of the whole path): any other call is refused by the HTTP client."""
    route_titles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"application": "Application", "trunk": "Trunk", "url": "URL"}
    )
    target_forms: ClassVar[Mapping[str, TargetForm]] = MappingProxyType(
        {"application": TargetForm.LISTED, "trunk": TargetForm.LISTED, "url": TargetForm.URL}
    )
    """By kind of route; a kind that is not named here takes text."""
    precedence: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """For `voice` and `messages`: which of several settings is in force, as a sentence."""
    fallback_fields: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType({})
    """For `voice` and `messages`: kind of route to the field of the payload that says where to turn when it fails."""

    def __init__(self, credentials: Mapping[str, str], http: "HttpClient") -> None:
        self.credentials = credentials
        self.http = http
        self.missing_scopes: list[str] = []
        """What these credentials were found not to open while reading, a sentence each."""
        self.unlisted_kinds: set[str] = set()
        """What `list_applications` would have to list too, and could not: nothing of it is known to be gone."""

    @classmethod
    def base_urls(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """The hosts this provider is spoken to at, by a short name; "api" is the default one."""
        raise Unsupported(f"{cls.title} does not say where it lives.")

    @classmethod
    def authorization(cls, credentials: Mapping[str, str]) -> tuple[str, str]:
        """The user name and password of HTTP Basic authentication."""
        raise Unsupported(f"{cls.title} does not say how to sign in.")

    @classmethod
    def error_words(cls, body: Any) -> str:
        """The provider's own message in an error's decoded body. "" leaves it to the shapes that are usual."""
        return ""

    def whoami(self) -> str:
        """The provider's id of the account these credentials open."""
        raise Unsupported(f"{self.title} cannot tell which account this is.")

    def list_numbers(self) -> Iterator[Page]:
        """Every number, page after page. Running to the end means the listing is complete; else it raises."""
        raise Unsupported(f"{self.title} cannot list numbers.")

    def get(self, number_id: str) -> RemoteNumber:
        """One number. Raises NotFound when it is no longer in this account."""
        raise Unsupported(f"{self.title} cannot read a single number.")

    def send_edit(self, number_id: str, edit: NumberEdit) -> None:
        """Send only the given fields. Returning means the provider accepted them, not that they are in force."""
        raise Unsupported(f"{self.title} cannot edit numbers.")

    def update(self, number_id: str, edit: NumberEdit) -> RemoteNumber:
        """Check, send, and return what a read-back says. Callers compare it with what they asked for."""
        self.capabilities.check(edit)
        self.send_edit(number_id, edit)
        return self.get(number_id)

    @classmethod
    def preview(cls, current: NumberEdit, edit: NumberEdit) -> tuple[SideEffect, ...]:
        """What else would change, from the number's current editable values. Asks nobody."""
        raise Unsupported(f"{cls.title} cannot preview an edit.")

    def list_applications(self) -> Iterator[RemoteApplication]:
        raise Unsupported(f"{self.title} has no applications.")

    def list_subaccounts(self) -> Iterator[RemoteSubaccount]:
        raise Unsupported(f"{self.title} has no subaccounts.")

    def compliance(self) -> Mapping[str, Compliance]:
        """Number id to the facts that are not on its row, when `capabilities.compliance_is_separate`."""
        raise Unsupported(f"{self.title} keeps compliance on the number.")

    @classmethod
    def console_url(cls, number_id: str) -> str:
        """The number's page in the provider's own console, or ""."""
        return ""

    def note_missing(self, sentence: str) -> None:
        """For an adapter that goes on without something these credentials do not open."""
        if sentence not in self.missing_scopes:
            self.missing_scopes.append(sentence)

    def close(self) -> None:
        self.http.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
