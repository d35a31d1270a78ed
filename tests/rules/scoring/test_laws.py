"""The laws P1–P16 of scoring, each a property over random versions, answers, evidence, exposure and days."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.scoring.rules import (
    POLICY_1,
    Answer,
    DomainScore,
    Evidence,
    Exposure,
    Inputs,
    NotApplicable,
    Policy,
    Problem,
    Proof,
    Question,
    Recommendation,
    Score,
    State,
    Version,
    canonical,
    claims_only,
    compile_plan,
    digest,
    display,
    inherent_risk,
    marks,
    problems,
    read_inputs,
    read_policy,
    replay,
    score,
    snapshot,
    tier_of,
)
from tests.rules.scoring.builders import (
    EXAMPLES,
    G1,
    TODAY,
    answers_to,
    changed,
    exposures,
    inputs_of,
    law,
    nearly_good,
    policies,
    proof_sets,
    versions,
)

POLICY_1_DIGEST = "82bfb30614cf4ed9ec245c951b3f2f93242aa396bdf04f51edf553415ea10e16"
RESULT_DIGESTS = {
    "EX1": "c4ee0f14ca0160bf00004fd7ff82bd6ba480f02a856f0d106f50f6750774426d",
    "EX2": "4e7c8cbde0ff770c52930282dd0d5a3151534af56ee92f818f275b444686ce45",
    "EX3": "869d92f6af9423bb797051a07cf993bcb0a952fe6360e462af642d539c9fad0d",
    "EX4": "64036c62fbdcfb9fe604445e7a31679614ee93ee427f7204c9e18b6b78f4e5e9",
    "EX5": "ca20a20f70b183d4bce6d0562895b02543f4a713cc4eb61e426b0d04f914f8e0",
    "EX2-Tier-3": "3cd06958090ce9f7d9cab935c37f159498363cfb6e688c105c2ad5704b553bbc",
    "EX3-blank": "93897b5b262f550ca42ff0b63d4fbe169e4f80eb2f00b623d2e2754c3d460622",
}

RAISABLE = (State.OK, State.BLANK, State.NA_CLAIMED, State.ZERO)


def lenses(domain: DomainScore) -> tuple[Fraction, Fraction, Fraction]:
    return domain.claim, domain.score, domain.verified


def assert_nothing_is_worse(before: Score, after: Score) -> None:
    old, new = before.measures, after.measures
    assert new.claim >= old.claim
    assert new.score >= old.score
    assert new.verified >= old.verified
    assert [domain.key for domain in new.domains] == [domain.key for domain in old.domains]
    for was, now in zip(old.domains, new.domains, strict=True):
        assert all(n >= w for w, n in zip(lenses(was), lenses(now), strict=True))
    assert after.strength >= before.strength
    assert after.residual <= before.residual


@st.composite
def raised_credit(draw: st.DrawFn) -> tuple[Inputs, Inputs]:
    """Draw inputs, and the same with one answer given or its credit raised."""
    inputs = draw(nearly_good() | inputs_of())
    question = draw(st.sampled_from(inputs.version.questions))
    given_answers = {answer.key: answer for answer in inputs.answers}
    was = given_answers.get(question.key, Answer(question.key, State.BLANK))
    assume(was.state in RAISABLE)
    low = was.credit if was.state is State.OK else 0
    return inputs, changed(inputs, replace(was, state=State.OK, credit=draw(st.integers(low, 100))))


@st.composite
def bettered_evidence(draw: st.DrawFn) -> tuple[Inputs, Inputs]:
    """Draw inputs, and the same with one answer's evidence bettered or a further file, however bad, attached."""
    inputs = draw(inputs_of() | nearly_good())
    assume(inputs.answers)
    was = draw(st.sampled_from(inputs.answers))
    added = (*draw(proof_sets()), Proof("p9", draw(st.booleans()), draw(st.none() | st.just(TODAY))))
    if draw(st.booleans()):
        proofs = was.proofs + tuple(replace(proof, key=f"new-{proof.key}") for proof in added)
    else:
        proofs = tuple(replace(p, verified=True, valid_until=None, verified_until=None) for p in was.proofs)
    return inputs, changed(inputs, replace(was, proofs=proofs))


