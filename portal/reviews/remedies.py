"""Judging the proof of a finding: verified, and the finding is closed; or returned, with words.

Closing restores the score as scoring.md says: the reviewer's credit for what the proof shows takes the place of the
finding's, with the file as its evidence. What follows at the gate and on the vendor's page is a reaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.evidence import facts as evidence_facts
from portal.evidence import queries as evidence_queries
from portal.evidence import service as evidence
from portal.evidence.models import Evidence
from portal.evidence.rules import KEPT, Worth, missing, needs_criteria, reach
from portal.findings import remedies
from portal.findings.facts import RemedyReturned, RemedyUndone, RemedyVerified
from portal.findings.models import Finding, Remedy
from portal.findings.remedies import MAX_NOTE, RemedyLine
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question
from portal.reviews import duties, reviewing, rules
from portal.reviews.models import Review
from portal.scoring import service as scoring
from portal.terms import EvidenceState, FindingState, RemedyAct
from portal.vendors.models import Vendor

FULL = 100
LATE = "The proof changed since you opened the page. Look at it again, then repeat what you did."


@dataclass(frozen=True, slots=True)
class Worths:
    """What a reviewer can say that an answer is worth with its proof: credit and words, the most first."""

    credit: int
    words: str


def get(tx: Tx, finding_id: UUID, action: Action = Action.REVIEW_READ) -> Finding:
    """Return a finding that its vendor was told of, for the lab.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    :raises StepUpRequired: if only the fresh factor is missing.
    """
    row = tx.session.get(Finding, finding_id)
    if row is None or row.shared_at is None or tx.actor.is_vendor:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def worths_of(finding: Finding, question: Question) -> tuple[Worths, ...]:
    """Return what the answer can be said to be worth: all of it, or one of the lower answers above the finding's."""
    least = finding.credit if finding.credit is not None else 0
    found = {FULL: "What the finding asked for: full points"}
    for option in question.choices:
        if option.credit is not None and least < option.credit < FULL:
            found.setdefault(option.credit, option.label)
    return tuple(Worths(credit, found[credit]) for credit in sorted(found, reverse=True))


def why_not(tx: Tx, finding: Finding) -> str:
    """Return why the actor does not judge the proof of this finding, as a sentence; empty if nothing bars it."""
    vendor = tx.session.get_one(Vendor, finding.vendor_id)
    me = duties.actor_as_candidate(tx, vendor)
    bars = rules.bars_to_review(me, vendor.name, vendor.mail_domains)
    return f"{me.name} {rules.sentence(bars)}. Somebody else judges this proof." if bars else ""


def verify(tx: Tx, *, finding: Finding, remedy_id: UUID, credit: int = FULL, note: str = "", row_version: int) -> None:
    """Find a proof good: the finding is closed, and the file counts as verified for its answer.

    :param remedy_id: the proof that the page showed.
    :param credit: what the proof shows the answer to be worth.
    :raises Forbidden: if the actor may not judge, or is tied to the vendor (S3).
    :raises Refused: with the problems of credit and note.
    :raises Conflict: if the finding is closed, another proof came, or the file cannot be verified now.
    """
    policy.check(tx.actor, Action.REMEDY_VERIFY, finding)
    _refuse_interest(tx, finding)
    words = _note(note)
    if not (finding.credit or 0) <= credit <= FULL:
        raise Refused(problems={"credit": ["Choose what the proof shows"]})
    # The file first, then the assessment, then the finding: whoever rejects a file takes them in this order too.
    step, file = _hold(tx, finding, remedy_id, row_version)
    _check_file(tx, file)
    # A file that its vendor did not describe yet closes the finding too: it counts as attached until it is verified.
    if file.state is EvidenceState.ATTACHED and not unverifiable(file):
        evidence.verify(tx, evidence=file, note=f"Proof of F-{finding.number}", row_version=file.row_version)
    remedies.move(
        tx,
        finding=finding,
        row_version=row_version,
        expect={"state": FindingState.OPEN, "remedy": RemedyAct.SENT},
        change={
            "state": FindingState.CLOSED,
            "remedy": RemedyAct.VERIFIED,
            "closed_by": tx.actor.id,
            "closed_at": tx.now,
        },
    )
    row = remedies.add_step(
        tx,
        finding=finding,
        act=RemedyAct.VERIFIED,
        evidence_id=file.id,
        pages=step.pages,
        note=words,
        credit=credit,
    )
    tx.record(
        RemedyVerified(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id, file.id, credit)
    )
    score_again(tx, finding, cause="remedied")


