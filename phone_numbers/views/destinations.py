"""Where the calls and messages of a number go: what decides it, what that leads to, and what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from phone_numbers.models import Application, PhoneNumber
from phone_numbers.services.editing import capabilities_of, edit_of
from phone_numbers.services.route_choices import kind_title, precedence, target_form
from phone_numbers.views.values import route_in_words
from providers.contract import Route, RouteKind, Service, TargetForm
from providers.registry import PROVIDERS

SERVED = {"voice": {Service.VOICE}, "messages": {Service.SMS, Service.MMS}}
TITLES = {"voice": ("Calls", "A caller dials"), "messages": ("Messages", "A sender writes to")}

Known = Mapping[str, Application]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where calls, or messages, go."""

    what: str
    who: str
    is_served: bool
    """Whether the number has the service at all."""
    unreported: str
    """Why nobody knows where they go; empty when the provider reports it."""
    rule: str
    """Which of several settings is in force at this provider."""
    kind: str
    name: str
    target: str
    """The target's id or address, where that is not its name."""
    url: str
    """What the target's own settings lead to."""
    fallback: str
    can_fall_back: bool
    """Whether this kind of target has a fallback that we would know of."""
    ignored: list[tuple[str, str]]
    """What else is set, as kind and name, but not in force."""
    problems: list[str]


def destinations(number: PhoneNumber) -> list[Destination]:
    shadowed = number.payload.shadowed if hasattr(number, "payload") else {}
    routes = [number.voice, number.messages, *(Route.from_key(key) for keys in shadowed.values() for key in keys)]
    found = number.account.applications.filter(remote_id__in=[route.target for route in routes if route.target])
    known = {each.route_key: each for each in found.defer("payload")}
    return [
        destination(number, field, [Route.from_key(key) for key in shadowed.get(field, ())], known) for field in TITLES
    ]


def destination(number: PhoneNumber, field: str, ignored: Sequence[Route], known: Known) -> Destination:
    account, route = number.account, Route.from_key(number.value(field))
    application = known.get(route.key)
    kind, name = route_in_words(account, route, str(application or ""))
    what, who = TITLES[field]
    return Destination(
        what=what,
        who=who,
        is_served=bool(SERVED[field] & set(number.services)),
        unreported=unreported(number, field),
        rule=precedence(account, field) if kind else "",
        kind=kind,
        name=name,
        target=route.target if route.target != name else "",
        url=url_of(application, field),
        fallback=fallback_of(number, field, route, application),
        can_fall_back=can_fall_back(number, field, route),
        ignored=[route_in_words(account, each, str(known.get(each.key, ""))) for each in ignored],
        problems=list(problems(number, field, route, application)),
    )


def unreported(number: PhoneNumber, field: str) -> str:
    capabilities = capabilities_of(number.account)
    if capabilities is None or field in capabilities.reads:
        return ""
    return capabilities.why_not.get(field, "The provider does not report it.")


def url_of(application: Application | None, field: str) -> str:
    if application is None:
        return ""
    return application.voice_url if field == "voice" else application.message_url


def fallback_of(number: PhoneNumber, field: str, route: Route, application: Application | None) -> str:
    """Where they turn when the target fails. An application that takes calls has its fallback for calls."""
    if application:
        return application.fallback_url if field == "voice" or not application.voice_url else ""
    name = fallback_field(number, field, route)
    return str(number.payload.body.get(name) or "") if name and hasattr(number, "payload") else ""


def can_fall_back(number: PhoneNumber, field: str, route: Route) -> bool:
    """Whether we would know of a fallback if there were one."""
    return bool(fallback_field(number, field, route)) or (field == "voice" and route.kind == RouteKind.APPLICATION)


def fallback_field(number: PhoneNumber, field: str, route: Route) -> str:
    provider = PROVIDERS.get(number.account.provider)
    return provider.fallback_fields.get(field, {}).get(route.kind, "") if provider else ""


def problems(number: PhoneNumber, field: str, route: Route, application: Application | None) -> Iterator[str]:
    """What an operator should know before relying on it, a sentence each."""
    what = TITLES[field][0].lower()
    is_served = bool(SERVED[field] & set(number.services))
    if not route.kind:
        if is_served and not unreported(number, field):
            yield f"No route is set: {what} to this number reach nothing."
        return
    title = kind_title(number.account, route.kind)
    if application:
        yield from problems_of_application(number, field, application, title)
    elif target_form(number.account, route.kind) == TargetForm.LISTED:
        yield f"{number.account} lists no {title} of this id. It may have been deleted, and then {what} reach nothing."
    addresses = (route.target, url_of(application, field), fallback_of(number, field, route, application))
    for address in dict.fromkeys(addresses):
        if address.lower().startswith("http://"):
            host = address[len("http://") :].partition("/")[0]
            yield f"http://{host} is plain http: what is sent there can be read and changed on the way. Use https."


def problems_of_application(number: PhoneNumber, field: str, application: Application, title: str) -> Iterator[str]:
    what = TITLES[field][0].lower()
    edit = edit_of(number.account, field)
    if not application.is_present:
        yield f"{title} “{application}” was gone when the account was last read. If it is, {what} reach nothing."
    elif not application.is_assignable and edit and application.kind in edit.route_kinds:
        yield application.why_not or f"“{application}” cannot take {what}."
    if application.kind == RouteKind.APPLICATION and not url_of(application, field):
        yield f"“{application}” has no address for {what}."