@law
@given(inputs_of(), st.none() | policies())
def test_p1_lenses_are_ordered_and_residual_risk_is_bounded(inputs: Inputs, policy: Policy | None) -> None:
    result = score(inputs if policy is None else replace(inputs, policy=policy))

    measures = result.measures
    assert 0 <= measures.verified <= measures.score <= measures.claim <= 100
    for domain in measures.domains:
        assert 0 <= domain.verified <= domain.score <= domain.claim <= 100
    least = Fraction(result.inherent.value * (100 - (policy or POLICY_1).relief), 100)
    assert least <= result.residual <= result.inherent.value


@law
@given(raised_credit())
def test_p2_raising_a_credit_never_lowers_anything(pair: tuple[Inputs, Inputs]) -> None:
    before, after = map(score, pair)

    assert_nothing_is_worse(before, after)


@law
@given(bettered_evidence())
def test_p3_better_evidence_never_lowers_anything(pair: tuple[Inputs, Inputs]) -> None:
    before, after = map(score, pair)

    assert_nothing_is_worse(before, after)


@law
@given(inputs_of())
def test_p3_expired_evidence_is_worth_what_none_is(inputs: Inputs) -> None:
    lapsed = tuple(
        replace(answer, proofs=tuple(p for p in answer.proofs if p.on(inputs.as_of) is not Evidence.EXPIRED))
        for answer in inputs.answers
    )

    assert score(replace(inputs, answers=lapsed)) == score(inputs)


@settings(law, max_examples=120)
@given(st.one_of(raised_credit(), bettered_evidence()))
def test_p4_betterment_never_moves_the_recommendation_down(pair: tuple[Inputs, Inputs]) -> None:
    before, after = (score(inputs).recommendation for inputs in pair)

    assert after.rank >= before.rank


@law
@given(inputs_of(), st.data())
def test_p5_order_is_irrelevant(inputs: Inputs, data: st.DataObject) -> None:
    version = Version(
        inputs.version.digest,
        tuple(data.draw(st.permutations(inputs.version.domains))),
        tuple(data.draw(st.permutations(inputs.version.questions))),
    )
    answers = tuple(data.draw(st.permutations(inputs.answers)))
    held = tuple(data.draw(st.permutations(inputs.held)))

    reordered = replace(inputs, version=version, answers=answers, held=held)

    assert canonical(reordered) == canonical(inputs)
    assert canonical(score(reordered)) == canonical(score(inputs))


