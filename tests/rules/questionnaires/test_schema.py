"""The schema that editors use says the same as the compiler: what there is, how it is called and what is wrong."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from portal.questionnaires.rules import (
    DefinitionError,
    FactKind,
    FieldKind,
    Kind,
    Length,
    Owner,
    Severity,
    compile_yaml,
)
from portal.questionnaires.rules import compile as compiling
from portal.questionnaires.rules import compile_parts as parts
from portal.questionnaires.rules.definition import Claim
from portal.questionnaires.rules.facts import FLAGS, MODES
from portal.questionnaires.rules.tree import Leaf, Node, Record, grow
from tests.rules.questionnaires.every_kind import EVERY_KIND
from tests.rules.questionnaires.samples import ROOT, SAMPLE

FILES = sorted(ROOT.glob("*/v*.yaml"))


@cache
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "schema.json").read_text("utf-8"))
    return loaded


def plain(node: Node) -> Any:
    """Read a tree as an editor does, by the core schema of YAML 1.2: `no` is a word, `1` a number."""
    if isinstance(node, Leaf):
        if not node.plain:
            return node.text
        if node.text in ("true", "false"):
            return node.text == "true"
        if re.fullmatch(r"-?[0-9]+", node.text):
            return int(node.text)
        return float(node.text) if re.fullmatch(r"-?[0-9]+\.[0-9]+", node.text) else node.text
    if isinstance(node, Record):
        return {key: plain(value) for key, value in node.items.items()}
    return [plain(item) for item in node.items]


def wrong(source: str) -> list[str]:
    found = Draft202012Validator(schema()).iter_errors(plain(grow(source.encode(), "x")))
    return [error.message for error in found]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_shipped_file_keeps_to_it(path: Any) -> None:
    assert wrong(path.read_text("utf-8")) == []


@pytest.mark.parametrize("source", [SAMPLE, EVERY_KIND], ids=["sample", "every kind"])
def test_the_samples_keep_to_it(source: str) -> None:
    assert wrong(source) == []


def test_its_choices_are_those_of_the_code() -> None:
    defs = schema()["$defs"]
    of = {
        "kind": Kind,
        "field_kind": FieldKind,
        "column_kind": parts._COLUMN_KINDS,
        "severity": Severity,
        "length": Length,
    }

    assert {name: set(defs[name]["enum"]) for name in of} == {name: {str(each) for each in of[name]} for name in of}
    assert set(defs["fact"]["properties"]["kind"]["enum"]) == set(FactKind)
    assert set(defs["fact"]["properties"]["owner"]["enum"]) == set(Owner)
    assert set(defs["fact"]["properties"]["drives"]["enum"]) == set(compiling.DRIVES)
    assert set(defs["section"]["properties"]["group"]["enum"]) == set(compiling.GROUPS)
    assert set(defs["question"]["properties"]["options_from"]["enum"]) == set(compiling.OPTIONS_FROM)
    assert set(defs["decision"]["properties"]["claim"]["enum"]) == set(Claim)
    assert set(defs["setting_option"]["properties"]["sets"]["items"]["enum"]) == {*FLAGS, *MODES}


def test_its_keys_are_those_of_the_code() -> None:
    defs = schema()["$defs"]

    assert set(schema()["properties"]) == set(compiling._TOP)
    assert set(defs["fact"]["properties"]) == set(compiling._FACT)
    assert set(defs["section"]["properties"]) == set(compiling._SECTION)
    assert set(defs["question"]["properties"]) == set(compiling._QUESTION)
    assert set(defs["detail"]["properties"]) == set(parts._DETAIL)
    assert set(defs["decision"]["properties"]) == set(compiling._DECISION)
    assert set(schema()["properties"]["expects"]["properties"]) == set(compiling._EXPECTS)


WRONG = [
    ("version: 1\n", "version: one\n"),
    ("slug: sample\n", ""),
    ("slug: sample\n", "slug: Sample\n"),
    ("title: Sample\n", "title: Sample\ncolour: red\n"),
    ("evidence_offset: 0", "evidence_offset: 1"),
    ("expects: {sections: 2, ", "expects: {"),
    ("owner: lab", "owner: nobody"),
    ("drives: dmax", "drives: everything"),
    ("sets: [synth]", "sets: [magic]"),
    ("group: Assurance", "group: Elsewhere"),
    ("kind: c1", "kind: c2"),
    ("kind: c1", "kind: text"),
    ("weight: 5\n        tiers", "weight: 6\n        tiers"),
    ("tiers: [1, 2]\n        knock_out", "tiers: [1, 4]\n        knock_out"),
    ("tiers: [1, 2]\n        knock_out", "tiers: []\n        knock_out"),
    ("knock_out: {tiers: [1], fails: [none]}", "knock_out: {tiers: [1]}"),
    ("evidence: {level: 2, kinds: [SOC2]}", "evidence: {level: 2}"),
    ("evidence: {level: 2, kinds: [SOC2]}", "evidence: {level: 3, kinds: [SOC2]}"),
    ("{key: low, label: Low, credit: 40}", "{key: low, label: Low}"),
    ("{key: low, label: Low, credit: 40}", "{key: low, label: Low, credit: 140}"),
    ("        unit: hours\n", ""),
    ('{when: "<=24", credit: 100}', '{when: "about 24", credit: 100}'),
    ("{key: since, label: Since, kind: date}", "{key: since, label: Since, kind: hour}"),
    ("{key: since, label: Since, kind: date}", "{key: since, label: Since, kind: choice}"),
    ("{key: since, label: Since, kind: date}", "{key: since, label: Since, kind: date, length: short}"),
    ("{key: since, label: Since, kind: date}", "{key: since, label: Since, kind: date, min_rows: 1}"),
    ("columns: [{key: name, label: Name}", "columns: [{key: name, label: Name, kind: range}"),
    ("            rows: 2\n", "            rows: 2\n            wide: true\n"),
    ("kind: yn!\n", "kind: yn!\n        min_rows: 1\n"),
    ("kind: yn!\n", "kind: yn!\n        length: long\n"),
    ("kind: yn!\n", "kind: yn!\n        compensating: perhaps\n"),
    ("kind: yn!\n", "kind: yn!\n        warnings: [{when: answer=no, severity: loud, text: Weak.}]\n"),
    ("kind: yn!\n", "kind: yn!\n        warnings: [{when: answer=no, severity: stop}]\n"),
    ("sections:\n", "rules: [{key: a, at: one.scope, message: Mend it.}]\nsections:\n"),
    ("sections:\n", "rules: [{key: a, at: scope, when: ans(one.scope)=no, message: Mend it.}]\nsections:\n"),
    ("sections:\n", "changes: {since: 1, decisions: [{key: a.b, part: text, claim: maybe, of: a}]}\nsections:\n"),
]


@pytest.mark.parametrize(("old", "new"), WRONG, ids=range(len(WRONG)))
def test_what_the_compiler_refuses_an_editor_marks(old: str, new: str) -> None:
    assert old in SAMPLE
    source = SAMPLE.replace(old, new, 1)

    assert wrong(source)
    with pytest.raises(DefinitionError):
        compile_yaml(source.encode(), "x")
