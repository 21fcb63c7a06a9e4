"""The list as a file: what it shows now, or the numbers that were ticked, as CSV or for a spreadsheet."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from phone_numbers.filters import InventoryQuery
from phone_numbers.filters.directory import current_edition
from phone_numbers.filters.exports import Column, export_list, export_view, file_name, read_columns
from phone_numbers.filters.facets import count_facets
from phone_numbers.services.change_requests import ChangeRefused
from phone_numbers.services.list_preferences import find_preferences
from phone_numbers.services.lists import keep_list
from phone_numbers.services.spreadsheets import Echo
from phone_numbers.views.list_head import keys_of
from phone_numbers.views.numbers import with_known_list
from phone_numbers.views.pages import PageRequest, list_query, requires
from phone_numbers.views.selection import ticked

OWN = ("format", "columns", "numbers", "number", "csrfmiddlewaretoken")
MOST_IN_A_SHEET = 1_048_575
"""Rows below the first one; a spreadsheet has no more."""
MOST_SELECTED = 20_000
CSV, XLSX = "csv", "xlsx"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Chunks = Iterable[list[list[str]]]


@requires("numbers.view_phonenumber")
@require_http_methods(["GET", "HEAD", "POST"])
def number_export(request: PageRequest) -> HttpResponseBase:
    asked = request.POST if request.method == "POST" else request.GET
    try:
        columns = read_columns(asked.get("columns", ""), keys_shown(request))
        extension = read_format(asked.get("format", CSV))
        chunks = chunks_asked_for(request, asked, columns, extension)
    except (ValueError, ChangeRefused) as error:
        return render(request, "numbers/export_refused.html", {"sentence": str(error)}, status=422)
    return send(chunks, [column.key for column in columns], extension)


def keys_shown(request: PageRequest) -> tuple[str, ...]:
    """The list's columns, and the type, which the list shows below the number."""
    number, *others = keys_of(InventoryQuery(), find_preferences(request.user))
    return (number, *others) if "type" in others else (number, "type", *others)


def read_format(typed: str) -> str:
    if typed not in (CSV, XLSX):
        raise ValueError(f"A list can be exported as csv or xlsx, not as “{typed}”.")
    return typed


def chunks_asked_for(request: PageRequest, asked: QueryDict, columns: Sequence[Column], extension: str) -> Chunks:
    """Raises ValueError with a sentence; nothing is exported of what is not understood."""
    if asked.get("matching") != "all" and ("numbers" in asked or "number" in asked):
        numbers = ticked(asked).numbers
        if not numbers or len(numbers) > MOST_SELECTED:
            raise ValueError(f"Select between one and {MOST_SELECTED:,} numbers to export.")
        order = query_of(in_order_of(asked, QueryDict(mutable=True)))
        return export_list(order, keep_list(request.user, numbers, {}), columns)
    if asked.get("matching") == "all":
        asked = in_order_of(asked, QueryDict(asked.get("filter", ""), mutable=True))
    query = query_of(asked)
    total = count_facets(query, current_edition()).total
    if extension == XLSX and total > MOST_IN_A_SHEET:
        raise ValueError(f"{total:,} numbers are too many for one sheet. Export them as CSV.")
    return export_view(query, columns)


def in_order_of(asked: QueryDict, parameters: QueryDict) -> QueryDict:
    """What is selected comes in the order of the list it was selected in."""
    parameters["sort"] = asked.get("sort", "")
    return parameters


def query_of(asked: QueryDict) -> InventoryQuery:
    parameters = asked.copy()
    for name in OWN:
        parameters.pop(name, None)
    query = with_known_list(list_query(parameters))
    if query.mistakes:
        raise ValueError(query.mistakes[0].sentence)
    return replace(query.having(), mistakes=())


def send(chunks: Chunks, head: list[str], extension: str) -> HttpResponseBase:
    name = file_name(extension, timezone.localdate())
    response: HttpResponseBase
    if extension == CSV:
        response = StreamingHttpResponse(csv_lines(chunks, head), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    else:
        response = FileResponse(sheet(chunks, head), as_attachment=True, filename=name, content_type=SHEET_TYPE)
    response["Cache-Control"] = "no-store"
    return response


def csv_lines(chunks: Chunks, head: list[str]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(head)
    for rows in chunks:
        yield "".join(writer.writerow(row) for row in rows)


def sheet(chunks: Chunks, head: list[str]) -> "tempfile._TemporaryFileWrapper[bytes]":
    """Written row by row to a file: memory holds one row, however many there are. Every cell is text."""
    target = tempfile.NamedTemporaryFile(suffix=".xlsx")  # noqa: SIM115 - the response closes it
    book = xlsxwriter.Workbook(target.name, {"constant_memory": True})
    page = book.add_worksheet("Numbers")
    page.freeze_panes(1, 1)
    page.write_row(0, 0, head, book.add_format({"bold": True}))
    at = 0
    for rows in chunks:
        for row in rows:
            at += 1
            for column, text in enumerate(row):
                page.write_string(at, column, text)
    book.close()
    return target
