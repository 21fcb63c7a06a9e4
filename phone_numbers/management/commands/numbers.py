"""Plans from the command line: made from a table, looked at, applied. The same plans as on the pages."""

import getpass
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from phone_numbers.models import Change, ChangeSet
from phone_numbers.services.change_imports import ImportReport, import_plan
from phone_numbers.services.change_plans import Origin
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.change_sets import apply_plan, count_planned, why_count_is_typed
from phone_numbers.tasks import ring_for_plan
from phone_numbers.views.selection import find_matching

NOTHING, FAILED, CHANGES = 0, 1, 2
"""Exit codes of `plan` and `show`: nothing to change, something is wrong, there is something to change."""


class Command(BaseCommand):
    help = (
        "Plan changes from a CSV or XLSX table, show a plan, apply it. "
        "`plan` and `show` end with 0 when there is nothing to change, 2 when there is, 1 when something is wrong; "
        "`apply` ends with 0 when the plan is under way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.called_from_command_line = False
        verbs = parser.add_subparsers(dest="verb", required=True)
        plan = verbs.add_parser("plan", help="Make a plan from a table; nothing is sent.")
        plan.add_argument("file", type=Path)
        plan.add_argument("--reason", default="", help="Kept with every change.")
        plan.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="HEADER=FIELD",
            help="What a column is, when its header does not say so; without a field it is not read.",
        )
        show = verbs.add_parser("show", help="Show what a plan changes, or how far it got.")
        apply = verbs.add_parser("apply", help="Carry a plan out, if nothing has changed since it was made.")
        apply.add_argument("--count", type=int, help="How many numbers it changes: needed when they are many.")
        apply.add_argument("--first", type=int, help="Pause after so many numbers, for a look.")
        for each in (show, apply):
            each.add_argument("plan_id")
        for each in (plan, show, apply):
            each.add_argument("--json", action="store_true", dest="as_json", help="Print JSON.")

    def run_from_argv(self, argv: list[str]) -> None:
        """Wrong words end with 1 like everything that is wrong; Python's own 2 would say that there are changes."""
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self.stderr.write(str(error))
            raise SystemExit(FAILED) from None

    def handle(self, *, verb: str, as_json: bool, **options: Any) -> None:
        try:
            told, lines, code = VERBS[verb](**options)
        except ChangeRefused as refused:
            told, lines, code = {"errors": [{"line": None, "error": str(refused)}]}, [str(refused)], FAILED
        self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))
        if code:
            raise SystemExit(code)


Told = tuple[dict[str, Any], list[str], int]


def plan_file(*, file: Path, reason: str, column: list[str], **_: object) -> Told:
    origin = Origin(
        user=None, user_name=who(), source=ChangeSet.Source.CLI, idempotency_key=uuid.uuid4().hex, reason=reason
    )
    try:
        with file.open("rb") as opened:
            report = import_plan(origin, opened, name=file.name, mapping=read_columns(column))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    if report.error_count:
        return wrong(report)
    if report.change_set is None:
        return {"changes": 0, "remarks": report.remarks}, [*report.remarks, "Nothing to change."], NOTHING
    told, lines, code = show(report.change_set)
    return {**told, "remarks": report.remarks}, [*report.remarks, *lines], code


def read_columns(columns: list[str]) -> dict[str, str]:
    return {header: name for header, _, name in (each.rpartition("=") for each in columns)}


def who() -> str:
    return f"{getpass.getuser()} (command line)"


def wrong(report: ImportReport) -> Told:
    errors = [{"line": each.line, "field": each.field, "error": each.sentence} for each in report.errors]
    lines = [f"line {each.line}: {each.sentence}" for each in report.errors]
    if report.error_count > len(errors):
        lines.append(f"And {report.error_count - len(errors):,} more.")
    told = {"errors": errors, "error_count": report.error_count, "remarks": report.remarks}
    return told, [*report.remarks, *lines, "Nothing was planned."], FAILED


def show_plan(*, plan_id: str, **_: object) -> Told:
    return show(plan_called(plan_id))


def show(plan: ChangeSet) -> Told:
    """Each number with what becomes of it, the counts, and how to go on."""
    changes = [told_of(change) for change in plan.changes.select_related("number__account").order_by("number")]
    counts = dict(plan.changes.order_by().values_list("state").annotate(count=Count("pk")))
    planned = counts.get(Change.State.PLANNED, 0)
    told = {"plan": str(plan.pk), "state": plan.state, "counts": counts, "count_needed": False, "changes": changes}
    lines = [line_of(each) for each in changes]
    lines += ["", f"Plan {plan.pk}, {plan.get_state_display().lower()}: {in_words(counts)}."]
    if plan.state_detail:
        lines.append(plan.state_detail)
    if plan.state == ChangeSet.State.DRAFT and planned:
        why = why_count_is_typed(plan)
        told["count_needed"] = bool(why)
        option = f" --count {count_planned(plan)}" if why else ""
        lines.append(f"Apply it with: manage.py numbers apply {plan.pk}{option}")
    return told, lines, CHANGES if planned else NOTHING


def told_of(change: Change) -> dict[str, Any]:
    return {
        "number": change.number.e164,
        "account": change.number.account.name,
        "state": change.state,
        "left_out": change.left_out,
        "fields": {name: {"before": change.base[name], "after": after} for name, after in change.desired.items()},
        "effects": [effect["sentence"] for effect in change.effects],
        "detail": change.detail,
    }


def line_of(told: dict[str, Any]) -> str:
    fields = ", ".join(f"{name}: “{each['before']}” → “{each['after']}”" for name, each in told["fields"].items())
    rest = " ".join(filter(None, [*told["effects"], told["detail"]]))
    return f"{told['number']} ({told['account']}), {told['state']}: {fields}{f'. {rest}' if rest else ''}"


def in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {Change.State(state).label.lower()}" for state, count in sorted(counts.items()))


def start_plan(*, plan_id: str, count: int | None, first: int | None, **_: object) -> Told:
    plan = plan_called(plan_id)
    plan = apply_plan(
        plan,
        expected_hash=plan.plan_hash,
        user=None,
        user_name=who(),
        typed_count=count,
        matching=find_matching(plan.selection["filter"]) if plan.selection else None,
        canary=first,
    )
    ring_for_plan(plan)
    told = {"plan": str(plan.pk), "state": plan.state}
    return told, [f"{plan.get_state_display()}. Follow it with: manage.py numbers show {plan.pk}"], NOTHING


def plan_called(plan_id: str) -> ChangeSet:
    try:
        return ChangeSet.objects.get(pk=plan_id, is_planned=True)
    except (ChangeSet.DoesNotExist, ValidationError):
        raise CommandError(f"There is no plan {plan_id}.") from None


VERBS: Mapping[str, Callable[..., Told]] = {"plan": plan_file, "show": show_plan, "apply": start_plan}
