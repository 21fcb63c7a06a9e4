"""What is exported comes back as it was: nothing to change, whichever columns and format."""

import io

import pytest
from django.contrib.auth.models import User
from django.test import Client

from phone_numbers.models import ChangeSet, PhoneNumber
from phone_numbers.services.local_fields import LocalEdit, edit_local_fields
from phone_numbers.services.notes import add_note
from tests.phone_numbers.rows import make_account, make_application, make_number
from tests.phone_numbers.test_change_imports import read

ALIASES = ("=1+1", "'s desk", "''=x", "two\r\nlines", " blanks ", "+14155550199", "-", "(clear)", "_x000D_", 'Ünï, “q"')


@pytest.fixture
def numbers(operator: User) -> list[PhoneNumber]:
    account, other = make_account("=Plivo, main"), make_account("=plivo, MAIN")
    make_application(account, "111", "Support, IVR")
    make_application(account, "222", "Support, IVR")
    routed = {
        "voice_kind": "application",
        "voice_target": "111",
        "message_kind": "url",
        "message_target": "https://a.b/c",
    }
    made = [make_number(account, alias=alias, **routed) for alias in ALIASES]
    made += [make_number(other, made[0].e164), make_number(account, presence="released", alias="gone")]
    pks = [number.pk for number in made]
    edit_local_fields(pks, LocalEdit(add_tags=["VIP, north"], owner="@Ann", cost_centre="-7"), user=operator)
    for text in ("Of old", "=Ask Ann,\nthen Bo"):
        add_note(made[0], text, user=operator)
    return made


@pytest.mark.parametrize(
    "columns", ["", "all", "number,alias,voice", "number,tags,owner", "voice_route,account,number"]
)
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_it_takes_every_export_of_ours_for_no_change(
    numbers: list[PhoneNumber], operator: User, client: Client, extension: str, columns: str
) -> None:
    client.force_login(operator)
    answer = client.get(f"/numbers/export/?format={extension}&columns={columns}&presence=present,released")
    report = read(operator, b"".join(answer.streaming_content))
    assert (report.errors, report.rows, report.unchanged) == ([], len(numbers), len(numbers))
    assert not ChangeSet.objects.exists()


def test_it_reads_the_edited_cells_of_an_export(numbers: list[PhoneNumber], operator: User, client: Client) -> None:
    client.force_login(operator)
    content = b"".join(client.get("/numbers/export/?columns=all").streaming_content)
    report = read(
        operator, content.replace(b"application:111,url:https://a.b/c", b"application:222,url:https://a.b/c", 1)
    )
    assert [change.desired for change in report.change_set.changes.all()] == [{"voice": "application:222"}]


def test_it_reads_what_is_not_read_of_an_export_without_a_word(
    numbers: list[PhoneNumber], operator: User, client: Client
) -> None:
    client.force_login(operator)
    report = read(operator, b"".join(client.get("/numbers/export/?columns=all").streaming_content))
    taken = {column.header: column.field for column in report.columns if column.field}
    assert (taken["voice_route"], taken["message_route"], "voice" in taken) == ("voice", "messages", False)
    assert io.StringIO(report.remarks[0]).read().startswith("Columns that are not read: national, provider, type")
