"""How a published outcome stands today: a value published down whenever something changes, with its days in it.

What only the clock does is worked out here ahead: the score and the worth of each proof, from each day on which one of
them changes. So the vendor's page knows what holds today by reading, with no worker alive and no scoring in its reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa

from portal.assessments import queries as assessment_queries
from portal.assessments import service as assessments
from portal.assessments.facts import OutcomePublished
from portal.assessments.models import Assessment
from portal.assessments.queries import OutcomeLine
from portal.attestations import service as attestations
from portal.attestations.facts import WorthChanged
from portal.findings import planning, remedies, risks
from portal.findings import service as findings
from portal.findings.planning import StepLine
from portal.findings.remedies import RemedyLine
from portal.findings.service import FindingLine
from portal.identity import queries as people
from portal.identity.queries import Person
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Questionnaire
from portal.reviews import reviewing, rules
from portal.reviews.models import Decision, Review
from portal.scoring import rules as scores
from portal.scoring import service as scoring
from portal.terms import DataClass, DecisionState, FindingAct, FindingState, PlanState, RemedyAct

_DAY = timedelta(days=1)
FURTHEST = timedelta(days=800)
"""How far ahead the days are worked out: further than any approval runs."""

WORTH = {
    scores.Evidence.NONE: "claimed",
    scores.Evidence.EXPIRED: "ended",
    scores.Evidence.ATTACHED: "attached",
    scores.Evidence.VERIFIED: "verified",
}


def publish_first(tx: Tx, fact: OutcomePublished) -> None:
    """OutcomePublished: how it stands is published with it."""
    outcome = assessment_queries.outcome_line(tx, fact.outcome_id)
    if outcome is not None:
        _publish(tx, outcome)


class OfFinding(Protocol):
    """News of a finding: of its proof, its plan, its day, its people, its risk."""

    @property
    def vendor_id(self) -> UUID: ...
    @property
    def assessment_id(self) -> UUID: ...


def follow_remedy(tx: Tx, fact: OfFinding) -> None:
    """Whatever happens to a finding: the outcome that it belongs to stands anew."""
    for outcome in assessments.outcomes_of(tx, fact.vendor_id):
        if outcome.assessment_id == fact.assessment_id:
            _publish(tx, outcome)


def follow_file(tx: Tx, fact: WorthChanged) -> None:
    """Whatever happens to a file: the outcomes that hold today stand by what it is worth now."""
    for outcome in assessments.outcomes_of(tx, fact.vendor_id):
        if assessment_queries.newer_outcome(tx, outcome) is None:
            _publish(tx, outcome)


def _publish(tx: Tx, outcome: OutcomeLine) -> None:
    body = standing_body(tx, outcome)
    if body is not None:
        assessments.publish_standing(tx, outcome=outcome, body=body)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a standing is made from."""

    outcome: OutcomeLine
    questionnaire: Questionnaire
    inputs: scores.Inputs
    plan: scores.Plan
    shared: Sequence[FindingLine]
    steps: Mapping[UUID, tuple[RemedyLine, ...]]
    plans: Mapping[UUID, tuple[StepLine, ...]]
    accepted: Mapping[int, date]
    owners: Mapping[UUID, Person]


def standing_body(tx: Tx, outcome: OutcomeLine) -> dict[str, Any] | None:
    """Return how an outcome stands, field by field: only what is named here can reach the vendor.

    None where there is nothing to score: an outcome that no review stands behind.
    """
    review = tx.session.execute(_review_of(outcome)).scalar_one_or_none()
    if review is None:
        return None
    assessment = tx.session.get_one(Assessment, outcome.assessment_id)
    given = scoring.inputs(tx, attestation_id=review.attestation_id, not_applicable=reviewing.set_aside(tx, review))
    shared = [each for each in findings.shared_with(tx, outcome.vendor_id) if each.assessment_id == assessment.id]
    ground = _Ground(
        outcome,
        questionnaires.compiled(tx, assessment.questionnaire_id),
        given,
        scores.compile_plan(given.version, given.policy),
        shared,
        remedies.steps_of(tx, [each.id for each in shared]),
        planning.steps_of(tx, [each.id for each in shared]),
        dict(risks.accepted_until(tx, [outcome.vendor_id]).get(outcome.vendor_id, ())),
        people.people(tx, [each.owner_id for each in shared]),
    )
    answers = {key: line.by for key, line in attestations.answers_of(tx, assessment).items()}
    days = changing_days(given)
    still_open = {each.question_key for each in shared if each.state is FindingState.OPEN}
    conditions = _conditions(tx, outcome)
    gains = {each.key: each.both for each in scores.gains(given)}
    return {
        "steps": _changes_only([_score_on(ground, day, still_open) for day in days]),
        "answers": _answers(ground, days),
        "findings": [_finding(ground, each, gains, answers, conditions) for each in _in_order(shared)],
        "met": sorted({name for each in shared if each.state is FindingState.CLOSED for name in [each.name]}),
    }


