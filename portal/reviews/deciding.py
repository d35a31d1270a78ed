"""Deciding: one proposes, everybody needed signs the same document, then it counts; or it is taken back, or falls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.findings import service as findings
from portal.identity import queries as people
from portal.identity.facts import PersonDeactivated, RoleRevoked
from portal.kernel.canonical import digest
from portal.kernel.database import constraint_of
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer
from portal.kernel.swap import swap
from portal.policy import Action
from portal.reviews import documents, drafting, duties, publishing, records, reviewing, rules, verdicts
from portal.reviews.facts import (
    ConflictDeclared,
    DecisionConfirmed,
    DecisionDeclined,
    DecisionProposed,
    DecisionSealed,
    DecisionSigned,
    DecisionVoided,
    DecisionWithdrawn,
    ReviewReleased,
)
from portal.reviews.models import Decision, DecisionSignature, Review
from portal.reviews.reviewing import Live
from portal.reviews.rules import Candidate, Condition, Proposal
from portal.scoring.models import ScoreSnapshot
from portal.terms import AssessmentState, DecisionState, Outcome
from portal.vendors.checks import line
from portal.vendors.models import Engagement, Vendor

EXPIRED = "it waited too long for a signature"
NOT_WAITING = "This does not wait for a decision. Nothing was changed."
OVER = {
    DecisionState.CONFIRMED: "This is decided already. Nothing was changed.",
    DecisionState.VOIDED: "This proposal was taken back. Nothing was changed.",
    DecisionState.PROPOSED: "This proposal changed since you opened the page. Look at it again.",
}


def get_decision(tx: Tx, decision_id: UUID, action: Action) -> Decision:
    """Return a decision that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    :raises StepUpRequired: if only the fresh factor is missing.
    """
    row = tx.session.get(Decision, decision_id)
    if row is None or tx.actor.is_vendor:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def propose_decision(
    tx: Tx,
    *,
    review: Review,
    outcome: Outcome,
    conditions: Iterable[Condition] = (),
    valid_until: date | None = None,
    reason: str = "",
    letter: str = "",
    row_version: int,
    sealer: Signer,
    score_seen: str | None = None,
    basis_seen: Mapping[str, Any] | None = None,
    asked_id: UUID | None = None,
    factor: str = "totp",
) -> Decision:
    """Write a decision down and, if the actor may sign it, sign it; where one signature is enough, it is decided.

    Who may not sign it prepares it only. ``decision.state`` says how far it came.

    :param row_version: of the review, as the page showed it.
    :param sealer: signs the record, should this be the last signature.
    :param score_seen: the digest of the score that the page showed (``Live.digest``), to refuse if it changed.
    :param basis_seen: what the page was made from (``documents.basis``), to refuse with what is different now.
    :param asked_id: who is asked to sign it next, of those who may.
    :raises Forbidden: if the actor may not propose, or is tied to the vendor (S3).
    :raises Refused: with the problems of outcome, conditions, valid_until, reason, letter and asked.
    :raises Conflict: if it does not wait for a decision, one is proposed, evidence lost its integrity, or it changed;
        ``current`` says the ``differences`` in words where the page's basis is known.
    :raises Unavailable: if it would be decided and no signing key is in force.
    """
    policy.check(tx.actor, Action.DECISION_PROPOSE, review)
    vendor = reviewing.vendor_of(tx, review)
    me = duties.actor_as_candidate(tx, vendor, hold=True)
    duties.refuse_interest(me.name, rules.interests(me, vendor.name, vendor.mail_domains), "Somebody else decides.")
    assessment, engagement = _hold(tx, review)
    policy.check(tx.actor, Action.DECISION_PROPOSE, review)
    _make_way(tx, assessment)
    snapshot, live = documents.score(tx, review)
    _check_seen(tx, review, assessment, engagement, live, basis_seen)
    reviewing.check_version(review, assessment, row_version)
    if score_seen is not None and score_seen != live.digest:
        raise Conflict("The score changed since you opened the page. Look at it again.", current={"score": live.digest})
    proposal = Proposal(
        outcome=outcome,
        conditions=tuple(
            replace(each, text=line(each.text), access_mode=each.access_mode or None) for each in conditions
        ),
        valid_until=None if outcome is Outcome.REJECT else valid_until,
        reason=reason.strip(),
        letter=letter.strip(),
    )
    known = {each.number for each in findings.of_assessment(tx, assessment.id)}
    if {each.finding for each in proposal.conditions} - {None} - known:
        raise Refused(problems={"conditions": ["A finding that a condition names is not there any more. Look again"]})
    if problems := rules.problems_of(proposal, live.recommendation, tx.now.date()):
        raise Refused(problems=problems)
    if blockers := documents.blockers(tx, review, assessment, engagement, outcome):
        raise Conflict(" ".join(blockers), current=reviewing.current(review, assessment))
    decision = _write(tx, review, assessment, engagement, snapshot, proposal, _person(me), asked_id)
    change = {"snapshot_id": snapshot.id, "row_version": row_version + 1}
    if not swap(tx, review, expect={"row_version": row_version, "closed_at": None}, change=change):
        raise Conflict(reviewing.CHANGED, current=reviewing.current(review, assessment))
    drafting.drop_draft(tx, review)
    case = documents.case(
        tx, review, assessment, outcome=outcome, recommendation=live.recommendation, decision=decision
    )
    if not rules.bars_to_sign(me, case):
        _sign(tx, decision, _person(me), factor)
        _confirm_if_complete(tx, review, assessment, decision, sealer)
    if decision.state is DecisionState.PROPOSED:
        _check_asked(tx, review, assessment, decision, vendor)
    return decision


def _make_way(tx: Tx, assessment: Assessment) -> None:
    """Let a proposal fall that waited too long; refuse if one still waits."""
    other = documents.proposed_for(tx, assessment.id)
    if other is None:
        return
    if tx.now < rules.expires_at(other.proposed_at) or not _fell(tx, other):
        raise _proposed_already(tx, assessment.id)
    tx.record(DecisionVoided(other.id, other.vendor_id, other.assessment_id, EXPIRED))


def _check_seen(
    tx: Tx,
    review: Review,
    assessment: Assessment,
    engagement: Engagement,
    live: Live,
    seen: Mapping[str, Any] | None,
) -> None:
    if seen is None:
        return
    now = documents.basis(tx, review=review, assessment=assessment, engagement=engagement, live=live)
    if changed := rules.differences(seen, now):
        raise Conflict(
            f"Since you opened the page, this changed: {documents.in_words(changed)}.",
            current={**reviewing.current(review, assessment), "differences": list(changed)},
        )


def _check_asked(tx: Tx, review: Review, assessment: Assessment, decision: Decision, vendor: Vendor) -> None:
    if decision.asked_id is None:
        return
    person = people.people(tx, [decision.asked_id]).get(decision.asked_id)
    if person is None or decision.asked_id == tx.actor.id:
        raise Refused(problems={"asked": ["Choose who is to sign from the list"]})
    case = documents.case_of_decision(tx, review, assessment, decision)
    if bars := rules.bars_to_sign(duties.candidate(tx, person, vendor), case):
        raise Refused(problems={"asked": [f"{person.full_name} {rules.sentence(bars)}. Choose somebody else"]})


def sign_decision(tx: Tx, *, decision: Decision, digest_seen: str, sealer: Signer, factor: str = "totp") -> Decision:
    """Sign a proposed decision; with the last signature it counts.

    Everything is looked at again under a lock: who signs, who signed, and that nothing changed in between.

    :param digest_seen: the fingerprint of the document that the page showed (S9).
    :param sealer: signs the record, should this be the last signature.
    :raises Forbidden: if the actor may not sign it, with the reasons in words (S1 to S8).
    :raises Conflict: if it was decided or taken back, or anything changed since it was proposed.
    """
    policy.check(tx.actor, Action.DECISION_CONFIRM, decision)
    review = review_of(tx, decision)
    vendor = reviewing.vendor_of(tx, review)
    me = duties.actor_as_candidate(tx, vendor, hold=True)
    assessment, engagement = _hold(tx, review, decision)
    if tx.now >= rules.expires_at(decision.proposed_at):
        raise Conflict(
            f"D-{decision.number} waited {rules.PROPOSAL_HOLDS.days} days for a signature and ended. Propose it again.",
            current={"state": "ended", "number": decision.number},
        )
    if decision.digest != digest_seen:
        raise Conflict(OVER[DecisionState.PROPOSED], current={"digest": decision.digest, "number": decision.number})
    case = documents.case_of_decision(tx, review, assessment, decision)
    if bars := rules.bars_to_sign(me, case):
        raise Forbidden(f"{me.name} {rules.sentence(bars)}. Somebody else confirms this decision.")
    documents.check_unchanged(tx, decision, review, assessment, engagement)
    _check_signers(tx, decision, review, assessment)
    _sign(tx, decision, _person(me), factor)
    _confirm_if_complete(tx, review, assessment, decision, sealer)
    return decision


def withdraw_decision(tx: Tx, *, decision: Decision) -> None:
    """Take a proposal back, as the one who made it.

    :raises Forbidden: for anybody else.
    :raises Conflict: if it was decided or taken back.
    """
    policy.check(tx.actor, Action.REVIEW_READ, decision)
    if tx.actor.id is None or decision.proposed_by != tx.actor.id:
        raise Forbidden("Who proposed a decision takes it back. You can decline it if you were to confirm it.")
    # The assessment first, as whoever signs holds it: else the two would wait for each other for ever.
    reviewing.hold(tx, review_of(tx, decision))
    _void(tx, decision)
    tx.record(DecisionWithdrawn(decision.id, decision.vendor_id, decision.assessment_id))


def decline_decision(tx: Tx, *, decision: Decision, reason: str) -> None:
    """Refuse to confirm a proposal, as somebody who could; it falls, and the reason stays as an internal note.

    :raises Forbidden: for anybody who could not confirm it.
    :raises Refused: without a reason.
    :raises Conflict: if it was decided or taken back.
    """
    policy.check(tx.actor, Action.REVIEW_READ, decision)
    review = review_of(tx, decision)
    vendor = reviewing.vendor_of(tx, review)
    me = duties.actor_as_candidate(tx, vendor)
    assessment = reviewing.hold(tx, review)
    case = documents.case_of_decision(tx, review, assessment, decision)
    if bars := rules.bars_to_sign(me, case):
        raise Forbidden(f"{me.name} {rules.sentence(bars)}. Who could confirm it can decline it.")
    if not reason.strip():
        raise Refused(problems={"reason": ["Say why you do not confirm it. The one who proposed it reads this"]})
    _void(tx, decision)
    verdicts.note_internal(tx, review=review, body=f"Declined D-{decision.number}: {reason.strip()}")
    tx.record(DecisionDeclined(decision.id, decision.vendor_id, decision.assessment_id, _person(me)))


def void_proposed(tx: Tx, *, assessment_id: UUID, because: str) -> None:
    """Let the proposal about an assessment fall, if there is one. The caller checked who may."""
    decision = documents.proposed_for(tx, assessment_id)
    if decision is not None:
        _void(tx, decision)
        tx.record(DecisionVoided(decision.id, decision.vendor_id, decision.assessment_id, because))


def void_of_person(tx: Tx, fact: RoleRevoked | PersonDeactivated) -> None:
    """RoleRevoked, PersonDeactivated: what the person proposed or signed and nobody confirmed yet falls (S7)."""
    if fact.vendor_id is None:
        _void_behind(tx, fact.user_id, "a person behind it lost the role")


def void_of_conflict(tx: Tx, fact: ConflictDeclared) -> None:
    """ConflictDeclared: the person's open reviews of the vendor wait for somebody else, and what they signed falls."""
    for review in (
        tx.session.execute(
            sa.select(Review)
            .where(Review.vendor_id == fact.vendor_id, Review.reviewer_id == fact.user_id, Review.closed_at.is_(None))
            .order_by(Review.id)
        )
        .scalars()
        .all()
    ):
        assessment = reviewing.hold(tx, review)
        if assessment.state is AssessmentState.IN_REVIEW and review.reviewer_id == fact.user_id:
            change = {"reviewer_id": None, "claimed_at": None, "row_version": review.row_version + 1}
            if swap(tx, review, expect={"reviewer_id": fact.user_id, "closed_at": None}, change=change):
                tx.record(ReviewReleased(review.id, review.vendor_id, fact.user_id))
    _void_behind(tx, fact.user_id, "a person behind it declared a conflict of interest", vendor_id=fact.vendor_id)


