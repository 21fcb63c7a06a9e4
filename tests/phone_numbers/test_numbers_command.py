"""`manage.py numbers`: the command line's way to plans, with exit codes a script can rely on."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from phone_numbers.management.commands.numbers import Command
from phone_numbers.models import Account, ChangeSet, PhoneNumber, PlanEvent
from phone_numbers.services.change_plans import selection_hash
from providers.simulator import Simulator
from tests.phone_numbers.jobs import carry_out, edits, origin, plan, states
from tests.phone_numbers.rows import make_account, make_number


@pytest.fixture
def table(tmp_path: Path, number: PhoneNumber) -> Path:
    file = tmp_path / "aliases.csv"
    file.write_text(f"number,alias\n{number.e164},New\n")
    return file


def run(*words: object) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("numbers", *map(str, words), stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def told(*words: object) -> tuple[int, Any]:
    code, text = run(*words, "--json")
    return code, json.loads(text)


def test_it_plans_shows_and_applies(table: Path, number: PhoneNumber, simulator: Simulator) -> None:
    code, text = run("plan", table, "--reason", "As agreed")
    plan = ChangeSet.objects.get()
    assert (code, plan.source, plan.reason) == (2, "cli", "As agreed")
    assert f"{number.e164} (Plivo demo), planned: alias: “{number.alias}” → “New”" in text
    assert f"manage.py numbers apply {plan.pk}\n" in text
    assert run("show", plan.pk)[0] == 2
    assert run("apply", plan.pk)[0] == 0
    assert (states(carry_out(plan)), len(edits(simulator))) == ({"confirmed": 1}, 1)
    assert "done: 1 confirmed." in run("show", plan.pk)[1]


def test_it_says_in_the_log_who_applied_it(table: Path) -> None:
    run("plan", table)
    run("apply", ChangeSet.objects.get().pk)
    assert PlanEvent.objects.get().actor_name.endswith("(command line)")


def test_it_writes_what_only_we_keep_at_once(table: Path, number: PhoneNumber) -> None:
    table.write_text(f"number,tags,owner\n{number.e164},VIP,Ann\n")
    code, plan = told("plan", table)
    assert (code, plan["counts"], plan["changes"][0]["fields"]["tags"]) == (
        2,
        {"planned": 1},
        {"before": "", "after": "VIP"},
    )
    assert told("apply", plan["plan"]) == (0, {"plan": plan["plan"], "state": "done"})
    assert told("plan", table) == (0, {"changes": 0, "remarks": []})
    assert number.events.filter(kind="local", actor_name__endswith="(command line)").count() == 2


def test_it_tells_programs_too(table: Path, number: PhoneNumber) -> None:
    code, plan = told("plan", table)
    assert (code, plan["state"], plan["counts"], plan["count_needed"]) == (2, "draft", {"planned": 1}, False)
    assert plan["changes"][0]["fields"] == {"alias": {"before": number.alias, "after": "New"}}
    assert told("apply", plan["plan"]) == (0, {"plan": plan["plan"], "state": "applying"})


def test_it_ends_with_0_when_there_is_nothing_to_change(table: Path) -> None:
    PhoneNumber.objects.update(alias="New")
    assert run("plan", table) == (0, "Nothing to change.\n")


def test_it_ends_with_1_and_every_error(table: Path) -> None:
    table.write_text("number,alias\n+19995550100,New\nrubbish,New\n")
    code, text = run("plan", table)
    assert code == 1
    assert "line 2: +19995550100 is not among the numbers.\nline 3: “rubbish” is not a phone number." in text
    assert [error["line"] for error in told("plan", table)[1]["errors"]] == [2, 3]


def test_it_ends_with_1_when_the_plan_is_stale(table: Path, number: PhoneNumber) -> None:
    plan = told("plan", table)[1]["plan"]
    PhoneNumber.objects.update(alias="Theirs")
    code, text = run("apply", plan)
    assert (code, "is “Theirs” now" in text) == (1, True)


def test_it_takes_other_columns(table: Path, number: PhoneNumber) -> None:
    table.write_text(f"DID,Label\n{number.e164},New\n")
    assert run("plan", table, "--column", "DID=number", "--column", "Label=alias")[0] == 2


def test_it_has_many_numbers_counted(db: None, tmp_path: Path) -> None:
    account = make_account()
    numbers = [make_number(account) for _ in range(51)]
    file = tmp_path / "many.csv"
    file.write_text("number,alias\n" + "".join(f"{number.e164},New\n" for number in numbers))
    plan = told("plan", file)[1]
    assert plan["count_needed"]
    assert run("apply", plan["plan"])[0] == 1
    assert run("apply", plan["plan"], "--count", "51")[0] == 0


def test_it_starts_with_a_few(synced: Account, tmp_path: Path) -> None:
    file = tmp_path / "few.csv"
    file.write_text("number,alias\n" + "".join(f"{number.e164},New\n" for number in synced.numbers.all()[:5]))
    run("apply", told("plan", file)[1]["plan"], "--first", "2")
    assert carry_out(ChangeSet.objects.get()).state == "paused"


@pytest.mark.parametrize("words", [("show", "nonsense"), ("apply", "0" * 32), ("plan", "/nowhere.csv")])
def test_it_says_what_it_does_not_find(db: None, words: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=words[1][:8]):
        run(*words)


@pytest.mark.parametrize("words", [[], ["paint"], ["plan"], ["apply", "x", "--count", "many"]])
def test_it_ends_wrong_words_with_1(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "numbers", *words])
    assert (end.value.code, "Error: " in capsys.readouterr().err) == (1, True)


def test_it_names_the_count_that_it_wants_typed(synced: Account, table: Path) -> None:
    numbers = synced.numbers.filter(country="US").order_by("pk")[:60]
    table.write_text("number,alias,owner\n" + "".join(f"{number.e164},New,Ann\n" for number in numbers))
    _, text = run("plan", table)
    plan, count = ChangeSet.objects.get(), len(numbers)
    assert (plan.changes.count(), f"apply {plan.pk} --count {count}" in text) == (2 * count, True)
    assert run("apply", plan.pk, "--count", count)[0] == 0


def test_it_applies_no_plan_whose_filter_finds_others_by_now(number: PhoneNumber, operator: User) -> None:
    PhoneNumber.objects.filter(pk=number.pk).update(alias="Old")
    selection = {"filter": "alias=Old", "count": 1, "hash": selection_hash([number.pk])}
    made = plan([number], operator, origin(operator, selection=selection), alias="New")
    PhoneNumber.objects.filter(pk=number.account.numbers.exclude(pk=number.pk).earliest("pk").pk).update(alias="Old")
    code, text = run("apply", made.pk)
    assert (code, "now 2 match" in text, ChangeSet.objects.get().state) == (1, True, "draft")
