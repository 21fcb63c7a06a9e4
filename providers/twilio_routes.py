"""Which parameters put a Twilio number's calls or messages somewhere, and what that does to where they went before.

"Setting a trunk_sid will automatically delete your voice_application_sid and vice versa", and while either is set the
URLs are ignored (Twilio API reference, IncomingPhoneNumber, Nov 2026). An empty parameter clears, a missing one leaves.
"""

import re
from collections.abc import Iterator, Mapping

from providers.contract import NumberEdit, Route, RouteKind, SideEffect
from providers.errors import Unsupported
from providers.twilio_rows import MESSAGING_SERVICE

PN, TK, AP = (prefix + r"[0-9a-fA-F]{32}" for prefix in ("PN", "TK", "AP"))
TARGETS: Mapping[str, str] = {RouteKind.APPLICATION: AP, RouteKind.TRUNK: TK, RouteKind.URL: r"https?://\S+"}

# The parameter of each kind, the kind in force first.
VOICE: Mapping[str, str] = {
    RouteKind.TRUNK: "TrunkSid",
    RouteKind.APPLICATION: "VoiceApplicationSid",
    RouteKind.URL: "VoiceUrl",
}
MESSAGES: Mapping[str, str] = {RouteKind.APPLICATION: "SmsApplicationSid", RouteKind.URL: "SmsUrl"}
FIELDS: Mapping[str, Mapping[str, str]] = {"voice": VOICE, "messages": MESSAGES}
WHAT = {"voice": "calls", "messages": "messages"}


def form(edit: NumberEdit) -> dict[str, str]:
    """The body of an update, with nothing in it that need not change."""
    body = {"FriendlyName": edit["alias"]} if "alias" in edit else {}
    for name in FIELDS.keys() & edit.keys():
        body |= _route_form(FIELDS[name], Route.from_key(edit[name]))
    return body


def _route_form(parameters: Mapping[str, str], route: Route) -> dict[str, str]:
    """Sets the route and clears what would keep it from taking effect. Nowhere clears all, or a URL would emerge."""
    if route.kind in (RouteKind.TRUNK, RouteKind.APPLICATION):
        return {parameters[route.kind]: _target(route)}
    cleared = dict.fromkeys(parameters.values(), "")
    return cleared | {parameters[RouteKind.URL]: _target(route)} if route.kind else cleared


def _target(route: Route) -> str:
    if not re.fullmatch(TARGETS[route.kind], route.target):
        raise Unsupported(f"{route.target or 'Nothing'} is not {_named(Route(kind=route.kind))} at Twilio.")
    return route.target


def side_effects(current: NumberEdit, edit: NumberEdit) -> Iterator[SideEffect]:
    for name in FIELDS:
        if name in edit and edit[name] != current.get(name, ""):
            before, after = Route.from_key(current.get(name, "")), Route.from_key(edit[name])
            for sentence in _consequences(WHAT[name], before, after):
                yield SideEffect(field=name, sentence=sentence)


def _consequences(what: str, before: Route, after: Route) -> Iterator[str]:
    if before.kind == MESSAGING_SERVICE:
        yield will_be_ignored(before.target)
        return
    if before.kind == RouteKind.TRUNK and after.kind != RouteKind.TRUNK:
        yield f"{_doing(what, after)} takes the number off {_named(before)}. The number itself is kept."
    if before.kind == RouteKind.APPLICATION and after.kind != RouteKind.APPLICATION:
        yield f"{_doing(what, after)} removes {_named(before)} from the number."
    if before.kind == RouteKind.URL and after.kind in (RouteKind.TRUNK, RouteKind.APPLICATION):
        yield f"The URL {before.target} stays at Twilio, but is ignored while {_named(after)} is set."
    if not after.kind:
        yield f"Anything else set for {what}, ignored until now, is cleared as well."


def _doing(what: str, after: Route) -> str:
    doings = {
        RouteKind.APPLICATION: "Assigning an application",
        RouteKind.TRUNK: "Assigning a trunk",
        RouteKind.URL: f"Sending {what} to a URL",
    }
    return doings.get(RouteKind(after.kind), f"Sending {what} nowhere")


def _named(route: Route) -> str:
    nouns = {RouteKind.APPLICATION: "an application", RouteKind.TRUNK: "a trunk", RouteKind.URL: "a URL"}
    noun = nouns[RouteKind(route.kind)]
    return f"{noun.partition(' ')[2]} {route.target}" if route.target else noun


def will_be_ignored(service_sid: str) -> str:
    return (
        f"Messaging Service {service_sid} handles this number's messages and goes before what is set on the number. "
        "Remove the number from it in Twilio's console first."
    )
