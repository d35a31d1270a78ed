"""Answers as VSAQ keeps them: what it can say comes back, and nothing else is made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exchange.rules.vsaq_answers import from_vsaq, to_vsaq
from portal.questionnaires.rules import Kind, Question, compile_yaml
from portal.questionnaires.rules.vsaq import identifiers

FULL = compile_yaml(
    (Path(__file__).parents[3] / "questionnaires" / "ai-contractor" / "v1.yaml").read_bytes(), "ai-contractor v1"
)
NAMES, CHOICES = identifiers(FULL)


def contents_of(question: Question, number: int) -> dict[str, Any]:
    """Some answer that VSAQ can keep."""
    if question.kind is Kind.NUMBER:
        return {"number": str(number)}
    if question.kind is Kind.MANY_CHOICES and question.options:
        return {"choices": [question.options[number % len(question.options)].key]}
    if question.choices:
        return {"choice": question.choices[number % len(question.choices)].key}
    return {"text": f"Words {number}"} if question.kind is Kind.TEXT else {}


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from([each.key for each in FULL.questions]), st.integers(0, 99), max_size=30))
def test_what_vsaq_can_say_comes_back(numbers: dict[str, int]) -> None:
    said = {key: found for key, n in numbers.items() if (found := contents_of(FULL.question(key), n))}
    read = from_vsaq(FULL, to_vsaq(FULL, said))
    assert dict(read.contents) == said
    assert read.unread == ()


def test_yes_and_no_stand_at_the_question_and_choices_at_themselves() -> None:
    flat = to_vsaq(FULL, {"seg.train": {"choice": "yes"}, "gov.owner": {"choice": "partial", "comment": "In Lisbon."}})
    assert flat == {"seg_train": "yes", "gov_owner_partial": "checked"}


def test_a_claim_that_it_does_not_apply_is_not_said() -> None:
    assert to_vsaq(FULL, {"gov.owner": {"na": True, "na_reason": "We are two."}}) == {}


@pytest.mark.parametrize(
    "flat",
    [
        {"seg_train": "perhaps"},
        {"gov_owner_partial": "yes"},
        {"gov_owner_yes": "checked", "gov_owner_no": "checked"},
        {NAMES["ret.days"]: "about three"},
        {"somebody_elses": "checked"},
    ],
)
def test_what_is_no_answer_is_named_and_not_guessed(flat: dict[str, str]) -> None:
    read = from_vsaq(FULL, flat)
    assert dict(read.contents) == {}
    assert read.unread == tuple(sorted(flat))


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from([*NAMES.values(), *CHOICES.values(), "x"]), st.text(max_size=20), max_size=20))
def test_any_map_is_read_without_a_fault(flat: dict[str, str]) -> None:
    read = from_vsaq(FULL, flat)
    assert set(read.contents) <= {each.key for each in FULL.questions}
    assert set(read.unread) <= set(flat)
