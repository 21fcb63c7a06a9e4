"""Every setting that is read is documented, and nothing else is."""

import ast
import os
import re
from pathlib import Path
from typing import Any

from celery.app.defaults import NAMESPACES, flatten

from dashboard import settings
from dashboard.env import data_directory
from tests.dashboard.compose import variables
from tests.dashboard.processes import ROOT

READERS = {"env", "kept_secret", "data_directory"}
SOURCES = sorted((ROOT / "dashboard").rglob("*.py"))
DOCUMENTED = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE))
EXAMPLES = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def names_read(source: str) -> set[str]:
    """The first argument of every call of a reader: `env.str("NAME")`, `kept_secret("NAME", …)`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    firsts = [call.args[0] for call in calls if ast.unparse(call.func).split(".")[0] in READERS]
    return {first.value for first in firsts if isinstance(first, ast.Constant)}


NAMES = set().union(*(names_read(path.read_text()) for path in SOURCES))


def test_it_finds_the_names_a_source_reads() -> None:
    assert names_read("env.int('A', default=1); data_directory('B'); print('C')") == {"A", "B"}
    assert len(NAMES) > 20


def test_every_setting_is_documented_and_no_other() -> None:
    assert NAMES | variables() == DOCUMENTED


def test_every_setting_is_in_the_example_and_no_other() -> None:
    assert NAMES | variables() == EXAMPLES


def test_compose_hands_on_what_the_example_says_is_for_production() -> None:
    for_compose, _, _ = (ROOT / ".env.example").read_text().partition("# Without Docker")
    assert set(re.findall(r"^# ([A-Z_]+)=", for_compose, re.MULTILINE)) == variables()


def test_a_path_starts_beside_manage_py_wherever_a_command_is_called_from(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOME_DIR", os.path.relpath(tmp_path / "own", ROOT))
    assert data_directory("SOME_DIR") == tmp_path / "own"


def test_nothing_reads_the_environment_behind_our_back() -> None:
    own = [*SOURCES, *(ROOT / "phone_numbers").rglob("*.py"), *(ROOT / "providers").rglob("*.py")]
    readers = {path.name for path in own if re.search(r"os\.(getenv|environ\[|environ\.get)", path.read_text())}
    assert readers == set()


def test_celery_knows_every_one_of_its_settings() -> None:
    known = {name for name, _ in flatten(NAMESPACES)}
    ours = {name.removeprefix("CELERY_").lower() for name in dir(settings) if name.startswith("CELERY_")}
    assert ours <= known
