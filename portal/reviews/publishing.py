"""What a vendor is told of a decision: a value of its own, with nothing of the lab's own in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.assessments.models import Assessment
from portal.findings import service as findings
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.reviews import rules
from portal.reviews.models import Decision
from portal.scoring import rules as scores
from portal.scoring import service as scoring
from portal.terms import DataClass, FindingState
from portal.vendors.models import Engagement


def outcome_body(tx: Tx, *, decision: Decision, signed_by: Sequence[str]) -> dict[str, Any]:
    """Return the body of a published outcome, field by field: only what is named here can reach the vendor."""
    assessment = tx.session.get_one(Assessment, decision.assessment_id)
    engagement = tx.session.get_one(Engagement, decision.engagement_id)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    snapshot = scoring.get(tx, decision.snapshot_id)
    result, inputs = scoring.result_of(snapshot), scoring.inputs_of(snapshot)
    limits = inputs.policy.thresholds[result.tier - 1]
    gains = {each.key: each.both for each in scores.gains(inputs)}
    conditions = tuple(map(rules.condition_of, decision.conditions))
    access = rules.access_after(
        decision.outcome,
        conditions,
        data_classes=engagement.data_classes,
        access_modes=engagement.access_modes,
        valid_until=decision.valid_until,
    )
    decided_at = decision.decided_at or tx.now
    score = result.measures.score
    return {
        "decision": decision.outcome.value,
        "number": decision.number,
        "decided_on": decided_at.date().isoformat(),
        "valid_until": decision.valid_until.isoformat() if decision.valid_until else None,
        "score": scores.display(score),
        "score_whole": score.numerator // score.denominator,
        "threshold": limits.approve,
        "tier": decision.tier,
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
            for each in findings.of_assessment(tx, decision.assessment_id)
            if each.state is FindingState.OPEN
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
        "signed_by": list(signed_by),
        "letter": decision.letter,
        "revision": decision.revision,
        "attestation_digest": decision.attestation_digest,
    }
