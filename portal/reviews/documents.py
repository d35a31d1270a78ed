"""The document that everybody signs: made from stored rows, and compared with what it would be now."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.attestations.models import AttestedCitation, Citation
from portal.evidence.models import Evidence
from portal.findings import risks
from portal.findings import service as findings
from portal.kernel.canonical import canonical_bytes, plain
from portal.kernel.errors import Conflict
from portal.kernel.ledger import Tx, get_one
from portal.questionnaires.models import QuestionnaireVersion
from portal.reviews import duties, reviewing, rules
from portal.reviews.models import Decision, Review
from portal.reviews.reviewing import Live
from portal.reviews.rules import Case, Proposal
from portal.scoring import rules as scoring_rules
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.terms import DecisionState, EvidenceState, Outcome, Recommendation
from portal.vendors.models import Engagement


def proposed_for(tx: Tx, assessment_id: UUID) -> Decision | None:
    """Return the decision that waits for a signature, if there is one."""
    return get_one(
        tx,
        sa.select(Decision).where(Decision.assessment_id == assessment_id, Decision.state == DecisionState.PROPOSED),
    )


def document_of(decision: Decision) -> dict[str, Any]:
    """Return the document of a decision, from the very text that was signed."""
    value: dict[str, Any] = json.loads(decision.document)
    return value


def score(tx: Tx, review: Review) -> tuple[ScoreSnapshot, Live]:
    """Return the score to decide on: the stored one if nothing changed since, else one of this moment."""
    live = reviewing.score_now(tx, review)
    stored = scoring.get(tx, review.snapshot_id) if review.snapshot_id else None
    if stored is None or stored.result_digest != live.digest:
        stored = scoring.score(
            tx,
            attestation_id=review.attestation_id,
            cause="proposed",
            not_applicable=reviewing.set_aside(tx, review),
        )
    return stored, live


def blockers(tx: Tx, review: Review, assessment: Assessment, engagement: Engagement, outcome: Outcome) -> Sequence[str]:
    """Return why nothing may be decided on this revision now, in sentences: bad bytes, or too loose a tier."""
    found = [
        f"The stored bytes of {name} are not those that were {'checked' if newer else 'signed'}. "
        "Nothing is decided on them; tell an operator."
        for name, newer in _damaged(tx, review.attestation_id)
    ]
    if engagement.tier < assessment.tier and outcome in rules.APPROVALS:
        found.append(
            f"{engagement.project} is in tier {engagement.tier} now, and this assessment asked the questions of tier "
            f"{assessment.tier}. Ask the vendor again in tier {engagement.tier}."
        )
    return found


def _damaged(tx: Tx, attestation_id: UUID) -> Sequence[tuple[str, bool]]:
    """Return the files of a revision whose bytes changed, each with whether it is one that was checked since.

    Both count: what was signed with, and the newer revision that a reviewer checked and the score reads instead.
    """
    signed = sa.select(AttestedCitation.evidence_id, sa.false().label("newer")).where(
        AttestedCitation.attestation_id == attestation_id
    )
    checked = (
        sa.select(Citation.checked_evidence_id, sa.true())
        .join(AttestedCitation, AttestedCitation.citation_id == Citation.id)
        .where(AttestedCitation.attestation_id == attestation_id, Citation.checked_evidence_id.is_not(None))
    )
    used = sa.union(signed, checked).subquery()
    statement = (
        sa.select(Evidence.file_name, sa.func.bool_and(used.c.newer))
        .join(used, used.c.evidence_id == Evidence.id)
        .where(Evidence.state == EvidenceState.INTEGRITY_FAILURE)
        .group_by(Evidence.id, Evidence.file_name)
        .order_by(Evidence.file_name, Evidence.id)
    )
    return [(name, newer) for name, newer in tx.session.execute(statement)]


def case(
    tx: Tx,
    review: Review,
    assessment: Assessment,
    *,
    outcome: Outcome,
    recommendation: Recommendation,
    decision: Decision | None,
    but: Collection[UUID] = (),
) -> Case:
    """Return the case as separation of duties sees it, for an outcome against a recommendation."""
    exception = rules.is_exception(outcome, recommendation)
    return duties.case_of(
        tx,
        assessment=assessment,
        review=review,
        vendor=reviewing.vendor_of(tx, review),
        outcome=outcome,
        exception=exception,
        needed=rules.signatures_needed(assessment.tier, outcome, exception=exception),
        decision=decision,
        but=but,
    )


def case_of_decision(
    tx: Tx, review: Review, assessment: Assessment, decision: Decision, *, but: Collection[UUID] = ()
) -> Case:
    """Return the case of a proposed decision, as it was proposed; without the signatures of ``but``."""
    return case(
        tx,
        review,
        assessment,
        outcome=decision.outcome,
        recommendation=decision.recommendation,
        decision=decision,
        but=but,
    )


def document(
    tx: Tx,
    *,
    decision_id: UUID,
    number: int,
    assessment: Assessment,
    review: Review,
    engagement: Engagement,
    snapshot: ScoreSnapshot,
    proposal: Proposal,
    signatures: int,
    proposed_by: UUID,
    proposed_at: datetime,
) -> bytes:
    """Return the canonical bytes of a decision's document, as the stored rows make it now."""
    value = rules.decision_value(
        decision_id=decision_id,
        number=number,
        vendor_id=assessment.vendor_id,
        engagement=_exposed(engagement),
        judged=rules.Judged(
            assessment_id=assessment.id,
            revision=review.revision,
            tier=assessment.tier,
            attestation_digest=review.attestation_digest,
            questionnaire_digest=_questionnaire(tx, assessment),
            snapshot_id=snapshot.id,
            inputs_digest=snapshot.inputs_digest,
            result_digest=snapshot.result_digest,
            policy_digest=snapshot.policy_digest,
            recommendation=snapshot.recommendation,
        ),
        proposal=proposal,
        findings=_findings(tx, assessment),
        signatures=signatures,
        proposed_by=proposed_by,
        proposed_at=proposed_at,
    )
    # Only where there is one, so that what was signed before has the same bytes.
    if accepted := _accepted(tx, engagement):
        value["accepted_risks"] = accepted
    return canonical_bytes(value)


