"""Reviews from the signature on: opened with a score, claimed by one, given to another, let go, ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.facts import AssessmentWithdrawn
from portal.assessments.models import Assessment, ReopenedQuestion
from portal.attestations import service as attestations
from portal.attestations.facts import AttestationSigned
from portal.attestations.models import Attestation
from portal.attestations.rules import Part, Snapshot, changes_since
from portal.attestations.service import Attested
from portal.audit.keeping import Keeper
from portal.findings import service as findings
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.policy import Action
from portal.questionnaires.rules import QuestionState
from portal.reviews import duties, rules, service_levels
from portal.reviews.facts import ReviewAssigned, ReviewClaimed, ReviewEnded, ReviewOpened, ReviewReleased
from portal.reviews.models import AnswerVerdict, Review
from portal.reviews.unchanged import unchanged
from portal.scoring import rules as scores
from portal.scoring import service as scoring
from portal.scoring.rules import Mark, NotApplicable, Score
from portal.scoring.translate import Paper
from portal.terms import AssessmentState, Recommendation, Verdict
from portal.vendors.models import Vendor

CHANGED = "This review changed since you opened the page. Look at it again, then repeat what you did."


def get(tx: Tx, review_id: UUID, action: Action) -> Review:
    """Return a review that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    :raises StepUpRequired: if only the fresh factor is missing.
    """
    row = tx.session.get(Review, review_id)
    if row is None or tx.actor.is_vendor:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def latest(tx: Tx, assessment_id: UUID) -> Review | None:
    """Return the review of the newest signed revision of an assessment."""
    statement = sa.select(Review).where(Review.assessment_id == assessment_id).order_by(Review.revision.desc()).limit(1)
    return get_one(tx, statement)


def hold(tx: Tx, review: Review) -> Assessment:
    """Keep an assessment and its review as they are until the transaction ends, and read both anew.

    The assessment is locked first everywhere, so that a review, a decision and a withdrawal take turns.
    """
    assessment = tx.session.execute(
        sa.select(Assessment)
        .where(Assessment.id == review.assessment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    tx.session.refresh(review, with_for_update=True)
    return assessment


def current(review: Review, assessment: Assessment) -> dict[str, object]:
    """Return how things stand, for a refusal."""
    return {
        "state": assessment.state.value,
        "revision": assessment.revision,
        "row_version": review.row_version,
        "reviewer_id": str(review.reviewer_id) if review.reviewer_id else None,
    }


def open_review(tx: Tx, fact: AttestationSigned) -> None:
    """AttestationSigned: a review waits, with a score, and with the verdicts that still hold."""
    signed = attestations.attested(tx, fact.attestation_id)
    attestation = tx.session.get_one(Attestation, fact.attestation_id)
    before = get_one(
        tx,
        sa.select(Review).where(Review.assessment_id == fact.assessment_id, Review.revision == fact.revision - 1),
    )
    review = Review(
        id=tx.new_id(),
        vendor_id=fact.vendor_id,
        assessment_id=fact.assessment_id,
        revision=fact.revision,
        attestation_id=fact.attestation_id,
        attestation_digest=fact.digest,
        kind=rules.kind_of(revision=fact.revision, signed_before=attestations.is_renewal(tx, attestation)),
        asked=signed.snapshot.asked,
        opened_at=tx.now,
        due_at=service_levels.due_at(tx, tx.now, signed.snapshot.tier),
    )
    tx.session.add(review)
    tx.session.flush()
    carried = _carry(tx, before, review, signed.snapshot) if before is not None else 0
    snapshot = scoring.score(
        tx, attestation_id=review.attestation_id, cause="signed", not_applicable=set_aside(tx, review)
    )
    review.snapshot_id = snapshot.id
    tx.session.flush()
    tx.record(
        ReviewOpened(
            review.id,
            review.vendor_id,
            review.assessment_id,
            review.revision,
            review.attestation_digest,
            snapshot.id,
            review.due_at,
            carried,
        )
    )


def _carry(tx: Tx, before: Review, review: Review, signed: Snapshot) -> int:
    """Take over what was judged before and says the same now. A draft finding about anything else is given up."""
    reopened = set(
        tx.session.execute(
            sa.select(ReopenedQuestion.question_key).where(
                ReopenedQuestion.assessment_id == review.assessment_id,
                ReopenedQuestion.revision == before.revision,
            )
        ).scalars()
    )
    earlier = attestations.attested(tx, before.attestation_id).snapshot
    changed = {each.key for each in changes_since(earlier, signed) if each.part is Part.ANSWER}
    carried = 0
    for verdict in verdicts_of(tx, before.id).values():
        key = verdict.question_key
        same = key in signed.answers and signed.answers[key].is_asked and key not in reopened | changed
        if not same or verdict.verdict not in {Verdict.ACCEPT, Verdict.FLAG}:
            if verdict.verdict is Verdict.FLAG:
                findings.drop(tx, assessment_id=review.assessment_id, question_key=key)
            continue
        tx.session.add(
            AnswerVerdict(
                review_id=review.id,
                question_key=key,
                vendor_id=review.vendor_id,
                verdict=verdict.verdict,
                note=verdict.note,
                finding_id=verdict.finding_id,
                given_by=verdict.given_by,
                given_at=verdict.given_at,
                sent_at=verdict.sent_at,
                carried_from=verdict.carried_from or before.id,
                by_rule=verdict.by_rule,
            )
        )
        carried += 1
    tx.session.flush()
    return carried


def verdicts_of(tx: Tx, review_id: UUID) -> dict[str, AnswerVerdict]:
    """Return the verdicts of a review by question; those that were taken back are not in it."""
    statement = (
        sa.select(AnswerVerdict)
        .where(AnswerVerdict.review_id == review_id, AnswerVerdict.verdict.is_not(None))
        .order_by(AnswerVerdict.question_key)
    )
    return {row.question_key: row for row in tx.session.execute(statement).scalars()}


def set_aside(tx: Tx, review: Review, said: Mapping[str, AnswerVerdict] | None = None) -> dict[str, NotApplicable]:
    """Return the questions whose claim not to apply was accepted: by whom, and why.

    :param said: the verdicts, where they were read already.
    """
    rows = verdicts_of(tx, review.id) if said is None else said
    accepted = {key: row for key, row in rows.items() if row.verdict is Verdict.ACCEPT}
    if not accepted:
        return {}
    answers = attestations.attested(tx, review.attestation_id).snapshot.answers
    return {
        key: NotApplicable(author=str(row.given_by), reason=row.note or answers[key].answer.na_reason or "Accepted")
        for key, row in accepted.items()
        if key in answers and answers[key].state is QuestionState.NA_CLAIMED
    }


@dataclass(frozen=True, slots=True)
class Live:
    """A score as things stand now; ``digest`` names its result, so that a page can say which one it showed.

    ``papers`` are the uses of files that count in it.
    """

    score: Score
    inputs: scores.Inputs
    digest: str
    papers: tuple[Paper, ...]

    @property
    def recommendation(self) -> Recommendation:
        """What the policy suggests."""
        return Recommendation(self.score.recommendation.value)

    @property
    def marks(self) -> dict[str, Mark]:
        """How each question of the version counts, by key."""
        return {each.question.key: each for each in scores.marks(self.inputs)}

    @property
    def papers_by_key(self) -> dict[str, list[Paper]]:
        """The uses of files that count, by question."""
        found: dict[str, list[Paper]] = {}
        for each in self.papers:
            found.setdefault(each.question_key, []).append(each)
        return found

    @property
    def losses(self) -> dict[str, Fraction]:
        """What each question costs of the score, by key; only those that cost something."""
        return {each.key: each.value for each in self.score.measures.losses}


def score_now(
    tx: Tx, review: Review, *, said: Mapping[str, AnswerVerdict] | None = None, kept: Keeper | None = None
) -> Live:
    """Return the score of a review as things stand now, with drafts and verdicts in it; nothing is stored.

    :param said: the verdicts, where they were read already.
    :param kept: what keeps results about the vendor since this moment of the transaction.
    """
    signed = review.attestation_id
    kept = kept or unchanged(tx, review.vendor_id)
    papers = kept.of(("papers", signed), lambda: tuple(scoring.papers(tx, signed)))
    given = scoring.inputs_with(tx, attestation_id=signed, papers=papers, not_applicable=set_aside(tx, review, said))
    result = scores.compile_plan(given.version, given.policy).score(given)
    return Live(result, given, scores.snapshot(given, result).result_digest, papers)


def attested_of(tx: Tx, review: Review) -> Attested:
    """Return what was signed: the very answers, scoping and files that the review is about."""
    return attestations.attested(tx, review.attestation_id)


def vendor_of(tx: Tx, review: Review) -> Vendor:
    """Return the vendor that a review is about."""
    return tx.session.get_one(Vendor, review.vendor_id)


def claim(tx: Tx, *, review: Review, row_version: int | None = None) -> None:
    """Take a review that nobody has. Of two at once, one gets it.

    :raises Forbidden: if the actor may not review, or is tied to the vendor (S3).
    :raises Conflict: if somebody has it, or there is nothing to review any more.
    """
    policy.check(tx.actor, Action.REVIEW_CLAIM, review)
    vendor = vendor_of(tx, review)
    me = duties.actor_as_candidate(tx, vendor, hold=True)
    duties.refuse_interest(
        me.name, rules.bars_to_review(me, vendor.name, vendor.mail_domains), "Somebody else reviews this."
    )
    assessment = hold(tx, review)
    _check_takeable(review, assessment, row_version)
    change = {"reviewer_id": me.id, "claimed_at": tx.now, "row_version": review.row_version + 1}
    if review.reviewer_id is not None or not swap(
        tx, review, expect={"reviewer_id": None, "closed_at": None}, change=change
    ):
        raise Conflict(_taken(tx, review), current=current(review, assessment))
    if assessment.state is AssessmentState.SUBMITTED:
        assessments.take_into_review(tx, assessment=assessment)
    tx.record(ReviewClaimed(review.id, review.vendor_id, _some(me.id), review.attestation_digest))


def assign(tx: Tx, *, review: Review, reviewer_id: UUID, row_version: int | None = None) -> None:
    """Give a review to a person, also one that somebody else has.

    :raises Forbidden: if the actor gives out no reviews.
    :raises Refused: if the person may not review this vendor.
    :raises Conflict: if it changed since the page was opened, or is over.
    """
    policy.check(tx.actor, Action.REVIEW_ASSIGN, review)
    vendor = vendor_of(tx, review)
    person = people.people(tx, [reviewer_id]).get(reviewer_id)
    if person is None:
        raise Refused(problems={"reviewer_id": ["Choose a reviewer"]})
    who = duties.candidate(tx, person, vendor, hold=True)
    if bars := rules.bars_to_review(who, vendor.name, vendor.mail_domains):
        raise Refused(problems={"reviewer_id": [f"{who.name} {rules.sentence(bars)}. Choose somebody else"]})
    assessment = hold(tx, review)
    _check_takeable(review, assessment, row_version)
    was = review.reviewer_id
    if was == reviewer_id:
        return
    change = {"reviewer_id": reviewer_id, "claimed_at": tx.now, "row_version": review.row_version + 1}
    if not swap(tx, review, expect={"row_version": review.row_version, "closed_at": None}, change=change):
        raise Conflict(CHANGED, current=current(review, assessment))
    if assessment.state is AssessmentState.SUBMITTED:
        assessments.take_into_review(tx, assessment=assessment)
    tx.record(ReviewAssigned(review.id, review.vendor_id, reviewer_id, was))


def release(tx: Tx, *, review: Review, row_version: int | None = None) -> None:
    """Let a review go, so that it waits for somebody again; its verdicts stay.

    :raises Forbidden: for anybody but its reviewer and who gives out reviews.
    :raises Conflict: if nobody has it, it changed, or it is over.
    """
    if review.reviewer_id != tx.actor.id or tx.actor.id is None:
        policy.check(tx.actor, Action.REVIEW_ASSIGN, review)
    assessment = hold(tx, review)
    _check_takeable(review, assessment, row_version)
    was = review.reviewer_id
    if was is None:
        raise Conflict("Nobody has this review.", current=current(review, assessment))
    change = {"reviewer_id": None, "claimed_at": None, "row_version": review.row_version + 1}
    if not swap(tx, review, expect={"row_version": review.row_version, "closed_at": None}, change=change):
        raise Conflict(CHANGED, current=current(review, assessment))
    tx.record(ReviewReleased(review.id, review.vendor_id, was))


def end_withdrawn(tx: Tx, fact: AssessmentWithdrawn) -> None:
    """AssessmentWithdrawn: there is nothing to review any more."""
    review = latest(tx, fact.assessment_id)
    if review is None or review.closed_at is not None:
        return
    change = {"closed_at": tx.now, "row_version": review.row_version + 1}
    if swap(tx, review, expect={"closed_at": None}, change=change):
        tx.record(ReviewEnded(review.id, review.vendor_id, review.assessment_id, review.revision))


def check_working(review: Review, assessment: Assessment) -> None:
    """Refuse a change of a review that is not being worked on. Call it after ``hold``.

    :raises Conflict: if the revision is not in review.
    """
    if review.closed_at is not None or assessment.state is not AssessmentState.IN_REVIEW:
        raise Conflict(not_now(assessment.state), current=current(review, assessment))


def check_version(review: Review, assessment: Assessment, row_version: int | None) -> None:
    """Refuse what was decided on an older page.

    :raises Conflict: if the review changed since.
    """
    if row_version is not None and review.row_version != row_version:
        raise Conflict(CHANGED, current=current(review, assessment))


def _check_takeable(review: Review, assessment: Assessment, row_version: int | None) -> None:
    if review.closed_at is not None or assessment.state not in {
        AssessmentState.SUBMITTED,
        AssessmentState.IN_REVIEW,
    }:
        raise Conflict(not_now(assessment.state), current=current(review, assessment))
    check_version(review, assessment, row_version)


_NOT_NOW: Mapping[AssessmentState, str] = {
    AssessmentState.SUBMITTED: "Nobody has taken this review yet. Claim it first.",
    AssessmentState.CHANGES_REQUESTED: "The questions are back with the vendor. Nothing was changed.",
    AssessmentState.RECOMMENDED: "This review is finished and waits for a decision. A lead approver can return it.",
    AssessmentState.DECIDED: "This is decided. Nothing was changed.",
    AssessmentState.WITHDRAWN: "The vendor withdrew this. Nothing was changed.",
}


def not_now(state: AssessmentState) -> str:
    """Return why a review cannot be worked on in this state of its assessment."""
    return _NOT_NOW.get(state, "A newer revision took the place of this one. Nothing was changed.")


def _taken(tx: Tx, review: Review) -> str:
    person = people.people(tx, [review.reviewer_id]).get(review.reviewer_id) if review.reviewer_id else None
    return f"{person.full_name if person else 'Somebody'} has this review already."


def _some(person_id: UUID | None) -> UUID:
    if person_id is None:
        raise Forbidden("A person must do this.")
    return person_id
