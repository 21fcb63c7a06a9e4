"""Asking for a change of one number, and every way that can end before it is on its way."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from phone_numbers.models import Change, PhoneNumber
from phone_numbers.services.changes import ChangeRefused, StaleBase, request_change
from phone_numbers.services.editing import normalised, preview, refusal_of
from phone_numbers.tasks import apply_change, ring
from phone_numbers.views.pages import PageRequest, request_id
from providers.contract import SideEffect

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Either the change, or what stands in its way."""

    change: Change | None = None
    refusal: str = ""
    """In the service's or the provider's words; about one field, or about the whole when `refused_field` is empty."""
    refused_field: str = ""
    effects: tuple[SideEffect, ...] = ()
    """What else would change; to be confirmed before anything is sent."""
    is_stale: bool = False
    """The number no longer has the values the operator saw, or another change of it is under way."""
    rival: Change | None = None
    """That other change."""

    @property
    def status(self) -> int:
        if self.is_stale:
            return 409
        return 422 if self.refusal else 200


def submitted(request: PageRequest, number: PhoneNumber) -> tuple[dict[str, str], dict[str, str]]:
    """What the operator saw and what they ask for, of the fields they changed: each comes as itself and as base-."""
    names = [name.removeprefix("base-") for name in request.POST if name.startswith("base-")]
    base = {name: str(request.POST[f"base-{name}"]) for name in names}
    posted = {name: posted_value(request, name, base[name]) for name in names}
    asked = {name: normalised(number, name, value) for name, value in posted.items() if value != base[name]}
    changed = [name for name, value in asked.items() if value != base[name]]
    return {name: base[name] for name in changed}, {name: asked[name] for name in changed}


def posted_value(request: PageRequest, name: str, otherwise: str) -> str:
    """A kind of route chosen without its target has it in a field of its own, which counts for nothing else."""
    value = str(request.POST.get(name, otherwise))
    return f"{value}{request.POST.get(f'{name}-target', '')}" if value.endswith(":") else value


def new_key() -> str:
    """Rendered into a form, so that sending the form twice asks once."""
    return uuid.uuid4().hex


def confirmation_of(desired: Values) -> str:
    """What a form sends back when side effects were shown for exactly these values."""
    return json.dumps(dict(desired), sort_keys=True)


def ask_for_change(request: PageRequest, number: PhoneNumber, *, base: Values, desired: Values, source: str) -> Attempt:
    for field, value in desired.items():
        if sentence := refusal_of(number, field, value):
            return Attempt(refusal=sentence, refused_field=field)
    effects = preview(number, desired)
    is_asked = not all(effect.is_inherent for effect in effects)
    if is_asked and request.POST.get("confirmed") != confirmation_of(desired):
        return Attempt(effects=effects)
    return request_and_ring(request, number, base=base, desired=desired, source=source)


def request_and_ring(
    request: PageRequest, number: PhoneNumber, *, base: Values, desired: Values, source: str
) -> Attempt:
    try:
        change = request_change(
            number=number,
            desired=dict(desired),
            base=dict(base),
            user=request.user,
            idempotency_key=request.POST.get("idempotency_key", ""),
            reason=request.POST.get("reason", "").strip(),
            source=source,
            request_id=request_id(),
        )
    except ChangeRefused as refused:
        return Attempt(refusal=str(refused), refused_field=refused.field)
    except StaleBase as stale:
        return Attempt(refusal=str(stale), is_stale=True, rival=stale.change)
    ring(apply_change, change.pk)
    return Attempt(change=change)
