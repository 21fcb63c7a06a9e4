"""What a filter's values mean to the database, in forms its indexes can answer."""

import re
from collections.abc import Callable, Sequence

from django.db.models import Q

from phone_numbers.models import Application, Subaccount
from phone_numbers.models.numbers import SERVICE_BITS, service_bits
from providers.contract import Service

Values = Sequence[str]
Condition = Callable[[Values], Q]

EVERY_COMBINATION = range(1 << len(SERVICE_BITS))
SPELLED_NUMBER = re.compile(r"[\d\s().+/-]*\d[\d\s().+/-]*")


def one_of(field: str) -> Condition:
    return lambda values: Q(**{f"{field}__in": values})


def the_only(lookup: str) -> Condition:
    return lambda values: Q(**{lookup: values[0]})


def starts_with_digits(values: Values) -> Q:
    return Q(e164__startswith=f"+{values[0]}")


def combinations(services: Values, match: str) -> list[int]:
    """Which of the sixteen sets of services answer to these services."""
    wanted = service_bits([Service(value) for value in services])
    return [bits for bits in EVERY_COMBINATION if matches(bits, wanted, match)]


def matches(bits: int, wanted: int, match: str) -> bool:
    if match == "exactly":
        return bits == wanted
    return bits & wanted == wanted if match == "all" else bool(bits & wanted)


def routed_to(applications: Q) -> Q:
    """Numbers whose calls or messages go to one of these applications of their own account."""
    found = Application.objects.filter(applications).order_by()
    targets = found.values("remote_id")
    goes_there = Q(voice_target__in=targets) | Q(message_target__in=targets)
    return Q(account__in=found.values("account")) & goes_there


def application_called(values: Values) -> Q:
    return routed_to(Q(name__iexact=values[0]) | Q(remote_id=values[0]))


def subaccount_called(values: Values) -> Q:
    named = Subaccount.objects.filter(name__iexact=values[0]).order_by()
    return Q(subaccount=values[0]) | Q(subaccount__in=named.values("remote_id"))


def contains(values: Values) -> Q:
    """The search box: a number in any spelling, or part of an alias, a campaign or an application's name."""
    text = values[0]
    found = Q(alias__icontains=text) | Q(tendlc_campaign_id__icontains=text) | routed_to(Q(name__icontains=text))
    if digits := digits_of(text):
        found |= Q(e164__contains=digits)
    return found


def digits_of(text: str) -> str:
    """The digits of a number in whatever spelling, without trunk or international zeros; "" when it is not one."""
    if not SPELLED_NUMBER.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    return digits.lstrip("0") or digits
