"""The list of bars names each of them once, and tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (.+?) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
BARS = [f"J{number}" for number in range(1, 16)] + [f"U{number}" for number in range(1, 19)]


def rows() -> list[tuple[str, str]]:
    """Return each bar with what holds it."""
    found = ROW.findall((ROOT / "docs/bars.md").read_text("utf-8"))
    return [(bar, held) for bar, held in found if bar != "bar" and not bar.startswith("-")]


def missing(held: str) -> list[str]:
    """Return the tests that are named and are not there."""
    gone = []
    for path, name in TEST.findall(held):
        file = ROOT / path
        tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
        tests = {each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}
        if not tests or (name and name not in tests):
            gone.append(f"{path}::{name}")
    return gone


def test_every_bar_is_named_once() -> None:
    assert [bar.split()[0] for bar, _ in rows() if re.match(r"[JU]\d", bar)] == BARS


@pytest.mark.parametrize(("bar", "held"), rows())
def test_a_bar_is_held_by_tests_that_exist_or_says_why_not_yet(bar: str, held: str) -> None:
    assert TEST.search(held) or "not yet: " in held
    assert missing(held) == []


def test_a_test_that_is_gone_is_found() -> None:
    assert missing("`tests/house/test_bars.py::test_a_test_that_is_gone_is_found`") == []
    assert missing("`tests/house/test_bars.py::test_nowhere`") == ["tests/house/test_bars.py::test_nowhere"]
    assert missing("`tests/house/test_nowhere.py`") == ["tests/house/test_nowhere.py::"]
