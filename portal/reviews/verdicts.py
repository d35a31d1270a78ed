"""Judging answer by answer: accept, flag, ask, take back; files let in as proof or not; the lab's own notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import AttestedCitation, Citation
from portal.attestations.rules import MAX_MESSAGE, SignedAnswer, tidy_message
from portal.findings import service as findings
from portal.findings.service import Wrong
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import QuestionState
from portal.reviews import duties, reviewing
from portal.reviews.facts import AnswerJudged, CitationJudged, NoteWritten, VerdictTakenBack
from portal.reviews.models import AnswerVerdict, InternalNote, Review
from portal.terms import Acceptance, Verdict

KNOCK_OUT = "A knock-out question cannot be set aside here. Flag it, or ask the vendor to answer it"


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """What is said of one answer. ``version`` goes back with the next verdict; 0 means that nothing was said yet."""

    question_key: str
    verdict: Verdict | None
    note: str
    finding_id: UUID | None
    given_by: UUID | None
    given_at: datetime | None
    carried: bool
    version: int
    by_rule: str | None = None

    @property
    def locked(self) -> bool:
        """Whether a person accepted it before and it says the same: there is nothing to judge."""
        return self.carried and self.verdict is Verdict.ACCEPT and self.by_rule is None


def line_of(key: str, row: AnswerVerdict | None) -> VerdictLine:
    """Return a stored verdict as pages show it, or an empty one."""
    if row is None:
        return VerdictLine(key, None, "", None, None, None, carried=False, version=0)
    return VerdictLine(
        key,
        row.verdict,
        row.note,
        row.finding_id,
        row.given_by,
        row.given_at,
        carried=row.carried_from is not None,
        version=row.version,
        by_rule=row.by_rule,
    )


def verdict_lines(tx: Tx, review: Review) -> dict[str, VerdictLine]:
    """Return what was said of the answers of a review, by question; also what was taken back, for its version."""
    return {key: line_of(key, row) for key, row in rows_of(tx, review).items()}


def rows_of(tx: Tx, review: Review) -> dict[str, AnswerVerdict]:
    """Return the rows of the same, as they are stored now."""
    statement = (
        sa.select(AnswerVerdict)
        .where(AnswerVerdict.review_id == review.id)
        .order_by(AnswerVerdict.question_key)
        .execution_options(populate_existing=True)
    )
    return {row.question_key: row for row in tx.session.execute(statement).scalars()}


def judge(
    tx: Tx,
    *,
    review: Review,
    question_key: str,
    verdict: Verdict,
    note: str = "",
    wrong: Wrong | None = None,
    version: int = 0,
) -> VerdictLine:
    """Say what is to be said of one answer. A draft: the vendor sees nothing of it until the review is sent.

    Accepting a claim that the question does not apply takes it out of the score.

    :param note: the question to the vendor for an ask; else a remark, kept with the verdict.
    :param wrong: what is wrong, for a flag.
    :param version: of the verdict that the page showed; 0 if there was none.
    :raises NotFound: if the revision does not ask this question.
    :raises Forbidden: for anybody but the reviewer.
    :raises Refused: with the problems of verdict, note, what, closes_when, due_on and credit.
    :raises Conflict: if it is not in review, accepted already in the revision before, or the verdict changed meanwhile.
    """
    assessment, row = _held(tx, review, question_key, version)
    signed = attestations.attested_answer(tx, review.attestation_id, question_key)
    text = _note(note)
    if verdict is Verdict.ACCEPT:
        _check_acceptable(tx, assessment, question_key, signed)
    if verdict is Verdict.ASK and not text:
        raise Refused(problems={"note": ["Write your question to the vendor"]})
    if verdict is Verdict.FLAG and wrong is None:
        raise Refused(problems={"what": ["Enter what is wrong, for the vendor to read"]})
    finding_id = None
    if verdict is Verdict.FLAG and wrong is not None:
        finding_id = findings.draft(
            tx,
            vendor_id=review.vendor_id,
            assessment_id=review.assessment_id,
            revision=review.revision,
            question_key=question_key,
            wrong=wrong,
        ).id
    else:
        findings.drop(tx, assessment_id=review.assessment_id, question_key=question_key)
    row = _write(tx, review, row, question_key, verdict, text, finding_id)
    tx.record(AnswerJudged(review.id, review.vendor_id, question_key, verdict.value, row.version, finding_id))
    return line_of(question_key, row)


def clear_verdict(tx: Tx, *, review: Review, question_key: str, version: int) -> VerdictLine:
    """Take a verdict back, with its finding, as long as nobody else saw it.

    :raises NotFound: if the revision does not ask this question.
    :raises Forbidden: for anybody but the reviewer.
    :raises Conflict: if there is none, it is not in review, or the verdict changed meanwhile.
    """
    _, row = _held(tx, review, question_key, version)
    attestations.attested_answer(tx, review.attestation_id, question_key)
    if row is None or row.verdict is None:
        raise Conflict("There is no verdict to take back.", current={"verdict": None})
    was = row.verdict
    findings.drop(tx, assessment_id=review.assessment_id, question_key=question_key)
    _write(tx, review, row, question_key, None, "", None)
    tx.record(VerdictTakenBack(review.id, review.vendor_id, question_key, was.value, row.version))
    return line_of(question_key, row)


def reopen_verdict(tx: Tx, *, review: Review, question_key: str, reason: str) -> VerdictLine:
    """Judge an answer again that was accepted in the revision before, for a reason that only the lab sees.

    :raises Refused: without a reason.
    :raises Conflict: if it is not such an answer, or not in review.
    """
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    assessment = reviewing.hold(tx, review)
    reviewing.check_working(review, assessment)
    row = tx.session.get(AnswerVerdict, (review.id, question_key), populate_existing=True)
    if row is None or not line_of(question_key, row).locked:
        raise Conflict("This answer is open to judge.")
    if not reason.strip():
        raise Refused(problems={"reason": ["Say why you look at it again"]})
    note_internal(tx, review=review, question_key=question_key, body=f"Judged again: {reason.strip()}")
    row.carried_from = None
    _write(tx, review, row, question_key, None, "", None)
    tx.record(VerdictTakenBack(review.id, review.vendor_id, question_key, Verdict.ACCEPT.value, row.version))
    return line_of(question_key, row)


def judge_citation(
    tx: Tx, *, review: Review, citation_id: UUID, acceptance: Acceptance, seen: Acceptance | None = None
) -> bool:
    """Let a file prove an answer, or not; return whether that says something new.

    A rejected use counts as if the file were not there. A citation names one file at its pages for ever: what is
    accepted is what was seen, also when a newer revision arrives in the same moment.

    :param seen: what stood on the page, if it matters that nobody said otherwise since.
    :raises NotFound: if the revision does not cite it.
    :raises Forbidden: for anybody but the reviewer.
    :raises Conflict: if it is not in review, or somebody judged it meanwhile.
    """
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    assessment = reviewing.hold(tx, review)
    reviewing.check_working(review, assessment)
    signed = get_one(
        tx,
        sa.select(AttestedCitation).where(
            AttestedCitation.attestation_id == review.attestation_id, AttestedCitation.citation_id == citation_id
        ),
    )
    if signed is None:
        raise NotFound
    row = tx.session.get_one(Citation, citation_id, with_for_update=True)
    if row.acceptance is acceptance:
        return False
    if seen is not None and row.acceptance is not seen:
        raise Conflict("Somebody judged this meanwhile. Look at it again.")
    judged = acceptance is not Acceptance.UNJUDGED
    change = {
        "acceptance": acceptance,
        "judged_by": tx.actor.id if judged else None,
        "judged_at": tx.now if judged else None,
    }
    if not swap(tx, row, expect={"acceptance": row.acceptance}, change=change):
        raise Conflict(reviewing.CHANGED, current={"acceptance": row.acceptance.value})
    tx.record(
        CitationJudged(
            citation_id, review.vendor_id, review.id, signed.question_key, signed.evidence_id, acceptance.value
        )
    )
    return True


def note_internal(tx: Tx, *, review: Review, body: str, question_key: str = "") -> NoteLine:
    """Write a note that only the lab sees. It stays.

    :raises Forbidden: for anybody but the reviewer and lead approvers.
    :raises Refused: with the problem of body.
    """
    policy.check(tx.actor, Action.NOTE_INTERNAL, review)
    if tx.actor.id is None:
        raise Forbidden("A person writes notes.")
    if question_key:
        attestations.attested_answer(tx, review.attestation_id, question_key)
    row = InternalNote(
        id=tx.new_id(),
        vendor_id=review.vendor_id,
        assessment_id=review.assessment_id,
        question_key=question_key,
        author_id=tx.actor.id,
        author_name=tx.actor.name,
        body=tidy_message(body),
        written_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(NoteWritten(row.id, row.vendor_id, row.assessment_id, question_key))
    return NoteLine(row.id, question_key, row.author_id, row.author_name, row.body, row.written_at)


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A note that only the lab sees."""

    id: UUID
    question_key: str
    author_id: UUID
    author_name: str
    body: str
    at: datetime


