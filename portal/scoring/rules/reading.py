"""How one question is read: its state, credit, evidence and score, before anything is added up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from portal.scoring.rules.policy import Policy
from portal.scoring.rules.risk import inherent_risk, tier_in_force
from portal.scoring.rules.values import Answer, Evidence, Inputs, Question, State

COUNTED = frozenset({State.OK, State.BLANK, State.NA_CLAIMED, State.ZERO})


@dataclass(frozen=True, slots=True)
class Mark:
    """One question as it counts: credit × factor = score, in the denominator or not."""

    question: Question
    state: State
    credit: int
    evidence: Evidence
    level: int
    factor: int
    limit: int | None

    @property
    def counts(self) -> bool:
        """Say whether the question stands in the denominator."""
        return self.state in COUNTED

    @property
    def score(self) -> Fraction:
        """Return s = a·c/100."""
        return Fraction(self.credit * self.factor, 100)


def read(question: Question, answer: Answer | None, *, tier: int, as_of: date) -> tuple[State, int, Evidence]:
    """Return state, credit and evidence state of a question on a day.

    No answer is blank. A question outside the tier is hidden. NA holds only by a reviewer's acceptance that
    has not ended, and for a knock-out only with a risk acceptance; otherwise it is still a claim (so nothing
    a vendor does alone takes a question out of the denominator). A finding replaces the credit of a given
    answer only: blank, NA and zero have none to replace. Contradicted beats a finding.
    """
    if tier not in question.tiers:
        return State.HIDDEN, 0, Evidence.NONE
    if answer is None:
        return State.BLANK, 0, Evidence.NONE
    state = answer.state
    if state is State.NA and not _na_holds(question, answer, tier=tier, as_of=as_of):
        state = State.NA_CLAIMED
    credit = 0
    if state is State.OK and not answer.contradicted:
        credit = answer.credit if answer.finding is None else answer.finding.credit
    best = Evidence.NONE
    for proof in answer.proofs:
        best = max(best, proof.on(as_of))
    return state, credit, best


def tier_of(inputs: Inputs) -> int:
    """Return the tier these inputs are scored in."""
    return tier_in_force(inherent_risk(inputs.exposure, inputs.policy).tier, inputs.raised_tier)


def marks(inputs: Inputs) -> tuple[Mark, ...]:
    """Return every question of the version as it counts, in key order."""
    return tuple(_marks(inputs, tier_of(inputs)))


def _marks(inputs: Inputs, tier: int) -> Iterator[Mark]:
    answers = {answer.key: answer for answer in inputs.answers}
    for question in inputs.version.questions:
        state, credit, evidence = read(question, answers.get(question.key), tier=tier, as_of=inputs.as_of)
        level = inputs.policy.level_in(tier, question.level)
        factor = factor_of(inputs.policy, level, evidence)
        yield Mark(question, state, credit, evidence, level, factor, question.limit_in(tier))


def factor_of(policy: Policy, level: int, evidence: Evidence) -> int:
    """Return c(L, e) in percent."""
    return policy.factors[level][evidence]


def _na_holds(question: Question, answer: Answer, *, tier: int, as_of: date) -> bool:
    accepted = answer.not_applicable
    if accepted is None or (accepted.until is not None and as_of > accepted.until):
        return False
    return question.limit_in(tier) is None or bool(accepted.risk_acceptance)