def _void_behind(tx: Tx, user_id: UUID, because: str, *, vendor_id: UUID | None = None) -> None:
    """Let fall what a person proposed or signed and nobody confirmed yet; what was confirmed meanwhile stays."""
    signed = sa.select(DecisionSignature.decision_id).where(DecisionSignature.signer_id == user_id)
    statement = (
        sa.select(Decision)
        .where(
            Decision.state == DecisionState.PROPOSED,
            sa.or_(Decision.proposed_by == user_id, Decision.id.in_(signed)),
            *([Decision.vendor_id == vendor_id] if vendor_id is not None else []),
        )
        .order_by(Decision.id)
    )
    for decision in tx.session.execute(statement).scalars().all():
        reviewing.hold(tx, review_of(tx, decision))
        if _fell(tx, decision):
            tx.record(DecisionVoided(decision.id, decision.vendor_id, decision.assessment_id, because))


def _hold(tx: Tx, review: Review, decision: Decision | None = None) -> tuple[Assessment, Engagement]:
    """Lock what a decision is about, in one order everywhere, and refuse if it does not wait for one."""
    assessment = reviewing.hold(tx, review)
    if decision is not None:
        tx.session.refresh(decision, with_for_update=True)
        if decision.state is not DecisionState.PROPOSED:
            raise Conflict(OVER[decision.state], current={"state": decision.state.value, "number": decision.number})
    if assessment.state is not AssessmentState.RECOMMENDED or review.closed_at is not None:
        raise Conflict(NOT_WAITING, current=reviewing.current(review, assessment))
    # Shared: what the vendor is engaged for stays as it is until the clearance is written.
    engagement = tx.session.get_one(Engagement, assessment.engagement_id, with_for_update={"read": True})
    tx.session.refresh(engagement)
    return assessment, engagement


