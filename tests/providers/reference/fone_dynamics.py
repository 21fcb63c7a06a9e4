"""Fone Dynamics' page "Get Numbers" (Nov 2026)."""

from tests.providers.reference.item import PAGING, Page, Section, item, unused

ATTRIBUTIONS = ("Attribution_Source", "Attribution_Medium", "Attribution_Campaign", "Attribution_Content")

NUMBERS = Page(
    title="Fone Dynamics: Get Numbers",
    provider="fone_dynamics",
    sections=(
        Section(
            title="Response parameters",
            is_row=True,
            items=(
                item("Number", column="remote_id e164", filters="prefix q"),
                item("PropertySid", column="subaccount", filters="subaccount"),
                item("AccountSid", filters="account", note="a row of another account stops the sync"),
                item("Friendly", column="alias", filters="alias q", edit="alias"),
                item("RoutingMethod", column="voice_kind", edit="voice"),
                item("EndpointNumber", column="voice_target", edit="voice"),
                item("Recording", extra="recording", edit="recording"),
                *(item(name, extra=name.lower(), edit=name.lower()) for name in ATTRIBUTIONS),
                item("Type", column="number_type", filters="type"),
                item("Capabilities", column="service_bits", filters="services"),
                item("CountryCode", column="country", filters="country"),
                item("Region", column="region"),
                item("City", column="city"),
                item("Status", column="provider_status"),
            ),
        ),
        Section(
            title="URI parameters",
            items=(
                item("Number", column="remote_id", note="how one number is read and configured"),
                item("PropertySid", filters="subaccount", note="or an account limited to one property"),
                item("AccountSid", filters="account"),
            ),
        ),
        Section(
            title="Include parameters",
            items=(
                item("Type", filters="type"),
                item("Capabilites", filters="services", note="the page's own spelling"),
                *unused("Results_Count Results_Skip", PAGING),
            ),
        ),
    ),
)
