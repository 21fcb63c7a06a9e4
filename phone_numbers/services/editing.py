"""What of a number can be edited, to what, and what else that would change. Asks no provider and writes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from phone_numbers.models import Account, PhoneNumber, Subaccount
from phone_numbers.services.connections import provider_class
from phone_numbers.services.route_choices import (
    Barred,
    Choice,
    RouteChoices,
    TypedKind,
    normalised_route,
    refusal_of_kind,
    refusal_of_target,
    route_choices,
    route_label,
)
from providers.contract import Capabilities, EditableField, Route, SideEffect
from providers.errors import Unsupported
from providers.registry import PROVIDERS

SPELLED = {
    "e164": "Number",
    "number_type": "Type",
    "tendlc_status": "10DLC status",
    "tendlc_campaign_id": "10DLC campaign",
    "toll_free_status": "Toll-free verification",
    "sms_rate": "Rate per SMS",
    "mms_rate": "Rate per MMS",
    "voice_rate": "Rate per call minute",
    "renewal_date": "Renewal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field of a number as a form offers it, or why it cannot."""

    name: str
    title: str
    value: str
    choices: tuple[Choice, ...] = ()
    """Value and label; empty for free text, and for a route without anything to choose from."""
    typed: tuple[TypedKind, ...] = ()
    """For a route: the kinds of target that are typed in."""
    barred: tuple[Barred, ...] = ()
    """For a route: the kinds that cannot be chosen, and why."""
    max_length: int | None = None
    clearable: bool = True
    keep_why: str = ""
    """Why it cannot be cleared, when it cannot."""
    note: str = ""
    why_not: str = ""
    """When not empty: it cannot be edited, and this sentence says why."""


def capabilities_of(account: Account) -> Capabilities | None:
    """None for a provider this server does not know."""
    provider = PROVIDERS.get(account.provider)
    return provider.capabilities if provider else None


def edit_of(account: Account, name: str) -> EditableField | None:
    """How the provider lets this field be edited; None when it does not."""
    capabilities = capabilities_of(account)
    return capabilities.edit(name) if capabilities else None


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
    routes = route_choices(number.account, edit)
    return FormField(
        name=edit.name,
        title=edit.title,
        value=number.value(edit.name),
        choices=choices_for(number, edit, routes),
        typed=routes.typed,
        barred=routes.barred,
        max_length=edit.max_length,
        clearable=edit.clearable,
        keep_why=edit.refusal(""),
        note=edit.note,
        why_not=lock_of(number, edit),
    )


def lock_of(number: PhoneNumber, edit: EditableField) -> str:
    """Why this field cannot be changed while the number goes where it goes, or ""."""
    return edit.locked_by.get(Route.from_key(number.value(edit.name)).kind, "") if edit.locked_by else ""


def normalised(number: PhoneNumber, name: str, value: str) -> str:
    """A typed value as it is stored and sent."""
    edit = edit_of(number.account, name)
    if edit is None or not edit.route_kinds:
        return value.strip()
    return normalised_route(number.account, value, number.country)


def title_of(name: str) -> str:
    return SPELLED.get(name) or name.replace("_", " ").capitalize().replace("Cnam", "CNAM")


def choices_for(number: PhoneNumber, edit: EditableField, routes: RouteChoices) -> tuple[Choice, ...]:
    """The values to choose from: what the provider names, or what of this account can be assigned."""
    if edit.route_kinds:
        return routes.listed
    if edit.name == "subaccount":
        return tuple((each.remote_id, str(each)) for each in usable_subaccounts(number.account))
    return tuple((choice, title_of(choice)) for choice in edit.choices)


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
    if refusal := lock_of(number, edit) or refusal_of_kind(number.account, edit, value) or edit.refusal(value):
        return refusal
    if value and edit.route_kinds:
        return refusal_of_target(number.account, Route.from_key(value))
    if value and edit.name == "subaccount":
        known = {each.remote_id for each in usable_subaccounts(number.account)}
        return "" if value in known else "This account has no subaccount of that id that can be used."
    return ""


def value_label(number: PhoneNumber, name: str, value: str) -> str:
    """A field's value in a sentence: a route by its target's name, nothing as “nothing”."""
    route = Route.from_key(value)
    if name in ("voice", "messages") and route.kind:
        value = route_label(number.account_id, route.kind, route.target)
    return f"“{value}”" if value else "nothing"


def preview(number: PhoneNumber, desired: Mapping[str, str]) -> tuple[SideEffect, ...]:
    """What else would change, in words for people. Nothing for a provider that cannot tell."""
    effects = side_effects(number, desired)
    values = (*desired.values(), number.voice.key, number.messages.key)
    return with_names(number, effects, values) if effects else ()


def side_effects(number: PhoneNumber, desired: Mapping[str, str]) -> tuple[SideEffect, ...]:
    """The same in the adapter's words, with the provider's ids in them. Asks not even the database."""
    try:
        kind = provider_class(number.account)
        current = {edit.name: number.value(edit.name) for edit in kind.capabilities.edits}
        return kind.preview(current, desired)
    except Unsupported:
        return ()


def with_names(number: PhoneNumber, effects: Iterable[SideEffect], values: Iterable[str]) -> tuple[SideEffect, ...]:
    """The same, with every route's target called by its name where we know it."""
    targets = [Route.from_key(value).target for value in values if ":" in value]
    known = number.account.applications.filter(remote_id__in=targets).exclude(name="").only("remote_id", "name")
    names = {each.remote_id: f"“{each}”" for each in known}

    def named(sentence: str) -> str:
        return reduce(lambda text, target: text.replace(target, names[target]), names, sentence)

    return tuple(replace(effect, sentence=named(effect.sentence)) for effect in effects)
