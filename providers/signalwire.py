"""SignalWire: one project's numbers through Relay REST, its applications through the compatibility API.

From the SignalWire REST reference and specification (Nov 2026). Numbers are never released, bought or moved: those
calls are not in `allowed_calls`. What a token may see depends on its scopes; a missing one is a 401 like a wrong token.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from providers import signalwire_words as words
from providers.contract import (
    Capabilities,
    Compliance,
    CredentialField,
    EditableField,
    NumberEdit,
    Provider,
    Rate,
    RemoteApplication,
    RemoteNumber,
    Route,
    SideEffect,
    TargetForm,
    TenDlc,
    TenDlcStatus,
)
from providers.errors import AuthenticationFailed, MalformedResponse, Unsupported, WrongAccount
from providers.paging import Page, one_ahead
from providers.reading import text
from providers.signalwire_words import UUID

T = TypeVar("T")

SPACE = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
NUMBERS = "/api/relay/rest/phone_numbers"
REGISTRY = "/api/relay/rest/registry/beta"
ACCOUNTS = "/api/laml/2010-04-01/Accounts"
PAGE_SIZE = 1000
MOST_ROWS = 100_000
"""Of one list of the registry."""
MOST_ASSIGNED = 2_000_000
"""Numbers in campaigns: as many as a list of numbers may have."""

CALL_KINDS = tuple(str(handler.kind) for handler in words.CALL_HANDLERS.values() if handler.writable)
MESSAGE_KINDS = tuple(str(handler.kind) for handler in words.MESSAGE_HANDLERS.values())
NO_APPLICATIONS = "This API token lacks a scope to list applications: Voice, Messaging or Fax."
NO_REGISTRY = "This API token lacks the scope Messaging, so the 10DLC status of numbers is unknown."
FABRIC_SENTENCE = "This target is assigned in SignalWire's Call Fabric; its numbers API only shows it."


class SignalWire(Provider):
    kind: ClassVar[str] = "signalwire"
    title: ClassVar[str] = "SignalWire"
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=PAGE_SIZE,
        # Reads are "effectively unlimited", writes 13,800 in 10 s (platform page on rate limits, Nov 2026); well below
        # both, so that the project's other programs keep their share.
        rate=Rate(requests=100, seconds=1.0),
        max_in_flight=8,  # That rate at 50 ms a call takes five; it has no limit of its own for calls at once.
        reads=tuple(
            """
            alias voice messages number_type services country tendlc cnam e911 added_on renewal_date
            """.split()  # noqa: SIM905 - as text it stays readable
        ),
        edits=(
            EditableField(
                name="alias",
                title="Name",
                max_length=255,
                note="SignalWire does not document how a name is cleared; the number is read again to see.",
            ),
            EditableField(
                name="voice",
                title="Voice",
                route_kinds=CALL_KINDS,
                route_why_not=dict.fromkeys(words.FABRIC_KINDS, FABRIC_SENTENCE),
                clearable=False,
            ),
            EditableField(name="messages", title="Messages", route_kinds=MESSAGE_KINDS, clearable=False),
            EditableField(
                name="call_receive_mode", title="Receive calls as", choices=words.RECEIVE_MODES, clearable=False
            ),
        ),
        why_not={
            "cnam": "SignalWire reviews a new caller name before it is applied: request it in its dashboard.",
            "e911": "An emergency address is assigned in SignalWire's dashboard.",
        },
        compliance_is_separate=True,
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(
            name="space",
            title="Space",
            secret=False,
            pattern=SPACE,
            hint="The first part of your-space.signalwire.com, in small letters.",
        ),
        CredentialField(name="project_id", title="Project ID", secret=False, pattern=UUID),
        CredentialField(
            name="api_token",
            title="API token",
            pattern=r"\S+",
            hint="Needs the scope Numbers; Voice or Messaging for applications, Messaging for 10DLC.",
        ),
    )
    allowed_calls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("GET", NUMBERS),
        ("GET", f"{NUMBERS}/{UUID}"),
        ("PUT", f"{NUMBERS}/{UUID}"),
        ("GET", rf"{ACCOUNTS}/{UUID}/(?:IncomingPhoneNumbers|Applications)"),
        ("GET", f"{REGISTRY}/brands"),
        ("GET", f"{REGISTRY}/brands/{UUID}/campaigns"),
        ("GET", f"{REGISTRY}/campaigns/{UUID}/numbers"),
    )
    route_titles: ClassVar[Mapping[str, str]] = MappingProxyType(words.ROUTE_TITLES)
    target_forms: ClassVar[Mapping[str, TargetForm]] = MappingProxyType(
        {**Provider.target_forms, "relay_script": TargetForm.URL}
    )
    precedence: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(("voice", "messages"), "SignalWire obeys one handler; the targets of the others are ignored.")
    )
    fallback_fields: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType(
        {
            "voice": {str(handler.kind): handler.fallback for handler in words.CALL_HANDLERS.values()},
            "messages": {str(handler.kind): handler.fallback for handler in words.MESSAGE_HANDLERS.values()},
        }
    )

    @classmethod
    def base_urls(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """The space becomes one label of a host name and nothing else, so credentials only go to SignalWire."""
        space = credentials.get("space", "")
        if not re.fullmatch(SPACE, space):
            raise Unsupported("The space must be the first part of your-space.signalwire.com, in small letters.")
        return {"api": f"https://{space}.signalwire.com"}

    @classmethod
    def authorization(cls, credentials: Mapping[str, str]) -> tuple[str, str]:
        return credentials["project_id"], credentials["api_token"]

    @property
    def project_id(self) -> str:
        return self.credentials["project_id"]

    def whoami(self) -> str:
        """The project, proven by the compatibility API's number list: it names the project in its path and rows.

        It needs no scope beyond Numbers. The account endpoint, which would answer for an empty project too, needs
        the scope Management (specification of the compatibility API, Nov 2026).
        """
        body = self.http.get_json(f"{ACCOUNTS}/{self.project_id}/IncomingPhoneNumbers", {"PageSize": 1})
        for row in words.rows_of(body, "incoming_phone_numbers"):
            if text(row.get("account_sid")).lower() != self.project_id.lower():
                raise WrongAccount("SignalWire answered for another project than the one asked for.")
        return self.project_id

    def list_numbers(self) -> Iterator[Page]:
        listed = self._pages(NUMBERS, {"page_size": PAGE_SIZE})
        yield from one_ahead(Page.of(self._complete(words.read_number(row)) for row in rows) for rows in listed)

    def get(self, number_id: str) -> RemoteNumber:
        row = self.http.get_json(f"{NUMBERS}/{number_id}")
        number = words.read_number(row if isinstance(row, dict) else {})
        if number.id != number_id:
            raise MalformedResponse("SignalWire answered with another number than the one asked for.")
        return self._complete(number) if "_assignments" in vars(self) else number

    def send_edit(self, number_id: str, edit: NumberEdit) -> None:
        """One PUT; what it does not name stays as it is ("Update a Phone Number", developer site)."""
        if any(name in ("voice", "messages") and not Route.from_key(value).target for name, value in edit.items()):
            raise Unsupported("A route needs a target.")
        self.http.send_json("PUT", f"{NUMBERS}/{number_id}", words.write_edit(edit))

    @classmethod
    def preview(cls, current: NumberEdit, edit: NumberEdit) -> tuple[SideEffect, ...]:
        return tuple(words.side_effects(current, edit))

    def list_applications(self) -> Iterator[RemoteApplication]:
        path = f"{ACCOUNTS}/{self.project_id}/Applications"
        body = self._in_scope(lambda: self.http.get_json(path, {"PageSize": PAGE_SIZE}), NO_APPLICATIONS)
        if body is None:
            raise Unsupported(NO_APPLICATIONS)
        while True:
            yield from map(words.read_application, words.rows_of(body, "applications"))
            if not body.get("next_page_uri"):
                return
            body = self.http.follow(body["next_page_uri"])

    def compliance(self) -> Mapping[str, Compliance]:
        """Of the numbers that a campaign lists; without the scope Messaging there is nothing to tell."""
        return {number_id: Compliance(tendlc=tendlc) for number_id, tendlc in (self._assignments or {}).items()}

    @cached_property
    def _assignments(self) -> Mapping[str, TenDlc] | None:
        """10DLC by number id; None when the token may not read the registry.

        A number's row does not name its campaign and there is no reverse look-up, so the registry is walked whole.
        """
        brands = self._in_scope(lambda: list(self._rows(f"{REGISTRY}/brands")), NO_REGISTRY)
        if brands is None:
            return None
        found: dict[str, TenDlc] = {}
        for brand in brands:
            for campaign in self._rows(f"{REGISTRY}/brands/{words.read_id(brand)}/campaigns"):
                for assignment in self._rows(f"{REGISTRY}/campaigns/{words.read_id(campaign)}/numbers"):
                    number_id, read = words.read_assignment(assignment, campaign)
                    found[number_id] = min(found.get(number_id, read), read, key=words.standing)
                if len(found) > MOST_ASSIGNED:
                    raise MalformedResponse(f"SignalWire lists more than {MOST_ASSIGNED:,} numbers in campaigns.")
        return found

    def _complete(self, number: RemoteNumber) -> RemoteNumber:
        """With what the registry says, or with what follows from its silence."""
        if number.tendlc is not None:
            return number
        if self._assignments is None:
            return replace(number, tendlc=TenDlc(status=TenDlcStatus.UNKNOWN))
        return replace(number, tendlc=self._assignments.get(number.id, words.UNASSIGNED))

    def _in_scope(self, read: Callable[[], T], sentence: str) -> T | None:
        """None when only the scope is missing, which is noted; a token that no longer opens anything raises.

        It has to be refused twice: the 10DLC status of many numbers hangs on it.
        """
        for _ in range(2):
            try:
                return read()
            except AuthenticationFailed:
                self.whoami()
        self.note_missing(sentence)
        return None

    def _rows(self, path: str) -> Iterator[words.Row]:
        """Of a list that belongs to the registry. Raises MalformedResponse for one that does not end."""
        count = 0
        for rows in self._pages(path):
            count += len(rows)
            if count > MOST_ROWS:
                raise MalformedResponse(f"SignalWire sent a list that did not end after {MOST_ROWS:,} rows.")
            yield from rows

    def _pages(self, path: str, params: Mapping[str, object] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Until `links.next` is absent, as it is on the last page; a page may be empty and not be the last."""
        body = self.http.get_json(path, params)
        while True:
            yield words.rows_of(body, "data")
            links = body.get("links")
            if not isinstance(links, dict):
                raise MalformedResponse("SignalWire listed a page without its links.")
            if links.get("next") is None:
                return
            body = self.http.follow(links["next"])
