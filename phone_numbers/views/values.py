"""How the editable fields of a number, and their values, read."""

from collections.abc import Iterable, Mapping, Sequence

from phone_numbers.models import Account, Application
from phone_numbers.services.editing import FormField, edit_of, title_of
from phone_numbers.services.route_choices import Choice, kind_title
from providers.contract import Route

ROUTES = {"voice": "Voice route", "messages": "Message route"}
NOWHERE, EMPTY = "Nowhere", "None"

Labels = Mapping[tuple[int, str], str]
"""Account id and route key to the name of what the route goes to."""


def field_title(account: Account, field: str) -> str:
    if field in ROUTES:
        return ROUTES[field]
    declared = edit_of(account, field)
    return declared.title if declared else title_of(field)


def value_in_words(account: Account, field: str, value: str, labels: Labels) -> str:
    if not value:
        return NOWHERE if field in ROUTES else EMPTY
    if field not in ROUTES:
        return value
    return " · ".join(route_in_words(account, Route.from_key(value), labels.get((account.pk, value), "")))


def route_in_words(account: Account, route: Route, label: str) -> tuple[str, str]:
    """The kind of target and its name, ("Application", "Support IVR"); both empty when routed nowhere."""
    return (kind_title(account, route.kind), label or route.target) if route.kind else ("", "")


def find_labels(accounts: Iterable[int], keys: Iterable[str]) -> Labels:
    """The names of these routes' targets in these accounts, in one query."""
    targets = {Route.from_key(key).target for key in keys if ":" in key}
    found = Application.objects.filter(account__in=set(accounts), remote_id__in=targets).order_by()
    rows = found.values_list("account_id", "kind", "remote_id", "name")
    return {(account, f"{kind}:{target}"): name for account, kind, target, name in rows}


def grouped_choices(account: Account, field: FormField) -> list[tuple[str, Sequence[Choice]]]:
    """A field's choices by kind of target; in one group without a title when they have no kinds."""
    if field.name not in ROUTES:
        return [("", field.choices)]
    groups: dict[str, list[Choice]] = {}
    for value, label in field.choices:
        groups.setdefault(f"{kind_title(account, Route.from_key(value).kind)}s", []).append((value, label))
    return list(groups.items())