def changing_days(given: scores.Inputs) -> list[date]:
    """Return today and every later day on which a proof, or what was accepted, is worth something else than before."""
    ends: set[date | None] = set()
    for answer in given.answers:
        ends |= {day for proof in answer.proofs for day in (proof.valid_until, proof.verified_until)}
        ends |= {answer.not_applicable.until} if answer.not_applicable else set()
    today = given.as_of
    return [today, *sorted(end + _DAY for end in ends if end is not None and today <= end < today + FURTHEST)]


def _review_of(outcome: OutcomeLine) -> sa.Select[Review]:
    return sa.select(Review).where(Review.assessment_id == outcome.assessment_id, Review.revision == outcome.revision)


def _score_on(ground: _Ground, day: date, still_open: Iterable[str]) -> dict[str, Any]:
    given = replace(ground.inputs, as_of=day)
    measures = ground.plan.measure(given)
    fixed = ground.plan.measure(scores.fixed(given, set(still_open))).score
    sections = {each.key: each.title for each in ground.questionnaire.sections}
    marks = [each for each in scores.marks(given) if each.counts]
    return {
        "from": day.isoformat(),
        "score": scores.display(measures.score),
        "score_whole": measures.score.numerator // measures.score.denominator,
        "fixed": scores.display(fixed),
        "domains": [
            {"key": each.key, "title": sections[each.key], "score": scores.display(each.score)}
            for each in measures.domains
        ],
        "proofs": {word: sum(WORTH[each.evidence] == word for each in marks) for word in WORTH.values()},
        "counted": len(marks),
    }


