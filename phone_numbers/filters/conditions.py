"""What a filter's values mean to the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Func, Q
from django.db.models.lookups import In

from phone_numbers.filters.directory import Directory
from phone_numbers.filters.search import found_by, routed_to
from phone_numbers.models import LocalFields, NumberList, PhoneNumber, Subaccount, Tag
from phone_numbers.models.numbers import SERVICE_BITS, service_bits
from providers.contract import Service

Values = Sequence[str]

ROUTED_FOR = {"voice": ("voice", Service.VOICE), "messages": ("message", Service.SMS)}
"""The columns of a route, and the service without which a number needs none."""
NOTHING = Q(pk__in=())
EVERY_COMBINATION = range(1 << len(SERVICE_BITS))
LONGEST_NUMBER = 19
COLUMNS = {each.column: each for each in PhoneNumber._meta.concrete_fields}


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows are going to be read, which decides the form of a condition, never its meaning."""

    directory: Directory
    walks: bool = False
    """In the list's order, looking at one by one, until a page is full: right when many rows match."""
    lead: str = ""
    """When walking: the column whose index gives that order, for one value of it."""


Condition = Callable[[Values, Reading], Q]


class Unindexed(Func):
    """A column that SQLite must not look up in its index: it would find all that match, and sort them.

    What it is compared with must be of the column's own type: SQLite converts nothing for what is no plain column.
    """

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


def one_of(field: str) -> Condition:
    def condition(values: Values, reading: Reading) -> Q:
        return among(field, values, reading)

    return condition


def among(field: str, values: Sequence[Any], reading: Reading) -> Q:
    if reading.walks and field != reading.lead:
        return Q(In(Unindexed(F(field)), [COLUMNS[field].to_python(value) for value in values]))
    return Q(**{f"{field}__in": values}) if len(values) > 1 else Q(**{field: values[0]}) if values else NOTHING


def the_only(lookup: str) -> Condition:
    return lambda values, _: Q(**{lookup: values[0]})


def of_providers(values: Values, reading: Reading) -> Q:
    accounts = [account for account, (provider, _) in reading.directory.accounts.items() if provider in values]
    return among("account_id", accounts, reading)


def starts_with_digits(values: Values, _: Reading) -> Q:
    """As a range, which is in order in every collation, where a pattern would need an index of its own."""
    prefix = f"+{values[0]}"
    return Q(e164__gte=prefix, e164__lte=prefix.ljust(LONGEST_NUMBER, "9"))


def combinations(services: Values, match: str) -> list[int]:
    """Which of the sixteen sets of services answer to these services."""
    wanted = service_bits([Service(value) for value in services])
    return [bits for bits in EVERY_COMBINATION if matches(bits, wanted, match)]


def matches(bits: int, wanted: int, match: str) -> bool:
    if match == "exactly":
        return bits == wanted
    return bits & wanted == wanted if match == "all" else bool(bits & wanted)


def going_nowhere(values: Values, reading: Reading) -> Q:
    """Numbers that could take calls, or messages, and send them nowhere."""
    found = Q()
    for prefix, service in (ROUTED_FOR[value] for value in values):
        able = among("service_bits", combinations([service.value], "all"), reading)
        found |= able & Q(**{f"{prefix}_kind": "", f"{prefix}_target": ""})
    return found


def belonging_to(field: str) -> Condition:
    return lambda values, _: Q(pk__in=LocalFields.objects.filter(**{field: values[0]}).values("pk"))


def application_called(values: Values, reading: Reading) -> Q:
    return routed_to(reading.directory.called(values[0]))


def subaccount_called(values: Values, _: Reading) -> Q:
    named = Subaccount.objects.filter(name__iexact=values[0]).order_by()
    return Q(subaccount=values[0]) | Q(subaccount__in=named.values("remote_id"))


def contains(values: Values, reading: Reading) -> Q:
    return found_by(values[0], reading.directory, walks=reading.walks)


def tagged(values: Values, _: Reading) -> Q:
    return Q(pk__in=Tag.numbers.through.objects.filter(tag__folded__in=values).values("phonenumber"))


def listed_in(values: Values, _: Reading) -> Q:
    """Of a list that somebody put together; who may use it is the view's to check."""
    return Q(pk__in=NumberList.numbers.through.objects.filter(numberlist=UUID(values[0])).values("phonenumber"))