def give_back(tx: Tx, *, finding: Finding, remedy_id: UUID, note: str, row_version: int) -> None:
    """Ask for more than the proof shows, in words that the vendor reads; the finding stays open.

    :raises Forbidden: if the actor may not judge, or is tied to the vendor (S3).
    :raises Refused: without words.
    :raises Conflict: if the finding is closed, or another proof came.
    """
    policy.check(tx.actor, Action.REMEDY_RETURN, finding)
    _refuse_interest(tx, finding)
    words = _note(note)
    if not words:
        raise Refused(problems={"note": ["Say what is missing, so that the vendor can send it"]})
    step, file = _hold(tx, finding, remedy_id, row_version)
    remedies.move(
        tx,
        finding=finding,
        row_version=row_version,
        expect={"state": FindingState.OPEN, "remedy": RemedyAct.SENT},
        change={"remedy": RemedyAct.RETURNED},
    )
    row = remedies.add_step(
        tx, finding=finding, act=RemedyAct.RETURNED, evidence_id=file.id, pages=step.pages, note=words
    )
    tx.record(RemedyReturned(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id, file.id))


FileGone = (
    evidence_facts.EvidenceRejected
    | evidence_facts.EvidenceIntegrityFailed
    | evidence_facts.EvidenceInfected
    | evidence_facts.EvidenceRefused
)


