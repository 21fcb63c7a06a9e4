"""What Twilio's other products say of an account's numbers: trunking and messaging. Reads only, each thing once.

Their lists are joined to the numbers by PN sid. Both products may be closed to the credentials (a restricted API key,
a parent's token) or not offered in the region: that is None, not nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from providers.contract import TenDlc, TenDlcStatus, TollFreeStatus
from providers.errors import AuthenticationFailed, MalformedResponse, NotFound, Rejected, Unsupported
from providers.twilio_rows import MessagingService, read_membership, read_page
from providers.twilio_words import Row, inferred, read_campaigns, read_verifications, required, written

if TYPE_CHECKING:
    from providers.http import HttpClient

T = TypeVar("T")

NOT_OPEN = "These credentials, or this region, do not open Twilio's"
NO_TRUNKS = f"{NOT_OPEN} SIP trunks: they are not listed."
NO_SERVICES = f"{NOT_OPEN} Messaging Services: the 10DLC status of numbers is unknown."
NO_CAMPAIGNS = f"{NOT_OPEN} campaigns: the 10DLC status of numbers in a Messaging Service is unknown."
NO_VERIFICATIONS = f"{NOT_OPEN} toll-free verifications: their status is unknown."
MOST_ROWS = 100_000
"""Of a list that is kept whole, unlike that of the numbers."""
PAGE_SIZE = 500  # Of 1000 that Twilio allows: a row with long URLs takes 2 kB, and an answer must stay under 2 MiB.


def read(http: "HttpClient", path: str, *, host: str = "api", **params: object) -> Row:
    """What is not allowed is what an id out of another answer made of a path."""
    try:
        body = http.get_json(path, params, host=host)
    except Unsupported:
        raise MalformedResponse("Twilio named something by an id that is none.") from None
    if not isinstance(body, dict):
        raise MalformedResponse("Twilio answered with something that is not an object.")
    return body


def pages(http: "HttpClient", path: str, *, host: str = "api") -> Iterator[list[Row]]:
    """Every page to the end, by the links Twilio gives: relative in v2010, absolute elsewhere."""
    found, link = read_page(read(http, path, host=host, PageSize=PAGE_SIZE))
    yield found
    while link:
        found, link = read_page(http.follow(link, host=host))
        yield found


def rows(http: "HttpClient", path: str, *, host: str = "api") -> list[Row]:
    found: list[Row] = []
    for page in pages(http, path, host=host):
        found += page
        if len(found) > MOST_ROWS:
            raise MalformedResponse(f"Twilio sent a list that did not end after {MOST_ROWS:,} rows.")
    return found


class Products:
    """One account's. `whoami` raises when the credentials themselves no longer work; `note` takes what is not open."""

    def __init__(self, http: "HttpClient", whoami: Callable[[], str], note: Callable[[str], None]) -> None:
        self._http = http
        self._whoami = whoami
        self._note = note

    @cached_property
    def trunks(self) -> list[Row] | None:
        return self._if_open(lambda: rows(self._http, "/v1/Trunks", host="trunking"), NO_TRUNKS)

    def trunk_rows(self) -> Mapping[str, Row] | None:
        """Every number that is on a trunk, by PN sid."""
        trunks = self.trunks
        if trunks is None:
            return None
        lists = self._if_open(
            lambda: [self._numbers_of(trunk, "Trunks", host="trunking") for trunk in trunks], NO_TRUNKS
        )
        return None if lists is None else {required(row, "sid"): row for found in lists for row in found}

    def trunk_row(self, number: Row) -> Mapping[str, Row] | None:
        """The same for one number: a single request at most, as long as its own row names the trunk."""
        if "trunk_sid" not in number:
            return self.trunk_rows()
        return self._if_open(lambda: self._trunk_row(number), NO_TRUNKS)

    def _trunk_row(self, number: Row) -> Mapping[str, Row]:
        trunk_sid, sid = written(number, "trunk_sid"), required(number, "sid")
        if not trunk_sid:
            return {}
        try:
            trunk_row = read(self._http, f"/v1/Trunks/{trunk_sid}/PhoneNumbers/{sid}", host="trunking")
        except NotFound:
            return {}
        return {sid: trunk_row}

    @cached_property
    def messaging_services(self) -> list[Row] | None:
        return self._if_open(lambda: rows(self._http, "/v1/Services", host="messaging"), NO_SERVICES)

    @cached_property
    def members(self) -> Mapping[str, list[Row]] | None:
        """The numbers of each Messaging Service, by MG sid."""
        services = self.messaging_services
        if services is None:
            return None
        return self._if_open(
            lambda: {required(row, "sid"): self._numbers_of(row, "Services", host="messaging") for row in services},
            NO_SERVICES,
        )

    @cached_property
    def memberships(self) -> Mapping[str, MessagingService] | None:
        """The Messaging Service of each number that is in one, by PN sid."""
        if self.members is None:
            return None
        services = {service.sid: service for service in map(read_membership, self.messaging_services or ())}
        return {required(row, "sid"): services[sid] for sid, found in self.members.items() for row in found}

    def campaign(self, service_sid: str) -> TenDlc:
        """What the campaigns of a Messaging Service make of its numbers."""
        path = f"/v1/Services/{service_sid}/Compliance/Usa2p"
        found = self._if_open(lambda: rows(self._http, path, host="messaging"), NO_CAMPAIGNS)
        return inferred(TenDlcStatus.UNKNOWN) if found is None else read_campaigns(found)

    @cached_property
    def verifications(self) -> Mapping[str, TollFreeStatus] | None:
        path = "/v1/Tollfree/Verifications"
        found = self._if_open(lambda: rows(self._http, path, host="messaging"), NO_VERIFICATIONS)
        return None if found is None else read_verifications(found)

    def _numbers_of(self, owner: Row, resource: str, *, host: str) -> list[Row]:
        """Of a trunk or Messaging Service; none if it was deleted since it was listed."""
        try:
            return rows(self._http, f"/v1/{resource}/{required(owner, 'sid')}/PhoneNumbers", host=host)
        except NotFound:
            return []

    def _if_open(self, ask: Callable[[], T], sentence: str) -> T | None:
        """None when the product is closed, which is noted. It has to say so twice: many routes hang on the answer."""
        for _ in range(2):
            try:
                return ask()
            except AuthenticationFailed:
                self._whoami()
            except (NotFound, Rejected):
                pass
        self._note(sentence)
        return None
