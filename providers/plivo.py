"""Plivo: the numbers of one main account, its applications, inbound trunks and subaccounts.

From the Plivo API reference (Nov 2026). Numbers are never released, bought or moved to another main account: those
calls are not in `allowed_calls`.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from providers.contract import (
    Capabilities,
    CredentialField,
    EditableField,
    NumberEdit,
    Provider,
    Rate,
    RemoteApplication,
    RemoteNumber,
    RemoteSubaccount,
    Route,
    RouteKind,
    SideEffect,
)
from providers.errors import AuthenticationFailed, MalformedResponse, NotFound
from providers.paging import Page, one_ahead, read_ahead, without_overlap
from providers.plivo_words import list_rows, read_application, read_number, read_trunk, required
from providers.reading import text

AUTH_ID = "MA[A-Za-z0-9]{18}"
ACCOUNT = f"/v1/Account/{AUTH_ID}"
PAGE_SIZE = 20  # The most Plivo gives.
STEP = PAGE_SIZE - 1  # Each page begins with the last number of the one before.
EMPTY = "Plivo sent an empty page and said that others follow it."
HIGHEST_TOTAL = 2**31 - 1
OFFSET = re.compile(r"[?&]offset=([0-9]{1,9})(?:[&#]|$)")
MOST_REPEATS = 1  # A list that moves by a page shows one again; one that shows it a third time stands still.
SLACK = 1.1, 100
"""A listing may end so much above the total of its first page: numbers are bought while it is read."""
ARGUMENTS = {
    "alias": "alias",
    "voice": "app_id",
    "subaccount": "subaccount",
    "cnam": "cnam",
    "cnam_lookup": "cnam_lookup",
}


class Plivo(Provider):
    kind: ClassVar[str] = "plivo"
    title: ClassVar[str] = "Plivo"
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=PAGE_SIZE,
        rate=Rate(requests=300, seconds=5.0),  # "Account limits", API calls other than voice calls, Nov 2026.
        max_in_flight=32,  # The rate alone takes four at 50 ms a call; the rest is for slow calls and higher limits.
        reads=tuple(
            """
            alias voice messages subaccount number_type services country region city carrier provider_status tendlc
            toll_free cnam cnam_lookup monthly_rate voice_rate sms_rate mms_rate added_on renewal_date
            """.split()  # noqa: SIM905 - as text it stays readable
        ),
        edits=(
            EditableField(
                name="alias",
                title="Alias",
                max_length=150,
                note="Plivo documents no longest alias; 150 characters is Numberdesk's own limit.",
            ),
            EditableField(
                name="voice",
                title="Application",
                route_kinds=(RouteKind.APPLICATION, RouteKind.TRUNK),
                note="Takes the calls and the messages of the number.",
            ),
            EditableField(
                name="subaccount", title="Subaccount", max_length=20, note="Empty: the main account keeps the number."
            ),
            EditableField(
                name="cnam",
                title="Caller ID name",
                max_length=15,
                settles_slowly=True,  # Registered later, told at "cnam_callback_url": Plivo API reference, Nov 2026.
                note="For outbound calls. US networks show 15 characters at most.",
            ),
            EditableField(
                name="cnam_lookup",
                title="CNAM lookup",
                choices=("enabled", "disabled"),
                clearable=False,
                note="For US numbers only.",
            ),
        ),
        why_not={"messages": "Plivo routes calls and messages of a number by one application: change that."},
        reclaim_days=5,
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(
            name="auth_id",
            title="Auth ID",
            secret=False,
            pattern=AUTH_ID,
            hint="MA and 18 letters or digits, on the overview page of the Plivo console.",
        ),
        CredentialField(name="auth_token", title="Auth Token", pattern=r"\S+", hint="Beside the Auth ID."),
    )
    allowed_calls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("GET", f"{ACCOUNT}/"),
        ("GET", f"{ACCOUNT}/Number/"),
        ("GET", f"{ACCOUNT}/Number/[0-9]+/"),
        ("POST", f"{ACCOUNT}/Number/[0-9]+/"),
        ("GET", f"{ACCOUNT}/Application/"),
        ("GET", f"{ACCOUNT}/Zentrunk/Trunk/"),
        ("GET", f"{ACCOUNT}/Subaccount/"),
    )

    @classmethod
    def base_urls(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG003
        return {"api": "https://api.plivo.com"}

    @classmethod
    def authorization(cls, credentials: Mapping[str, str]) -> tuple[str, str]:
        return credentials["auth_id"], credentials["auth_token"]

    @property
    def auth_id(self) -> str:
        return self.credentials["auth_id"]

    def whoami(self) -> str:
        account = self.http.get_json(self._path(""))
        return required(account if isinstance(account, dict) else {}, "auth_id")

    def list_numbers(self) -> Iterator[Page]:
        """Pages that overlap by one row, several on their way at once; by Plivo's links where it gives no offsets."""
        path = self._path("Number/")
        first = checked_page(self.http.get_json(path, {"limit": PAGE_SIZE, "offset": 0}))
        page = self._page(first)
        yield page
        if is_by_offset(first):
            yield from self._overlapping_pages(path, Progress(first, "number"), page)
        else:
            yield from one_ahead(map(self._page, self._following(path, "number", first)))

    def _page(self, body: Any) -> Page:
        return Page(rows=tuple(list_rows(body["objects"], self.auth_id)), total=body["meta"].get("total_count"))

    def _overlapping_pages(self, path: str, progress: "Progress", first: Page) -> Iterator[Page]:
        """Until a page names no next, whatever was counted at first: a list may grow and shrink while it is read."""

        def fetch(offset: int, given_up: threading.Event) -> tuple[Page, bool]:
            body = self.http.get_json(path, {"limit": PAGE_SIZE, "offset": offset}, given_up=given_up)
            return self._page(checked_page(body)), leads_onward(body, offset)

        offset, last, total, onward = 0, first.rows[-1].id, first.total or 0, True
        while onward:
            offsets = range(offset + STEP, max(total - 1, offset + STEP + 1), STEP)
            with closing(read_ahead(fetch, offsets, in_flight=self.capabilities.max_in_flight)) as pages:
                for page, onward in pages:
                    offset += STEP
                    rows, moved = without_overlap(page.rows, last)
                    progress.check({row.id for row in rows}, onward=onward)
                    yield Page(rows=tuple(rows), total=page.total, moved=moved)
                    if not onward:
                        return
                    last, total = rows[-1].id, page.total or total

    def get(self, number_id: str) -> RemoteNumber:
        row = self.http.get_json(self._path(f"Number/{number_id}/"))
        if isinstance(row, dict):
            row.pop("api_id", None)  # It names this call, not the number, and lists lack it.
        number = read_number(row, self.auth_id)
        if number.id != number_id:
            raise MalformedResponse("Plivo answered with another number than the one asked for.")
        return number

    def send_edit(self, number_id: str, edit: NumberEdit) -> None:
        """Only changed keys, and "" to clear: Plivo answers "changed" to a null and changes nothing (plivo-node 63)."""
        self.capabilities.check(edit)
        body = {ARGUMENTS[name]: value for name, value in edit.items()}
        if "voice" in edit:
            body["app_id"] = Route.from_key(edit["voice"]).target
        self.http.send_json("POST", self._path(f"Number/{number_id}/"), body)

    @classmethod
    def preview(cls, current: NumberEdit, edit: NumberEdit) -> tuple[SideEffect, ...]:
        return tuple(side_effects(current, edit))

    def list_applications(self) -> Iterator[RemoteApplication]:
        """Applications, then trunks, where these credentials may see any."""
        yield from map(read_application, self._rows("Application/", "app_id"))
        try:
            yield from map(read_trunk, self._rows("Zentrunk/Trunk/", "trunk_id"))
        except NotFound:
            self.unlisted_kinds.add(RouteKind.TRUNK)
        except AuthenticationFailed as error:
            if error.status != 403:
                raise
            self.unlisted_kinds.add(RouteKind.TRUNK)
            self.note_missing("These credentials do not open Plivo's SIP trunks: they are not listed.")

    def list_subaccounts(self) -> Iterator[RemoteSubaccount]:
        """Plivo lists their live auth tokens as well: nothing but these three fields is ever read."""
        for row in self._rows("Subaccount/", "auth_id"):
            enabled = row.get("enabled") is not False
            yield RemoteSubaccount(id=required(row, "auth_id"), name=text(row.get("name")), enabled=enabled)

    @classmethod
    def console_url(cls, number_id: str) -> str:  # noqa: ARG003
        """Plivo's numbers page: a single number's address is not documented (Nov 2026)."""
        return "https://cx.plivo.com/phone-numbers"

    def _path(self, rest: str) -> str:
        return f"/v1/Account/{self.auth_id}/{rest}"

    def _rows(self, rest: str, key: str) -> Iterator[Any]:
        """A list's rows. Raises MalformedResponse at its end, if they are not as many as Plivo counts."""
        listed, total = 0, None
        for body in self._pages(rest, key):
            listed, total = listed + len(body["objects"]), body["meta"].get("total_count")
            yield from body["objects"]
        if total not in (None, listed):
            raise MalformedResponse(f"Plivo counts {total:,} in a list of which it sent {listed:,}.")

    def _pages(self, rest: str, key: str) -> Iterator[Any]:
        """Every page of a list, until one names no next. Offset and cursor links are both followed."""
        path = self._path(rest)
        first = checked_page(self.http.get_json(path, {"limit": PAGE_SIZE, "offset": 0}))
        yield first
        yield from self._following(path, key, first)

    def _following(self, path: str, key: str, body: Any) -> Iterator[Any]:
        """The pages after this one, link by link."""
        progress = Progress(body, key)
        while link := body["meta"].get("next"):
            if not body["objects"]:
                raise MalformedResponse(EMPTY)
            body = checked_page(self.http.follow(f"{path}?{next_query(link)}"))
            progress.check(names_of(body, key))
            yield body


