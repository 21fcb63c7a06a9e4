"""The form for many numbers: per account what its provider lets be changed. Every field stays as it is, if not said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count
from django.http import QueryDict

from phone_numbers.models import Account, PhoneNumber
from phone_numbers.services.batches import batches
from phone_numbers.services.change_plans import Wish
from phone_numbers.services.editing import FormField, editable_fields
from phone_numbers.services.route_choices import Choice
from phone_numbers.views.values import NOWHERE, ROUTES, grouped_choices

KEEP, SET, CLEAR = "", "set", "clear"
ALIAS = "alias"
PLACEHOLDERS = {"{number}": "the number as +14155550100", "{last4}": "its last four digits"}
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkControl:
    """One field of one account's numbers, or the alias of all."""

    name: str
    field: FormField
    groups: Sequence[tuple[str, Sequence[Choice]]] = ()
    mode: str = KEEP
    value: str = ""
    target: str = ""
    error: str = ""

    @property
    def is_choice(self) -> bool:
        return bool(self.field.choices) or self.field.name in ROUTES

    @property
    def cleared(self) -> str:
        """What clearing it means."""
        return NOWHERE if self.field.name in ROUTES else "Clear"

    @property
    def hints(self) -> Mapping[str, str]:
        return {kind.form: kind.what_to_type for kind in self.field.typed}

    @property
    def wished(self) -> str | None:
        """None leaves it as it is; "" clears it."""
        if self.mode == KEEP:
            return None
        return "" if self.mode == CLEAR else f"{self.value}{self.target}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPart:
    account: Account
    count: int
    controls: list[BulkControl]
    fixed: list[FormField]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkForm:
    parts: list[AccountPart]
    alias: BulkControl
    reason: str = ""
    mistakes: list[str] = field(default_factory=list)

    @property
    def wished(self) -> dict[str, dict[str, str]]:
        """Account id to field to value, as the plan remembers it."""
        found = {}
        for part in self.parts:
            controls = [self.alias, *part.controls]
            wishes = {each.field.name: each.wished for each in controls if each.wished is not None}
            if wishes:
                found[str(part.account.pk)] = wishes
        return found


def bulk_form(numbers: Sequence[int], posted: QueryDict) -> BulkForm:
    """With everything that was typed; `mistakes` says what cannot be meant."""
    counts = count_by_account(numbers)
    accounts = Account.objects.filter(pk__in=counts).defer("credentials")
    alias = FormField(name=ALIAS, title="Alias", value="")
    form = BulkForm(
        parts=[account_part(account, counts[account.pk], posted) for account in accounts],
        alias=control(ALIAS, alias, (), posted),
        reason=posted.get("reason", "").strip(),
    )
    for each in [form.alias, *(each for part in form.parts for each in part.controls)]:
        if each.error:
            form.mistakes.append(each.error)
    return form


def count_by_account(numbers: Sequence[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for batch in batches(numbers, BATCH):
        found = PhoneNumber.objects.filter(pk__in=batch).order_by().values_list("account").annotate(Count("pk"))
        for account, count in found:
            counts[account] = counts.get(account, 0) + count
    return counts


def account_part(account: Account, count: int, posted: QueryDict) -> AccountPart:
    fields = editable_fields(PhoneNumber(account=account))
    return AccountPart(
        account=account,
        count=count,
        controls=[
            control(f"{account.pk}-{each.name}", each, grouped_choices(account, each), posted)
            for each in fields
            if not each.why_not and each.name != ALIAS
        ],
        fixed=[each for each in fields if each.why_not],
    )


def control(
    name: str, field: FormField, groups: Sequence[tuple[str, Sequence[Choice]]], posted: QueryDict
) -> BulkControl:
    """A choice is one list: keep, clear, or the value itself; a text has its mode in a field of its own."""
    value, target = posted.get(name, ""), ""
    mode = posted.get(f"{name}-mode", KEEP)
    if field.choices or field.name in ROUTES:
        mode = {KEEP: KEEP, CLEAR: CLEAR}.get(value, SET)
        value = value if mode == SET else ""
        target = posted.get(f"{name}-target", "").strip() if value.endswith(":") else ""
    error = mistake_in(field, value, target) if mode == SET else ""
    return BulkControl(name=name, field=field, groups=groups, mode=mode, value=value, target=target, error=error)


def mistake_in(field: FormField, value: str, target: str) -> str:
    """Why this can be meant of no number; what a provider refuses is told of each number in the plan."""
    if "\0" in f"{value}{target}":
        return f"{field.title} must be one line of plain text."
    needs_text = not f"{value}{target}".strip(" ") or (value.endswith(":") and not target)
    return f"{field.title}: enter what it should be, or choose another option." if needs_text else ""


def wishes(numbers: Sequence[int], wished: Mapping[str, Mapping[str, str]]) -> Iterator[Wish]:
    """One for every number, its account's."""
    for batch in batches(numbers, BATCH):
        rows = PhoneNumber.objects.filter(pk__in=batch).order_by("pk").values_list("pk", "account_id", "e164")
        for pk, account, e164 in rows:
            desired = wished.get(str(account), {})
            yield Wish(number=pk, desired={name: filled_in(name, value, e164) for name, value in desired.items()})


def filled_in(name: str, value: str, e164: str) -> str:
    return value.replace("{number}", e164).replace("{last4}", e164[-4:]) if name == ALIAS else value
