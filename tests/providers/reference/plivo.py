"""Plivo's pages "Account Phone Numbers API" and, of the legacy reference, "List account phone numbers" (Nov 2026)."""

from tests.providers.reference.item import MESSAGE_ROUTE, PAGING, RENEWAL, ROUTE, SIGN_IN, Page, Section, item, unused

FILTERS = (
    item("type", filters="type"),
    item("number_startswith", filters="prefix"),
    item("subaccount", filters="subaccount"),
    item("alias", filters="alias"),
    item("services", filters="services services_match"),
    item("tendlc_registration_status", filters="tendlc"),
    item("tendlc_campaign_id", filters="campaign"),
    item("toll_free_sms_verification", filters="toll_free"),
    *unused("limit offset", PAGING),
)
NUMBER = item("number", column="remote_id e164", filters="prefix q")
ALIAS = item("alias", column="alias", filters="alias q", edit="alias")
APPLICATION = item(
    "application",
    column=f"{ROUTE} {MESSAGE_ROUTE}",
    filters="application q",
    edit="voice",
    note="an application, or a trunk for calls only",
)
TYPE = item("number_type", column="number_type", filters="type")
VOICE = item("voice_enabled", column="service_bits", filters="services")
SMS = item("sms_enabled", column="service_bits", filters="services")
TENDLC = item("tendlc_registration_status", column="tendlc_status", filters="tendlc")
TOLL_FREE = item("toll_free_sms_verification", column="toll_free_status", filters="toll_free")
RESOURCE_URI = item("resource_uri", note="a row of another account stops the sync")
CALLBACK = "Plivo would call a web server of the account's own; Numberdesk reads how things stand at every sync."
REPUTATION = "In early access at Plivo; it needs a business profile, which this API does not list."

CURRENT = Page(
    title="Plivo: Account Phone Numbers API",
    provider="plivo",
    sections=(
        Section(
            title="Attributes",
            is_row=True,
            items=(
                NUMBER,
                ALIAS,
                item(
                    "subaccount", column="subaccount", filters="subaccount", edit="subaccount", row_field="sub_account"
                ),
                item("added_on", column="added_on"),
                APPLICATION,
                item("carrier", column="carrier"),
                item("region", column="region"),
                TYPE,
                item("monthly_rental_rate", column="monthly_rate"),
                item("renewal_date", column="renewal_date", filters=RENEWAL),
                SMS,
                item("sms_rate", column="sms_rate"),
                item("mms_enabled", column="service_bits", filters="services"),
                item("mms_rate", column="mms_rate"),
                VOICE,
                item("voice_rate", column="voice_rate"),
                item("cnam_lookup", column="cnam_lookup", filters="cnam_lookup", edit="cnam_lookup"),
                item("cnam", column="cnam", edit="cnam"),
                TENDLC,
                item("tendlc_campaign_id", column="tendlc_campaign_id", filters="campaign q"),
                TOLL_FREE,
                item("profile_uuid"),
                item("caller_reputation_status"),
                RESOURCE_URI,
            ),
        ),
        Section(
            title="Query parameters of the list",
            items=(
                *FILTERS,
                item("cnam_lookup", filters="cnam_lookup"),
                *(item(name, filters=name) for name in RENEWAL.split()),
            ),
        ),
        Section(
            title="Arguments of the update",
            items=(
                item("app_id", edit="voice"),
                item("subaccount", edit="subaccount"),
                item("alias", edit="alias"),
                item("cnam_lookup", edit="cnam_lookup"),
                item("cnam", edit="cnam"),
                item(
                    "compliance_application_id",
                    not_applicable="It takes effect only while a number awaits activation; its id is in the payload.",
                ),
                *unused("cnam_callback_url cnam_callback_method", CALLBACK),
                *unused("caller_reputation profile_uuid", REPUTATION),
                *unused("caller_reputation_callback_url caller_reputation_callback_method", CALLBACK),
            ),
        ),
        Section(
            title="Paths and answers",
            items=(
                item("{auth_id}", not_applicable=SIGN_IN),
                item("{number}", column="remote_id", note="how one number is read and updated"),
                item("DELETE", not_applicable="Numberdesk never releases a number; its HTTP client refuses the call."),
                item("message", not_applicable="The number is read again after an update, and that counts."),
                item("api_id", not_applicable="It names one call; with a refusal it is quoted as the reference."),
            ),
        ),
    ),
)

LEGACY = Page(
    title="Plivo, legacy: List account phone numbers",
    provider="plivo",
    sections=(
        Section(
            title="Attributes",
            is_row=True,
            items=(
                NUMBER,
                ALIAS,
                item("sub_account", column="subaccount", filters="subaccount", edit="subaccount"),
                item("added_on", column="added_on"),
                APPLICATION,
                item("carrier", column="carrier"),
                item("region", column="region"),
                TYPE,
                item("monthly_rental_rate", column="monthly_rate"),
                SMS,
                item("sms_rate", column="sms_rate"),
                VOICE,
                item("voice_rate", column="voice_rate"),
                RESOURCE_URI,
                item("tendlc_campaign_Id", column="tendlc_campaign_id", filters="campaign q"),
                TENDLC,
                TOLL_FREE,
            ),
        ),
        Section(title="Arguments", items=FILTERS),
        Section(
            title="Paths and answers",
            items=(
                item("{auth_id}", not_applicable=SIGN_IN),
                item("api_id", not_applicable="It names one call."),
                *unused("meta.limit meta.offset meta.previous meta.next", PAGING),
                item("meta.total_count", not_applicable="A listing is believed whole only if it has as many numbers."),
                item("objects", not_applicable="The rows themselves."),
            ),
        ),
    ),
)
