"""Forms for a number's fields: one field in a cell of the list, or all of them on the number's page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from phone_numbers.models import PhoneNumber
from phone_numbers.services.editing import FormField, editable_fields
from phone_numbers.services.route_choices import Choice
from phone_numbers.views.attempts import Attempt, Values, confirmation_of, new_key
from phone_numbers.views.values import NOWHERE, ROUTES, Labels, find_labels, grouped_choices, value_in_words
from providers.contract import Route

NOTHING: Values = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Three values of one field, in words."""

    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    field: FormField
    base: str
    """What the operator is taken to have seen; sent back with the form."""
    value: str
    now: str
    """The present value in words."""
    groups: list[tuple[str, Sequence[Choice]]]
    error: str = ""
    conflict: Conflict | None = None

    @property
    def blank(self) -> str:
        return NOWHERE if self.field.name in ROUTES else "None"

    @property
    def is_route(self) -> bool:
        return self.field.name in ROUTES

    @property
    def is_choice(self) -> bool:
        return bool(self.field.choices) or self.is_route

    @property
    def is_offered(self) -> bool:
        """Whether the present value is among the choices; one that is not must still be shown."""
        return not self.field.value or self.option_of(self.field.value) is not None

    @property
    def chosen(self) -> str:
        """The option that is selected: never another one than what was asked for or is in force."""
        return self.field.value if (option := self.option_of(self.value)) is None else option

    @property
    def target(self) -> str:
        """The text beside the options."""
        route = Route.from_key(self.value)
        return route.target if self.chosen == f"{route.kind}:" else ""

    @property
    def hints(self) -> Mapping[str, str]:
        """What to type, by the form of target."""
        return {kind.form: kind.what_to_type for kind in self.field.typed}

    def option_of(self, value: str) -> str | None:
        """The option that stands for a value; "" is nothing, and a kind alone the targets of it that are typed."""
        kind = f"{Route.from_key(value).kind}:"
        if any(kind == f"{typed.kind}:" for typed in self.field.typed):
            return kind
        offered = {""} if self.field.clearable else set()
        offered |= {choice for _, choices in self.groups for choice, _ in choices}
        return value if value in offered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    number: PhoneNumber
    controls: list[Control]
    fixed: list[FormField]
    """Fields that cannot be edited, each with its reason."""
    attempt: Attempt
    idempotency_key: str
    confirmation: str
    """Sent back to confirm the side effects; empty while there is nothing to confirm."""


def editor_of(
    number: PhoneNumber,
    names: Collection[str] | None = None,
    *,
    attempt: Attempt | None = None,
    base: Values = NOTHING,
    typed: Values = NOTHING,
) -> Editor:
    """With what was typed kept; after a conflict the next attempt starts from the values there are now."""
    attempt = attempt or Attempt()
    fields = [field for field in editable_fields(number) if names is None or field.name in names]
    labels = find_labels([number.account_id], [*base.values(), *typed.values(), *(field.value for field in fields)])
    return Editor(
        number=number,
        controls=[control_of(number, field, attempt, base, typed, labels) for field in fields if not field.why_not],
        fixed=[field for field in fields if field.why_not],
        attempt=attempt,
        idempotency_key=new_key(),
        confirmation=confirmation_of(typed) if attempt.effects else "",
    )


def control_of(
    number: PhoneNumber, field: FormField, attempt: Attempt, base: Values, typed: Values, labels: Labels
) -> Control:
    is_conflict = attempt.is_stale and field.name in typed
    return Control(
        field=field,
        base=field.value if attempt.is_stale else base.get(field.name, field.value),
        value=typed.get(field.name, field.value),
        now=value_in_words(number.account, field.name, field.value, labels),
        groups=grouped_choices(number.account, field),
        error=attempt.refusal if attempt.refused_field == field.name else "",
        conflict=conflict_of(number, field, base, typed, labels) if is_conflict else None,
    )


def conflict_of(number: PhoneNumber, field: FormField, base: Values, typed: Values, labels: Labels) -> Conflict:
    values: Mapping[str, str] = {"base": base.get(field.name, ""), "mine": typed[field.name], "theirs": field.value}
    return Conflict(**{side: value_in_words(number.account, field.name, each, labels) for side, each in values.items()})
