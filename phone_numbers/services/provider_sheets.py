"""What each provider reports of a number, what of it can be changed, and why not: as its adapter declares it.

The one source of the page about providers, of docs/providers.md, and of the hints on a number's page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from phone_numbers.services.editing import title_of
from providers.contract import Capabilities, EditableField, Provider

FIELDS: Mapping[str, str] = {
    "alias": "Alias",
    "voice": "Voice route",
    "messages": "Message route",
    "subaccount": "Subaccount",
    "number_type": "Type",
    "services": "Services",
    "country": "Country",
    "region": "Region",
    "city": "City",
    "carrier": "Carrier",
    "provider_status": "Provider's status",
    "tendlc": "10DLC status and campaign",
    "toll_free": "Toll-free verification",
    "cnam": "Caller ID name",
    "cnam_lookup": "CNAM lookup",
    "e911": "E911",
    "monthly_rate": "Monthly rate",
    "voice_rate": "Rate per call minute",
    "sms_rate": "Rate per SMS",
    "mms_rate": "Rate per MMS",
    "added_on": "Added",
    "renewal_date": "Renewal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One field of a number at one provider."""

    name: str
    title: str
    is_read: bool
    is_edited: bool
    sentence: str
    """What an edit is limited to, or why there is none."""
    has_reason: bool
    """Whether the provider has a reason of its own for what cannot be edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSheet:
    kind: str
    title: str
    facts: tuple[tuple[str, str], ...]
    rules: tuple[FieldRule, ...]

    def rule(self, name: str) -> FieldRule | None:
        return next((rule for rule in self.rules if rule.name == name), None)


def provider_sheet(provider: type[Provider]) -> ProviderSheet:
    capabilities = provider.capabilities
    own = [edit.name for edit in capabilities.edits if edit.name not in FIELDS]
    return ProviderSheet(
        kind=provider.kind,
        title=provider.title,
        facts=tuple(facts(provider)),
        rules=tuple(field_rule(provider, name) for name in (*FIELDS, *own)),
    )


def facts(provider: type[Provider]) -> Iterable[tuple[str, str]]:
    capabilities = provider.capabilities
    yield "Credentials", ", ".join(field.title for field in provider.credential_fields)
    yield "Numbers per page", str(capabilities.page_size)
    yield "Requests at most", f"{capabilities.rate.requests} in {capabilities.rate.seconds:g} s"
    if "tendlc" in capabilities.reads:
        yield "10DLC status", "asked for separately" if capabilities.compliance_is_separate else "on the number"
    if capabilities.reclaim_days is not None:
        yield "A released number can be had back for", f"{capabilities.reclaim_days} days"


def field_rule(provider: type[Provider], name: str) -> FieldRule:
    capabilities = provider.capabilities
    edit = capabilities.edit(name)
    return FieldRule(
        name=name,
        title=edit.title if edit else FIELDS.get(name, title_of(name)),
        is_read=edit is not None or name in capabilities.reads,
        is_edited=edit is not None,
        sentence=limits(provider, edit) if edit else why_not(provider.title, capabilities, name),
        has_reason=name in capabilities.why_not,
    )


def why_not(title: str, capabilities: Capabilities, name: str) -> str:
    plain = "Read only." if name in capabilities.reads else f"{title} does not report it."
    return capabilities.why_not.get(name, plain)


def limits(provider: type[Provider], edit: EditableField) -> str:
    kinds = [provider.route_titles.get(kind, kind.replace("_", " ").capitalize()) for kind in edit.route_kinds]
    said = [
        f"To: {', '.join(kinds)}." if kinds else "",
        f"One of: {', '.join(edit.choices)}." if edit.choices else "",
        f"At most {edit.max_length} characters." if edit.max_length else "",
        "" if edit.clearable else "Cannot be cleared.",
        edit.note,
    ]
    return " ".join(part for part in said if part)
