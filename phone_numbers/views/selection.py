"""Which numbers a plan is for: those that were ticked, or all that a filter finds. Reads only their ids."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps

from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from phone_numbers.filters.rows import matching_numbers
from phone_numbers.models import PhoneNumber
from phone_numbers.services.batches import batches
from phone_numbers.services.change_plans import BATCH, check_selection, selection_hash
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.views.pages import PageRequest, list_query, read_count, read_id

MOST = 20_000
"""Numbers of one plan: it is made while somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    numbers: list[int]
    filter: str = ""
    """The query string that finds them, when they were not ticked one by one."""
    is_filtered: bool = False

    @property
    def fields(self) -> dict[str, str]:
        """What a form sends back to mean the same numbers, and to be told when they are not the same any more."""
        if not self.is_filtered:
            return {"numbers": ",".join(map(str, self.numbers))}
        return {
            "matching": "all",
            "filter": self.filter,
            "count": str(len(self.numbers)),
            "hash": selection_hash(self.numbers),
        }

    @property
    def kept(self) -> dict[str, str | int]:
        """For the plan, which compares it with what the filter finds when it is applied."""
        if not self.is_filtered:
            return {}
        return {"filter": self.filter, "count": len(self.numbers), "hash": selection_hash(self.numbers)}


def for_selection(view: Callable[[PageRequest, Selection], HttpResponse]) -> Callable[[PageRequest], HttpResponse]:
    """Give the view the numbers its form is about, or tell why there are none."""

    @wraps(view)
    def guard(request: PageRequest) -> HttpResponse:
        try:
            selection = read_selection(request.POST)
        except ChangeRefused as refused:
            return render(request, "change_sets/refused.html", {"sentence": str(refused)}, status=409)
        return view(request, selection)

    return guard


def read_selection(posted: QueryDict) -> Selection:
    """Raises ChangeRefused when it is empty, too large, or not what the page showed any more."""
    is_filtered = posted.get("matching") == "all"
    selection = matching(posted.get("filter", "")) if is_filtered else check_size(ticked(posted))
    if is_filtered:
        shown = read_count(posted.get("count", "")) or 0
        expected_hash = posted.get("hash") or selection_hash(selection.numbers)
        check_selection(selection.numbers, count=shown, expected_hash=expected_hash)
    return selection


def check_size(selection: Selection) -> Selection:
    """Raises ChangeRefused when it is empty, or too large for a plan."""
    if not selection.numbers:
        raise ChangeRefused("No number is selected. Tick some in the list.")
    if len(selection.numbers) > MOST:
        raise ChangeRefused(f"{len(selection.numbers):,} numbers are too many for one plan; take {MOST:,} at most.")
    return selection


def ticked(posted: QueryDict) -> Selection:
    """One field with commas between the ids, or the checkboxes of a page without JavaScript."""
    typed = [*re.split(r"[,\s]+", posted.get("numbers", "")), *posted.getlist("number")]
    return Selection(numbers=sorted(existing({pk for each in typed if (pk := read_id(each))})))


def existing(pks: set[int]) -> Iterable[int]:
    for batch in batches(sorted(pks), BATCH):
        yield from PhoneNumber.objects.filter(pk__in=batch).values_list("pk", flat=True)


def matching(filter_text: str) -> Selection:
    """All that a filter finds now. Raises ChangeRefused when that is nothing, too much, or makes no sense."""
    return check_size(Selection(numbers=find_matching(filter_text), filter=filter_text, is_filtered=True))


def find_matching(filter_text: str) -> list[int]:
    """The ids a filter finds now, one more than a plan may have at most. Raises ChangeRefused for a mistaken filter."""
    query = list_query(QueryDict(filter_text))
    if query.mistakes:
        raise ChangeRefused(query.mistakes[0].sentence)
    return list(matching_numbers(query).order_by("pk").values_list("pk", flat=True)[: MOST + 1])
