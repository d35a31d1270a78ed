"""What a vendor is told of a decision: a value of its own, with nothing of the lab's own in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.assessments.models import Assessment
from portal.findings import service as findings
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.reviews import rules
from portal.reviews.models import Decision, Review
from portal.reviews.reviewing import Live
from portal.scoring import rules as scores
from portal.scoring import service as scoring
from portal.scoring.rules import Inputs, Score
from portal.terms import DataClass, FindingState, Outcome
from portal.vendors.models import Engagement


@dataclass(frozen=True, slots=True)
class Terms:
    """What a vendor is told was decided; of a decision, or of one that is only drafted (``number`` of 0)."""

    outcome: Outcome
    number: int
    decided_on: date
    valid_until: date | None
    conditions: tuple[rules.Condition, ...]
    letter: str
    signed_by: tuple[str, ...]


def outcome_body(tx: Tx, *, decision: Decision, signed_by: Sequence[str]) -> dict[str, Any]:
    """Return the body of a published outcome, field by field: only what is named here can reach the vendor."""
    snapshot = scoring.get(tx, decision.snapshot_id)
    terms = Terms(
        outcome=decision.outcome,
        number=decision.number,
        decided_on=(decision.decided_at or tx.now).date(),
        valid_until=decision.valid_until,
        conditions=tuple(map(rules.condition_of, decision.conditions)),
        letter=decision.letter,
        signed_by=tuple(signed_by),
    )
    return _body(
        tx,
        terms,
        assessment=tx.session.get_one(Assessment, decision.assessment_id),
        revision=decision.revision,
        attestation_digest=decision.attestation_digest,
        result=scoring.result_of(snapshot),
        inputs=scoring.inputs_of(snapshot),
        states={FindingState.OPEN},
    )


def preview_body(tx: Tx, *, review: Review, terms: Terms, live: Live) -> dict[str, Any]:
    """Return the body that would be published if this were decided now, drafts of findings among its tasks."""
    return _body(
        tx,
        terms,
        assessment=tx.session.get_one(Assessment, review.assessment_id),
        revision=review.revision,
        attestation_digest=review.attestation_digest,
        result=live.score,
        inputs=live.inputs,
        states={FindingState.OPEN, FindingState.DRAFT},
    )


def _body(
    tx: Tx,
    terms: Terms,
    *,
    assessment: Assessment,
    revision: int,
    attestation_digest: str,
    result: Score,
    inputs: Inputs,
    states: Collection[FindingState],
) -> dict[str, Any]:
    engagement = tx.session.get_one(Engagement, assessment.engagement_id)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    limits = inputs.policy.thresholds[result.tier - 1]
    gains = {each.key: each.both for each in scores.gains(inputs)}
    conditions = terms.conditions
    access = rules.access_after(
        terms.outcome,
        conditions,
        data_classes=engagement.data_classes,
        access_modes=engagement.access_modes,
        valid_until=terms.valid_until,
    )
    score = result.measures.score
    return {
        "decision": terms.outcome.value,
        "number": terms.number,
        "decided_on": terms.decided_on.isoformat(),
        "valid_until": terms.valid_until.isoformat() if terms.valid_until else None,
        "score": scores.display(score),
        "score_whole": score.numerator // score.denominator,
        "threshold": limits.approve,
        "tier": assessment.tier,
        "zones": {"consider": limits.consider, "approve": limits.approve},
        "domains": [
            {
                "key": each.key,
                "title": questionnaire.section(each.key).title,
                "score": scores.display(each.score),
                "threshold": limits.approve_domain,
            }
            for each in result.measures.domains
        ],
        "findings": [
            {
                "name": each.name,
                "question_key": each.question_key,
                "number": questionnaire.number_of(each.question_key),
                "label": questionnaire.question(each.question_key).label,
                "severity": each.severity.value,
                "what": each.what,
                "closes_when": each.closes_when,
                "due_on": each.due_on.isoformat() if each.due_on else None,
                "gain": scores.display(gains.get(each.question_key, 0)),
            }
            for each in findings.of_assessment(tx, assessment.id)
            if each.state in states
        ],
        "conditions": [
            {
                "text": each.text,
                "due_on": each.due_on.isoformat() if each.due_on else None,
                "closes_at": DataClass(each.closes_at).name if each.closes_at is not None else None,
                "access_mode": each.access_mode,
                "finding": f"F-{each.finding}" if each.finding is not None else None,
                # Only where there is one, so that what was published before reads the same.
                **({"consequence": each.consequence} if each.consequence != "class" else {}),
                **({"data_class": DataClass(each.data_class).name} if each.data_class is not None else {}),
                **({"limit": True} if each.limit else {}),
            }
            for each in conditions
        ],
        "access": [
            {
                "data_class": DataClass(each.data_class).name,
                "access_mode": each.access_mode,
                "open": each.open,
                "because": each.because,
            }
            for each in access
        ],
        "signed_by": list(terms.signed_by),
        "letter": terms.letter,
        "revision": revision,
        "attestation_digest": attestation_digest,
    }
