"""Twilio: an account's phone numbers with the trunks, applications and Messaging Services they are routed to.

From the Twilio API references and twilio-python 9.13 (Nov 2026). Numbers are listed and changed through the v2010 API;
trunking only adds what is on a trunk, messaging who handles messages and the 10DLC campaigns. A number is never
released, bought or moved to another account: those paths and parameters do not exist here.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from providers import twilio_rows
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
    RemoteSubaccount,
    RouteKind,
    Service,
    SideEffect,
    TargetForm,
    TenDlcStatus,
    TollFreeStatus,
)
from providers.errors import AuthenticationFailed, MalformedResponse, Rejected, Transient, Unsupported
from providers.paging import Page, one_ahead
from providers.twilio_products import PAGE_SIZE, Products, pages, read, rows
from providers.twilio_routes import MESSAGES, PN, TK, VOICE, form, side_effects, will_be_ignored
from providers.twilio_rows import MESSAGING_SERVICE, Around
from providers.twilio_words import Row, inferred, member_tendlc, read_services, required, written

if TYPE_CHECKING:
    from providers.http import HttpClient

AC, MG = r"AC[0-9a-fA-F]{32}", r"MG[0-9a-fA-F]{32}"
REGION = r"[a-z][a-z0-9-]*\.[a-z]{2}[0-9]"


class Twilio(Provider):
    kind: ClassVar[str] = "twilio"
    title: ClassVar[str] = "Twilio"
    route_titles: ClassVar[Mapping[str, str]] = MappingProxyType(
        {**Provider.route_titles, MESSAGING_SERVICE: "Messaging Service"}
    )
    target_forms: ClassVar[Mapping[str, TargetForm]] = MappingProxyType(
        {**Provider.target_forms, MESSAGING_SERVICE: TargetForm.LISTED}
    )
    precedence: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "voice": "At Twilio a trunk goes before an application, and an application before a URL.",
            "messages": (
                "At Twilio a Messaging Service goes before the number's own application, unless it leaves messages to "
                "the number, and an application goes before a URL."
            ),
        }
    )
    fallback_fields: ClassVar[Mapping[str, Mapping[str, str]]] = MappingProxyType(
        {"voice": {RouteKind.URL: "voice_fallback_url"}, "messages": {RouteKind.URL: "sms_fallback_url"}}
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=PAGE_SIZE,
        # Twilio limits concurrency and publishes no number (error 20429, Nov 2026): this rate is our own caution.
        rate=Rate(requests=100, seconds=5),
        max_in_flight=5,
        reads=tuple(
            """
            alias voice messages number_type services country provider_status tendlc toll_free cnam_lookup e911
            added_on
            """.split()  # noqa: SIM905 - as text it stays readable
        ),
        edits=(
            # Error 20002: a FriendlyName has 1 to 64 characters.
            EditableField(name="alias", title="Friendly name", max_length=64, clearable=False),
            EditableField(
                name="voice",
                title="Voice",
                route_kinds=(*VOICE,),
                note="A trunk goes before an application, an application before a URL.",
            ),
            EditableField(
                name="messages",
                title="Messages",
                route_kinds=(*MESSAGES,),
                route_why_not={MESSAGING_SERVICE: "Numbers join a Messaging Service in Twilio's console."},
                locked_by={
                    MESSAGING_SERVICE: (
                        "A Messaging Service handles this number's messages and goes before what is set on the number. "
                        "Remove the number from it in Twilio's console first."
                    )
                },
                note="A Messaging Service goes before what is set here.",
            ),
        ),
        why_not={
            "cnam_lookup": "Caller name look-up costs per call and is changed in Twilio's console.",
            "e911": "Emergency addresses are registered in Twilio's console.",
        },
        compliance_is_separate=True,
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(name="account_sid", title="Account SID", secret=False, pattern=AC),
        CredentialField(
            name="api_key_sid",
            title="API key SID",
            secret=False,
            pattern=r"SK[0-9a-fA-F]{32}",
            optional=True,
            hint="Leave empty to sign in with the account's auth token.",
        ),
        CredentialField(name="secret", title="Auth token, or the API key's secret", pattern=r"[0-9A-Za-z]{32,64}"),
        CredentialField(
            name="region",
            title="Edge and region",
            secret=False,
            pattern=REGION,
            optional=True,
            hint="For example dublin.ie1, with an API key of that region. Empty for the United States.",
        ),
    )
    allowed_calls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("GET", r"/2010-04-01/Accounts\.json"),
        ("GET", rf"/2010-04-01/Accounts/{AC}\.json"),
        ("GET", rf"/2010-04-01/Accounts/{AC}/(Applications|IncomingPhoneNumbers|IncomingPhoneNumbers/TollFree)\.json"),
        ("GET", rf"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers/{PN}\.json"),
        ("POST", rf"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers/{PN}\.json"),
        ("GET", rf"/v1/Trunks(/{TK}/PhoneNumbers(/{PN})?)?"),
        ("GET", rf"/v1/Services(/{MG}/(PhoneNumbers|Compliance/Usa2p))?"),
        ("GET", r"/v1/Tollfree/Verifications"),
    )

    @classmethod
    def base_urls(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        region = credentials.get("region", "")
        if region and not re.fullmatch(REGION, region):
            raise Unsupported("A Twilio region is written like dublin.ie1.")
        return {
            product: f"https://{'.'.join(filter(None, (product, region)))}.twilio.com"
            for product in ("api", "trunking", "messaging")
        }

    @classmethod
    def authorization(cls, credentials: Mapping[str, str]) -> tuple[str, str]:
        return credentials.get("api_key_sid") or credentials["account_sid"], credentials["secret"]

    def __init__(self, credentials: Mapping[str, str], http: "HttpClient") -> None:
        super().__init__(credentials, http)
        self._products = Products(http, self.whoami, self.note_missing)

    @property
    def _account_sid(self) -> str:
        return self.credentials["account_sid"]

    @property
    def _account(self) -> str:
        return f"/2010-04-01/Accounts/{self._account_sid}"

    def whoami(self) -> str:
        """Standard API keys do not open the account resource; a list's own address names the account as well."""
        if self.credentials.get("api_key_sid"):
            listing = read(self.http, f"{self._account}/IncomingPhoneNumbers.json", PageSize=1)
            named = re.match(rf"/2010-04-01/Accounts/({AC})/", required(listing, "uri"))
            if named is None:
                raise MalformedResponse("Twilio did not say which account its list is of.")
            return named[1]
        return required(read(self.http, f"{self._account}.json"), "sid")

    def list_numbers(self) -> Iterator[Page]:
        around = Around(trunk_rows=self._products.trunk_rows(), memberships=self._products.memberships)
        listed = pages(self.http, f"{self._account}/IncomingPhoneNumbers.json")
        yield from one_ahead(
            Page.of(twilio_rows.read_number(row, self._account_sid, around) for row in page) for page in listed
        )

    def get(self, number_id: str) -> RemoteNumber:
        row = read(self.http, self._number_path(number_id))
        if required(row, "sid") != number_id:
            raise MalformedResponse("Twilio answered with another number than the one asked for.")
        texts = Service.SMS in read_services(row.get("capabilities"))
        memberships = self._products.memberships if texts else {}
        around = Around(trunk_rows=self._products.trunk_row(row), memberships=memberships)
        return twilio_rows.read_number(row, self._account_sid, around)

    def send_edit(self, number_id: str, edit: NumberEdit) -> None:
        if "messages" in edit:
            service = (self._products.memberships or {}).get(number_id)
            if service is not None and not service.defers:
                raise Unsupported(will_be_ignored(service.sid))
        try:
            self.http.send_form("POST", self._number_path(number_id), form(edit))
        except Rejected as error:
            if error.status != 409:
                raise
            # Error 20162: another update of the number is under way, and this one was not processed.
            raise Transient("Twilio is still applying another change to this number (409).", status=409) from error

    @classmethod
    def preview(cls, current: NumberEdit, edit: NumberEdit) -> tuple[SideEffect, ...]:
        return tuple(side_effects(current, edit))

    def list_applications(self) -> Iterator[RemoteApplication]:
        yield from map(twilio_rows.read_application, rows(self.http, f"{self._account}/Applications.json"))
        yield from map(twilio_rows.read_trunk, self._listed(RouteKind.TRUNK, self._products.trunks))
        services = self._listed(MESSAGING_SERVICE, self._products.messaging_services)
        yield from map(twilio_rows.read_messaging_service, services)

    def _listed(self, kind: str, found: list[Row] | None) -> list[Row]:
        """A product that is closed lists nothing, which does not mean that there is nothing."""
        if found is None:
            self.unlisted_kinds.add(kind)
        return found or []

    def list_subaccounts(self) -> Iterator[RemoteSubaccount]:
        try:
            accounts = rows(self.http, "/2010-04-01/Accounts.json")
        except AuthenticationFailed as error:
            if self.credentials.get("api_key_sid"):
                raise Unsupported("Twilio lists subaccounts only for the auth token or a main API key.") from error
            raise
        for row in accounts:
            if (sid := required(row, "sid")) != self._account_sid:
                enabled = written(row, "status") == "active"
                yield RemoteSubaccount(id=sid, name=written(row, "friendly_name"), enabled=enabled)

    def compliance(self) -> Mapping[str, Compliance]:
        """Of numbers in a Messaging Service, and of toll-free numbers; the others' rows say all there is."""
        return {**self._campaign_facts(), **self._toll_free_facts()}

    @classmethod
    def console_url(cls, number_id: str) -> str:
        return f"https://console.twilio.com/us1/develop/phone-numbers/manage/incoming/{number_id}/configure"

    def _campaign_facts(self) -> Mapping[str, Compliance]:
        facts = {}
        for service_sid, members in (self._products.members or {}).items():
            campaign = self._products.campaign(service_sid)
            facts.update({required(row, "sid"): Compliance(tendlc=member_tendlc(row, campaign)) for row in members})
        return facts

    def _toll_free_facts(self) -> Mapping[str, Compliance]:
        listed = rows(self.http, f"{self._account}/IncomingPhoneNumbers/TollFree.json")
        sids = [required(row, "sid") for row in listed if Service.SMS in read_services(row.get("capabilities"))]
        return {sid: self._toll_free_fact(sid) for sid in sids}

    def _toll_free_fact(self, sid: str) -> Compliance:
        statuses = self._products.verifications
        status = TollFreeStatus.UNKNOWN if statuses is None else statuses.get(sid, TollFreeStatus.UNVERIFIED)
        return Compliance(tendlc=inferred(TenDlcStatus.NOT_APPLICABLE), toll_free=status)

    def _number_path(self, number_id: str) -> str:
        return f"{self._account}/IncomingPhoneNumbers/{number_id}.json"
