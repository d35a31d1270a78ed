"""One file seen from all the answers that were signed with it: let in for many at once, or checked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import AttestedCitation, Citation
from portal.evidence.models import Evidence
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Answer, Question
from portal.reviews import duties, reviewing, rules, verdicts
from portal.reviews.models import Review
from portal.terms import Acceptance, AssessmentState

MOST_AT_ONCE = 100
"""Uses of a file that one act judges (ux.md, bulk)."""
_CHECKED_IN = frozenset({AssessmentState.IN_REVIEW, AssessmentState.DECIDED})


@dataclass(frozen=True, slots=True)
class Proof:
    """One answer that was signed with a file, or with an older revision of it.

    ``older`` names the file that was signed with where this one took its place; ``check_again`` says that nobody
    found yet that this one proves the same. ``why`` says why the actor cannot judge it now, as a sentence.
    """

    citation_id: UUID
    review_id: UUID
    assessment_title: str
    revision: int
    question: Question
    answer: Answer
    pages: str
    quote: str
    acceptance: Acceptance
    older: str
    check_again: bool
    why: str

    @property
    def open(self) -> bool:
        """Whether the actor can say something of it now."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one of many; ``why`` says why it was left."""

    name: str
    why: str = ""


def proofs_of(tx: Tx, evidence: Evidence) -> tuple[Proof, ...]:
    """Return the answers that stand signed with this file, or with an older revision of it, by assessment.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check(tx.actor, Action.REVIEW_READ, evidence)
    older = _older(tx, evidence)
    any_review = aliased(Review)
    newest = (
        sa.select(sa.func.max(any_review.revision))
        .where(any_review.assessment_id == Assessment.id)
        .correlate(Assessment)
        .scalar_subquery()
    )
    statement = (
        sa.select(AttestedCitation, Citation, Review, Assessment)
        .join(Citation, Citation.id == AttestedCitation.citation_id)
        .join(Review, Review.attestation_id == AttestedCitation.attestation_id)
        .join(Assessment, sa.and_(Assessment.id == Review.assessment_id, Review.revision == newest))
        .where(
            AttestedCitation.vendor_id == evidence.vendor_id,
            AttestedCitation.evidence_id.in_([evidence.id, *older]),
        )
        .order_by(Assessment.requested_at.desc(), Assessment.id)
        .limit(1_000)
    )
    rows = tx.session.execute(statement).all()
    again = attestations.check_again_of(tx, [row.Citation.id for row in rows])
    reviewers = people.people(tx, {row.Review.reviewer_id for row in rows})
    found = []
    for signed, citation, review, assessment in rows:
        waits = again.get(citation.id) == evidence.id
        if signed.evidence_id != evidence.id and not waits and citation.checked_evidence_id != evidence.id:
            continue
        asked = questionnaires.compiled(tx, assessment.questionnaire_id)
        if signed.question_key not in asked:
            continue
        answer = attestations.attested(tx, review.attestation_id).snapshot.answers.get(signed.question_key)
        if answer is None or not answer.is_asked:
            continue
        of_older = signed.evidence_id != evidence.id
        found.append(
            Proof(
                citation_id=citation.id,
                review_id=review.id,
                assessment_title=assessment.title,
                revision=review.revision,
                question=asked.question(signed.question_key),
                answer=answer.answer,
                pages=signed.pages,
                quote=signed.quote,
                acceptance=citation.acceptance,
                older=older[signed.evidence_id] if of_older else "",
                check_again=waits,
                why=_why_not(tx, review, assessment, reviewers, after_decision=of_older),
            )
        )
    order = {each: place for place, each in enumerate(dict.fromkeys(proof.review_id for proof in found))}
    return tuple(sorted(found, key=lambda each: (order[each.review_id], _place(each.question))))


def _place(question: Question) -> tuple[int, ...]:
    return tuple(int(each) for each in question.number.split(".") if each.isdigit())


def _older(tx: Tx, evidence: Evidence) -> dict[UUID, str]:
    """Return the files that this one took the place of, one after the other, with their names."""
    found: dict[UUID, str] = {}
    at: Evidence | None = evidence
    while at is not None and at.supersedes_id is not None and len(found) < MOST_AT_ONCE:
        at = tx.session.get(Evidence, at.supersedes_id)
        if at is not None:
            found[at.id] = at.file_name
    return found


def _why_not(
    tx: Tx,
    review: Review,
    assessment: Assessment,
    reviewers: Mapping[UUID, people.Person],
    *,
    after_decision: bool,
) -> str:
    if assessment.state is AssessmentState.DECIDED and after_decision:
        return "" if policy.may(tx.actor, Action.EVIDENCE_JUDGE, review) else "A reviewer or a lead approver judges it."
    if assessment.state is not AssessmentState.IN_REVIEW or review.closed_at is not None:
        return reviewing.not_now(assessment.state)
    if policy.may(tx.actor, Action.REVIEW_JUDGE, review):
        return ""
    reviewer = reviewers.get(review.reviewer_id) if review.reviewer_id else None
    return f"{reviewer.full_name} reviews this." if reviewer else "Nobody has claimed this review yet."


def accept_many(tx: Tx, *, evidence: Evidence, seen: Mapping[UUID, Acceptance]) -> tuple[Judged, ...]:
    """Let a file prove many answers at once; what cannot be judged is left with the reason, and the others go on.

    :param seen: the uses that were ticked, each with the acceptance that stood beside it.
    :raises Refused: if nothing is ticked, or more than one act takes.
    :raises NotFound: if a use is not of this file.
    """
    return _judge_many(tx, evidence, seen, Acceptance.ACCEPTED)


def reject_many(tx: Tx, *, evidence: Evidence, seen: Mapping[UUID, Acceptance], reason: str) -> tuple[Judged, ...]:
    """Say that a file does not prove these answers, and why; the reason is an internal note beside each of them.

    :raises Refused: without a reason; else as ``accept_many``.
    :raises NotFound: if a use is not of this file.
    """
    if not reason.strip():
        raise Refused(problems={"reason": ["Say why the file does not prove these answers"]})
    note = f"“{evidence.file_name}” does not prove this answer: {reason.strip()}"
    return _judge_many(tx, evidence, seen, Acceptance.REJECTED, note)


def recheck_many(tx: Tx, *, evidence: Evidence, citation_ids: Iterable[UUID]) -> tuple[Judged, ...]:
    """Say of many answers at once that this newer revision proves them as the older one did.

    :raises Refused: if nothing is ticked, or more than one act takes.
    :raises NotFound: if a use is not of an older revision of this file.
    """
    chosen = _chosen(tx, evidence, tuple(citation_ids))
    return _each(chosen, lambda proof: recheck(tx, citation_id=proof.citation_id, evidence=evidence))


def _judge_many(
    tx: Tx, evidence: Evidence, seen: Mapping[UUID, Acceptance], acceptance: Acceptance, note: str = ""
) -> tuple[Judged, ...]:
    chosen = _chosen(tx, evidence, tuple(seen))
    if any(each.older for each in chosen):
        raise NotFound

    def one(proof: Proof) -> None:
        review = tx.session.get_one(Review, proof.review_id)
        was = seen[proof.citation_id]
        new = verdicts.judge_citation(tx, review=review, citation_id=proof.citation_id, acceptance=acceptance, seen=was)
        if new and note:
            verdicts.note_internal(tx, review=review, question_key=proof.question.key, body=note)

    return _each(chosen, one)


def _chosen(tx: Tx, evidence: Evidence, ids: Sequence[UUID]) -> tuple[Proof, ...]:
    if not ids:
        raise Refused(problems={"cite": ["Tick the answers that you judge"]})
    if len(ids) > MOST_AT_ONCE:
        raise Refused(problems={"cite": [f"Tick at most {MOST_AT_ONCE} answers at once"]})
    known = {each.citation_id: each for each in proofs_of(tx, evidence)}
    if not set(ids) <= set(known):
        raise NotFound
    # In one order for everybody, so that two people at it never wait for each other.
    return tuple(sorted((known[each] for each in set(ids)), key=lambda each: (each.review_id, each.citation_id)))


def _each(chosen: Sequence[Proof], judge: Callable[[Proof], None]) -> tuple[Judged, ...]:
    done = []
    for proof in chosen:
        why = ""
        try:
            judge(proof)
        except (Conflict, Forbidden, Refused) as refusal:
            why = refusal.message or "Your role does not allow this."
        done.append(Judged(f"{proof.question.number} {proof.question.label}", why))
    return tuple(done)


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