@law
@given(inputs_of(), st.integers(2, 1000))
def test_p6_scaling_all_weights_changes_nothing(inputs: Inputs, k: int) -> None:
    version = replace(
        inputs.version,
        domains=tuple(replace(domain, weight=domain.weight * k) for domain in inputs.version.domains),
        questions=tuple(replace(q, weight=q.weight * k) for q in inputs.version.questions),
    )

    before, after = score(inputs), score(replace(inputs, version=version))

    unscaled = tuple(replace(domain, weight=domain.weight // k) for domain in after.measures.domains)
    assert replace(after, measures=replace(after.measures, domains=unscaled)) == before


@law
@given(inputs_of())
def test_p7_losses_sum_to_the_distance_from_100(inputs: Inputs) -> None:
    measures = score(inputs).measures
    assume(measures.counted)

    assert sum((loss.value for loss in measures.losses), Fraction()) == 100 - measures.score
    assert min(d.score for d in measures.domains) <= measures.score <= max(d.score for d in measures.domains)


@law
@given(inputs_of(), st.integers(1, 60))
def test_p8_time_passing_never_raises_the_score_nor_the_recommendation(inputs: Inputs, days: int) -> None:
    before, after = score(inputs), score(replace(inputs, as_of=inputs.as_of + timedelta(days=days)))

    assert after.measures.score <= before.measures.score
    assert after.measures.verified <= before.measures.verified
    assert after.recommendation.rank <= before.recommendation.rank


@law
@given(exposures, exposures)
def test_p9_more_exposure_never_lowers_risk_nor_loosens_the_tier(one: Exposure, more: Exposure) -> None:
    both = Exposure(
        one.data_classes + more.data_classes,
        one.access_modes + more.access_modes,
        one.open_crowd or more.open_crowd,
        one.own_devices or more.own_devices,
        one.subcontracted or more.subcontracted,
        max(one.people, more.people),
    )

    before, after = inherent_risk(one, POLICY_1), inherent_risk(both, POLICY_1)

    assert after.value >= before.value
    assert after.tier <= before.tier


@settings(law, max_examples=80)
@given(inputs_of(), st.integers(0, 50), st.integers(51, 100), st.data())
def test_p10_a_failed_or_blank_knock_out_is_never_better(
    inputs: Inputs, failing: int, passing: int, data: st.DataObject
) -> None:
    tier = tier_of(inputs)
    knock_outs = [q.key for q in inputs.version.questions if tier in q.tiers and q.limit_in(tier) is not None]
    assume(knock_outs)
    key = data.draw(st.sampled_from(knock_outs))
    proofs = data.draw(proof_sets())
    limit = next(q.knock_out_limit for q in inputs.version.questions if q.key == key) or 0

    blank = score(changed(inputs, Answer(key, State.BLANK, proofs=proofs)))
    failed = score(changed(inputs, Answer(key, credit=min(failing, limit), proofs=proofs)))
    passed = score(changed(inputs, Answer(key, credit=passing, proofs=proofs)))

    assert key in failed.measures.failed
    assert key not in passed.measures.failed
    assert failed.strength <= min(passed.strength, Fraction(50))
    for answered in (failed, passed):
        assert blank.strength <= answered.strength
        assert blank.residual >= answered.residual
        assert blank.measures.score <= answered.measures.score
        assert blank.recommendation is Recommendation.INCOMPLETE


@law
@given(inputs_of(), st.data())
def test_p11_only_a_reviewers_act_takes_a_question_out_of_the_denominator(inputs: Inputs, data: st.DataObject) -> None:
    def counted(these: Inputs) -> set[str]:
        return {mark.question.key for mark in marks(these) if mark.counts}

    before = counted(inputs)
    assume(before)
    key = data.draw(st.sampled_from(sorted(before)))
    by_the_vendor = data.draw(answers_to(key).filter(lambda answer: answer.state is not State.HIDDEN))

    assert counted(changed(inputs, replace(by_the_vendor, not_applicable=None))) == before

    accepted = Answer(key, State.NA, not_applicable=NotApplicable("ines", "nothing of the kind is done"))
    is_knock_out = next(m.limit for m in marks(inputs) if m.question.key == key) is not None
    assert counted(changed(inputs, accepted)) == (before if is_knock_out else before - {key})
    signed = replace(accepted, not_applicable=NotApplicable("ines", "as above", risk_acceptance="ra-7"))
    assert counted(changed(inputs, signed)) == before - {key}


@law
@given(inputs_of(), exposures)
def test_p12_a_changed_scoping_fact_makes_a_new_snapshot(inputs: Inputs, exposure: Exposure) -> None:
    assume(exposure != inputs.exposure)
    old = snapshot(inputs)

    new = snapshot(replace(inputs, exposure=exposure))
    flagged = snapshot(replace(inputs, facts=(*inputs.facts, "special")))

    assert len({old.inputs_digest, new.inputs_digest, flagged.inputs_digest}) == 3
    assert replay(old.inputs) == old.result


@law
@given(inputs_of(), st.none() | policies())
def test_p13_same_inputs_give_the_same_bytes(inputs: Inputs, policy: Policy | None) -> None:
    if policy is not None:
        inputs = replace(inputs, policy=policy)
    stored = snapshot(inputs)

    again = read_inputs(stored.inputs)

    assert again == inputs
    assert canonical(again) == stored.inputs
    assert replay(stored.inputs) == stored.result
    assert snapshot(inputs, compile_plan(inputs.version, inputs.policy).score(inputs)) == stored
    assert b"." not in stored.result.replace(b"gatehouse.score-result/1", b"")


def test_p13_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    program = (
        "import hashlib; from tests.rules.scoring.builders import EXAMPLES;"
        "from portal.scoring.rules import snapshot;"
        "print([(n, snapshot(e).inputs_digest, snapshot(e).result_digest) for n, e in EXAMPLES.items()])"
    )
    here = str([(n, snapshot(e).inputs_digest, snapshot(e).result_digest) for n, e in EXAMPLES.items()])
    root = Path(__file__).parents[3]

    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert elsewhere.stdout.strip() == here


def test_p14_the_shipped_policy_and_stored_scores_never_change() -> None:
    assert digest(POLICY_1) == POLICY_1_DIGEST
    assert {name: snapshot(inputs).result_digest for name, inputs in EXAMPLES.items()} == RESULT_DIGESTS
    assert read_policy(canonical(POLICY_1)) == POLICY_1


@law
@given(inputs_of(), inputs_of(), policies())
def test_p14_a_later_version_or_policy_leaves_stored_snapshots_alone(
    inputs: Inputs, later: Inputs, policy: Policy
) -> None:
    stored = snapshot(inputs)

    snapshot(replace(later, policy=policy))
    snapshot(replace(inputs, policy=policy))

    assert replay(stored.inputs) == stored.result
    assert snapshot(inputs) == stored


@settings(law, max_examples=300)
@given(st.fractions(min_value=-100, max_value=100), st.integers(0, 100))
def test_p15_the_displayed_value_never_flatters_nor_crosses_a_threshold(exact: Fraction, threshold: int) -> None:
    shown = Fraction(Decimal(display(exact)))

    assert shown <= exact < shown + Fraction(1, 10)
    assert (shown >= threshold) == (exact >= threshold)


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        (Fraction(79999, 1000), "79.9"),
        (Fraction(80), "80.0"),
        (Fraction(0), "0.0"),
        (Fraction(-1, 20), "-0.1"),
        (Fraction(38936, 10000), "3.8"),
        (20, "20.0"),
    ],
)
def test_p15_display_floors_to_a_tenth(exact: Fraction | int, shown: str) -> None:
    assert display(exact) == shown


