"""Where calls or messages of a number can be sent: what to choose from, what to type, what neither. Writes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

import phonenumbers

from phone_numbers.models import Account, Application
from phone_numbers.services.columns import LENGTHS
from providers.contract import EditableField, Route, TargetForm
from providers.registry import PROVIDERS

Choice = tuple[str, str]

WHAT_TO_TYPE: Mapping[TargetForm, str] = {
    TargetForm.URL: "An address that begins with https:// or http://.",
    TargetForm.NUMBER: "A phone number in any spelling, such as +61 2 5550 1234.",
    TargetForm.TEXT: "Its name or id, as the provider shows it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedKind:
    """A kind of target that has no list to choose from."""

    kind: str
    title: str
    form: TargetForm
    what_to_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Kinds of target that cannot be chosen, and why."""

    titles: str
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteChoices:
    listed: tuple[Choice, ...] = ()
    """Route key and label of what the account has."""
    typed: tuple[TypedKind, ...] = ()
    barred: tuple[Barred, ...] = ()


def route_choices(account: Account, edit: EditableField) -> RouteChoices:
    """For a field that is a route; of another one, nothing."""
    listed = assignable_applications(account, edit)
    return RouteChoices(
        listed=tuple((each.route_key, str(each)) for each in listed),
        typed=tuple(typed_kinds(account, edit)),
        barred=tuple(barred_kinds(account, edit, {each.kind for each in listed})),
    )


def assignable_applications(account: Account, edit: EditableField) -> list[Application]:
    offered = account.applications.filter(kind__in=edit.route_kinds, is_present=True, is_assignable=True)
    return list(offered.defer("payload"))


def typed_kinds(account: Account, edit: EditableField) -> Iterator[TypedKind]:
    for kind in edit.route_kinds:
        form = target_form(account, kind)
        if form != TargetForm.LISTED:
            yield TypedKind(kind=kind, title=kind_title(account, kind), form=form, what_to_type=WHAT_TO_TYPE[form])


def barred_kinds(account: Account, edit: EditableField, listed: set[str]) -> Iterator[Barred]:
    """What the provider does not take, kinds of the same reason together; and lists that are empty."""
    for why_not, kinds in groupby(edit.route_why_not, key=lambda kind: edit.route_why_not[kind]):
        yield Barred(titles=", ".join(kind_title(account, kind) for kind in kinds), why_not=why_not)
    for kind in edit.route_kinds:
        if target_form(account, kind) == TargetForm.LISTED and kind not in listed:
            yield Barred(titles=kind_title(account, kind), why_not=f"{account} has none that can be assigned.")


def refusal_of_kind(account: Account, edit: EditableField, value: str) -> str:
    """Why a field that is a route cannot go to this kind of target, or ""."""
    kind = Route.from_key(value).kind
    if not value or not edit.route_kinds or kind in edit.route_kinds:
        return ""
    known = ", ".join(kind_title(account, each) for each in edit.route_kinds)
    return edit.route_why_not.get(kind) or f"{edit.title} can only go to: {known}."


def refusal_of_target(account: Account, route: Route) -> str:
    """Why nothing can be sent there, or "": a target with an id at the provider must be one of the account's own."""
    form, title = target_form(account, route.kind), kind_title(account, route.kind)
    if form == TargetForm.LISTED:
        return refusal_of_application(account, route)
    if not route.target:
        return f"Enter the {title}." if form != TargetForm.TEXT else f"Enter the name or id of the {title}."
    if len(route.target) > LENGTHS["voice_target"]:
        return f"{title}: at most {LENGTHS['voice_target']} characters."
    if form == TargetForm.URL and not is_url(route.target):
        return f"“{route.target}” is not a whole address: it begins with https:// or http:// and names a host."
    if form == TargetForm.NUMBER and as_e164(route.target, "") != route.target:
        return f"“{route.target}” is not a phone number. Enter it with its country code, such as +61 2 5550 1234."
    return ""


def refusal_of_application(account: Account, route: Route) -> str:
    target = account.applications.filter(kind=route.kind, remote_id=route.target).first()
    if target is None:
        return f"{account} has no {kind_title(account, route.kind).lower()} of that id."
    if not target.is_present:
        return f"“{target}” was gone when the account was last read."
    return "" if target.is_assignable else (target.why_not or f"“{target}” cannot be assigned to a number.")


def is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return has_host and text.startswith(("https://", "http://")) and not any(each.isspace() for each in text)


def as_e164(text: str, country: str) -> str:
    """A phone number in any spelling, dialled in `country` where it names none; "" when it is no number."""
    try:
        parsed = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return ""
    is_whole = phonenumbers.is_possible_number if text.startswith("+") else phonenumbers.is_valid_number
    if parsed.extension or not is_whole(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def normalised_route(account: Account, key: str, country: str) -> str:
    """The route as it is stored and sent."""
    route = Route.from_key(key)
    target = route.target.strip()
    if target_form(account, route.kind) == TargetForm.NUMBER:
        target = as_e164(target, country) or target
    return Route(kind=route.kind, target=target).key


def target_form(account: Account, kind: str) -> TargetForm:
    provider = PROVIDERS.get(account.provider)
    return provider.target_forms.get(kind, TargetForm.TEXT) if provider else TargetForm.TEXT


def kind_title(account: Account, kind: str) -> str:
    """What its provider calls a kind of target."""
    titles = provider.route_titles if (provider := PROVIDERS.get(account.provider)) else {}
    return titles.get(kind) or kind.replace("_", " ").capitalize()


def precedence(account: Account, field: str) -> str:
    """Which of several settings of this field is in force, or "" when the provider has only one."""
    provider = PROVIDERS.get(account.provider)
    return provider.precedence.get(field, "") if provider else ""


def route_label(account_id: int, kind: str, target: str) -> str:
    """What people call a route's target: its name where we know it."""
    if not kind:
        return ""
    known = Application.objects.filter(account=account_id, kind=kind, remote_id=target).only("name", "remote_id")
    found = known.first()
    return str(found) if found else target
