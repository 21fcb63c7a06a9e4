"""Twilio's page "List phone number" of a SIP trunk: `/v1/Trunks/{TrunkSid}/PhoneNumbers` (Nov 2026)."""

from tests.providers.reference.item import MESSAGE_ROUTE, PAGING, ROUTE, Page, Section, item, unused

BROWSERS = "It is for scripts in browsers; the sync reads on the server."

TRUNK_NUMBERS = Page(
    title="Twilio: phone numbers of a trunk",
    provider="twilio",
    sections=(
        Section(
            title="Attributes",
            is_row=True,
            items=(
                item("account_sid", note="a row of another account stops the sync"),
                item("address_requirements"),
                item("api_version"),
                item("beta"),
                item("capabilities", column="service_bits", filters="services"),
                item("date_created", column="added_on"),
                item("date_updated"),
                item("friendly_name", column="alias", filters="alias q", edit="alias"),
                item("phone_number", column="e164", filters="prefix q"),
                item("sid", column="remote_id"),
                item("sms_application_sid", column=MESSAGE_ROUTE, filters="application q", edit="messages"),
                item("sms_fallback_method"),
                item("sms_fallback_url"),
                item("sms_method"),
                item("sms_url", column=MESSAGE_ROUTE, edit="messages"),
                item("status_callback"),
                item("status_callback_method"),
                item("trunk_sid", column=ROUTE, filters="application q", edit="voice"),
                item("url", row_field="trunk_phone_number.url"),
                item("links", row_field="trunk_phone_number.links"),
                item("voice_application_sid", column=ROUTE, filters="application q", edit="voice"),
                item("voice_caller_id_lookup", column="cnam_lookup", filters="cnam_lookup"),
                item("voice_fallback_method"),
                item("voice_fallback_url"),
                item("voice_method"),
                item("voice_url", column=ROUTE, edit="voice"),
            ),
        ),
        Section(
            title="Parameters",
            items=(
                item("TrunkSid", filters="application", note="every trunk of the account is read"),
                *unused("PageSize Page PageToken", PAGING),
            ),
        ),
        Section(
            title="Around the rows",
            items=(
                item("phone_numbers", not_applicable="The rows themselves."),
                *unused("meta.key meta.next_page_url", PAGING),
                *unused(
                    "meta.first_page_url meta.page meta.page_size meta.previous_page_url meta.url",
                    "It says where the page is; the link to the next one is enough.",
                ),
                *unused(
                    "Access-Control-Allow-Origin Access-Control-Allow-Methods Access-Control-Allow-Headers "
                    "Access-Control-Allow-Credentials Access-Control-Expose-Headers",
                    BROWSERS,
                ),
            ),
        ),
    ),
)
