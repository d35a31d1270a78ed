"""In which lists of the queue a review is found: worked out anew, in the same transaction, when something moves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import Attestation
from portal.findings.models import Finding
from portal.kernel.ledger import Fact, Tx
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import credit
from portal.reviews import reviewing, rules
from portal.reviews.facts import ReviewOpened
from portal.reviews.models import Decision, Escalation, QueueCard, QueuePlace, Review, Snooze
from portal.reviews.rules import Changed, Signal, Stage
from portal.scoring import queries as scores
from portal.scoring.models import ScoreSnapshot
from portal.terms import AssessmentState, DecisionState, FindingState, Severity
from portal.vendors.models import Engagement

LIVE = (
    AssessmentState.SUBMITTED,
    AssessmentState.IN_REVIEW,
    AssessmentState.CHANGES_REQUESTED,
    AssessmentState.RECOMMENDED,
)
"""In which states an assessment is in the queue."""

_SNOOZABLE = frozenset({Stage.NEW, Stage.REVIEWING})


def follow(tx: Tx, fact: Fact) -> None:
    """Any fact that moves a review, or changes what stands out of it: put it where it belongs now."""
    for assessment_id in _about(tx, fact):
        refresh(tx, assessment_id)


def _about(tx: Tx, fact: Fact) -> list[UUID]:
    if (found := getattr(fact, "assessment_id", None)) is not None:
        return [found]
    columns: Mapping[str, Any] = {
        "review_id": (Review.assessment_id, Review.id),
        "finding_id": (Finding.assessment_id, Finding.id),
        "engagement_id": (Assessment.id, Assessment.engagement_id),
    }
    for name, (wanted, known) in columns.items():
        if (found := getattr(fact, name, None)) is not None:
            # In one order for all, so that two who move the same reviews take turns.
            return list(tx.session.execute(sa.select(wanted).where(known == found).order_by(wanted)).scalars())
    return []


def count_changes(tx: Tx, fact: ReviewOpened) -> None:
    """ReviewOpened: count what is to be read, compared with what was signed before, and what went down."""
    review = tx.session.get_one(Review, fact.review_id)
    attestation = tx.session.get_one(Attestation, review.attestation_id)
    earlier = attestations.previous(tx, attestation)
    if earlier is None:
        review.to_read = review.asked
        tx.session.flush()
        return
    signed, before = attestations.attested(tx, attestation.id).snapshot, attestations.attested(tx, earlier.id).snapshot
    questionnaire = _version(tx, attestation.assessment_id)
    older = _version(tx, earlier.assessment_id)
    today = tx.now.date()
    lapsed = {
        each.question_key
        for each in scores.papers(tx, attestation.id)
        if each.valid_until is not None and each.valid_until < today
    }
    # What was asked back is read again, also where the vendor left the answer and only replied.
    carried = set(reviewing.verdicts_of(tx, review.id)) if review.revision > 1 else set(signed.answers)
    how: dict[str, Changed] = {}
    for key, answered in signed.answers.items():
        if not answered.is_asked or key not in questionnaire:
            continue
        was = before.answers.get(key)
        known = was is not None and was.is_asked and key in older
        how[key] = rules.changed_how(
            old=was.content if known and was is not None else None,
            new=answered.content,
            old_credit=credit(older.question(key), was.answer) if known and was is not None else None,
            new_credit=credit(questionnaire.question(key), answered.answer),
            same_files={(each.sha256, each.pages) for each in before.citations_of(key)}
            == {(each.sha256, each.pages) for each in signed.citations_of(key)},
            files_hold=key not in lapsed,
        )
    review.to_read = sum(each is not Changed.UNCHANGED or key not in carried for key, each in how.items())
    review.went_down = sum(each is Changed.DOWN for each in how.values())
    tx.session.flush()


def _version(tx: Tx, assessment_id: UUID) -> Any:
    return questionnaires.compiled(tx, tx.session.get_one(Assessment, assessment_id).questionnaire_id)


def refresh(tx: Tx, assessment_id: UUID) -> None:
    """Put an assessment into the lists where it belongs now, and out of all others."""
    tx.session.flush()
    assessment = tx.session.get(Assessment, assessment_id)
    if assessment is None:
        return
    # The card is held while the others are read, so that of two at once the later one sees what the first did.
    tx.session.execute(
        postgresql.insert(QueueCard)
        .values(assessment_id=assessment_id, vendor_id=assessment.vendor_id, signals=[])
        .on_conflict_do_update(
            index_elements=[QueueCard.assessment_id], set_={"assessment_id": QueueCard.assessment_id}
        )
    )
    row = tx.session.execute(_source(assessment_id)).one_or_none()
    card: dict[str, Any] = {
        "review_id": None,
        "stage": None,
        "since": None,
        "signals": [],
        "decision_id": None,
        "snooze_id": None,
    }
    places: tuple[str, ...] = ()
    sorts: dict[str, Any] = {}
    if row is not None:
        stage, signals = _stage(row, tx.now), _signals(row)
        until = row.until if stage in _SNOOZABLE else None
        card |= {
            "review_id": row.review_id,
            "stage": stage,
            "since": _since(row, stage),
            "signals": [[each.kind, each.words, each.tone] for each in signals],
            "decision_id": row.decision_id,
            "snooze_id": row.snooze_id if until is not None else None,
        }
        places = rules.places_of(
            stage=stage,
            tier=row.tier,
            kind=row.kind,
            reviewer_id=row.reviewer_id,
            signals=[each.kind for each in signals],
            data_classes=row.data_classes,
            snoozed=until is not None,
        )
        sorts = {
            "due_at": row.due_at,
            "rank": rules.rank_of(row.tier, signals),
            "since": card["since"],
            "snoozed_until": until,
            "live": True,
        }
    tx.session.execute(sa.update(QueueCard).where(QueueCard.assessment_id == assessment_id).values(**card))
    tx.session.execute(
        sa.update(QueuePlace)
        .where(
            QueuePlace.assessment_id == assessment_id,
            QueuePlace.live,
            QueuePlace.place.not_in(list(places)) if places else sa.true(),
        )
        .values(live=False)
    )
    if places:
        tx.session.execute(
            postgresql.insert(QueuePlace)
            .values(
                [
                    {"assessment_id": assessment_id, "vendor_id": assessment.vendor_id, "place": each, **sorts}
                    for each in places
                ]
            )
            .on_conflict_do_update(index_elements=[QueuePlace.assessment_id, QueuePlace.place], set_=sorts)
        )


def _source(assessment_id: UUID) -> Any:
    high = (
        sa.select(sa.func.count())
        .where(
            Finding.assessment_id == assessment_id,
            Finding.severity == Severity.HIGH,
            Finding.state.in_([FindingState.DRAFT, FindingState.OPEN]),
        )
        .scalar_subquery()
    )
    return (
        sa.select(
            Assessment.state,
            Assessment.tier,
            Engagement.data_classes,
            Review.id.label("review_id"),
            Review.kind,
            Review.reviewer_id,
            Review.opened_at,
            Review.due_at,
            Review.recommended_at,
            Review.closed_at,
            Review.went_down,
            Review.checks_found,
            ScoreSnapshot.result,
            Decision.id.label("decision_id"),
            Decision.proposed_at,
            Snooze.id.label("snooze_id"),
            Snooze.until,
            high.label("high"),
            sa.exists().where(Escalation.review_id == Review.id, Escalation.ended_at.is_(None)).label("escalated"),
        )
        .join(Review, sa.and_(Review.assessment_id == Assessment.id, Review.revision == Assessment.revision))
        .join(Engagement, Engagement.id == Assessment.engagement_id)
        .outerjoin(ScoreSnapshot, ScoreSnapshot.id == Review.snapshot_id)
        .outerjoin(Decision, sa.and_(Decision.assessment_id == Assessment.id, Decision.state == DecisionState.PROPOSED))
        .outerjoin(Snooze, sa.and_(Snooze.review_id == Review.id, Snooze.ended_at.is_(None)))
        .where(Assessment.id == assessment_id, Assessment.state.in_(LIVE))
    )


def _stage(row: Any, now: datetime) -> Stage:
    # What nobody signed in time waits for a decision again.
    proposed = row.decision_id is not None and now < rules.expires_at(row.proposed_at)
    return rules.stage_of(row.state, claimed=row.reviewer_id is not None, proposed=proposed)


def _since(row: Any, stage: Stage) -> Any:
    if stage is Stage.WITH_VENDOR:
        return row.closed_at or row.opened_at
    if stage in {Stage.TO_DECIDE, Stage.TO_COSIGN}:
        return row.proposed_at or row.recommended_at or row.opened_at
    return row.opened_at


def _signals(row: Any) -> tuple[Signal, ...]:
    result: Any = json.loads(row.result) if row.result else {"measures": {"failed": [], "open": []}, "reasons": []}
    return rules.signals_of(
        failed=len(result["measures"]["failed"]),
        still_open=len(result["measures"]["open"]),
        reasons=result["reasons"],
        high=row.high,
        disagree=row.checks_found,
        down=row.went_down,
        escalated=row.escalated,
    )