def notes_of(tx: Tx, review: Review) -> dict[str, Sequence[NoteLine]]:
    """Return the lab's own notes about an assessment by question, the oldest first; "" for those about the whole.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check(tx.actor, Action.REVIEW_READ, review)
    statement = (
        sa.select(InternalNote)
        .where(InternalNote.assessment_id == review.assessment_id)
        .order_by(InternalNote.written_at, InternalNote.id)
        .limit(5_000)
    )
    found: dict[str, list[NoteLine]] = {}
    for row in tx.session.execute(statement).scalars():
        line = NoteLine(row.id, row.question_key, row.author_id, row.author_name, row.body, row.written_at)
        found.setdefault(row.question_key, []).append(line)
    return {key: tuple(lines) for key, lines in found.items()}


def post_message(
    tx: Tx, *, review: Review, question_key: str, body: str, asks: bool = True
) -> attestations.MessageLine:
    """Write to the vendor in the conversation about a question, at once; refusals as ``attestations.post_message``."""
    assessment = tx.session.get_one(Assessment, review.assessment_id)
    return attestations.post_message(
        tx, assessment=assessment, question_key=question_key, body=body, reviewer_id=review.reviewer_id, asks=asks
    )


def _held(tx: Tx, review: Review, key: str, version: int) -> tuple[Assessment, AnswerVerdict | None]:
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    duties.refuse_tied(tx, reviewing.vendor_of(tx, review), "Somebody else judges this.")
    assessment = reviewing.hold(tx, review)
    policy.check(tx.actor, Action.REVIEW_JUDGE, review)
    reviewing.check_working(review, assessment)
    row = tx.session.get(AnswerVerdict, (review.id, key), populate_existing=True)
    line = line_of(key, row)
    if line.locked:
        raise Conflict(
            "This answer was accepted in the revision before and has not changed since. It stays accepted.",
            current={"verdict": Verdict.ACCEPT.value, "version": line.version},
        )
    if line.version != version:
        raise Conflict(
            "This verdict changed since you opened the page. Look at it again.",
            current={"verdict": line.verdict.value if line.verdict else None, "version": line.version},
        )
    return assessment, row


def _check_acceptable(tx: Tx, assessment: Assessment, key: str, signed: SignedAnswer) -> None:
    if signed.state is not QuestionState.NA_CLAIMED:
        return
    question = questionnaires.compiled(tx, assessment.questionnaire_id).question(key)
    if question.is_knock_out_in(assessment.tier):
        raise Refused(problems={"verdict": [KNOCK_OUT]})


def _note(note: str) -> str:
    if not note.strip():
        return ""
    try:
        return tidy_message(note)
    except Refused as refusal:
        fallback = [f"Shorten it to {MAX_MESSAGE:,} characters"]
        raise Refused(problems={"note": refusal.problems.get("body", fallback)}) from None


def _write(
    tx: Tx,
    review: Review,
    row: AnswerVerdict | None,
    key: str,
    verdict: Verdict | None,
    note: str,
    finding_id: UUID | None,
) -> AnswerVerdict:
    if tx.actor.id is None:
        raise Forbidden("A person judges.")
    if row is None:
        row = AnswerVerdict(
            review_id=review.id,
            question_key=key,
            vendor_id=review.vendor_id,
            verdict=verdict,
            note=note,
            finding_id=finding_id,
            given_by=tx.actor.id,
            given_at=tx.now,
        )
        tx.session.add(row)
    else:
        row.verdict, row.note, row.finding_id = verdict, note, finding_id
        row.given_by, row.given_at, row.carried_from = tx.actor.id, tx.now, None
        row.by_rule = row.act_id = None
        row.version += 1
    tx.session.flush()
    return row