def _write(
    tx: Tx,
    review: Review,
    assessment: Assessment,
    engagement: Engagement,
    snapshot: ScoreSnapshot,
    proposal: Proposal,
    proposer: UUID,
    asked_id: UUID | None,
) -> Decision:
    exception = rules.is_exception(proposal.outcome, snapshot.recommendation)
    needed = rules.signatures_needed(assessment.tier, proposal.outcome, exception=exception)
    decision_id = tx.new_id()
    number = tx.session.execute(sa.text("SELECT nextval('decision_number')")).scalar_one()
    document = documents.document(
        tx,
        decision_id=decision_id,
        number=number,
        assessment=assessment,
        review=review,
        engagement=engagement,
        snapshot=snapshot,
        proposal=proposal,
        signatures=needed,
        proposed_by=proposer,
        proposed_at=tx.now,
    )
    row = Decision(
        id=decision_id,
        number=number,
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        engagement_id=engagement.id,
        revision=review.revision,
        tier=assessment.tier,
        attestation_digest=review.attestation_digest,
        snapshot_id=snapshot.id,
        policy_digest=snapshot.policy_digest,
        recommendation=snapshot.recommendation,
        outcome=proposal.outcome,
        conditions=[each.stored for each in proposal.conditions],
        valid_until=proposal.valid_until,
        reason=proposal.reason,
        letter=proposal.letter,
        signatures_needed=needed,
        asked_id=asked_id,
        document=document.decode(),
        digest=digest(json.loads(document)),
        proposed_by=proposer,
        proposed_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError as failure:
        if constraint_of(failure) != "uq_decision_one_proposed":
            raise
        raise _proposed_already(tx, assessment.id) from None
    tx.record(
        DecisionProposed(
            row.id, row.vendor_id, row.assessment_id, row.number, row.outcome.value, row.digest, row.signatures_needed
        )
    )
    return row


def _proposed_already(tx: Tx, assessment_id: UUID) -> Conflict:
    other = documents.proposed_for(tx, assessment_id)
    if other is None:
        return Conflict(NOT_WAITING)
    name = people.people(tx, [other.proposed_by]).get(other.proposed_by)
    return Conflict(
        f"D-{other.number} is proposed already, by {name.full_name if name else 'somebody'}. "
        "Confirm it, decline it, or have it taken back first.",
        current={"state": other.state.value, "number": other.number, "decision_id": str(other.id)},
    )


def _check_signers(tx: Tx, decision: Decision, review: Review, assessment: Assessment) -> None:
    """Refuse if somebody who signed could not sign any more (S7)."""
    vendor = reviewing.vendor_of(tx, review)
    for signer_id in duties.signers_of(tx, decision.id):
        person: Candidate = duties.candidate(tx, people.person(tx, signer_id), vendor)
        case = documents.case_of_decision(tx, review, assessment, decision, but=[signer_id])
        if bars := rules.bars_to_sign(person, case):
            raise Conflict(
                f"{person.name} signed this and {rules.sentence(bars)}. Have it taken back and propose it again.",
                current={"number": decision.number},
            )


def _sign(tx: Tx, decision: Decision, signer_id: UUID, factor: str) -> None:
    tx.session.add(
        DecisionSignature(
            decision_id=decision.id,
            signer_id=signer_id,
            vendor_id=decision.vendor_id,
            digest=decision.digest,
            factor=factor,
            signed_at=tx.now,
        )
    )
    tx.session.flush()
    tx.record(DecisionSigned(decision.id, decision.vendor_id, signer_id, decision.digest, factor))


def _confirm_if_complete(tx: Tx, review: Review, assessment: Assessment, decision: Decision, sealer: Signer) -> None:
    signed_by = duties.signers_of(tx, decision.id)
    if len(signed_by) < decision.signatures_needed:
        return
    change = {"state": DecisionState.CONFIRMED, "decided_at": tx.now, "row_version": decision.row_version + 1}
    if not swap(tx, decision, expect={"state": DecisionState.PROPOSED, "digest": decision.digest}, change=change):
        raise Conflict(OVER[decision.state], current={"state": decision.state.value, "number": decision.number})
    assessments.decide(tx, assessment=assessment)
    closed = {"closed_at": tx.now, "row_version": review.row_version + 1}
    if not swap(tx, review, expect={"closed_at": None}, change=closed):
        raise Conflict(reviewing.CHANGED, current=reviewing.current(review, assessment))
    findings.share_all(
        tx, vendor_id=decision.vendor_id, assessment_id=decision.assessment_id, revision=decision.revision
    )
    known = people.people(tx, signed_by)
    body = publishing.outcome_body(tx, decision=decision, signed_by=[known[each].full_name for each in signed_by])
    assessments.publish_outcome(tx, assessment=assessment, number=decision.number, body=body)
    sealed = records.seal(tx, decision=decision, assessment=assessment, sealer=sealer)
    tx.record(DecisionSealed(decision.id, decision.vendor_id, sealed.digest))
    tx.record(
        DecisionConfirmed(
            decision_id=decision.id,
            vendor_id=decision.vendor_id,
            assessment_id=decision.assessment_id,
            engagement_id=decision.engagement_id,
            revision=decision.revision,
            number=decision.number,
            outcome=decision.outcome.value,
            tier=decision.tier,
            valid_until=decision.valid_until,
            digest=decision.digest,
            signed_by=tuple(signed_by),
        )
    )


def _fell(tx: Tx, decision: Decision) -> bool:
    change = {"state": DecisionState.VOIDED, "row_version": decision.row_version + 1}
    return swap(tx, decision, expect={"state": DecisionState.PROPOSED}, change=change)


def _void(tx: Tx, decision: Decision) -> None:
    if not _fell(tx, decision):
        raise Conflict(OVER[decision.state], current={"state": decision.state.value, "number": decision.number})


def review_of(tx: Tx, decision: Decision) -> Review:
    """Return the review of the very revision that was decided on."""
    return tx.session.execute(
        sa.select(Review).where(Review.assessment_id == decision.assessment_id, Review.revision == decision.revision)
    ).scalar_one()


def _person(candidate: Candidate) -> UUID:
    if candidate.id is None:
        raise Forbidden("Only a person of the lab does this.")
    return candidate.id
