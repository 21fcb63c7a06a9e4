"""The log of everything that happened: filtered in the address, page by page, and as a table. It is only read."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from phone_numbers.models import Account, ChangeSet, Event, PhoneNumber, PlanEvent
from phone_numbers.services.change_log import (
    NOBODY,
    PLANS,
    SEARCHED,
    Entry,
    Place,
    Wanted,
    find_events,
    find_plan_events,
    log_as_csv,
    read_page,
)
from phone_numbers.views.pages import PageRequest, accounts_by_id, read_id, requires
from phone_numbers.views.timeline import Difference, differences_in, in_words
from phone_numbers.views.values import ROUTES, find_labels

PER_PAGE = 50
LONGEST_TEXT = 100
KINDS: Mapping[str, str] = {
    "edits": "Edits",
    PLANS: "Plans",
    "drift": "Changed outside",
    "presence": "Presence",
    "notes": "Notes and tags",
}


@dataclass(slots=True)
class Question:
    """What the address asks for, and what of it makes no sense."""

    wanted: Wanted = field(default_factory=Wanted)
    typed: dict[str, str] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    number: PhoneNumber | None = None
    change_set: ChangeSet | None = None

    @property
    def is_filtered(self) -> bool:
        return bool(self.typed)

    def suffix(self, **others: str) -> str:
        """The address with these parts otherwise, or left out when they are empty."""
        kept = {name: value for name, value in {**self.typed, **others}.items() if value}
        return f"?{urlencode(kept)}" if kept else "?"


@dataclass(frozen=True, slots=True)
class LogLine:
    event: Event | None
    plan_event: PlanEvent | None
    differences: list[Difference]


@requires("numbers.view_event")
@require_safe
def log_list(request: PageRequest) -> HttpResponse:
    accounts = accounts_by_id()
    question = read_question(request.GET, accounts)
    place = Place.read(request.GET.get("before", ""))
    found = None if question.mistakes else read_page(question.wanted, place, PER_PAGE)
    context = {
        "question": question,
        "typed": question.typed,
        "kinds": [(key, title, question.suffix(kind=key)) for key, title in {"": "Everything", **KINDS}.items()],
        "accounts": accounts,
        "people": people(question.wanted.person),
        "lines": log_lines(found.entries) if found else [],
        "older": question.suffix(before=str(found.older)) if found and found.older else "",
        "newest": question.suffix() if place else "",
        "searched": SEARCHED if found and found.is_partial else 0,
        "without_number": question.suffix(number=""),
        "without_plan": question.suffix(plan=""),
    }
    return render(request, "log/list.html", context, status=422 if question.mistakes else 200)


@requires("numbers.view_event")
@require_safe
def log_export(request: PageRequest) -> HttpResponseBase:
    """All that the page's filters find, as CSV."""
    accounts = {str(pk): None for pk in Account.objects.values_list("pk", flat=True)}
    question = read_question(request.GET, accounts)
    if question.mistakes:
        return log_list(request)
    lines = log_as_csv(find_events(question.wanted), find_plan_events(question.wanted))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"numberdesk-log-{timezone.localdate().isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def people(chosen: str) -> list[tuple[str, str]]:
    """Everybody who can sign in, and whoever is chosen, who may be gone by now."""
    names = list(User.objects.order_by("username").values_list("username", flat=True))
    if chosen and chosen != NOBODY and chosen not in names:
        names.append(chosen)
    return [*((name, name) for name in names), (NOBODY, "Numberdesk itself")]


def read_question(parameters: QueryDict, accounts: Mapping[str, object]) -> Question:
    names = ("kind", "person", "account", "number", "plan", "since", "until", "q")
    typed = {name: text for name in names if (text := parameters.get(name, "").strip().replace("\0", ""))}
    question = Question(typed=typed)
    kind, account = typed.get("kind", ""), typed.get("account", "")
    if kind and kind not in KINDS:
        question.mistakes.append(f"There is no kind of line called “{kind}”.")
    if account and account not in accounts:
        question.mistakes.append(f"There is no account “{account}”.")
    if len(typed.get("q", "")) > LONGEST_TEXT:
        question.mistakes.append(f"Search for at most {LONGEST_TEXT} characters.")
    days = {name: read_day(question, name) for name in ("since", "until")}
    read_subject(question)
    if not question.mistakes:
        question.wanted = Wanted(
            kind=kind,
            person=typed.get("person", ""),
            account=int(account) if account else None,
            number=question.number.pk if question.number else None,
            change_set=question.change_set.pk if question.change_set else None,
            text=typed.get("q", ""),
            **days,
        )
    return question


def read_day(question: Question, name: str) -> dt.date | None:
    text = question.typed.get(name, "")
    try:
        day = parse_date(text) if text else None
    except ValueError:
        day = None
    if text and day is None:
        question.mistakes.append(f"“{text}” is no day. Write it as 2026-11-30.")
    return day


def read_subject(question: Question) -> None:
    """The one number, or the one plan, that the log is about."""
    number, plan = question.typed.get("number", ""), question.typed.get("plan", "")
    if number:
        question.number = PhoneNumber.objects.filter(pk=read_id(number) or 0).first()
        if question.number is None:
            question.mistakes.append("There is no such number.")
    if plan:
        question.change_set = find_change_set(plan)
        if question.change_set is None:
            question.mistakes.append("There is no such plan.")


def find_change_set(text: str) -> ChangeSet | None:
    try:
        return ChangeSet.objects.filter(pk=text).first()
    except ValidationError:
        return None


def log_lines(entries: Sequence[Entry]) -> list[LogLine]:
    """In words, with one query for the names of all routes."""
    told = [(entry, list(differences_in(entry)) if isinstance(entry, Event) else []) for entry in entries]
    routes = [value for _, found in told for name, *values in found if name in ROUTES for value in values]
    accounts = [entry.number.account_id for entry in entries if isinstance(entry, Event)]
    labels = find_labels(accounts, routes) if routes else {}
    return [
        LogLine(entry, None, [in_words(entry.number, labels, *each) for each in found])
        if isinstance(entry, Event)
        else LogLine(None, entry, [])
        for entry, found in told
    ]
