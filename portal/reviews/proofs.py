"""One file seen from all the answers that were signed with it: let in for many at once, or checked again."""

from __future__ import annotations

from uuid import UUID

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import Citation
from portal.evidence.models import Evidence
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import duties, reviewing, rules
from portal.reviews.models import Review
from portal.terms import AssessmentState

_CHECKED_IN = frozenset({AssessmentState.IN_REVIEW, AssessmentState.DECIDED})


def recheck(tx: Tx, *, citation_id: UUID, evidence: Evidence) -> None:
    """Say that a newer revision of a file proves an answer as the one did that was signed with.

    While the revision is in review its reviewer says it; after the decision anybody who judges evidence and is not
    tied to the vendor (S3). While a decision is being signed nothing moves under it.

    :raises NotFound: if nobody signed with it, or the file is no revision of the cited one.
    :raises Forbidden: for anybody else.
    :raises Conflict: if it is not the moment; else as ``attestations.recheck``.
    """
    citation = tx.session.get(Citation, citation_id)
    review = reviewing.latest(tx, citation.assessment_id) if citation is not None else None
    if citation is None or review is None:
        raise NotFound
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, evidence)
    assessment = reviewing.hold(tx, review)
    check_moment(tx, review, assessment)
    if citation_id not in {each.citation_id for each in reviewing.attested_of(tx, review).snapshot.citations}:
        raise NotFound
    attestations.recheck(tx, citation=citation, evidence=evidence)


def check_moment(tx: Tx, review: Review, assessment: Assessment) -> None:
    """Refuse whoever may not check files of this review now. Call it after ``hold``.

    :raises Forbidden: if the actor is not its reviewer, or tied to the vendor.
    :raises Conflict: if it is neither in review nor decided.
    """
    vendor = reviewing.vendor_of(tx, review)
    me = duties.actor_as_candidate(tx, vendor)
    bars = rules.bars_to_review(me, vendor.name, vendor.mail_domains)
    duties.refuse_interest(me.name, bars, "Somebody else judges this file.")
    if assessment.state not in _CHECKED_IN:
        raise Conflict(reviewing.not_now(assessment.state), current=reviewing.current(review, assessment))
    if assessment.state is AssessmentState.IN_REVIEW:
        policy.check(tx.actor, Action.REVIEW_JUDGE, review)