def _changes_only(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for step in steps:
        if not kept or {**step, "from": ""} != {**kept[-1], "from": ""}:
            kept.append(step)
    return kept


def _answers(ground: _Ground, days: Sequence[date]) -> list[dict[str, Any]]:
    """Return what each counted answer and its proof are worth, from each day on which that changes."""
    found: dict[str, dict[str, Any]] = {}
    # Whoever reads the points reads why they are not the answer's own. Who gave them is the lab, for the vendor.
    replaced = {
        each.question_key: {"finding": each.name, "why": each.credit_reason}
        for each in ground.shared
        if each.credit is not None and each.state is FindingState.OPEN
    }
    for day in days:
        given = replace(ground.inputs, as_of=day)
        losses = {each.key: each.value for each in ground.plan.measure(given).losses}
        shares = _shares(given)
        for mark in scores.marks(given):
            if not mark.counts:
                continue
            key = mark.question.key
            question = ground.questionnaire.question(key)
            line = found.setdefault(
                key,
                {
                    "number": question.number,
                    "label": question.label,
                    "section": question.section,
                    "possible": scores.display(shares[key] * 100),
                    "steps": [],
                    "replaced": replaced.get(key),
                },
            )
            worth = {
                "proof": WORTH[mark.evidence],
                "earned": scores.display(shares[key] * 100 - losses.get(key, Fraction())),
                "needs": mark.level,
            }
            if not line["steps"] or {**line["steps"][-1], "from": ""} != {**worth, "from": ""}:
                line["steps"].append({"from": day.isoformat(), **worth})
    order = {each.key: place for place, each in enumerate(ground.questionnaire.questions)}
    return [found[key] for key in sorted(found, key=lambda each: order[each])]


def _shares(given: scores.Inputs) -> dict[str, Fraction]:
    """Return the part of the whole that each counted question is: W/ΣW · w/Σw."""
    counted = [mark for mark in scores.marks(given) if mark.counts]
    weights: dict[str, int] = {}
    for mark in counted:
        weights[mark.question.domain] = weights.get(mark.question.domain, 0) + mark.question.weight
    domains = {each.key: each.weight for each in given.version.domains if each.key in weights}
    total = sum(domains.values())
    return {
        mark.question.key: Fraction(
            domains[mark.question.domain] * mark.question.weight, total * weights[mark.question.domain]
        )
        for mark in counted
    }


def _in_order(shared: Iterable[FindingLine]) -> list[FindingLine]:
    return sorted(shared, key=lambda each: each.number)


def _finding(
    ground: _Ground,
    line: FindingLine,
    gains: Mapping[str, Fraction],
    answered_by: Mapping[str, str],
    conditions: Sequence[rules.Condition],
) -> dict[str, Any]:
    question = ground.questionnaire.question(line.question_key)
    steps = ground.steps.get(line.id, ())
    last = steps[-1] if steps else None
    closed = line.state is FindingState.CLOSED
    owner = ground.owners.get(line.owner_id) if line.owner_id is not None else None
    accepted = ground.accepted.get(line.number)
    gain = _gained(ground, line, last) if closed else gains.get(line.question_key, Fraction())
    return {
        "id": str(line.id),
        "name": line.name,
        "number": question.number,
        "label": question.label,
        "severity": line.severity.value,
        "what": line.what,
        "closes_when": line.closes_when,
        "due_on": line.due_on.isoformat() if line.due_on else None,
        "gain": scores.display(gain),
        "state": "closed" if closed else (line.remedy.value if line.remedy else "open"),
        "closed_on": line.closed_at.date().isoformat() if line.closed_at else None,
        "since": last.at.date().isoformat() if last else None,
        "said": last.note if last is not None and last.act in {RemedyAct.RETURNED, RemedyAct.UNDONE} else "",
        "owner": owner.full_name if owner is not None else answered_by.get(line.question_key, ""),
        "plan": _plan(ground.plans.get(line.id, ()), line.plan),
        "accepted_until": accepted.isoformat() if accepted is not None and not closed else None,
        "blocks": [
            {
                "data_class": DataClass(each.closes_at).name if each.closes_at is not None else None,
                "access_mode": each.access_mode,
                "due_on": each.due_on.isoformat() if each.due_on else None,
            }
            for each in conditions
            if each.finding == line.number
        ],
    }


def _plan(steps: Sequence[StepLine], state: PlanState | None) -> dict[str, Any] | None:
    """Return the vendor's newest plan and what was said of it; None without one."""
    plan = planning.plan_of(steps)
    if plan is None or state is None:
        return None
    answer = next((each for each in steps if each.number > plan.number and each.act in _ANSWERS), None)
    return {
        "state": state.value,
        "words": plan.words,
        "by_day": plan.day.isoformat() if plan.day else None,
        "by": plan.by_name,
        "said": answer.words if answer is not None else "",
    }


_ANSWERS = (FindingAct.PLAN_AGREED, FindingAct.PLAN_RETURNED)


def _gained(ground: _Ground, line: FindingLine, last: RemedyLine | None) -> Fraction:
    """Return what closing a finding brought: the score of today, against the same without its proof."""
    given = ground.inputs
    before = []
    for answer in given.answers:
        if answer.key == line.question_key and last is not None:
            was = (
                replace(answer.finding, credit=line.credit)
                if answer.finding is not None and line.credit is not None
                else None
            )
            without = tuple(each for each in answer.proofs if each.key != str(last.evidence_id))
            answer = replace(answer, finding=was, proofs=without)
        before.append(answer)
    measure = ground.plan.measure
    return max(Fraction(), measure(given).score - measure(replace(given, answers=tuple(before))).score)


def _conditions(tx: Tx, outcome: OutcomeLine) -> tuple[rules.Condition, ...]:
    stored = tx.session.execute(
        sa.select(Decision.conditions).where(
            Decision.assessment_id == outcome.assessment_id,
            Decision.revision == outcome.revision,
            Decision.state == DecisionState.CONFIRMED,
        )
    ).scalar_one_or_none()
    return tuple(map(rules.condition_of, stored or ()))
