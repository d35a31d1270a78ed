"""Moving an assessment through its states: each move wins or loses in one statement, and records one fact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa

from portal import policy
from portal.assessments import facts, rules
from portal.assessments.models import Assessment, ReopenedQuestion
from portal.assessments.rules import Move
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Fact, Tx
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import AssessmentState
from portal.vendors.checks import line


def touch(tx: Tx, *, assessment: Assessment) -> None:
    """Note the vendor's first touch. An assessment that is already being answered is left as it is.

    :raises Conflict: if it cannot be answered now.
    """
    if rules.is_answerable(assessment.state) and assessment.state is not AssessmentState.DRAFT:
        return
    begun = facts.AssessmentBegun(assessment_id=assessment.id, vendor_id=assessment.vendor_id)
    try:
        _move(tx, assessment, Move.TOUCH, begun, change={"first_touched_at": tx.now})
    except Conflict:
        # A colleague's first answer came in the same moment: it is begun, and that is all we wanted.
        if not rules.is_answerable(assessment.state):
            raise


def submit(tx: Tx, *, assessment: Assessment, revision: int, row_version: int | None = None) -> None:
    """Take a signed revision in. The caller signed it in this transaction.

    :param revision: the revision that was signed; it must be ``next_revision``.
    :raises Conflict: if it is not the moment, or somebody changed the assessment since ``row_version``.
    """
    before = assessment.state
    if revision != rules.next_revision(before, assessment.revision):
        raise Conflict(rules.not_now(before), current=_standing(assessment))
    change = {"revision": revision, "submitted_at": tx.now}
    expect = {"state": before, "revision": assessment.revision}
    fact = facts.AssessmentSubmitted(assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=revision)
    _move(tx, assessment, Move.SUBMIT, fact, change=change, expect=expect, row_version=row_version)


def take_into_review(tx: Tx, *, assessment: Assessment, row_version: int | None = None) -> None:
    """Begin the review of the signed revision.

    :raises Conflict: if it is not submitted.
    """
    _move(tx, assessment, Move.TAKE_INTO_REVIEW, _of_revision(facts.ReviewBegun, assessment), row_version=row_version)


def request_changes(tx: Tx, *, assessment: Assessment, keys: Collection[str], row_version: int | None = None) -> None:
    """Send named questions back; only these may change in the next revision.

    :raises Refused: if no question is named.
    :raises Conflict: if it is not in review.
    """
    asked = tuple(sorted(set(keys)))
    if not asked:
        raise Refused(said("Ask about at least one question before you send it back."))
    fact = facts.ChangesRequested(
        assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=assessment.revision, keys=asked
    )
    _move(tx, assessment, Move.REQUEST_CHANGES, fact, row_version=row_version)
    tx.session.add_all(
        ReopenedQuestion(
            assessment_id=assessment.id,
            revision=assessment.revision,
            question_key=key,
            vendor_id=assessment.vendor_id,
            asked_by=tx.actor.id,
            asked_at=tx.now,
        )
        for key in asked
    )
    tx.session.flush()


def reopened(tx: Tx, assessment: Assessment) -> frozenset[str] | None:
    """Return the keys that may change now: None for all of them, an empty set for none."""
    if not rules.is_answerable(assessment.state):
        return frozenset()
    if assessment.state is not AssessmentState.CHANGES_REQUESTED:
        return None
    statement = sa.select(ReopenedQuestion.question_key).where(
        ReopenedQuestion.assessment_id == assessment.id, ReopenedQuestion.revision == assessment.revision
    )
    return frozenset(tx.session.execute(statement).scalars())


def recommend(tx: Tx, *, assessment: Assessment, row_version: int | None = None) -> None:
    """Put the reviewed revision before those who decide.

    :raises Conflict: if it is not in review.
    """
    fact = _of_revision(facts.AssessmentRecommended, assessment)
    _move(tx, assessment, Move.RECOMMEND, fact, row_version=row_version)


def return_to_review(tx: Tx, *, assessment: Assessment, reason: str, row_version: int | None = None) -> None:
    """Send a recommendation back to the reviewer.

    :raises Refused: without a reason.
    :raises Conflict: if it waits for no decision.
    """
    fact = facts.RecommendationReturned(
        assessment_id=assessment.id,
        vendor_id=assessment.vendor_id,
        revision=assessment.revision,
        reason=_reason(reason, said("Say what the reviewer should look at again")),
    )
    _move(tx, assessment, Move.RETURN_TO_REVIEW, fact, row_version=row_version)


def decide(tx: Tx, *, assessment: Assessment, row_version: int | None = None) -> None:
    """Close the assessment with the decision that was signed in this transaction.

    :raises Conflict: if it waits for no decision.
    """
    fact = _of_revision(facts.AssessmentDecided, assessment)
    _move(tx, assessment, Move.DECIDE, fact, change={"decided_at": tx.now}, row_version=row_version)


def cancel(tx: Tx, *, assessment: Assessment, reason: str, row_version: int | None = None) -> None:
    """Stop asking, before anything was signed or while questions are back with the vendor.

    :raises Forbidden: if the actor may not.
    :raises Refused: without a reason.
    :raises Conflict: if it is too late, or somebody changed it since ``row_version``.
    """
    policy.check(tx.actor, Action.ASSESSMENT_CANCEL, assessment)
    why = _reason(reason, said("Say why you cancel it. The vendor reads this"))
    fact = facts.AssessmentCancelled(assessment_id=assessment.id, vendor_id=assessment.vendor_id, reason=why)
    _move(tx, assessment, Move.CANCEL, fact, change={"reason": why}, row_version=row_version)


def withdraw(tx: Tx, *, assessment: Assessment, reason: str, row_version: int | None = None) -> None:
    """Take a signed revision back, as the vendor, while nothing is decided.

    :raises Forbidden: if the actor may not.
    :raises Refused: without a reason.
    :raises Conflict: if it is too late, or somebody changed it since ``row_version``.
    """
    policy.check(tx.actor, Action.ATTESTATION_WITHDRAW, assessment)
    why = _reason(reason, said("Say why you withdraw it. The reviewer reads this"))
    fact = facts.AssessmentWithdrawn(
        assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=assessment.revision, reason=why
    )
    _move(tx, assessment, Move.WITHDRAW, fact, change={"reason": why}, row_version=row_version)


def _move(
    tx: Tx,
    assessment: Assessment,
    move: Move,
    fact: Fact,
    *,
    change: Mapping[str, Any] | None = None,
    expect: Mapping[str, Any] | None = None,
    row_version: int | None = None,
) -> None:
    way = rules.MOVES[move]
    expected: dict[str, Any] = {"state": sorted(way.starts), **(expect or {})}
    if not rules.may_move(assessment.state, move):
        raise Conflict(rules.not_now(assessment.state), current=_standing(assessment))
    if row_version is not None:
        expected["row_version"] = row_version
    changed = {"state": way.ends, "row_version": Assessment.__table__.c.row_version + 1, **(change or {})}
    if swap(tx, assessment, expect=expected, change=changed):
        tx.record(fact)
        return
    if rules.may_move(assessment.state, move):
        raise Conflict(
            said("Somebody changed this assessment since you opened it. Look at it again, then repeat what you did."),
            current=_standing(assessment),
        )
    raise Conflict(rules.not_now(assessment.state), current=_standing(assessment))


def _standing(assessment: Assessment) -> dict[str, object]:
    return {
        "state": assessment.state.value,
        "revision": assessment.revision,
        "row_version": assessment.row_version,
    }


def _of_revision(kind: Callable[..., Fact], assessment: Assessment) -> Fact:
    return kind(assessment_id=assessment.id, vendor_id=assessment.vendor_id, revision=assessment.revision)


def _reason(text: str, missing: str) -> str:
    reason = line(text)
    if not reason:
        raise Refused(problems={"reason": [missing]})
    if len(reason) > rules.MAX_REASON:
        raise Refused(
            problems={
                "reason": [
                    said(
                        "Shorten the reason to %(most)s characters; this has %(count)s",
                        most=rules.MAX_REASON,
                        count=len(reason),
                    )
                ]
            }
        )
    return reason
