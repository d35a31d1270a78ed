"""What the measures mean under a policy: strength, residual risk, letter, recommendation, reasons and
conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from portal.scoring.rules.policy import Policy, Requirement, Thresholds
from portal.scoring.rules.result import Code, Measures, Reason, Recommendation, Score
from portal.scoring.rules.risk import band, inherent_risk, residual_risk, tier_in_force
from portal.scoring.rules.values import Held, Inputs


def conclude(inputs: Inputs, measures: Measures) -> Score:
    """Judge what was measured. Everything here reads exact values, never displayed ones."""
    policy = inputs.policy
    inherent = inherent_risk(inputs.exposure, policy)
    tier = tier_in_force(inherent.tier, inputs.raised_tier)
    limits = policy.thresholds[tier - 1]
    capped = bool(measures.failed or measures.open)
    strength = min(measures.score, Fraction(policy.strength_cap)) if capped else measures.score
    residual = residual_risk(inherent.value, strength, policy)
    recommendation, reasons = recommend(inputs, measures, tier)
    conditional = recommendation is Recommendation.CONDITIONAL
    return Score(
        measures=measures,
        inherent=inherent,
        tier=tier,
        strength=strength,
        residual=residual,
        residual_band=band(residual, policy),
        recommendation=recommendation,
        reasons=reasons,
        conditions=lifting(measures, limits) if conditional else (),
        letter=letter(measures, policy),
    )


def recommend(inputs: Inputs, measures: Measures, tier: int) -> tuple[Recommendation, tuple[Reason, ...]]:
    """Return the first recommendation that fits, with all reasons of that rule in the order of the rule."""
    limits = inputs.policy.thresholds[tier - 1]
    for recommendation, found in (
        (Recommendation.INCOMPLETE, _incomplete(measures)),
        (Recommendation.REJECT, _reject(measures, limits)),
        (Recommendation.HOLD, _hold(inputs, measures, tier, limits)),
        (Recommendation.CONDITIONAL, _conditional(measures, limits)),
    ):
        if reasons := tuple(found):
            return recommendation, reasons
    return Recommendation.APPROVE, ()


def lifting(measures: Measures, limits: Thresholds) -> tuple[str, ...]:
    """Return questions whose full, verified answer brings every domain to AF and the whole to A.

    Largest loss first: in each domain that is too low, and then anywhere until the whole is enough. No
    question in it can be left out.
    """
    chosen: list[str] = []
    total = sum(domain.weight for domain in measures.domains)
    overall = measures.score
    for domain in measures.domains:
        reached = domain.score
        for loss in measures.losses:
            if reached >= limits.approve_domain:
                break
            if loss.domain == domain.key:
                reached += loss.value * total / domain.weight
                overall += loss.value
                chosen.append(loss.key)
    for loss in measures.losses:
        if overall >= limits.approve:
            break
        if loss.key not in chosen:
            overall += loss.value
            chosen.append(loss.key)
    return tuple(chosen)


def letter(measures: Measures, policy: Policy) -> str:
    """Return the dashboard letter of S, at most the capped letter while a knock-out is failed."""
    names = [name for name, _ in policy.letters] + [policy.letter_below]
    reached = next((name for name, least in policy.letters if measures.score >= least), policy.letter_below)
    if measures.failed:
        reached = names[max(names.index(reached), names.index(policy.letter_cap))]
    return reached


def _incomplete(measures: Measures) -> Iterator[Reason]:
    if not measures.counted:
        yield Reason(Code.NOTHING_SCORED)
    if measures.blank:
        yield Reason(Code.BLANK, measures.blank)
    if measures.na_claimed:
        yield Reason(Code.NA_CLAIMED, measures.na_claimed)


def _reject(measures: Measures, limits: Thresholds) -> Iterator[Reason]:
    if measures.failed:
        yield Reason(Code.KNOCK_OUT_FAILED, measures.failed)
    if measures.claim < limits.consider:
        yield Reason(Code.CLAIM_BELOW, (), limits.consider)
    if low := tuple(d.key for d in measures.domains if d.claim < limits.consider_domain):
        yield Reason(Code.DOMAIN_CLAIM_BELOW, low, limits.consider_domain)


def _hold(inputs: Inputs, measures: Measures, tier: int, limits: Thresholds) -> Iterator[Reason]:
    policy = inputs.policy
    if measures.score < limits.consider:
        yield Reason(Code.SCORE_BELOW, (), limits.consider)
    if low := tuple(d.key for d in measures.domains if d.score < limits.consider_domain):
        yield Reason(Code.DOMAIN_BELOW, low, limits.consider_domain)
    if measures.verified < limits.verified:
        yield Reason(Code.VERIFIED_BELOW, (), limits.verified)
    if measures.unproven and tier in policy.tiers_needing_proven_knock_outs:
        yield Reason(Code.KNOCK_OUT_UNPROVEN, measures.unproven)
    if measures.unsupported and tier in policy.tiers_needing_evidenced_knock_outs:
        yield Reason(Code.KNOCK_OUT_WITHOUT_EVIDENCE, measures.unsupported)
    for requirement in policy.required[tier - 1]:
        if requirement.fact is None or requirement.fact in inputs.facts:
            yield from _required(requirement, inputs.held, inputs.as_of)


def met(inputs: Inputs) -> tuple[Requirement, ...]:
    """Return what the tier requires of evidence and is there on the day."""
    tier = tier_in_force(inherent_risk(inputs.exposure, inputs.policy).tier, inputs.raised_tier)
    return tuple(
        requirement
        for requirement in inputs.policy.required[tier - 1]
        if (requirement.fact is None or requirement.fact in inputs.facts)
        and not any(_required(requirement, inputs.held, inputs.as_of))
    )


def _required(requirement: Requirement, held: tuple[Held, ...], as_of: date) -> Iterator[Reason]:
    ends = [piece.valid_until for piece in held if piece.kind in requirement.any_of]
    if not ends:
        yield Reason(Code.EVIDENCE_MISSING, requirement.any_of)
    elif not any(end is None or as_of <= end for end in ends):
        yield Reason(Code.EVIDENCE_EXPIRED, requirement.any_of)


def _conditional(measures: Measures, limits: Thresholds) -> Iterator[Reason]:
    if measures.score < limits.approve:
        yield Reason(Code.SCORE_BELOW_APPROVAL, (), limits.approve)
    if low := tuple(d.key for d in measures.domains if d.score < limits.approve_domain):
        yield Reason(Code.DOMAIN_BELOW_APPROVAL, low, limits.approve_domain)
