"""What of a number can be edited, to what, and what else that would change. Asks no provider and writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from phone_numbers.models import Account, Application, PhoneNumber, Subaccount
from phone_numbers.services.connections import provider_class
from providers.contract import Capabilities, EditableField, Route, RouteKind, SideEffect
from providers.errors import Unsupported

Choice = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field of a number as a form offers it, or why it cannot."""

    name: str
    title: str
    value: str
    choices: tuple[Choice, ...] = ()
    """Value and label; empty for free text."""
    max_length: int | None = None
    clearable: bool = True
    note: str = ""
    why_not: str = ""
    """When not empty: it cannot be edited, and this sentence says why."""


def capabilities_of(account: Account) -> Capabilities | None:
    """None for a provider this server does not know."""
    try:
        return provider_class(account).capabilities
    except Unsupported:
        return None


def editable_fields(number: PhoneNumber) -> list[FormField]:
    """Every field its provider lets be edited, then those it names as not editable, with the reason."""
    capabilities = capabilities_of(number.account)
    if capabilities is None:
        return []
    refusals = [
        FormField(name=name, title=title_of(name), value=number.value(name), why_not=sentence)
        for name, sentence in capabilities.why_not.items()
    ]
    return [form_field(number, edit) for edit in capabilities.edits] + refusals


def form_field(number: PhoneNumber, edit: EditableField) -> FormField:
    return FormField(
        name=edit.name,
        title=edit.title,
        value=number.value(edit.name),
        choices=choices_for(number, edit),
        max_length=edit.max_length,
        clearable=edit.clearable,
        note=edit.note,
    )


def title_of(name: str) -> str:
    return name.replace("_", " ").capitalize()


def choices_for(number: PhoneNumber, edit: EditableField) -> tuple[Choice, ...]:
    """The values to choose from: what the provider names, or what of this account can be assigned."""
    if edit.route_kinds:
        return tuple((each.route_key, str(each)) for each in assignable_applications(number.account, edit))
    if edit.name == "subaccount":
        return tuple((each.remote_id, str(each)) for each in usable_subaccounts(number.account))
    return tuple((choice, title_of(choice)) for choice in edit.choices)


def assignable_applications(account: Account, edit: EditableField) -> list[Application]:
    offered = account.applications.filter(kind__in=edit.route_kinds, is_present=True, is_assignable=True)
    return list(offered.defer("payload"))


def usable_subaccounts(account: Account) -> list[Subaccount]:
    return list(account.subaccounts.filter(is_present=True, is_enabled=True))


def refusal_of(number: PhoneNumber, name: str, value: str) -> str:
    """Why this value cannot be asked for, or "": what the provider cannot take, or what is not this account's."""
    capabilities = capabilities_of(number.account)
    if capabilities is None:
        return "This server does not know the number's provider any more."
    edit = capabilities.edit(name)
    if edit is None:
        return capabilities.why_not.get(name, f"{title_of(name)} cannot be edited at this provider.")
    if refusal := edit.refusal(value):
        return refusal
    if value and edit.route_kinds:
        return refusal_of_route(number.account, Route.from_key(value))
    if value and edit.name == "subaccount":
        known = {each.remote_id for each in usable_subaccounts(number.account)}
        return "" if value in known else "This account has no subaccount of that id that can be used."
    return ""


def refusal_of_route(account: Account, route: Route) -> str:
    """A target that has an id at the provider must be one of the account's own."""
    if route.kind == RouteKind.URL:
        return ""
    target = account.applications.filter(kind=route.kind, remote_id=route.target).first()
    if target is None:
        return f"{account} has no {route.kind} of that id."
    if not target.is_present:
        return f"“{target}” was gone when the account was last read."
    return "" if target.is_assignable else (target.why_not or f"“{target}” cannot be assigned to a number.")


def route_label(account_id: int, kind: str, target: str) -> str:
    """What people call a route's target: its name where we know it."""
    if not kind:
        return ""
    known = Application.objects.filter(account=account_id, kind=kind, remote_id=target).only("name", "remote_id")
    found = known.first()
    return str(found) if found else target


def value_label(number: PhoneNumber, name: str, value: str) -> str:
    """A field's value in a sentence: a route by its target's name, nothing as “nothing”."""
    route = Route.from_key(value)
    if name in ("voice", "messages") and route.kind:
        value = route_label(number.account_id, route.kind, route.target)
    return f"“{value}”" if value else "nothing"


def preview(number: PhoneNumber, desired: Mapping[str, str]) -> tuple[SideEffect, ...]:
    """What else would change. Nothing for a provider that cannot tell."""
    try:
        kind = provider_class(number.account)
        return kind.preview({edit.name: number.value(edit.name) for edit in kind.capabilities.edits}, desired)
    except Unsupported:
        return ()
