"""Ending the work on a revision: questions go back to the vendor, or a recommendation goes to those who decide."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.rules import tidy_message
from portal.kernel.errors import Conflict, Forbidden, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.policy import Action
from portal.reviews import deciding, duties, reviewing
from portal.reviews.facts import QuestionsReturned, ReviewRecommended, ReviewReturned
from portal.reviews.models import AnswerVerdict, Review
from portal.scoring import service as scoring
from portal.terms import AssessmentState, Role, Verdict


def return_questions(tx: Tx, *, review: Review, row_version: int) -> tuple[str, ...]:
    """Send the questions that were asked back to the vendor, and nothing else; return their keys.

    Every ask becomes a message in its conversation; only these answers may change in the next revision.

    :raises Forbidden: for anybody but the reviewer and lead approvers, and if they are tied to the vendor (S3).
    :raises Refused: if nothing was asked.
    :raises Conflict: if it is not in review, or changed since the page was opened.
    """
    policy.check(tx.actor, Action.QUESTIONS_RETURN, review)
    duties.refuse_tied(tx, reviewing.vendor_of(tx, review), "Somebody else returns this.")
    assessment = reviewing.hold(tx, review)
    reviewing.check_working(review, assessment)
    verdicts = reviewing.verdicts_of(tx, review.id)
    asks = {key: row for key, row in verdicts.items() if row.verdict is Verdict.ASK}
    if not asks:
        raise Refused("Ask about at least one answer before you send the review back.")
    _end(tx, review, assessment, row_version, {"closed_at": tx.now})
    for key, row in asks.items():
        attestations.post_message(
            tx, assessment=assessment, question_key=key, body=row.note, reviewer_id=review.reviewer_id
        )
    _mark_sent(tx, review)
    assessments.request_changes(tx, assessment=assessment, keys=asks)
    keys = tuple(sorted(asks))
    tx.record(QuestionsReturned(review.id, review.vendor_id, review.assessment_id, review.revision, keys))
    return keys


def recommend(tx: Tx, *, review: Review, note: str, row_version: int) -> Review:
    """Finish a review: everything is judged, the score is computed anew and says what the policy suggests.

    :param note: the reviewer's own words for those who decide.
    :raises Forbidden: for anybody but the reviewer, and if they are tied to the vendor (S3).
    :raises Refused: if an answer has no verdict, or a question to the vendor is still open.
    :raises Conflict: if it is not in review, or changed since the page was opened.
    """
    policy.check(tx.actor, Action.RECOMMEND, review)
    duties.refuse_tied(tx, reviewing.vendor_of(tx, review), "Somebody else finishes this review.")
    assessment = reviewing.hold(tx, review)
    policy.check(tx.actor, Action.RECOMMEND, review)
    reviewing.check_working(review, assessment)
    text = _text(note)
    _check_judged(tx, review)
    snapshot = scoring.score(
        tx,
        attestation_id=review.attestation_id,
        cause="recommended",
        not_applicable=reviewing.set_aside(tx, review),
    )
    change = {
        "recommendation": snapshot.recommendation,
        "recommendation_note": text,
        "recommended_at": tx.now,
        "snapshot_id": snapshot.id,
    }
    _end(tx, review, assessment, row_version, change)
    assessments.recommend(tx, assessment=assessment)
    tx.record(
        ReviewRecommended(
            review.id,
            review.vendor_id,
            review.assessment_id,
            review.revision,
            snapshot.recommendation.value,
            snapshot.id,
        )
    )
    return review


def return_to_review(tx: Tx, *, review: Review, reason: str, row_version: int) -> None:
    """Send a finished review back to its reviewer, as a lead approver.

    :raises Forbidden: for anybody else, or for one who is tied to the vendor (S3).
    :raises Refused: without a reason.
    :raises Conflict: if it waits for no decision, or changed since the page was opened.
    """
    policy.check(tx.actor, Action.QUESTIONS_RETURN, review)
    if Role.LEAD_APPROVER not in tx.actor.roles:
        raise Forbidden("A lead approver returns a finished review.")
    duties.refuse_tied(tx, reviewing.vendor_of(tx, review), "Somebody else returns this.")
    assessment = reviewing.hold(tx, review)
    if assessment.state is not AssessmentState.RECOMMENDED or review.closed_at is not None:
        raise Conflict(
            "This review does not wait for a decision. Nothing was changed.",
            current=reviewing.current(review, assessment),
        )
    change = {"recommendation": None, "recommended_at": None, "recommendation_note": ""}
    _end(tx, review, assessment, row_version, change)
    assessments.return_to_review(tx, assessment=assessment, reason=reason)
    deciding.void_proposed(tx, assessment_id=assessment.id, because="the review was reopened")
    tx.record(ReviewReturned(review.id, review.vendor_id, review.assessment_id, review.revision))


def _end(tx: Tx, review: Review, assessment: Assessment, row_version: int, change: Mapping[str, object]) -> None:
    expect = {"row_version": row_version, "closed_at": None}
    if not swap(tx, review, expect=expect, change={**change, "row_version": row_version + 1}):
        raise Conflict(reviewing.CHANGED, current=reviewing.current(review, assessment))


def _mark_sent(tx: Tx, review: Review) -> None:
    tx.session.execute(
        sa.update(AnswerVerdict)
        .where(
            AnswerVerdict.review_id == review.id,
            AnswerVerdict.verdict.is_not(None),
            AnswerVerdict.sent_at.is_(None),
        )
        .values(sent_at=tx.now)
        .execution_options(synchronize_session="fetch")
    )


def _check_judged(tx: Tx, review: Review) -> None:
    verdicts = reviewing.verdicts_of(tx, review.id)
    answers = attestations.attested(tx, review.attestation_id).snapshot.answers
    missing = sum(1 for key, each in answers.items() if each.is_asked and key not in verdicts)
    asks = sum(1 for row in verdicts.values() if row.verdict is Verdict.ASK)
    problems = []
    if missing:
        problems.append(f"{_answers(missing)} no verdict yet. Accept, flag or ask about each")
    if asks:
        problems.append(f"You ask about {asks}. Send the questions to the vendor, or judge the answers")
    if problems:
        raise Refused(problems={"review": problems})


def _answers(count: int) -> str:
    return "1 answer has" if count == 1 else f"{count} answers have"


def _text(note: str) -> str:
    try:
        return tidy_message(note) if note.strip() else ""
    except Refused as refusal:
        raise Refused(problems={"note": refusal.problems["body"]}) from None
