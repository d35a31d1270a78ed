"""Nothing that is written into a questionnaire runs, hangs or breaks the compiler."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import (
    Answer,
    Condition,
    ConditionError,
    DefinitionError,
    Facts,
    Over,
    Problem,
    Questionnaire,
    compile_yaml,
    conditions,
    facts,
    lint,
    nodes,
    parse,
    text,
)
from portal.questionnaires.rules.conditions import MAX_LENGTH
from portal.questionnaires.rules.tree import Leaf, Node, Record, grow
from tests.rules.questionnaires.every_kind import EVERY_KIND
from tests.rules.questionnaires.samples import ROOT, SAMPLE, law

FILES = [SAMPLE, EVERY_KIND, (ROOT / "incident-reattestation" / "v1.yaml").read_text("utf-8")]
WORDS = [
    *("and", "or", "not", "in", "ans", "answer", "field", "svc", "dmax", "people", "multi", "A4", "(", "(", "("),
    *(")", ")", ")", ",", ",", "=", "!=", "<=", ">=", "<", ">", "4", "0.5", "2026-01-31", "2026-13-01", "yes", "none"),
    *("q.a", "q.b", "name", "__import__", "os.system", "lambda", "1e9", "999999999999", "0x1f", "“", "\\", "\x00", "٤"),
]

sources = (
    st.lists(st.sampled_from(WORDS), max_size=200).map(" ".join)
    | st.lists(st.sampled_from(WORDS), max_size=200).map("".join)
    | st.binary(max_size=700).map(lambda raw: raw.decode("utf-8", "replace"))
    | st.text(max_size=700)
    | st.sampled_from(["(", "not ", "ans(", "field(a.b,", "((", "a.", "1", "-", "2026-01-"]).flatmap(
        lambda piece: st.integers(0, 4_000).map(lambda times: piece * times)
    )
)


def parsed(source: str, over: Over) -> Condition | int:
    """Return the condition, or where it was refused."""
    try:
        return parse(source, over)
    except ConditionError as refusal:
        return refusal.offset


def compiled(source: bytes) -> Questionnaire | tuple[Problem, ...]:
    """Return the questionnaire, or why it was refused."""
    try:
        return compile_yaml(source, "damaged.yaml")
    except DefinitionError as failure:
        return failure.problems


@law
@given(sources, st.sampled_from(list(Over)))
def test_any_text_is_a_condition_or_a_refusal_with_its_place(source: str, over: Over) -> None:
    condition = parsed(source, over)
    if isinstance(condition, int):
        assert 0 <= condition <= len(source)
        return
    said = {"q.a": Answer(choice="yes"), "": Answer(choice="no"), "q.b": Answer(details={"name": "x"})}
    assert condition.evaluate(Facts(), said) in (True, False)
    assert condition.evaluate(Facts(), {}) in (True, False)


def steps(source: str, over: Over) -> int:
    """Return how many functions are called to read and to ask a condition."""
    calls = 0

    def count(_frame: Any, event: str, _given: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        parse(source, over).evaluate(Facts(), {})
    except ConditionError:
        pass
    finally:
        sys.setprofile(None)
    return calls


@law
@given(sources, st.sampled_from(list(Over)))
def test_reading_takes_steps_in_proportion_to_the_text(source: str, over: Over) -> None:
    assert steps(source, over) <= 60 * (min(len(source), MAX_LENGTH) + 10)


@pytest.mark.parametrize(
    "source",
    [
        "a." * 249,
        "a" * MAX_LENGTH,
        "1" * MAX_LENGTH,
        "1." * 249,
        "(" * MAX_LENGTH,
        "not " * 125,
        "multi and " * 50,
        "2026-01-31-" * 45,
    ],
)
def test_the_worst_texts_are_refused_in_few_steps(source: str) -> None:
    assert steps(source, Over.FACTS) < 10_000


@pytest.mark.parametrize("module", [conditions, nodes, facts, text], ids=lambda module: module.__name__)
def test_the_language_has_no_way_to_run_anything(module: Any) -> None:
    tree = ast.parse(inspect.getsource(module))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert not called & {"eval", "exec", "compile", "__import__", "open", "globals", "locals", "vars", "setattr"}
    assert not any(name and name.split(".")[0] in ("os", "sys", "subprocess", "importlib") for name in imported)


SIGNS = ["", " ", "\n", "- ", ": ", "{", "}", "[", "]", '"', "&a ", "*a", "!x ", "#", "\t", "é", "\x00"]
VALUES = [
    *("yes", "0", "-1", "99999999", "[]", "{}", "~", "!", "ans(a.b)=c", "field(a.b, c)", "table", "file", "2026-02-31"),
]
mutations = st.lists(
    st.tuples(
        st.sampled_from(["cut", "double", "put", "swap", "word"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 60),
        st.sampled_from(SIGNS),
        st.sampled_from(VALUES),
    ),
    min_size=1,
    max_size=4,
)


def mutated(source: str, changes: list[tuple[str, float, int, str, str]]) -> str:
    for how, where, length, inserted, word in changes:
        at = int(where * len(source))
        if how == "cut":
            source = source[:at] + source[at + length :]
        elif how == "double":
            source = source[:at] + source[at : at + length] + source[at:]
        elif how == "put":
            source = source[:at] + inserted + source[at:]
        elif how == "swap":
            lines = source.split("\n")
            here, there = int(where * len(lines)), length % len(lines)
            lines[here], lines[there] = lines[there], lines[here]
            source = "\n".join(lines)
        else:
            start = source.find(": ", at) + 2
            end = source.find("\n", start)
            source = source[:start] + word + source[end:] if 2 <= start < end else source
    return source


@law
@given(st.sampled_from(FILES), mutations)
def test_a_damaged_file_compiles_or_is_refused_with_places(source: str, changes: list[Any]) -> None:
    outcome = compiled(mutated(source, changes).encode("utf-8", "surrogatepass"))

    if isinstance(outcome, Questionnaire):
        lint(outcome)
    else:
        assert outcome
        assert all(problem.line >= 1 and problem.column >= 1 for problem in outcome)


@law
@given(st.binary(max_size=300))
def test_any_bytes_compile_or_are_refused(source: bytes) -> None:
    with pytest.raises(DefinitionError):
        compile_yaml(source, "bytes.yaml")


def shuffled(node: Node, random: Random) -> Any:
    """Return a tree with the keys of every mapping, and the rules, in another order."""
    if isinstance(node, Leaf):
        return node.text
    if isinstance(node, Record):
        items = [(key, shuffled(value, random)) for key, value in node.items.items()]
        random.shuffle(items)
        found = dict(items)
        if isinstance(found.get("rules"), list):
            random.shuffle(found["rules"])
        return found
    return [shuffled(item, random) for item in node.items]


def meaning(questionnaire: Questionnaire) -> Questionnaire:
    return replace(questionnaire, digest="")


@law
@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_the_order_of_keys_and_rules_means_nothing(source: str, seed: int) -> None:
    other = json.dumps(shuffled(grow(source.encode(), "x"), Random(seed)), ensure_ascii=False)  # noqa: S311

    assert meaning(compile_yaml(other.encode(), "y")) == meaning(compile_yaml(source.encode(), "x"))
