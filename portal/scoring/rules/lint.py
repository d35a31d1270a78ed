"""What the scoring method demands of a questionnaire version before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from portal.scoring.rules.measure import measure
from portal.scoring.rules.policy import Policy, one_of_tiers
from portal.scoring.rules.values import Answer, Exposure, Inputs, Version


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a version must not be published: a code and the questions it is about."""

    code: str
    keys: tuple[str, ...] = ()


def claims_only(version: Version, policy: Policy, tier: int) -> Fraction:
    """Return the score of perfect words without any evidence in this tier, every question of the tier being
    asked.
    """
    answers = tuple(Answer(question.key, credit=100) for question in version.questions)
    # nothing is at stake, so the raised tier is the one in force; nothing is proven, so the day is idle
    as_if = Inputs(
        version, policy, answers, Exposure((0,), (1,)), as_of=date(2000, 1, 1), raised_tier=one_of_tiers(tier)
    )
    return measure(as_if).score


def problems(version: Version, policy: Policy) -> tuple[Problem, ...]:
    """Return what is wrong with the version, nothing if it may be published.

    ``claims_suffice``: words alone reach consideration in Tier 1. ``knock_out_without_level``: a knock-out of
    Tier 1 or 2 expects no evidence. A version that asks nothing in Tier 1 is not a Tier 1 version.
    """
    found: list[Problem] = []
    asked_in_tier_1 = any(1 in question.tiers for question in version.questions)
    if asked_in_tier_1 and claims_only(version, policy, 1) >= policy.thresholds[0].consider:
        found.append(Problem("claims_suffice"))
    bare = tuple(
        question.key
        for question in version.questions
        if any(
            tier in question.tiers and question.limit_in(tier) is not None and not policy.level_in(tier, question.level)
            for tier in (1, 2)
        )
    )
    if bare:
        found.append(Problem("knock_out_without_level", bare))
    return tuple(found)