class Progress:
    """Refuses a list that does not come to an end.

    A cache that drops the query sends page one for ever, each time with a new link: names tell rows apart.
    """

    def __init__(self, first: Any, key: str) -> None:
        self._most = most_rows(first["meta"].get("total_count"))
        self._before, self._listed, self._repeats = names_of(first, key), len(first["objects"]), 0

    def check(self, names: set[str], *, onward: bool = False) -> None:
        """`onward`: the page says that others follow it."""
        if onward and not names:
            raise MalformedResponse(EMPTY)
        self._listed += len(names)
        self._repeats = self._repeats + 1 if names and names <= self._before else 0
        self._before = names
        if self._listed > self._most or self._repeats > MOST_REPEATS:
            raise MalformedResponse("Plivo sent the same page again, or more pages than its list has.")


def checked_page(body: Any) -> Any:
    """The page, if it is one whole: rows that are objects, and a total that is a count or missing."""
    meta, rows = (body.get("meta"), body.get("objects")) if isinstance(body, dict) else (None, None)
    if not isinstance(meta, dict) or not isinstance(rows, list) or set(map(type, rows)) - {dict}:
        raise MalformedResponse("Plivo sent something else where a page of a list belongs.")
    total = meta.get("total_count")
    if total is not None and (type(total) is not int or not 0 <= total <= HIGHEST_TOTAL):
        raise MalformedResponse("Plivo sent a total that is not a count.")
    return body


