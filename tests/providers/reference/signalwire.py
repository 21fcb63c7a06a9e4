"""SignalWire's page "List phone numbers" of the Relay REST API (Nov 2026)."""

from tests.providers.reference.item import (
    MESSAGE_ROUTE,
    PAGING,
    RENEWAL,
    ROUTE,
    SIGN_IN,
    Item,
    Page,
    Section,
    item,
    unused,
)


def target(name: str, *, filters: str = "") -> Item:
    return item(name, column="voice_target", filters=filters, edit="voice")


def message_target(name: str, *, filters: str = "") -> Item:
    return item(name, column="message_target", filters=filters, edit="messages")


NUMBERS = Page(
    title="SignalWire: List phone numbers",
    provider="signalwire",
    sections=(
        Section(
            title="Attributes",
            is_row=True,
            items=(
                item("id", column="remote_id"),
                item("number", column="e164", filters="prefix q"),
                item("name", column="alias", filters="alias q", edit="alias"),
                item("capabilities", column="service_bits", filters="services"),
                item("number_type", column="number_type", filters="type"),
                item("e911_address_id"),
                item("created_at", column="added_on"),
                item("updated_at"),
                item("next_billed_at", column="renewal_date", filters=RENEWAL),
                item("call_handler", column=ROUTE, edit="voice"),
                item(
                    "calling_handler_resource_id",
                    column="voice_target",
                    note="the target of handlers that are assigned in Call Fabric and only shown here",
                ),
                item("call_receive_mode", extra="call_receive_mode", edit="call_receive_mode"),
                target("call_request_url"),
                item("call_request_method"),
                item("call_fallback_url"),
                item("call_fallback_method"),
                item("call_status_callback_url"),
                item("call_status_callback_method"),
                target("call_laml_application_id", filters="application q"),
                target("call_dialogflow_agent_id"),
                target("call_relay_topic"),
                item("call_relay_topic_status_callback_url"),
                target("call_relay_script_url"),
                target("call_relay_context"),
                item("call_relay_context_status_callback_url"),
                target("call_relay_application"),
                target("call_relay_connector_id"),
                target("call_sip_endpoint_id"),
                target("call_verto_resource"),
                target("call_video_room_id"),
                item("message_handler", column=MESSAGE_ROUTE, edit="messages"),
                item("messaging_handler_resource_id", note="the target of a message handler that is not known yet"),
                message_target("message_request_url"),
                item("message_request_method"),
                item("message_fallback_url"),
                item("message_fallback_method"),
                message_target("message_laml_application_id", filters="application q"),
                message_target("message_relay_topic"),
                message_target("message_relay_context"),
                item("country_code", column="country", filters="country"),
            ),
        ),
        Section(
            title="Parameters",
            items=(
                item("filter_name", filters="q alias"),
                item("filter_number", filters="q prefix"),
                *unused("page_number page_size page_token", PAGING),
                item("Authorization", not_applicable=SIGN_IN),
            ),
        ),
        Section(
            title="Around the rows",
            items=(
                item("data", not_applicable="The rows themselves."),
                item("links.next", not_applicable=PAGING),
                *unused(
                    "links.self links.first links.prev",
                    "It says where the page is; the link to the next one is enough.",
                ),
                item("error", not_applicable="It is quoted where a refusal is shown."),
            ),
        ),
    ),
)
