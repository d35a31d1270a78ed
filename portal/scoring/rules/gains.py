"""What fixing a question would give, and what a set of fixes would lead to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction

from portal.scoring.rules.reading import marks
from portal.scoring.rules.values import Answer, Evidence, Inputs, Proof, State


@dataclass(frozen=True, slots=True)
class Gain:
    """Points of the overall score that one question can still give.

    ``answer``: a full answer on the present evidence; ``proof``: verified evidence for the present answer;
    ``both``: a full, verified answer (exactly the question's loss); ``verified``: what both would add to
    S_ver. ``knock_out`` says that the question is a knock-out that is failed or open now.
    """

    key: str
    domain: str
    answer: Fraction
    proof: Fraction
    both: Fraction
    verified: Fraction
    knock_out: bool


def gains(inputs: Inputs) -> tuple[Gain, ...]:
    """Return what each counted question would give, most first; a question with nothing left to give is not
    listed.
    """
    counted = tuple(mark for mark in marks(inputs) if mark.counts)
    weights: dict[str, int] = {}
    for mark in counted:
        weights[mark.question.domain] = weights.get(mark.question.domain, 0) + mark.question.weight
    domain_weight = {domain.key: domain.weight for domain in inputs.version.domains if domain.key in weights}
    total = sum(domain_weight.values())
    found: list[Gain] = []
    for mark in counted:
        domain = mark.question.domain
        share = Fraction(domain_weight[domain] * mark.question.weight, total * weights[domain])
        proven = mark.credit if mark.evidence is Evidence.VERIFIED else 0
        gain = Gain(
            key=mark.question.key,
            domain=domain,
            answer=share * Fraction(mark.factor * (100 - mark.credit), 100),
            proof=share * Fraction(mark.credit * (100 - mark.factor), 100),
            both=share * (100 - mark.score),
            verified=share * (100 - proven),
            knock_out=mark.limit is not None and (mark.state is not State.OK or mark.credit <= mark.limit),
        )
        if gain.both or gain.verified:
            found.append(gain)
    return tuple(sorted(found, key=lambda gain: (-gain.both, -gain.verified, gain.key)))


def fixed(inputs: Inputs, keys: Collection[str]) -> Inputs:
    """Return the inputs as they would be with these questions fully answered and their evidence verified.

    Questions that do not count (hidden, or accepted as not applicable) and unknown keys are left alone.
    """
    counted = {mark.question.key for mark in marks(inputs) if mark.counts}
    chosen = counted & set(keys)
    kept = tuple(answer for answer in inputs.answers if answer.key not in chosen)
    full = tuple(Answer(key, credit=100, proofs=(Proof("fixed", verified=True),)) for key in chosen)
    return replace(inputs, answers=kept + full)