def undo_of_file(tx: Tx, fact: FileGone) -> None:
    """EvidenceRejected, EvidenceIntegrityFailed, EvidenceInfected, EvidenceRefused: its findings are open again.

    Doubt closes: a finding that this file closed is open from this transaction on, and so is what it had opened.
    """
    statement = (
        sa.select(Finding)
        .where(
            Finding.vendor_id == fact.vendor_id,
            Finding.remedy.in_([RemedyAct.SENT, RemedyAct.VERIFIED]),
            Finding.id.in_(sa.select(Remedy.finding_id).where(Remedy.evidence_id == fact.evidence_id)),
        )
        .order_by(Finding.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for finding in tx.session.execute(statement).scalars().all():
        last = remedies.last_step(tx, finding.id)
        if last is None or last.evidence_id != fact.evidence_id:
            continue
        closed = finding.state is FindingState.CLOSED
        remedies.move(
            tx,
            finding=finding,
            row_version=finding.row_version,
            expect={"remedy": finding.remedy},
            change={"state": FindingState.OPEN, "remedy": RemedyAct.UNDONE, "closed_by": None, "closed_at": None},
        )
        row = remedies.add_step(
            tx,
            finding=finding,
            act=RemedyAct.UNDONE,
            evidence_id=fact.evidence_id,
            pages=last.pages,
            note=_UNDONE[type(fact)],
        )
        tx.record(
            RemedyUndone(finding.id, finding.vendor_id, finding.assessment_id, finding.number, row.id, fact.evidence_id)
        )
        if closed:
            score_again(tx, finding, cause="undone")


_UNDONE = {
    evidence_facts.EvidenceRejected: said("The file was sent back by a reviewer."),
    evidence_facts.EvidenceIntegrityFailed: said("The stored file is damaged."),
    evidence_facts.EvidenceInfected: said("We found malware in the file and did not keep it."),
    evidence_facts.EvidenceRefused: said("The file could not be taken."),
}


def score_again(tx: Tx, finding: Finding, *, cause: str) -> None:
    """Keep the score of the finding's revision as it stands now, with all its inputs."""
    review = review_of(tx, finding)
    if review is not None:
        scoring.score(
            tx,
            attestation_id=review.attestation_id,
            cause=cause,
            not_applicable=reviewing.set_aside(tx, review),
        )


def review_of(tx: Tx, finding: Finding) -> Review | None:
    """Return the newest review of the finding's assessment: its revision is the one that was decided on."""
    return reviewing.latest(tx, finding.assessment_id)


def question_of(tx: Tx, finding: Finding) -> Question:
    """Return the question that a finding is about."""
    assessment = tx.session.get_one(Assessment, finding.assessment_id)
    return questionnaires.compiled(tx, assessment.questionnaire_id).question(finding.question_key)


def steps_of(tx: Tx, finding: Finding) -> Sequence[RemedyLine]:
    """Return the steps of a finding in their order."""
    return remedies.steps_of(tx, [finding.id]).get(finding.id, ())


def unverifiable(file: Evidence) -> str:
    """Return why a file closes a finding as attached only, as a sentence; empty if it counts as verified."""
    if lacking := missing(file.kind, file.details):
        names = ", ".join(field.the for field in lacking)
        return f"The vendor has not given {names}: the file counts as attached until it is verified."
    if needs_criteria(file.kind, file.details) and not file.criteria_hit:
        return "Its opinion is qualified: the file counts as attached until the criteria are named and it is verified."
    return ""


def file_problem(tx: Tx, file: Evidence) -> str:
    """Return why a file cannot be verified as a proof now, as a sentence; empty if it can."""
    try:
        _check_file(tx, file)
    except Conflict as refusal:
        return refusal.message
    return ""


def _hold(tx: Tx, finding: Finding, remedy_id: UUID, row_version: int) -> tuple[RemedyLine, Evidence]:
    named = get_one(tx, sa.select(Remedy).where(Remedy.id == remedy_id, Remedy.finding_id == finding.id))
    if named is None:
        raise NotFound
    file = tx.session.get_one(Evidence, named.evidence_id, with_for_update=True)
    tx.session.refresh(file)
    if (review := review_of(tx, finding)) is not None:
        reviewing.hold(tx, review)
    tx.session.refresh(finding, with_for_update=True)
    last = remedies.last_step(tx, finding.id)
    current = {"state": finding.state.value, "row_version": finding.row_version}
    if finding.state is FindingState.CLOSED:
        raise Conflict(f"F-{finding.number} is closed already. Nothing was changed.", current=current)
    if last is None or last.id != remedy_id or last.act is not RemedyAct.SENT or finding.row_version != row_version:
        raise Conflict(LATE, current=current)
    return last, file


def _check_file(tx: Tx, file: Evidence) -> None:
    record = evidence_queries.records(tx, evidence_ids=[file.id]).get(file.id)
    if file.state is EvidenceState.RECEIVED:
        raise Conflict("The file is still being checked for malware. Look again in a minute.")
    if record is None or record.state not in KEPT:
        raise Conflict("The file cannot be opened any more, so it proves nothing. Return it and ask for another one.")
    if record.superseded:
        raise Conflict("The vendor replaced this file with a newer one. Return it and ask for the newer one.")
    if reach(record).on(tx.now.date()) is Worth.EXPIRED:
        raise Conflict("The file has ended: it proves nothing today. Return it and ask for one that holds.")


def _refuse_interest(tx: Tx, finding: Finding) -> None:
    vendor = tx.session.get_one(Vendor, finding.vendor_id)
    me = duties.actor_as_candidate(tx, vendor)
    bars = rules.bars_to_review(me, vendor.name, vendor.mail_domains)
    duties.refuse_interest(me.name, bars, "Somebody else judges this proof.")


def _note(note: str) -> str:
    words = note.strip()
    if len(words) > MAX_NOTE:
        raise Refused(problems={"note": [f"Keep it under {MAX_NOTE:,} characters; this is {len(words):,}"]})
    return words
