"""Takes what an operator asks for: checked, compared with what they saw, and stored before anything is sent."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from phone_numbers.models import Change, ChangeSet, Event, PhoneNumber
from phone_numbers.services.cache import locked
from phone_numbers.services.change_states import record
from phone_numbers.services.crash_points import crash_point
from phone_numbers.services.editing import refusal_of, title_of, value_label

LONGEST_KEY = 64
LONGEST_REASON = 255


class ChangeRefused(Exception):
    """This cannot be asked for; `str()` is the sentence, `field` what it is about, or ""."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class StaleBase(Exception):
    """The number is not what the operator saw: somebody else's change is under way, or its values are others now."""

    def __init__(self, sentence: str, *, change: Change | None = None, current: Mapping[str, str]) -> None:
        super().__init__(sentence)
        self.change = change
        self.current = current


def request_change(
    *,
    number: PhoneNumber,
    desired: Mapping[str, str],
    base: Mapping[str, str],
    user: User,
    idempotency_key: str,
    source: str,
    reason: str = "",
    request_id: str = "",
) -> Change:
    """Store what to change; the caller rings for it. The same user and key again give the first change.

    `base` is what the operator saw of each field in `desired`. Raises ChangeRefused and StaleBase.
    """
    check_form(idempotency_key, reason)
    asked = {name: value for name, value in desired.items() if value != base.get(name)}
    if first := find_change(user, idempotency_key, number, asked):
        return first
    if number.presence == PhoneNumber.Presence.RELEASED:
        raise ChangeRefused("This number was released; it cannot be edited.")
    change_set = ChangeSet(
        created_by=user,
        created_by_name=user.get_username(),
        source=source,
        reason=reason,
        idempotency_key=idempotency_key,
        request_id=request_id,
    )
    try:
        return store_change(change_set, number, desired, base)
    except IntegrityError:
        if first := find_change(user, idempotency_key, number, asked):
            return first
        raise stale(PhoneNumber.objects.get(pk=number.pk), desired, base) from None


def find_change(user: User, idempotency_key: str, number: PhoneNumber, asked: Mapping[str, str]) -> Change | None:
    """What this form asked for when it was sent before. Raises ChangeRefused when that was something else."""
    sent = Change.objects.filter(change_set__created_by=user, change_set__idempotency_key=idempotency_key)
    first = sent.select_related("number", "change_set").first()
    if first and (first.number_id, first.desired) != (number.pk, asked):
        raise ChangeRefused(
            "This form was sent before, with other values, and only those were taken. Nothing was sent now: "
            "see what the number has become, then save again."
        )
    return first


def check_form(idempotency_key: str, reason: str) -> None:
    if not 0 < len(idempotency_key) <= LONGEST_KEY or "\0" in idempotency_key:
        raise ChangeRefused("This form is damaged. Load the page again.")
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise ChangeRefused(f"The reason must be plain text of at most {LONGEST_REASON} characters.", "reason")


def store_change(
    change_set: ChangeSet, number: PhoneNumber, desired: Mapping[str, str], base: Mapping[str, str]
) -> Change:
    """Raises IntegrityError when the number has a live change, or the key was used."""
    account = number.account  # Looked up before anything is locked: a number keeps its account.
    with transaction.atomic():
        (present,) = locked(PhoneNumber.objects.filter(pk=number.pk))
        present.account = account
        if not all(name in base and is_same(base[name], present.value(name)) for name in desired):
            raise stale(present, desired, base)
        news = {name: value for name, value in desired.items() if not is_same(value, present.value(name))}
        if not news:
            raise ChangeRefused("Nothing to change.")
        for name, value in news.items():
            if refusal := refusal_of(present, name, value):
                raise ChangeRefused(refusal, name)
        change_set.save(force_insert=True)
        seen = {name: present.value(name) for name in news}
        change = Change.objects.create(change_set=change_set, number=present, base=seen, desired=news)
        record(change, Event.Kind.REQUESTED)
        crash_point("before_intent")
    crash_point("after_intent")
    return change


def is_same(posted: str, cached: str) -> bool:
    """A browser sends back every line end as CR LF."""
    return posted.replace("\r\n", "\n") == cached.replace("\r\n", "\n")


def stale(number: PhoneNumber, desired: Mapping[str, str], base: Mapping[str, str]) -> StaleBase:
    """With who was faster, and what they did or are about to do."""
    live = Change.objects.filter(number=number, state__in=Change.LIVE).select_related("change_set").first()
    current = {name: number.value(name) for name in desired}
    if live:
        return StaleBase(f"{described_in_flight(number, live)} Nothing was sent.", change=live, current=current)
    moved = [name for name, value in current.items() if name in base and not is_same(base[name], value)]
    told = " ".join(described_move(number, name) for name in moved)
    sentence = f"This number has changed since the page was loaded. {told} Nothing was sent."
    return StaleBase(sentence.replace("  ", " "), current=current)


def described_in_flight(number: PhoneNumber, change: Change) -> str:
    wanted = "; ".join(f"{title_of(name)} to {value_label(number, name, to)}" for name, to in change.desired.items())
    return f"An edit by {asker_of(change)} is under way: {wanted}."


def described_move(number: PhoneNumber, name: str) -> str:
    """Who brought this field to its present value; nobody here, when it was changed at the provider."""
    value = number.value(name)
    now = f"{title_of(name)} is {value_label(number, name, value)} now"
    confirmed = number.changes.filter(state=Change.State.CONFIRMED, desired__has_key=name)
    last = confirmed.select_related("change_set").first()
    if last and last.desired[name] == value:
        return f"{now}, changed by {asker_of(last)}."
    return f"{now}, changed at the provider."


def asker_of(change: Change) -> str:
    """Who had it sent, else who asked for it."""
    return change.change_set.applied_by_name or change.change_set.created_by_name