def _accepted(tx: Tx, engagement: Engagement) -> list[dict[str, Any]]:
    """Return the risks of the engagement's open findings that two people accept today, as the document names them."""
    return [
        {
            "finding": each.finding_number,
            "until": each.until,
            "knock_out": each.knock_out,
            "owner_id": each.owner_id,
            "signed_by": [each.proposed_by, each.confirmed_by],
            "digest": each.digest,
        }
        for each in risks.in_force(tx, engagement.vendor_id, engagement_id=engagement.id)
    ]


def _exposed(engagement: Engagement) -> rules.Exposed:
    return rules.Exposed(
        id=engagement.id,
        slug=engagement.slug,
        tier=engagement.tier,
        data_classes=tuple(sorted(engagement.data_classes)),
        access_modes=tuple(sorted(engagement.access_modes)),
    )


def _questionnaire(tx: Tx, assessment: Assessment) -> str:
    return tx.session.execute(
        sa.select(QuestionnaireVersion.digest).where(QuestionnaireVersion.id == assessment.questionnaire_id)
    ).scalar_one()


def _findings(tx: Tx, assessment: Assessment) -> list[rules.FoundWrong]:
    return [
        rules.FoundWrong(
            each.number, each.question_key, each.severity.value, each.what, each.closes_when, each.due_on, each.credit
        )
        for each in findings.of_assessment(tx, assessment.id)
    ]


def basis(tx: Tx, *, review: Review, assessment: Assessment, engagement: Engagement, live: Live) -> dict[str, Any]:
    """Return what a page to decide on is made from, as plain JSON: who signs there has seen this and nothing else.

    Equal values are equal pages; for two that differ, ``rules.differences`` says how in words.
    """
    found: dict[str, Any] = plain(
        {
            "engagement": _exposed(engagement),
            "judged": {
                "revision": review.revision,
                "tier": assessment.tier,
                "attestation_digest": review.attestation_digest,
                "questionnaire_digest": _questionnaire(tx, assessment),
                "policy_digest": scoring_rules.digest(live.inputs.policy),
                "result_digest": live.digest,
                "recommendation": live.recommendation,
            },
            "score": scoring_rules.display(live.score.measures.score),
            "findings": sorted(_findings(tx, assessment), key=lambda each: each.number),
        }
    )
    return found


def check_unchanged(tx: Tx, decision: Decision, review: Review, assessment: Assessment, engagement: Engagement) -> None:
    """Refuse if the document would be another one today, or the score another: then nobody signs this one (S9).

    :raises Conflict: with what is different now, in words, as ``differences`` of its current state.
    """
    snapshot = scoring.get(tx, decision.snapshot_id)
    again = document(
        tx,
        decision_id=decision.id,
        number=decision.number,
        assessment=assessment,
        review=review,
        engagement=engagement,
        snapshot=snapshot,
        proposal=Proposal(
            outcome=decision.outcome,
            conditions=tuple(map(rules.condition_of, decision.conditions)),
            valid_until=decision.valid_until,
            reason=decision.reason,
            letter=decision.letter,
        ),
        signatures=decision.signatures_needed,
        proposed_by=decision.proposed_by,
        proposed_at=decision.proposed_at,
    )
    changed = list(rules.differences(document_of(decision), json.loads(again)))
    live = reviewing.score_now(tx, review)
    if live.digest != snapshot.result_digest:
        changed.extend(_rescored(snapshot, live))
    if decision.valid_until is not None and decision.valid_until < tx.now.date():
        changed.append(rules.Difference("The last day", day_in_words(decision.valid_until), "over"))
    if blocked := blockers(tx, review, assessment, engagement, decision.outcome):
        raise Conflict(" ".join(blocked), current={"number": decision.number})
    if changed:
        raise Conflict(
            f"Since D-{decision.number} was proposed, this changed: {in_words(changed)}. "
            "Have it taken back and propose it again.",
            current={"differences": changed, "number": decision.number},
        )


def in_words(changed: Sequence[rules.Difference]) -> str:
    """Return which parts changed, as a clause: "the score, data classes of the engagement"."""
    parts = dict.fromkeys(
        each.part if each.part[:2] == "F-" else each.part[0].lower() + each.part[1:] for each in changed
    )
    return ", ".join(parts)


def _rescored(snapshot: ScoreSnapshot, live: Live) -> Sequence[rules.Difference]:
    was, now = (
        {
            "score": scoring_rules.display(score.measures.score),
            "judged": {"recommendation": suggested, "result_digest": result},
        }
        for score, suggested, result in (
            (scoring.result_of(snapshot), snapshot.recommendation.value, snapshot.result_digest),
            (live.score, live.recommendation.value, live.digest),
        )
    )
    return rules.differences(was, now)


def day_in_words(day: date) -> str:
    """Return a day as pages say it."""
    return f"{day.day} {day:%B %Y}"