def is_by_offset(first: Any) -> bool:
    """Its list can be read at any offset: a full page, a count, and a next page that is named by its offset."""
    is_full = len(first["objects"]) == PAGE_SIZE and first["meta"].get("total_count") is not None
    return is_full and next_offset(first) > 0


def leads_onward(body: Any, offset: int) -> bool:
    """Whether others follow the page at this offset. Raises MalformedResponse for a next page that is none."""
    if not body["meta"].get("next"):
        return False
    if next_offset(body) <= offset:
        raise MalformedResponse("Plivo led us around in a circle: a page's link leads back.")
    return True


def next_offset(body: Any) -> int:
    """The offset of the next page; 0 when its link names none, or a cursor."""
    link = body["meta"].get("next")
    offset = OFFSET.search(link) if isinstance(link, str) and "cursor=" not in link else None
    return int(offset[1]) if offset else 0


def names_of(body: Any, key: str) -> set[str]:
    return {text(row.get(key)) for row in body["objects"]}


def most_rows(total: int | None) -> float:
    times, more = SLACK
    return float("inf") if total is None else total * times + more


def next_query(link: object) -> str:
    """The query of a link to the next page. A cursor replaces the offset: with both, page one would come again."""
    query = dict(parse_qsl(urlsplit(link).query)) if isinstance(link, str) else {}
    if "cursor" in query:
        query.pop("offset", None)
    return urlencode(query)


def side_effects(current: NumberEdit, edit: NumberEdit) -> Iterator[SideEffect]:
    before, after = (
        Route.from_key(current.get("voice", "")),
        Route.from_key(edit.get("voice", current.get("voice", ""))),
    )
    if before != after:
        if before.kind == RouteKind.TRUNK:
            yield SideEffect(field="voice", sentence=f"The number leaves the trunk {before.target}.")
        if after.kind == RouteKind.APPLICATION:
            sentence = "Messages go to this application too: Plivo has one for calls and messages."
            yield SideEffect(field="messages", sentence=sentence, is_inherent=True)
        elif before.kind == RouteKind.APPLICATION:
            yield SideEffect(field="messages", sentence="Messages no longer go to any application.")
    if edit.get("subaccount", current.get("subaccount", "")) != current.get("subaccount", ""):
        sentence = "The number changes hands: the new holder's credentials control it, the old one's no longer do."
        yield SideEffect(field="subaccount", sentence=sentence)
