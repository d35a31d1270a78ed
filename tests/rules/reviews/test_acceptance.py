"""Which answers a rule accepts, what never is, and what is wrong with a document of rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.questionnaires.rules import QuestionState
from portal.reviews.rules import Changed
from portal.reviews.rules import acceptance as rules
from portal.reviews.rules.acceptance import FIRST, AcceptedBy, Because, Subject
from portal.scoring.rules import Evidence

IN_FORCE = replace(rules.read(FIRST), glance_every=0)
SOUND = Subject(
    key="inf.rest",
    draw="review",
    state=QuestionState.ANSWERED,
    changed=Changed.UNCHANGED,
    tier=1,
    level=2,
    evidence=Evidence.VERIFIED,
    knock_out=False,
    before=AcceptedBy.PERSON,
)
SUBJECTS = st.builds(
    Subject,
    key=st.sampled_from(["inf.rest", "iam.sso", "sub.list"]),
    draw=st.sampled_from(["one", "two"]),
    state=st.sampled_from(QuestionState),
    changed=st.sampled_from(Changed),
    tier=st.integers(1, 3),
    level=st.integers(0, 2),
    evidence=st.sampled_from(Evidence),
    knock_out=st.booleans(),
    before=st.none() | st.sampled_from(AcceptedBy),
    checks=st.integers(0, 2),
    finding=st.booleans(),
    to_check=st.booleans(),
)
RULES = st.builds(
    rules.Rule,
    name=st.just("R-1"),
    says=st.just("A rule"),
    changes=st.frozensets(st.sampled_from(Changed)),
    tiers=st.frozensets(st.integers(1, 3)),
    accepted_by=st.frozensets(st.sampled_from(AcceptedBy)),
    evidence=st.tuples(*[st.sampled_from(Evidence)] * 3),
    knock_outs=st.frozensets(st.integers(1, 3)),
)


def test_the_first_version_accepts_what_is_the_same_and_proven() -> None:
    assert rules.problems_of(FIRST) == []
    ruling = rules.ruling(IN_FORCE, SOUND)
    assert ruling.rule is not None
    assert rules.stamp(ruling.rule.name, 2) == "R-3 v2"


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"state": QuestionState.NA_CLAIMED}, Because.DOES_NOT_APPLY),
        ({"state": QuestionState.BLANK}, Because.NOT_ASKED),
        ({"changed": Changed.DOWN}, Because.CHANGED),
        ({"changed": Changed.EVIDENCE}, Because.CHANGED),
        ({"finding": True}, Because.FINDING),
        ({"checks": 1}, Because.CONTRADICTION),
        ({"knock_out": True}, Because.KNOCK_OUT),
        ({"to_check": True}, Because.CHECK_AGAIN),
        ({"before": None}, Because.NOT_ACCEPTED_BEFORE),
        ({"before": AcceptedBy.RULE}, Because.NOT_ACCEPTED_BEFORE),
        ({"evidence": Evidence.ATTACHED}, Because.EVIDENCE),
        ({"level": 1, "evidence": Evidence.EXPIRED}, Because.EVIDENCE),
    ],
)
def test_why_a_rule_leaves_an_answer_to_a_person(change: dict[str, object], because: Because) -> None:
    assert rules.ruling(IN_FORCE, replace(SOUND, **change)) == rules.Ruling(None, because)


def test_a_knock_out_is_accepted_where_the_rule_says_so_and_never_in_tier_1() -> None:
    knock_out = replace(SOUND, knock_out=True)
    assert rules.ruling(IN_FORCE, replace(knock_out, tier=2)).rule is not None
    wide = replace(IN_FORCE, rules=(replace(IN_FORCE.rules[0], knock_outs=frozenset({1, 2, 3})),))
    assert rules.ruling(wide, knock_out).because is Because.KNOCK_OUT


@given(rule=RULES, subject=SUBJECTS, every=st.integers(0, 3))
def test_whatever_the_rule_some_answers_are_never_accepted(rule: rules.Rule, subject: Subject, every: int) -> None:
    said = rules.ruling(rules.Rules(frozenset(), every, (rule,)), subject)
    assert (said.rule is None) is (said.because is not None)
    if said.rule is not None:
        assert subject.state is QuestionState.ANSWERED
        assert not (subject.knock_out and subject.tier == 1)
        assert not subject.checks
        assert not subject.finding
        assert not subject.to_check
        assert subject.before is not None
        assert subject.changed in {Changed.UNCHANGED, Changed.EVIDENCE}


@given(subject=SUBJECTS, better=st.sampled_from(Evidence))
def test_better_evidence_never_takes_an_acceptance_away(subject: Subject, better: Evidence) -> None:
    if rules.ruling(IN_FORCE, subject).rule is not None and better >= subject.evidence:
        assert rules.ruling(IN_FORCE, replace(subject, evidence=better)).rule is not None


def test_the_draw_is_stable_and_leaves_about_every_tenth() -> None:
    keys = [f"sec.question{number}" for number in range(2_000)]
    drawn = [key for key in keys if rules.is_drawn("review", key, 10)]
    assert 150 < len(drawn) < 250
    assert drawn == [key for key in keys if rules.is_drawn("review", key, 10)]
    assert drawn != [key for key in keys if rules.is_drawn("another", key, 10)]
    assert not any(rules.is_drawn("review", key, 0) for key in keys)
    sampled = replace(IN_FORCE, glance_every=1)
    assert rules.ruling(sampled, SOUND).because is Because.GLANCE


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("format: gatehouse acceptance 1", "format: other", "the format is “gatehouse acceptance 1”"),
        ("glance_every: 10", "glance_every: often", "“glance_every” is a whole number from 0 to 1,000"),
        ("glance_every: 10\n", "", "“glance_every” is missing"),
        ("changes: [unchanged]", "changes: [down]", "“changes” knows unchanged, evidence, not down"),
        ("changes: [unchanged]", "changes: []", "“changes” names at least one"),
        ("tiers: [1, 2, 3]", "tiers: [4]", "“tiers” knows 1, 2, 3, not 4"),
        ("knock_outs: [2, 3]", "knock_outs: [1, 2]", "“knock_outs” knows 2, 3, not 1"),
        ("accepted_by: [person]", "accepted_by: []", "what nobody accepted before is read by a person"),
        ("required: verified", "required: none", "a rule asks for attached or verified evidence"),
        ("required: verified", "required: good", "“required” is one of none, expired, attached, verified"),
        ("checks: [answers,", "checks: [answers, answers,", "“checks” names something twice"),
        ("  R-3:\n", "  R-3:\n    mood: good\n", "“rules.R-3.mood” is not known here"),
        ("  R-3:\n", "  R 3!:\n", "is no name for a rule"),
        ("rules:", "rules: [", "this is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, words: str) -> None:
    assert old in FIRST
    problems = rules.problems_of(FIRST.replace(old, new, 1))
    assert any(words in each for each in problems), problems
    with pytest.raises(ValueError, match=r"."):
        rules.read(FIRST.replace(old, new, 1))


def test_a_document_without_rules_accepts_nothing() -> None:
    none = FIRST[: FIRST.index("rules:")] + "rules: {}\n"
    assert rules.problems_of(none) == []
    assert rules.ruling(rules.read(none), SOUND).because is Because.NO_RULE


def test_differences_are_said_in_words() -> None:
    new = (
        FIRST.replace("glance_every: 10", "glance_every: 5")
        .replace("accepted: attached", "accepted: verified")
        .replace("answers, exceptions", "exceptions")
    )
    assert rules.differences(FIRST, new) == [
        ("Two answers disagree", "looked for", "not looked for"),
        ("Left to a person’s glance", "one in 10", "one in 5"),
        ("R-3, evidence where it is accepted", "at least attached", "verified"),
    ]
    assert rules.differences(FIRST, FIRST) == []
    named = FIRST.replace("R-3:", "R-4:")
    assert next((what, old == "not there", now) for what, old, now in rules.differences(FIRST, named)) == (
        "R-3",
        False,
        "gone",
    )
