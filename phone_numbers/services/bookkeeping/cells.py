"""Which columns make a cell of the tally, as SQL of both databases."""

LONGEST_TARGET = 100
ALIKE = ("account_id", "number_type", "country", "service_bits", "tendlc_status", "toll_free_status", "presence")


def target(column: str, row: str = "") -> str:
    """The id of what a route goes to. Addresses and phone numbers differ from number to number, and are left out."""
    name = f"{row}{column}"
    is_one_of_many = f"{name} LIKE '%://%' OR {name} LIKE '+%' OR length({name}) > {LONGEST_TARGET}"
    return f"CASE WHEN {is_one_of_many} THEN '' ELSE {name} END"


def cell(row: str = "") -> dict[str, str]:
    """Column of the tally to the expression that fills it from a row of numbers; `row` like "new."."""
    plain = {name: f"{row}{name}" for name in ALIKE}
    return plain | {
        "voice_kind": f"{row}voice_kind",
        "voice_target": target("voice_target", row),
        "message_kind": f"{row}message_kind",
        "message_target": target("message_target", row),
        "rate_currency": f"CASE WHEN {row}monthly_rate IS NULL THEN '-' ELSE {row}currency END",
        "renews": f"({row}renewal_date IS NOT NULL)",
    }


COLUMNS = tuple(cell())
NAMES = ", ".join(COLUMNS)
NAMED_IN = {
    "account": "INSERT OR UPDATE OF name, provider OR DELETE",
    "application": "INSERT OR UPDATE OR DELETE",
    "subaccount": "INSERT OR UPDATE OR DELETE",
    "tag": "INSERT OR UPDATE OR DELETE",
    "tag_numbers": "INSERT OR UPDATE OR DELETE",
    "localfields": "INSERT OR UPDATE OR DELETE",
    "note": "INSERT OR UPDATE OR DELETE",
}
"""The tables whose words lists and filters know numbers by, and what of them makes a new edition."""
SEARCHED = ("e164", "alias", "tendlc_campaign_id", "voice_target", "message_target")
"""What the search looks through, besides the names and addresses of applications."""
SEARCHED_LENGTH = 300
"""Of each: webhook addresses can be very long, and are found by their beginnings."""


def searched_text(row: str = "") -> str:
    return " || ' ' || ".join(f"substr({row}{name}, 1, {SEARCHED_LENGTH})" for name in SEARCHED)
