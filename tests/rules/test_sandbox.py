"""A parser in the sandbox may fail, and nothing else."""

import os
from pathlib import Path

import pytest

from portal.kernel.sandbox import Failing, SandboxFailure, run_limited

VICTIM = "tests.rules.sandbox_victims"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "file; touch 'x' $(id)"
    file.write_bytes(b"content")
    return file


def test_an_answer_comes_back_with_its_arguments(path: Path) -> None:
    assert run_limited(f"{VICTIM}:answers", path, arguments={"kind": "pdf", "n": 3}) == {
        "path": str(path),
        "kind": "pdf",
        "n": 3,
    }


@pytest.mark.parametrize(
    ("victim", "failing"),
    [
        ("eats_memory", Failing.MEMORY),
        ("raises", Failing.CRASH),
        ("dies", Failing.CRASH),
        ("talks_too_much", Failing.CRASH),
        ("mutters", Failing.CRASH),
        ("writes", Failing.CRASH),
        ("opens_many", Failing.CRASH),
        ("is_not_there", Failing.CRASH),
    ],
)
def test_whatever_it_does_becomes_one_kind_of_failure(path: Path, victim: str, failing: Failing) -> None:
    with pytest.raises(SandboxFailure) as failure:
        run_limited(f"{VICTIM}:{victim}", path)

    assert failure.value.failing is failing


@pytest.mark.parametrize("victim", ["spins", "hangs"])
def test_it_ends_when_its_time_is_over(path: Path, victim: str) -> None:
    with pytest.raises(SandboxFailure) as failure:
        run_limited(f"{VICTIM}:{victim}", path, timeout=0.5)

    assert failure.value.failing is Failing.TIME


def test_the_failure_says_what_the_parser_said(path: Path) -> None:
    with pytest.raises(SandboxFailure, match="the parser stumbled"):
        run_limited(f"{VICTIM}:raises", path)


def test_it_sees_neither_our_environment_nor_our_input(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "GATEHOUSE_SECRET_KEY", "secret")

    assert run_limited(f"{VICTIM}:looks_around", path) == {
        "environment": ["LANG"],
        "input": "",
        "folder": "/",
    }
