"""The golden examples of the scoring method, number by number."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F

import pytest

from portal.scoring.rules import (
    POLICY_1,
    Code,
    Exposure,
    Inputs,
    Reason,
    compile_plan,
    display,
    inherent_risk,
    raise_tier,
    score,
)
from portal.scoring.rules.risk import TierWouldFall
from tests.rules.scoring.builders import EX1, EX2, EX2_TIER_3, EX3, EX3_BLANK, EX4, EX5, EXAMPLES

KNOCK_OUTS = ("dat.seg", "iam.mfa", "inc.hours")
DOMAINS = {
    "EX1": (F(385, 4), F(458, 5), F(555, 8)),
    "EX2": (F(135, 2), F(135, 2), F(225, 4)),
    "EX3": (F(65), F(358, 5), F(555, 8)),
    "EX4": (F(385, 4), F(458, 5), F(75, 8)),
    "EX5": (F(65), F(333, 5), F(555, 8)),
    "EX2-Tier-3": (F(175, 2), F(175, 2), F(325, 4)),
    "EX3-blank": (F(65), F(358, 5), F(555, 8)),
}
LENSES_AND_STRENGTH = {
    "EX1": (F(927, 10), F(2237, 25), F(233, 4), F(2237, 25)),
    "EX2": (F(100), F(261, 4), F(0), F(261, 4)),
    "EX3": (F(2843, 40), F(13571, 200), F(341, 8), F(13571, 200)),
    "EX4": (F(807, 10), F(1937, 25), F(185, 4), F(50)),
    "EX5": (F(927, 10), F(13271, 200), F(12), F(13271, 200)),
    "EX2-Tier-3": (F(100), F(345, 4), F(0), F(345, 4)),
    "EX3-blank": (F(2843, 40), F(13571, 200), F(341, 8), F(13571, 200)),
}
JUDGED = {
    # tier, inherent risk, residual risk, its band, shown score, recommendation, letter
    "EX1": (1, 20, F(4867, 1250), "low", "89.4", "approve", "B"),
    "EX2": (1, 20, F(1651, 200), "moderate", "65.2", "hold", "D"),
    "EX3": (2, 12, F(233583, 50000), "moderate", "67.8", "conditional", "D"),
    "EX4": (1, 20, F(11), "high", "77.4", "reject", "D"),
    "EX5": (1, 20, F(80561, 10000), "moderate", "66.3", "hold", "D"),
    "EX2-Tier-3": (3, 4, F(179, 200), "low", "86.2", "approve", "B"),
    "EX3-blank": (2, 12, F(233583, 50000), "moderate", "67.8", "incomplete", "D"),
}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("compiled", [False, True], ids=["fractions", "plan"])
def test_golden_example_is_exact(name: str, compiled: bool) -> None:
    inputs = EXAMPLES[name]

    result = compile_plan(inputs.version, inputs.policy).score(inputs) if compiled else score(inputs)

    measures = result.measures
    assert tuple(domain.score for domain in measures.domains) == DOMAINS[name]
    lenses = (measures.claim, measures.score, measures.verified, result.strength)
    assert lenses == LENSES_AND_STRENGTH[name]
    assert (
        result.tier,
        result.inherent.value,
        result.residual,
        result.residual_band,
        display(measures.score),
        result.recommendation,
        result.letter,
    ) == JUDGED[name]
    assert [domain.key for domain in measures.domains] == ["dat", "iam", "inc"]


@pytest.mark.parametrize(
    ("inputs", "largest"),
    [
        (
            EX1,
            [
                ("inc.test", F(25, 8)),
                ("inc.hours", F(3)),
                ("iam.review", F(63, 25)),
                ("dat.del", F(15, 8)),
            ],
        ),
        (EX2, [("dat.seg", F(25, 2))]),
        (EX3, [("dat.seg", F(125, 8))]),
        (EX4, [("inc.hours", F(15))]),
        (EX5, [("dat.seg", F(125, 8))]),
    ],
    ids=["EX1", "EX2", "EX3", "EX4", "EX5"],
)
def test_golden_largest_losses(inputs: Inputs, largest: list[tuple[str, F]]) -> None:
    losses = score(inputs).measures.losses

    assert [(loss.key, loss.value) for loss in losses[: len(largest)]] == largest


@pytest.mark.parametrize(
    ("inputs", "reasons"),
    [
        (EX1, ()),
        (EX2, (Reason(Code.VERIFIED_BELOW, (), 45), Reason(Code.KNOCK_OUT_UNPROVEN, KNOCK_OUTS))),
        (EX3, (Reason(Code.SCORE_BELOW_APPROVAL, (), 70),)),
        (
            EX4,
            (Reason(Code.KNOCK_OUT_FAILED, ("inc.hours",)), Reason(Code.DOMAIN_CLAIM_BELOW, ("inc",), 40)),
        ),
        (
            EX5,
            (Reason(Code.VERIFIED_BELOW, (), 45), Reason(Code.KNOCK_OUT_UNPROVEN, ("dat.seg", "iam.mfa"))),
        ),
        (EX2_TIER_3, ()),
        (EX3_BLANK, (Reason(Code.BLANK, ("iam.idle",)),)),
    ],
    ids=list(EXAMPLES),
)
def test_golden_reasons_in_order(inputs: Inputs, reasons: tuple[Reason, ...]) -> None:
    assert score(inputs).reasons == reasons


def test_the_conditional_example_is_lifted_by_its_condition() -> None:
    assert score(EX3).conditions == ("dat.seg",)


@pytest.mark.parametrize(
    ("exposure", "value", "tier"),
    [
        (Exposure((4,), (3,), open_crowd=True), 20, 1),
        (Exposure((4,), (2,), own_devices=True), 12, 2),
        (Exposure((3,), (2,)), 6, 2),
        (Exposure((1,), (3,)), 4, 3),
        (Exposure((5,), (1,)), 5, 1),
        (Exposure((2,), (3, 4), subcontracted=True), 10, 2),
        (Exposure((1,), (5,)), 5, 1),
        (Exposure((0, 4, 2), (1, 3), people=1001), 20, 1),
        (Exposure((4,), (2,), people=1000), 8, 2),
        (Exposure((3,), (5,), open_crowd=True), 15, 1),
        (Exposure((), ()), 0, 3),
    ],
)
def test_inherent_risk_goldens(exposure: Exposure, value: int, tier: int) -> None:
    risk = inherent_risk(exposure, POLICY_1)

    assert (risk.value, risk.tier) == (value, tier)


def test_a_person_may_raise_the_tier_and_never_lower_it() -> None:
    assert raise_tier(2, 1) == 1
    assert raise_tier(2, None) == 2
    with pytest.raises(TierWouldFall):
        raise_tier(1, 2)


def test_a_raised_tier_is_kept_until_the_exposure_demands_more() -> None:
    assert score(replace(EX3, raised_tier=1)).tier == 1
    assert score(replace(EX3, raised_tier=3)).tier == 2