@law
@given(versions(), st.sampled_from((1, 2, 3)))
def test_p16_claims_only_is_the_score_of_perfect_words_without_evidence(version: Version, tier: int) -> None:
    asked = [question for question in version.questions if tier in question.tiers]
    means: list[tuple[int, Fraction]] = []
    for domain in version.domains:
        if mine := [question for question in asked if question.domain == domain.key]:
            weights = sum(question.weight for question in mine)
            earned = sum(q.weight * (100, 75, 50)[max(0, q.level - (tier == 3))] for q in mine)
            means.append((domain.weight, Fraction(earned, weights)))
    total = sum(weight for weight, _ in means)

    expected = sum((weight * mean for weight, mean in means), Fraction()) / total if total else 0

    assert claims_only(version, POLICY_1, tier) == expected


def test_p16_words_alone_must_not_reach_consideration_in_tier_1() -> None:
    harder = replace(G1, questions=tuple(replace(q, level=2) for q in G1.questions))

    assert claims_only(G1, POLICY_1, 1) == Fraction(261, 4)
    assert problems(G1, POLICY_1) == (Problem("claims_suffice"),)
    assert claims_only(harder, POLICY_1, 1) == 50
    assert problems(harder, POLICY_1) == ()
    tier_3_only = replace(G1, questions=tuple(replace(q, tiers=(3,)) for q in G1.questions))
    assert problems(tier_3_only, POLICY_1) == ()


@law
@given(versions())
def test_p16_a_knock_out_without_evidence_level_is_a_problem_unless_in_tier_3(version: Version) -> None:
    def bare(question: Question) -> bool:
        return (
            question.level == 0
            and question.knock_out_limit is not None
            and bool({1, 2} & set(question.tiers) & set(question.knock_out_tiers))
        )

    found = {problem.code: problem.keys for problem in problems(version, POLICY_1)}

    assert found.get("knock_out_without_level", ()) == tuple(q.key for q in version.questions if bare(q))
