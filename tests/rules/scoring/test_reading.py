"""How single questions, proofs and requirements are read, and what nonsense is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.canonical import canonical_bytes
from portal.scoring.rules import (
    POLICY_1,
    Answer,
    Code,
    Domain,
    Evidence,
    Exposure,
    Finding,
    Held,
    Inputs,
    NotApplicable,
    Proof,
    Question,
    Reason,
    Recommendation,
    State,
    Unreadable,
    Version,
    band,
    canonical,
    compile_plan,
    marks,
    read_inputs,
    read_policy,
    score,
)
from tests.rules.scoring.builders import (
    EX1,
    EX2,
    EX2_TIER_3,
    EX3,
    EX4,
    EXAMPLES,
    G1,
    LAPSED,
    TODAY,
    changed,
    inputs_of,
    law,
    said,
)

FINDING = Finding(40, "ines", "the export shows otherwise", ("page 3",))


def mark_of(inputs: Inputs, key: str) -> tuple[State, int, Evidence]:
    mark = next(mark for mark in marks(inputs) if mark.question.key == key)
    return mark.state, mark.credit, mark.evidence


@pytest.mark.parametrize(
    ("answer", "credit"),
    [
        (Answer("iam.idle", credit=100, finding=FINDING), 40),
        (Answer("iam.idle", credit=0, finding=FINDING), 40),
        (Answer("iam.idle", credit=100, contradicted=True), 0),
        (Answer("iam.idle", credit=100, finding=FINDING, contradicted=True), 0),
        (Answer("iam.idle", State.BLANK, credit=100, finding=FINDING), 0),
        (Answer("iam.idle", State.ZERO, credit=100), 0),
        (Answer("iam.idle", State.NA_CLAIMED, credit=100), 0),
    ],
)
def test_findings_replace_credit_and_contradiction_beats_all(answer: Answer, credit: int) -> None:
    assert mark_of(changed(EX1, answer), "iam.idle")[1] == credit


def test_a_missing_answer_is_blank() -> None:
    missing = replace(EX1, answers=tuple(a for a in EX1.answers if a.key != "iam.mfa"))

    result = score(missing)

    assert result.recommendation is Recommendation.INCOMPLETE
    assert result.measures.blank == result.measures.open == ("iam.mfa",)
    assert result.strength == 50


@pytest.mark.parametrize(
    ("proof", "worth"),
    [
        (Proof("p"), Evidence.ATTACHED),
        (Proof("p", verified=True), Evidence.VERIFIED),
        (Proof("p", verified=True, valid_until=TODAY), Evidence.VERIFIED),
        (Proof("p", verified=True, valid_until=LAPSED), Evidence.EXPIRED),
        (Proof("p", verified=True, verified_until=LAPSED), Evidence.ATTACHED),
        (Proof("p", verified=True, verified_until=LAPSED, valid_until=TODAY), Evidence.ATTACHED),
    ],
)
def test_a_proof_is_worth_what_it_is_worth_on_the_day(proof: Proof, worth: Evidence) -> None:
    assert proof.on(TODAY) is worth
    assert mark_of(changed(EX1, Answer("iam.mfa", credit=100, proofs=(proof,))), "iam.mfa")[2] is worth


def test_the_best_proof_counts() -> None:
    proofs = (Proof("a", valid_until=LAPSED), Proof("b", verified=True), Proof("c"))

    assert mark_of(changed(EX1, Answer("iam.mfa", credit=100, proofs=proofs)), "iam.mfa")[2] == 3


def test_a_knock_out_fails_by_a_zero_state_or_a_credit_up_to_its_limit() -> None:
    full = replace(G1, questions=tuple(replace(q, knock_out_limit=50) for q in G1.questions))

    assert score(changed(EX1, Answer("iam.mfa", State.ZERO))).measures.failed == ("iam.mfa",)
    assert score(replace(EX1, version=full)).measures.failed == ("inc.test",)
    assert score(changed(EX1, Answer("iam.mfa", credit=1))).measures.failed == ()


def test_a_knock_out_of_tier_1_is_an_ordinary_question_in_tier_2() -> None:
    only_1 = replace(G1, questions=tuple(replace(q, knock_out_tiers=(1,)) for q in G1.questions))
    failing = replace(EX4, version=only_1)

    assert score(failing).measures.failed == ("inc.hours",)
    assert score(replace(failing, exposure=EX3.exposure)).measures.failed == ()


def test_a_question_outside_the_tier_is_not_asked() -> None:
    version = replace(G1, questions=tuple(replace(q, tiers=(1,)) if q.key == "inc.test" else q for q in G1.questions))

    assert score(replace(EX1, version=version)).measures.counted == 7
    assert score(replace(EX3, version=version)).measures.counted == 6


def test_an_accepted_na_ends_on_its_day() -> None:
    accepted = NotApplicable("ines", "no such thing", until=TODAY)
    inputs = changed(EX1, Answer("iam.idle", State.NA, not_applicable=accepted))

    assert mark_of(inputs, "iam.idle")[0] is State.NA
    assert mark_of(replace(inputs, as_of=TODAY + timedelta(days=1)), "iam.idle")[0] is State.NA_CLAIMED


def test_a_tier_2_knock_out_on_no_or_lapsed_evidence_holds() -> None:
    good = replace(EX1, exposure=EX3.exposure)

    for evidence in ("none", "expired"):
        result = score(changed(good, said("iam.mfa", 100, evidence)))
        assert result.recommendation is Recommendation.HOLD
        assert result.reasons == (Reason(Code.KNOCK_OUT_WITHOUT_EVIDENCE, ("iam.mfa",)),)
    assert score(changed(good, said("iam.mfa", 100, "attached"))).recommendation is Recommendation.APPROVE


@pytest.mark.parametrize(
    ("kind", "alternatives"),
    [("SOC2", ("SOC2", "ISO")), ("PT", ("PT",)), ("INS", ("INS",)), ("SPL", ("SPL",))],
)
def test_a_required_kind_that_is_missing_or_lapsed_holds(kind: str, alternatives: tuple[str, ...]) -> None:
    rest = tuple(held for held in EX1.held if held.kind != kind)
    lapsed = (*rest, Held("old", kind, valid_until=LAPSED))
    renewed = (*lapsed, Held("new", alternatives[-1], valid_until=TODAY))

    missing = score(replace(EX1, held=rest))

    assert missing.recommendation is Recommendation.HOLD
    assert missing.reasons == (Reason(Code.EVIDENCE_MISSING, alternatives),)
    assert score(replace(EX1, held=lapsed)).reasons == (Reason(Code.EVIDENCE_EXPIRED, alternatives),)
    assert score(replace(EX1, held=renewed)).recommendation is Recommendation.APPROVE


def test_personal_data_requires_a_data_processing_agreement() -> None:
    personal = replace(EX1, facts=("pii",))

    assert score(personal).reasons == (Reason(Code.EVIDENCE_MISSING, ("DPA",)),)
    assert score(replace(personal, held=(*EX1.held, Held("d", "DPA")))).reasons == ()
    assert score(replace(EX2_TIER_3, facts=("pii",))).reasons == ()


def test_a_low_domain_needs_its_own_condition() -> None:
    inputs = changed(EX1, said("inc.hours", 50, "verified"))

    result = score(inputs)

    assert result.recommendation is Recommendation.CONDITIONAL
    assert result.reasons == (Reason(Code.DOMAIN_BELOW_APPROVAL, ("inc",), 60),)
    assert result.conditions == ("inc.hours",)


def test_nothing_to_score_is_incomplete_and_worth_nothing() -> None:
    hidden = replace(EX1, answers=tuple(Answer(q.key, State.HIDDEN) for q in G1.questions))

    result = score(hidden)

    assert result.reasons == (Reason(Code.NOTHING_SCORED),)
    assert (result.measures.score, result.measures.losses, result.residual) == (0, (), 20)
    assert compile_plan(G1, POLICY_1).score(hidden) == result


@pytest.mark.parametrize(
    ("risk", "name"),
    [(0, "low"), (Fraction(399, 100), "low"), (4, "moderate"), (9, "high"), (16, "critical"), (25, "critical")],
)
def test_bands_begin_at_their_limit(risk: int | Fraction, name: str) -> None:
    assert band(risk, POLICY_1) == name


def test_the_letter_is_at_most_d_while_a_knock_out_is_failed() -> None:
    assert (score(EX1).letter, score(EX4).letter, score(EX2).letter) == ("B", "D", "D")
    low = changed(EX4, *(said(q.key, 0) for q in G1.questions))
    assert score(low).letter == "E"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Answer("q", credit=101),
        lambda: Answer("q", credit=-1),
        lambda: Answer("q", credit=50.0),  # type: ignore[arg-type]
        lambda: Answer("q", credit=True),
        lambda: Answer("q", proofs=(Proof("p"), Proof("p", verified=True))),
        lambda: Question("q", "d", 0),
        lambda: Question("q", "d", 1, 3),
        lambda: Question("q", "d", 1, 1, 100),
        lambda: Question("q", "d", 1, 1, 0, (4,)),
        lambda: Domain("d", 0),
        lambda: Version("v", (Domain("d", 1),), (Question("q", "e", 1),)),
        lambda: Version("v", (Domain("d", 1), Domain("d", 2)), ()),
        lambda: Version("v", (Domain("d", 1),), (Question("q", "d", 1), Question("q", "d", 2))),
        lambda: Finding(50, " ", "why"),
        lambda: Finding(50, "who", ""),
        lambda: NotApplicable("who", " "),
        lambda: Exposure((6,), (1,)),
        lambda: Exposure((1,), (0,)),
        lambda: Exposure((1,), (1,), people=-1),
        lambda: replace(EX1, answers=(Answer("nobody.asked"),)),
        lambda: replace(EX1, answers=(Answer("iam.mfa"), Answer("iam.mfa"))),
        lambda: replace(EX1, raised_tier=0),
        lambda: replace(POLICY_1, factors=((100, 100, 100, 100), (75, 75, 60, 100), (50, 50, 75, 100))),
        lambda: replace(POLICY_1, factors=((100, 100, 100, 100), (75, 75, 90, 99), (50, 50, 75, 100))),
        lambda: replace(POLICY_1, strength_cap=101),
    ],
)
def test_nonsense_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()


@law
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_bytes_that_are_not_canonical_inputs_are_refused(name: str, data: st.DataObject) -> None:
    stored = canonical(EXAMPLES[name])
    place = data.draw(st.integers(0, len(stored) - 1))
    broken = stored[:place] + data.draw(st.binary(max_size=3)) + stored[place + 1 :]

    try:
        value = read_inputs(broken)
    except Unreadable:
        return
    assert canonical(value) == broken


@pytest.mark.parametrize(
    "stored",
    [b"", b"[]", b"null", b"{}", b'"x"', b"\xff", b"[" * 100_000, json.dumps({"format": "x"}).encode()],
)
def test_other_bytes_are_refused(stored: bytes) -> None:
    with pytest.raises(Unreadable):
        read_inputs(stored)
    with pytest.raises(Unreadable):
        read_policy(stored)


def test_a_float_has_no_canonical_form() -> None:
    stored = canonical(EX1)

    with pytest.raises(Unreadable):
        read_inputs(stored.replace(b'"credit":80', b'"credit":80.0'))


@law
@given(inputs_of())
def test_the_canonical_form_is_the_one_of_the_whole_project(inputs: Inputs) -> None:
    for stored in (canonical(inputs), canonical(score(inputs)), canonical(POLICY_1)):
        assert canonical_bytes(json.loads(stored)) == stored


def two_domains(low: int, rest: int, *, verified: tuple[str, ...] = ("a", "b"), level: int = 0) -> Inputs:
    """Return Tier 2 inputs with a domain of weight 1 at the first credit and one of weight 3 at the second."""
    version = Version(
        "two", (Domain("a", 1), Domain("b", 3)), (Question("a", "a", 1, level), Question("b", "b", 1, level))
    )
    answers = tuple(
        said(key, credit, "verified" if key in verified else "none") for key, credit in (("a", low), ("b", rest))
    )
    return replace(EX3, version=version, answers=answers)


@pytest.mark.parametrize(
    ("inputs", "recommendation"),
    [
        (two_domains(70, 70), "approve"),  # A exactly
        (two_domains(69, 70), "conditional"),
        (two_domains(50, 100), "approve"),  # AF exactly
        (two_domains(49, 100), "conditional"),
        (two_domains(100, 100, verified=("a",)), "approve"),  # V exactly
        (two_domains(99, 100, verified=("a",)), "hold"),
        (two_domains(55, 55), "conditional"),  # C exactly, as claimed
        (two_domains(54, 55), "reject"),
        (two_domains(30, 100), "conditional"),  # CF exactly, as claimed
        (two_domains(29, 100), "reject"),
        (two_domains(70, 100, verified=("a",), level=2), "hold"),
        (two_domains(40, 60, verified=("a", "b"), level=2), "conditional"),  # C exactly, as proven
        (two_domains(56, 55, verified=("b",), level=2), "hold"),  # C and CF missed by proof alone
        (two_domains(60, 70, verified=("b",), level=2), "conditional"),  # CF exactly, as proven
        (two_domains(59, 70, verified=("b",), level=2), "hold"),
    ],
)
def test_a_threshold_that_is_met_exactly_is_met(inputs: Inputs, recommendation: str) -> None:
    assert score(inputs).recommendation == recommendation
    assert compile_plan(inputs.version, inputs.policy).score(inputs) == score(inputs)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda stored: stored.replace(b":", b": ", 1),
        lambda stored: stored + b"\n",
        lambda stored: json.dumps(json.loads(stored), indent=1).encode(),
        lambda stored: json.dumps({**json.loads(stored), "more": 1}, sort_keys=True).encode(),
        lambda stored: stored.replace(b"score-inputs/1", b"score-inputs/2"),
    ],
)
def test_the_same_inputs_in_another_spelling_are_refused(rewrite: Any) -> None:
    with pytest.raises(Unreadable):
        read_inputs(rewrite(canonical(EX1)))
    with pytest.raises(Unreadable):
        read_policy(rewrite(canonical(POLICY_1)) + b" ")
