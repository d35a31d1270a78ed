"""Every lint fires on its own mistake, and on nothing else."""

from fractions import Fraction

import pytest

from portal.questionnaires.rules import Questionnaire, claims_only_score, compile_yaml, lint


def messages(text: str, known_ids: dict[str, frozenset[str]] | None = None) -> list[str]:
    return [problem.message for problem in lint(compile_yaml(text.encode(), "sample.yaml"), known_ids)]


def test_the_sample_is_clean(sample: Questionnaire) -> None:
    assert lint(sample) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("questions: 5", "questions: 6", "promises 6 questions and has 5"),
        ("sections: 2", "sections: 3", "promises 3 sections and has 2"),
        ("scoping: 4", "scoping: 5", "promises 5 scoping facts and has 4"),
        ("domain_weight: 5", "domain_weight: 6", "promises 6 domain weight and has 5"),
        ("question_weight: 13", "question_weight: 1", "promises 1 question weight and has 13"),
        ("evidence: {level: 1, kinds: [ATT]}", "evidence: {level: 0}", "A knock-out needs evidence level 1 or 2"),
        ("{tiers: [1], fails: [none]}", "{tiers: [3], fails: [none]}", "only in tiers in which the question is asked"),
        ("label: High, credit: 100", "label: High, credit: 90", "The options need one with credit 100"),
        ("{key: none, label: None, credit: 0}", "{key: none, label: None, credit: 5}", "one with credit 0"),
        ("credit: 0, label: more", "credit: 10, label: more", "The steps need one with credit 0"),
        ('{when: "<=24", credit: 100}', '{when: "<=24", credit: 40}', "The steps need one with credit 100"),
        ('{when: "<=24", credit: 100}', '{when: "<=99", credit: 100}', "loosen from the first to the last"),
        ('{when: "<=24", credit: 100}', '{when: ">=24", credit: 100}', "in one direction"),
        ('{when: "<=72", credit: 50}', '{when: "<=72", credit: 100}', None),
        ("ans(one.level)!=none", "ans(two.reuse)=yes", "“two.reuse” is not asked before this question"),
        ("ans(one.level)!=none", "ans(one.scope)=yes", "“one.scope” is not asked before this question"),
        ("ans(one.level)!=none", "ans(one.other)=yes", "“one.other” is not a question of this version"),
        ("ans(one.level)!=none", "ans(one.level)!=nought", "“nought” is not an answer to “one.level”"),
        ("ans(one.level)!=none", "ans(one.level)>0", "“one.level” is not a number"),
        ("ans(one.level)!=none", "ans(one.level)=high and ans(one.level)=low", "can never hold"),
        ("ans(one.level)!=none", "ans(one.level)=low", "a better one closes it"),
        ("ans(one.level)!=none", "not ans(one.level)=high", "a better one closes it"),
        ("multi and dmax>=3", "multi and dmax>5", "can never hold"),
        ("multi and dmax>=3", "multi and not multi", "can never hold"),
        ("multi and dmax>=3", "svc in (redteam)", "“redteam” is not one of the services"),
        ("multi and dmax>=3", "byod", "No scoping fact of this version decides “byod”"),
        ("label: Tenants", "label: Tenants of every one of them", "A label has at most 4 words"),
        ("text: Customers are apart.", f"text: {'very ' * 80}long", "The text of a question has at most"),
        ("label: Tenants", "label: Reuse", "“two.reuse” has the same label"),
        ("        why: Why we ask.\n", f"        why: {'why ' * 200}\n", "“why” has at most"),
        ("        strong: A strong answer.\n", "", "A scored question needs “strong”"),
        ("GV.OV-03", "GV-OV.03", "does not look like an identifier of NIST CSF"),
        ("    weight: 3\n    questions", "    weight: 0\n    questions", "A section has a weight if, and only if"),
    ],
)
def test_a_lint_fires(sample_text: str, old: str, new: str, words: str | None) -> None:
    assert old in sample_text

    found = messages(sample_text.replace(old, new, 1))

    assert (found == []) if words is None else any(words in message for message in found), found


def test_a_follow_up_is_asked_in_no_tier_without_its_question(sample_text: str) -> None:
    changed = sample_text.replace("weight: 2\n        tiers: [1, 2]\n", "weight: 2\n        tiers: [1, 2, 3]\n", 1)

    assert messages(changed) == ["“one.level” is not asked in every tier of this question"]


def test_falling_credits_are_demanded_of_steps(sample_text: str) -> None:
    changed = sample_text.replace('"<=24", credit: 100', '"<=24", credit: 50').replace(
        '"<=72", credit: 50', '"<=72", credit: 100'
    )

    assert "The credits of the steps fall from the first to the last" in messages(changed)


def test_words_alone_may_not_carry_a_tier_1_version(sample: Questionnaire, sample_text: str) -> None:
    """P16 of scoring.md: everything claimed and nothing proven stays below 65."""
    generous = sample_text.replace("level: 2", "level: 1")

    assert claims_only_score(sample) == Fraction(3 * 50 + 2 * Fraction(3 * 50 + 2 * 75 + 75, 6), 5)
    assert messages(generous) == ["Full answers without any proof score 75.0 in tier 1; they must stay below 65"]


def test_a_minimal_version_may_pass_on_a_signature(sample_text: str) -> None:
    minimal = sample_text.replace("level: 2", "level: 1").replace("evidence_offset: 0", "evidence_offset: -1")

    assert messages(minimal) == []


def test_a_knock_out_of_tier_3_needs_no_evidence(sample_text: str) -> None:
    changed = sample_text.replace(
        "{tiers: [1, 2, 3], fails: below_full}\n        evidence: {level: 1, kinds: [ATT]}",
        "{tiers: [3], fails: below_full}\n        evidence: {level: 0}",
    )

    assert messages(changed) == []


def test_identifiers_are_looked_up_in_the_list_of_their_version(sample_text: str) -> None:
    assert messages(sample_text, {"csf-2.0": frozenset({"GV.OV-03"})}) == []
    assert messages(sample_text, {"csf-2.0": frozenset({"GV.OV-01"})}) == [
        "“GV.OV-03” is not in the list of NIST CSF 2.0"
    ]
    assert messages(sample_text, {"csf-1.1": frozenset()}) == []


def test_a_lint_names_the_place_of_the_part(sample_text: str) -> None:
    changed = sample_text.replace("ans(one.level)!=none", "ans(one.level)!=nought")
    line = changed[: changed.index("requires:")].count("\n") + 1

    [problem, *_] = lint(compile_yaml(changed.encode(), "sample.yaml"))

    assert (problem.file, problem.line, problem.column) == ("sample.yaml", line, 9)
