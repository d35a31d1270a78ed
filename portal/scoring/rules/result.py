"""What scoring returns: the three lenses, domains, losses, knock-outs, risk and the recommendation with its
reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from portal.scoring.rules.risk import InherentRisk


class Recommendation(StrEnum):
    """What the method suggests; it never decides. Declared from worst to best, INCOMPLETE being no judgement
    yet.
    """

    INCOMPLETE = "incomplete"
    REJECT = "reject"
    HOLD = "hold"
    CONDITIONAL = "conditional"
    APPROVE = "approve"

    @property
    def rank(self) -> int:
        """Return the place in the order; incomplete is the lowest."""
        return list(Recommendation).index(self)


class Code(StrEnum):
    """Why a recommendation is what it is, for machines; pages put it into words."""

    NOTHING_SCORED = "nothing_scored"
    BLANK = "blank"
    NA_CLAIMED = "na_claimed"
    KNOCK_OUT_FAILED = "knock_out_failed"
    CLAIM_BELOW = "claim_below"
    DOMAIN_CLAIM_BELOW = "domain_claim_below"
    SCORE_BELOW = "score_below"
    DOMAIN_BELOW = "domain_below"
    VERIFIED_BELOW = "verified_below"
    KNOCK_OUT_UNPROVEN = "knock_out_unproven"
    KNOCK_OUT_WITHOUT_EVIDENCE = "knock_out_without_evidence"
    EVIDENCE_MISSING = "evidence_missing"
    EVIDENCE_EXPIRED = "evidence_expired"
    SCORE_BELOW_APPROVAL = "score_below_approval"
    DOMAIN_BELOW_APPROVAL = "domain_below_approval"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: the questions, domains or evidence kinds it is about, and the limit that was missed, if
    any.
    """

    code: Code
    keys: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """What one question costs the overall score, as a reduced fraction."""

    key: str
    domain: str
    numerator: int
    denominator: int

    @property
    def value(self) -> Fraction:
        """Return the loss in points of 100."""
        return Fraction(self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class DomainScore:
    """A domain in the three lenses; a domain without any counted question has no score and is not listed."""

    key: str
    weight: int
    claim: Fraction
    score: Fraction
    verified: Fraction


@dataclass(frozen=True, slots=True)
class Measures:
    """What is added up from the questions, before policy judges it. Keys in key order, losses largest first.

    ``counted`` is how many questions stand in the denominator. ``unsupported`` are knock-outs passed on no or
    expired evidence, ``unproven`` those passed without the verified evidence that they require. Questions
    without loss are not among the losses.
    """

    claim: Fraction
    score: Fraction
    verified: Fraction
    domains: tuple[DomainScore, ...]
    losses: tuple[Loss, ...]
    counted: int
    blank: tuple[str, ...]
    na_claimed: tuple[str, ...]
    failed: tuple[str, ...]
    open: tuple[str, ...]
    unproven: tuple[str, ...]
    unsupported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """The whole result. ``conditions`` are the questions whose full, verified answer lifts a CONDITIONAL to
    APPROVE.
    """

    measures: Measures
    inherent: InherentRisk
    tier: int
    strength: Fraction
    residual: Fraction
    residual_band: str
    recommendation: Recommendation
    reasons: tuple[Reason, ...]
    conditions: tuple[str, ...]
    letter: str


def display(value: Fraction | int) -> str:
    """Return the number as shown: floored to one decimal, so that it never rounds up into a pass."""
    tenths = value.numerator * 10 // value.denominator
    whole, tenth = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole}.{tenth}"
