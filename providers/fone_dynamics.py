"""Fone Dynamics: the numbers of an account, and its properties as subaccounts.

From the REST API pages Get Numbers, Configure Numbers, Get Projects and Errors (Nov 2026). The pages show no complete
answer of a number list, name no rate limit and do not say how a value is cleared; each assumption is said where it is
made. Numbers are never bought or given back: those calls are not in `allowed_calls`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

from providers import fone_dynamics_words as words
from providers.contract import (
    Capabilities,
    CredentialField,
    EditableField,
    NumberEdit,
    Provider,
    Rate,
    RemoteNumber,
    RemoteSubaccount,
    Route,
    SideEffect,
    TargetForm,
)
from providers.errors import MalformedResponse, NotFound, Rejected, Unsupported, WrongAccount
from providers.fone_dynamics_words import ENDPOINT
from providers.paging import ListedNumber, Page, one_ahead, without_overlap

SID = r"\w{1,64}"
PAGE_SIZE = 200
PROPERTIES_PAGE_SIZE = 50
GONE = "NUMBER_NOT_FOUND"
"""Of the codes on the page Errors; `…_NOT_FOUND` comes as a 400, and 404 is not among the statuses it lists."""

UNCLEAR = "Fone Dynamics does not document how a value is cleared; the number is read again to see."


class FoneDynamics(Provider):
    kind: ClassVar[str] = "fone_dynamics"
    title: ClassVar[str] = "Fone Dynamics"
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=PAGE_SIZE,
        # No limit is published anywhere we looked (Nov 2026): this pace is our own caution.
        rate=Rate(requests=2, seconds=1.0),
        max_in_flight=2,
        reads=tuple(
            """
            alias voice subaccount number_type services country region city provider_status
            """.split()  # noqa: SIM905 - as text it stays readable
        ),
        edits=(
            EditableField(name="alias", title="Friendly name", max_length=255, note=UNCLEAR),
            EditableField(
                name="voice",
                title="Voice",
                route_kinds=(ENDPOINT,),
                route_why_not={
                    "flow": "A flow is chosen in the Fone Dynamics portal; its API has no list of them to choose from.",
                    "application": "An application is chosen in the Fone Dynamics portal.",
                },
                clearable=False,
            ),
            EditableField(name="recording", title="Recording", choices=("Off", "Call"), clearable=False),
            *(
                EditableField(name=name, title=name.replace("_", " ").capitalize(), max_length=255, note=UNCLEAR)
                for name in words.ATTRIBUTIONS
            ),
        ),
        why_not={"messages": "Fone Dynamics does not report where messages go; they are set up in its portal."},
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(name="account_sid", title="Account SID", secret=False, pattern=SID),
        CredentialField(name="token", title="Token", pattern=r"\S+"),
        CredentialField(
            name="property_sid",
            title="Property SID",
            secret=False,
            pattern=SID,
            optional=True,
            hint="To see one property's numbers only. Empty for the whole account.",
        ),
    )
    allowed_calls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("GET", f"/v2/(Accounts|Properties)/{SID}/Numbers"),
        ("GET", r"/v2/Numbers/[1-9][0-9]{5,14}"),
        ("POST", r"/v2/Numbers/[1-9][0-9]{5,14}"),
        ("GET", r"/v2/Properties"),
    )
    route_titles: ClassVar[Mapping[str, str]] = MappingProxyType(words.ROUTE_TITLES)
    target_forms: ClassVar[Mapping[str, TargetForm]] = MappingProxyType({ENDPOINT: TargetForm.NUMBER})
    precedence: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"voice": "Fone Dynamics obeys the routing method; the targets of other methods are ignored."}
    )

    @classmethod
    def base_urls(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG003
        return {"api": "https://api.fonedynamics.com"}

    @classmethod
    def authorization(cls, credentials: Mapping[str, str]) -> tuple[str, str]:
        return credentials["account_sid"], credentials["token"]

    @classmethod
    def error_words(cls, body: Any) -> str:
        return words.error_words(body)

    @property
    def account_sid(self) -> str:
        return self.credentials["account_sid"]

    @property
    def property_sid(self) -> str:
        return self.credentials.get("property_sid", "")

    def whoami(self) -> str:
        """The account, or its one property, proven by its number list: every row there may be names it."""
        for row in self._numbers(skip=0, count=1)[0]:
            self._read(row)
        property_sid = self.credentials.get("property_sid", "")
        return f"{self.account_sid}/{property_sid}" if property_sid else self.account_sid

    def list_numbers(self) -> Iterator[Page]:
        return one_ahead(self._pages())

    def _pages(self) -> Iterator[Page]:
        """Until a page is short, but never before as many came as the provider counts, when it counts.

        Each page is asked to begin with the last row of the one before.
        """
        seen: set[str] = set()
        last, place = "", 0
        while True:
            found, total = self._numbers(skip=max(place - 1, 0), count=PAGE_SIZE)
            listed = [ListedNumber.of(self._read(row)) for row in found]
            rows, moved = without_overlap(listed, last)
            ids = {row.id for row in rows}
            if ids and ids <= seen:
                raise MalformedResponse("Fone Dynamics sent a page of numbers that it had sent before.")
            yield Page(rows=tuple(rows), total=total, moved=bool(last) and moved)
            seen |= ids
            place += len(rows)
            if not rows or (len(found) < PAGE_SIZE and place >= (total or 0)):
                return
            last = rows[-1].id

    def _numbers(self, *, skip: int, count: int) -> tuple[list[words.Row], int | None]:
        holder = f"Properties/{self.property_sid}" if self.property_sid else f"Accounts/{self.account_sid}"
        body = self.http.get_json(f"/v2/{holder}/Numbers", {"Results_Count": count, "Results_Skip": skip})
        return words.rows_of(body, "Numbers"), words.total_of(body)

    def get(self, number_id: str) -> RemoteNumber:
        try:
            body = self.http.get_json(f"/v2/Numbers/{number_id}")
        except Rejected as error:
            raise_if_gone(error)
        rows = words.rows_of(body, "Number", "Numbers")
        numbers = [number for number in map(self._read, rows) if number.id == number_id]
        if not numbers:
            raise MalformedResponse("Fone Dynamics answered with another number than the one asked for.")
        if self.property_sid and not numbers[0].subaccount:
            raise MalformedResponse("Fone Dynamics did not say in which property the number is.")
        if self.property_sid and numbers[0].subaccount != self.property_sid:
            raise NotFound("The number is in another property of the account.")
        return numbers[0]

    def send_edit(self, number_id: str, edit: NumberEdit) -> None:
        """The answer is not documented, so it is not read."""
        if "voice" in edit and not words.E164.fullmatch(Route.from_key(edit["voice"]).target):
            raise Unsupported("Calls can only go to a number written like +61255501234.")
        try:
            self.http.send_json("POST", f"/v2/Numbers/{number_id}", words.write_edit(edit))
        except Rejected as error:
            raise_if_gone(error)

    @classmethod
    def preview(cls, current: NumberEdit, edit: NumberEdit) -> tuple[SideEffect, ...]:
        before = Route.from_key(current.get("voice", ""))
        if "voice" not in edit or before.kind in ("", ENDPOINT):
            return ()
        title = cls.route_titles.get(before.kind, before.kind)
        return (SideEffect(field="voice", sentence=f"{title} {before.target} can only be put back in the portal."),)

    def list_subaccounts(self) -> Iterator[RemoteSubaccount]:
        seen: set[str] = set()
        while True:
            params = {"Results_Count": PROPERTIES_PAGE_SIZE, "Results_Skip": len(seen)}
            body = self.http.get_json("/v2/Properties", params)
            found = [words.read_property(row) for row in words.rows_of(body, "Projects", "Properties")]
            new = [each for each in found if each.id not in seen]
            yield from new
            seen |= {each.id for each in new}
            if len(found) < PROPERTIES_PAGE_SIZE or not new:
                return

    def _read(self, row: words.Row) -> RemoteNumber:
        """Raises WrongAccount for a row that says it is another account's."""
        named = row.get("AccountSid")
        if named is not None and str(named).strip().lower() != self.account_sid.lower():
            raise WrongAccount("Fone Dynamics listed a number of another account.")
        return words.read_number(row)


def raise_if_gone(error: Rejected) -> NoReturn:
    if error.words.startswith(GONE):
        raise NotFound("Fone Dynamics no longer has this number.", status=error.status, words=error.words) from None
    raise error
