"""Why a score is not what it was: the difference split exactly into answers, rules, evidence and time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from portal.scoring.rules.measure import score
from portal.scoring.rules.result import Recommendation
from portal.scoring.rules.values import Answer, Inputs, State


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of one number's change; they add up to the whole change exactly."""

    answers: Fraction
    rules: Fraction
    evidence: Fraction
    time: Fraction

    @property
    def total(self) -> Fraction:
        """Return after − before."""
        return self.answers + self.rules + self.evidence + self.time


@dataclass(frozen=True, slots=True)
class Difference:
    """The change of each number, and the recommendation before and after each of the four steps (five in
    all).
    """

    claim: Split
    score: Split
    verified: Split
    strength: Split
    residual: Split
    recommendations: tuple[Recommendation, ...]


def difference(before: Inputs, after: Inputs) -> Difference:
    """Split the change from one score to another by replacing the inputs one kind at a time, in this order.

    1. answers: answers, findings, contradictions and accepted NAs of the questions asked before, exposure,
       scoping facts and the raised tier (what people said and judged);
    2. rules: version and policy, hence questions that came or went;
    3. evidence: proofs and held kinds, with their dates;
    4. time: the day.

    A claim that stayed the same between two versions while its credit changed is a change of rules, not of
    answers; a new claim is taken at the credit of the later version. Within one version every change of
    credit is an answer's. The order is part of the meaning: another order would split joint effects
    differently, though as exactly.
    """
    scores = tuple(score(step) for step in steps(before, after))
    return Difference(
        claim=_split(tuple(s.measures.claim for s in scores)),
        score=_split(tuple(s.measures.score for s in scores)),
        verified=_split(tuple(s.measures.verified for s in scores)),
        strength=_split(tuple(s.strength for s in scores)),
        residual=_split(tuple(s.residual for s in scores)),
        recommendations=tuple(s.recommendation for s in scores),
    )


def steps(before: Inputs, after: Inputs) -> tuple[Inputs, Inputs, Inputs, Inputs, Inputs]:
    """Return the five inputs from before to after, each differing from the last in one kind of thing."""
    answered = replace(
        before,
        answers=_new_answers(before, after),
        exposure=after.exposure,
        facts=after.facts,
        raised_tier=after.raised_tier,
    )
    old_proofs = {answer.key: answer.proofs for answer in before.answers}
    ruled = replace(
        answered,
        version=after.version,
        policy=after.policy,
        answers=tuple(replace(a, proofs=old_proofs.get(a.key, ())) for a in after.answers),
    )
    proven = replace(ruled, answers=after.answers, held=after.held)
    return before, answered, ruled, proven, replace(proven, as_of=after.as_of, hashes=after.hashes)


def _new_answers(before: Inputs, after: Inputs) -> tuple[Answer, ...]:
    old = {answer.key: answer for answer in before.answers}
    new = {answer.key: answer for answer in after.answers}
    asked_after = {question.key for question in after.version.questions}
    same_version = before.version == after.version
    found: list[Answer] = []
    for question in before.version.questions:
        was, now = old.get(question.key), new.get(question.key)
        if question.key not in asked_after:
            found += [was] if was else []
        elif now is not None:
            credit = now.credit
            if was is not None and not same_version and _same_claim(was, now):
                credit = was.credit
            found.append(replace(now, credit=credit, proofs=was.proofs if was else ()))
    return tuple(found)


def _same_claim(was: Answer, now: Answer) -> bool:
    return bool(now.claim) and was.claim == now.claim and was.state is now.state is State.OK


def _split(values: tuple[Fraction, ...]) -> Split:
    return Split(*(later - earlier for earlier, later in pairwise(values)))
