"""The score in integers over a common denominator, compiled once per version and policy: the same bits, much
sooner.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from portal.scoring.rules.policy import TIERS, Policy
from portal.scoring.rules.reading import read, tier_of
from portal.scoring.rules.result import DomainScore, Loss, Measures, Score
from portal.scoring.rules.values import Evidence, Inputs, Question, State, Version
from portal.scoring.rules.verdict import conclude

Row = tuple[Question, int, tuple[int, int, int, int], int, int | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """A version under a policy, ready to score many attestations. ``rows`` by tier: question, domain,
    factors, level, limit.
    """

    version: Version
    policy: Policy
    rows: tuple[tuple[Row, ...], ...]

    def score(self, inputs: Inputs) -> Score:
        """Return exactly what ``score(inputs)`` returns.

        :raises ValueError: if the inputs are of another version or policy than the plan.
        """
        return conclude(inputs, self.measure(inputs))

    def measure(self, inputs: Inputs) -> Measures:
        """Return exactly what ``measure(inputs)`` returns.

        :raises ValueError: if the inputs are of another version or policy than the plan.
        """
        if inputs.version is not self.version and inputs.version != self.version:
            raise ValueError("these inputs are of another version than the plan")
        if inputs.policy is not self.policy and inputs.policy != self.policy:
            raise ValueError("these inputs are of another policy than the plan")
        return _add_up(self, inputs)


def compile_plan(version: Version, policy: Policy) -> Plan:
    """Prepare the version for all three tiers."""
    places = {domain.key: place for place, domain in enumerate(version.domains)}
    return Plan(version, policy, tuple(_rows(version, policy, places, tier) for tier in TIERS))


def _rows(version: Version, policy: Policy, places: dict[str, int], tier: int) -> tuple[Row, ...]:
    return tuple(
        (
            question,
            places[question.domain],
            policy.factors[policy.level_in(tier, question.level)],
            policy.level_in(tier, question.level),
            question.limit_in(tier),
        )
        for question in version.questions
        if tier in question.tiers
    )


def _add_up(plan: Plan, inputs: Inputs) -> Measures:
    tier, as_of = tier_of(inputs), inputs.as_of
    answers = {answer.key: answer for answer in inputs.answers}
    size = len(plan.version.domains)
    # per domain: Σw, Σw·a, Σw·a·c, Σw·a over verified
    weights, claims, scores, proven = [0] * size, [0] * size, [0] * size, [0] * size
    short: list[tuple[str, int, int]] = []
    counted = 0
    blank: list[str] = []
    na_claimed: list[str] = []
    failed: list[str] = []
    still_open: list[str] = []
    unproven: list[str] = []
    unsupported: list[str] = []
    for question, place, factors, level, limit in plan.rows[tier - 1]:
        key, weight = question.key, question.weight
        state, credit, evidence = read(question, answers.get(key), tier=tier, as_of=as_of)
        if state is State.HIDDEN or state is State.NA:
            continue
        counted += 1
        earned = credit * factors[evidence]
        weights[place] += weight
        claims[place] += weight * credit
        scores[place] += weight * earned
        if evidence is Evidence.VERIFIED:
            proven[place] += weight * credit
        if earned != 10_000:
            short.append((key, place, weight * (10_000 - earned)))
        waiting = state is State.BLANK or state is State.NA_CLAIMED
        if waiting:
            (blank if state is State.BLANK else na_claimed).append(key)
        if limit is None:
            continue
        if waiting:
            still_open.append(key)
        elif state is State.ZERO or credit <= limit:
            failed.append(key)
        else:
            if level == 2 and evidence is not Evidence.VERIFIED:
                unproven.append(key)
            if evidence <= Evidence.EXPIRED:
                unsupported.append(key)
    domains = plan.version.domains
    common = lcm(*(weight for weight in weights if weight))
    # one whole point of the overall score in the common unit is ΣW·common; scores carry a further 100
    ratios = [
        domain.weight * common // weight if weight else 0 for domain, weight in zip(domains, weights, strict=True)
    ]
    total = sum(domain.weight for domain, weight in zip(domains, weights, strict=True) if weight) * common
    return Measures(
        claim=_over(claims, ratios, total),
        score=_over(scores, ratios, total * 100),
        verified=_over(proven, ratios, total),
        domains=tuple(
            DomainScore(
                domain.key,
                domain.weight,
                Fraction(claims[place], weights[place]),
                Fraction(scores[place], weights[place] * 100),
                Fraction(proven[place], weights[place]),
            )
            for place, domain in enumerate(domains)
            if weights[place]
        ),
        losses=_losses(plan, short, ratios, total * 100),
        counted=counted,
        blank=tuple(blank),
        na_claimed=tuple(na_claimed),
        failed=tuple(failed),
        open=tuple(still_open),
        unproven=tuple(unproven),
        unsupported=tuple(unsupported),
    )


def _over(sums: list[int], ratios: list[int], total: int) -> Fraction:
    return Fraction(sum(part * ratio for part, ratio in zip(sums, ratios, strict=True)), total) if total else Fraction()


def _losses(plan: Plan, short: list[tuple[str, int, int]], ratios: list[int], total: int) -> tuple[Loss, ...]:
    parts = [(-amount * ratios[place], key, place) for key, place, amount in short]
    parts.sort()
    losses: list[Loss] = []
    for negative, key, place in parts:
        shared = gcd(negative, total)
        losses.append(Loss(key, plan.version.domains[place].key, -negative // shared, total // shared))
    return tuple(losses)
