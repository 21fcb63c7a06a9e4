"""What a newcomer's machine can lack is said in one sentence."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.dashboard.processes import ROOT

TOOLS = ("make", "sh", "rm", "awk")
OLD_PYTHON = '#!/bin/sh\ncase "$1" in --version) echo Python 3.9.18;; *) exit 1;; esac\n'
PYTHON_WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n'

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(directory: Path, target: str, *pythons: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    """`make` in a directory with nothing but the Makefile and the lock files, and these Pythons on PATH."""
    path = directory / "bin"
    path.mkdir()
    for tool in TOOLS:
        (path / tool).symlink_to(shutil.which(tool) or tool)
    for name, script in pythons:
        (path / name).write_text(script)
        (path / name).chmod(0o755)
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, directory)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment["PATH"] = str(path)
    return subprocess.run(["make", target], cwd=directory, env=environment, capture_output=True, text=True, check=False)


def test_it_says_that_python_is_too_old(tmp_path: Path) -> None:
    done = make(tmp_path, "run", ("python3", OLD_PYTHON))
    assert (done.returncode, done.stdout) == (2, "Numberdesk needs Python 3.11 or newer; found: Python 3.9.18.\n")


def test_it_says_that_there_is_no_python(tmp_path: Path) -> None:
    done = make(tmp_path, "run")
    assert (done.returncode, done.stdout) == (2, "Numberdesk needs Python 3.11 or newer; found: none.\n")


def test_it_says_that_the_venv_module_is_missing(tmp_path: Path) -> None:
    done = make(tmp_path, "run", ("python3", PYTHON_WITHOUT_VENV))
    assert done.returncode == 2
    assert (
        done.stdout == "Python's venv module is missing; install it (Debian, Ubuntu: apt-get install python3-venv).\n"
    )


def test_it_finds_a_newer_python_beside_an_old_one(tmp_path: Path) -> None:
    done = make(tmp_path, "run", ("python3", OLD_PYTHON), ("python3.12", PYTHON_WITHOUT_VENV))
    assert "venv module is missing" in done.stdout


def test_it_lists_its_targets(tmp_path: Path) -> None:
    targets = make(tmp_path, "help").stdout
    assert all(f"make {target} " in targets for target in ("run", "test", "check", "fix", "lock", "screenshots"))
