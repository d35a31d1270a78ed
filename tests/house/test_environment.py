"""Making the environment says in one sentence what the machine lacks, and costs nothing when nothing changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PINS = ("requirements-uv.txt", "requirements.txt", "requirements-dev.txt")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The scripts and pins alone, with a folder for make-believe interpreters."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(PROJECT / "scripts" / "environment.sh", tmp_path / "scripts")
    for name in PINS:
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def interpreter(copy: Path, script: str) -> str:
    path = copy / "bin" / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def make(copy: Path, kind: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "scripts/environment.sh", kind],
        cwd=copy,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_too_old_is_one_sentence(copy: Path) -> None:
    old = interpreter(copy, 'case "$1" in -V) echo Python 3.9.2 ;; *) exit 1 ;; esac')

    done = make(copy, "run", PYTHON=old)

    assert done.returncode == 1
    assert done.stderr == (
        "Gatehouse needs Python 3.11 or newer and found Python 3.9.2: "
        "install one, or name it: make run PYTHON=/path/to/python3.11\n"
    )


def test_a_python_that_cannot_make_environments_is_told_what_to_install(copy: Path) -> None:
    lean = interpreter(copy, 'case "$*" in -V) echo Python 3.12.1 ;; *ensurepip*) exit 1 ;; esac')

    done = make(copy, "run", PYTHON=lean)

    assert done.returncode == 1
    assert done.stderr == (
        "Python 3.12.1 cannot make environments: install its venv package "
        "(on Debian and Ubuntu: apt install python3-venv)\n"
    )


@pytest.mark.parametrize(
    ("made", "asked", "quick"), [("run", "run", True), ("dev", "run", True), ("run", "dev", False)]
)
def test_an_environment_made_from_the_same_pins_is_left_alone(copy: Path, made: str, asked: str, quick: bool) -> None:
    (copy / ".venv" / "bin").mkdir(parents=True)
    (copy / ".venv" / "bin" / "python").symlink_to("/bin/true")
    pins = PINS if made == "dev" else PINS[:2]
    summed = subprocess.run(
        ["sh", "-c", f"cat {' '.join(pins)} | cksum"], cwd=copy, capture_output=True, text=True, check=True
    )
    (copy / ".venv" / ".made-from").write_text(f"{made} {summed.stdout.strip()} {copy}\n")

    done = make(copy, asked, PYTHON="/bin/false")

    assert (done.returncode == 0) is quick
    assert (done.stdout + done.stderr == "") is quick


def test_no_pin_and_no_script_names_a_package_registry() -> None:
    files = [*(PROJECT / name for name in PINS), *(PROJECT / "scripts").glob("*.sh"), PROJECT / "Makefile"]

    assert not [path.name for path in files if "://" in path.read_text().replace("http://127.0.0.1", "")]
