"""The rows of the list, each with what it shows, in one query however many there are."""

from typing import TYPE_CHECKING, Any, TypedDict, cast

from django.db.models import CharField, JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from phone_numbers.filters.query import InventoryQuery
from phone_numbers.models import Application, Change, PhoneNumber
from phone_numbers.querysets import PhoneNumberQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Shown(TypedDict):
        voice_label: str
        message_label: str
        live_change: int | None
        live_desired: dict[str, Any] | None

    ShownNumber = WithAnnotations[PhoneNumber, Shown]


def list_numbers(query: InventoryQuery) -> "QuerySet[ShownNumber]":
    """What the query asks for, in its order; nothing when any part of it was not understood."""
    if query.mistakes:
        return shown(PhoneNumber.objects.none())
    return shown(PhoneNumber.objects.filter(query.condition())).order_by(*query.order())


def shown(numbers: PhoneNumberQuerySet) -> "QuerySet[ShownNumber]":
    """With the names of the routes' targets, and the change that is under way, if any."""
    annotated = numbers.annotate(
        voice_label=route_label("voice"),
        message_label=route_label("message"),
        live_change=live_change("pk"),
        live_desired=live_change("desired", JSONField()),
    )
    return cast("QuerySet[ShownNumber]", annotated)


def route_label(prefix: str) -> Coalesce:
    target = Application.objects.filter(
        account=OuterRef("account"), kind=OuterRef(f"{prefix}_kind"), remote_id=OuterRef(f"{prefix}_target")
    )
    return Coalesce(Subquery(target.order_by().values("name")[:1]), Value(""), output_field=CharField())


def live_change(column: str, output_field: JSONField | None = None) -> Subquery:
    live = Change.objects.filter(number=OuterRef("pk"), state__in=Change.LIVE)
    return Subquery(live.order_by().values(column)[:1], output_field=output_field)
