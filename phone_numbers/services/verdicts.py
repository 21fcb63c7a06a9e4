"""What people make of changes by others: a conflict is left as it is, drift is accepted, ignored or put back.

Sends nothing. Every verdict is a line of the number's history.
"""

from collections.abc import Collection, Iterable, Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from phone_numbers.models import Change, ChangeSet, DriftVerdict, Event, PhoneNumber
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.editing import title_of, value_label
from providers.registry import PROVIDERS

KEPT = (Change.State.CONFLICT, Change.State.MISMATCH)
"""Where there is a value of the provider's to be kept."""
SETTINGS = frozenset(edit.name for provider in PROVIDERS.values() for edit in provider.capabilities.edits)
"""Fields that somebody sets, somewhere; the others only happen to a number."""
COMPLIANCE = frozenset({"tendlc_status", "tendlc_campaign_id", "toll_free_status"})
MONEY = frozenset({"monthly_rate", "voice_rate", "sms_rate", "mms_rate", "currency", "renewal_date"})
DRIFT_KINDS: Mapping[str, Q] = {
    "settings": Q(field__in=SETTINGS),
    "compliance": Q(field__in=COMPLIANCE),
    "money": Q(field__in=MONEY),
    "other": ~Q(field__in=SETTINGS | COMPLIANCE | MONEY),
}
CAME_TO_NOTHING = Q(verdict__plan__state=ChangeSet.State.CANCELLED)
"""Put back by a plan that was then cancelled: nothing came of it, or not all."""
STATES: Mapping[str, Q] = {
    "open": Q(verdict=None) | CAME_TO_NOTHING,
    "decided": Q(verdict__isnull=False) & ~CAME_TO_NOTHING,
}


def find_drift(*, kind: str = "", state: str = "", account: int | None = None) -> QuerySet[Event]:
    """What changed at the providers without us, field by field. Our own writes are never among it."""
    events = Event.objects.filter(DRIFT_KINDS.get(kind, Q()), STATES.get(state, Q()), kind=Event.Kind.DRIFT)
    return events.filter(number__account=account) if account else events


def open_among(events: Iterable[Event]) -> Collection[int]:
    """Which of these are changes at the provider that wait for a verdict; one query when one of them could."""
    drifted = [event.pk for event in events if event.kind == Event.Kind.DRIFT]
    return set(find_drift(state="open").filter(pk__in=drifted).values_list("pk", flat=True)) if drifted else ()


def judge_drift(
    events: Iterable[Event],
    kind: DriftVerdict.Kind,
    *,
    user: User | None,
    user_name: str = "",
    request_id: str = "",
    reason: str = "",
    plan: ChangeSet | None = None,
) -> int:
    """Returns how many got another verdict than they had. The last word counts."""
    name = user.get_username() if user else user_name
    with transaction.atomic():
        drifted = Event.objects.filter(pk__in=[event.pk for event in events], kind=Event.Kind.DRIFT)
        fresh = list(drifted.exclude(verdict__kind=kind, verdict__plan=plan))
        columns = {"kind": kind, "plan": plan, "actor": user, "actor_name": name}
        for event in fresh:
            DriftVerdict.objects.update_or_create(event=event, defaults=columns)
        Event.objects.bulk_create(reviewed(event, kind, user, name, request_id, reason) for event in fresh)
    return len(fresh)


def reviewed(
    event: Event, kind: DriftVerdict.Kind, user: User | None, name: str, request_id: str, reason: str
) -> Event:
    return Event(
        number_id=event.number_id,
        kind=Event.Kind.REVIEWED,
        field=event.field,
        before=event.before,
        after=event.after,
        detail=f"{kind.label}. {reason}".strip(),
        actor=user,
        actor_name=name,
        request_id=request_id,
    )


def note_restored(plan: ChangeSet, *, user: User | None, user_name: str, request_id: str) -> None:
    """After a plan that puts drift back was sent."""
    if restored := plan.asked.get("restore"):
        events = Event.objects.filter(pk__in=restored)
        kind = DriftVerdict.Kind.RESTORED
        judge_drift(events, kind, user=user, user_name=user_name, request_id=request_id, plan=plan)


def keep_theirs(change: Change, *, user: User, request_id: str = "") -> None:
    """Leave it as the provider has it, and say so. Raises ChangeRefused when there is nothing of theirs to keep."""
    if change.state not in KEPT:
        raise ChangeRefused("Only where the provider has another value can that be kept.")
    with transaction.atomic():
        number = PhoneNumber.objects.select_for_update(of=("self",)).select_related("account").get(pk=change.number_id)
        if change.pk in settled_among([change]):
            return
        theirs = {name: change.found.get(name, number.value(name)) for name in change.desired}
        kept = " ".join(f"{title_of(name)} stays {value_label(number, name, value)}." for name, value in theirs.items())
        Event.objects.create(
            number=number,
            kind=Event.Kind.SETTLED,
            change=change,
            detail=kept,
            actor=user,
            actor_name=user.get_username(),
            request_id=request_id,
        )


def settled_among(changes: Iterable[Change]) -> Collection[int]:
    """Of which of these somebody kept the provider's value; one query when one of them could be."""
    asked = [change.pk for change in changes if change.state in KEPT]
    if not asked:
        return ()
    settled = Event.objects.filter(change__in=asked, kind=Event.Kind.SETTLED)
    return set(settled.values_list("change", flat=True))
