"""Rows for tests of pages: what the cache would hold, without a sync."""

import itertools
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from phone_numbers.encryption import Sealed
from phone_numbers.models import Account, Application, Change, ChangeSet, Event, NumberPayload, PhoneNumber
from phone_numbers.models.numbers import service_bits
from providers.contract import Service
from providers.simulator import PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN

_counter = itertools.count(1)


def make_account(name: str = "Main", **columns: Any) -> Account:
    credentials = Sealed.seal({"auth_id": PLIVO_AUTH_ID, "auth_token": PLIVO_AUTH_TOKEN})
    defaults = {"provider": "plivo", "credentials": credentials, "health": "ok", "fresh_at": timezone.now()}
    return Account.objects.create(name=name, **{**defaults, **columns})


def make_number(account: Account, e164: str = "", *, services: str = "voice sms", **columns: Any) -> PhoneNumber:
    e164 = e164 or f"+1415555{next(_counter):04d}"
    bits = service_bits([Service(each) for each in services.split()])
    defaults = {"remote_id": e164[1:], "national": e164[2:], "number_type": "local", "country": "US", "digest": b"0"}
    number = PhoneNumber.objects.create(account=account, e164=e164, service_bits=bits, **{**defaults, **columns})
    NumberPayload.objects.create(number=number, body={"number": e164[1:]})
    return number


def make_application(
    account: Account, remote_id: str = "111", name: str = "Support IVR", **columns: Any
) -> Application:
    return Application.objects.create(account=account, remote_id=remote_id, name=name, **columns)


def make_change(
    number: PhoneNumber,
    user: User,
    *,
    state: str = "pending",
    field: str = "alias",
    desired: str = "New",
    **columns: Any,
) -> Change:
    change_set = ChangeSet.objects.create(
        created_by=user, created_by_name=user.get_username(), idempotency_key=uuid.uuid4().hex
    )
    base = {field: number.value(field)}
    return Change.objects.create(
        change_set=change_set, number=number, base=base, desired={field: desired}, state=state, **columns
    )


def make_event(number: PhoneNumber, kind: str, **columns: Any) -> Event:
    return Event.objects.create(number=number, kind=kind, **columns)
