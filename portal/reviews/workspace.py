"""The reviewer's desk: every answer of a signed revision beside the one before, with its proofs and what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import Attestation, Citation
from portal.attestations.rules import SignedAnswer, SignedCitation, Snapshot
from portal.attestations.service import Attested, MessageLine
from portal.evidence.models import Evidence
from portal.findings import service as findings
from portal.findings.service import FindingLine
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Answer, Question, Questionnaire, QuestionState, Section, credit
from portal.reviews import reviewing, rules, verdicts
from portal.reviews.models import Review
from portal.reviews.reviewing import Live
from portal.reviews.rules import Changed
from portal.reviews.verdicts import NoteLine, VerdictLine
from portal.terms import Acceptance, EvidenceState, ScanState, Verdict
from portal.vendors.models import Vendor


@dataclass(frozen=True, slots=True)
class CitedFile:
    """A file as it was signed with, and what is known of it now."""

    citation_id: UUID
    evidence_id: UUID
    pages: str
    sha256: str
    kind: str
    title: str
    file_name: str
    size: int
    page_count: int | None
    valid_until: date | None
    state: EvidenceState
    scan: ScanState
    acceptance: Acceptance


@dataclass(frozen=True, slots=True)
class Desk:
    """One answer to judge. ``before`` is the answer of the revision before, None if it was not asked then."""

    question: Question
    section: Section
    answer: Answer
    state: QuestionState
    before: Answer | None
    changed: Changed
    credit: int | None
    credit_before: int | None
    knock_out: bool
    files: tuple[CitedFile, ...]
    files_before: tuple[SignedCitation, ...]
    verdict: VerdictLine
    finding: FindingLine | None
    messages: tuple[MessageLine, ...]
    notes: tuple[NoteLine, ...]

    @property
    def key(self) -> str:
        """The question's key."""
        return self.question.key

    @property
    def na_claimed(self) -> bool:
        """Whether the vendor says that the question does not apply."""
        return self.state is QuestionState.NA_CLAIMED

    @property
    def can_accept(self) -> bool:
        """Whether it can be accepted: a knock-out is never set aside here."""
        return not (self.na_claimed and self.knock_out)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything a reviewer sees of one signed revision."""

    review: Review
    assessment: Assessment
    vendor: Vendor
    questionnaire: Questionnaire
    attested: Attested
    compared_with: Attested | None
    live: Live
    desks: tuple[Desk, ...]
    notes: tuple[NoteLine, ...]

    @property
    def said(self) -> Mapping[str, int]:
        """How many answers are accept, flag, ask and open."""
        count = Counter(desk.verdict.verdict.value if desk.verdict.verdict else "open" for desk in self.desks)
        return {name: count[name] for name in (*(each.value for each in Verdict), "open")}

    @property
    def groups(self) -> Sequence[tuple[Changed, Sequence[Desk]]]:
        """The answers by what became of them, in the order of reading; settled ones come as unchanged."""
        found: dict[Changed, list[Desk]] = {each: [] for each in Changed}
        for desk in self.desks:
            found[desk.changed].append(desk)
        return [(changed, desks) for changed, desks in found.items() if desks]

    def desk(self, key: str) -> Desk | None:
        """Return the desk of one question, if the revision asks it."""
        return next((each for each in self.desks if each.key == key), None)


def workspace(tx: Tx, review: Review) -> Workspace:
    """Return everything that a reviewer, a lead approver or an auditor sees of a signed revision.

    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check(tx.actor, Action.REVIEW_READ, review)
    assessment = tx.session.get_one(Assessment, review.assessment_id)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    signed = reviewing.attested_of(tx, review)
    earlier = attestations.previous(tx, tx.session.get_one(Attestation, review.attestation_id))
    before = attestations.attested(tx, earlier.id) if earlier is not None else None
    said = verdicts.verdict_lines(tx, review)
    wrong = {each.question_key: each for each in findings.of_assessment(tx, assessment.id)}
    talks = attestations.messages_of(tx, assessment)
    notes = verdicts.notes_of(tx, review)
    files = _files(tx, signed.snapshot)
    desks = []
    for question in questionnaire.questions:
        answered = signed.snapshot.answers.get(question.key)
        if answered is None or not answered.is_asked:
            continue
        desks.append(
            _desk(
                question,
                questionnaire.section(question.section),
                answered,
                signed.snapshot,
                before.snapshot if before is not None else None,
                knock_out=question.is_knock_out_in(assessment.tier),
                files=files.get(question.key, ()),
                verdict=said.get(question.key, verdicts.line_of(question.key, None)),
                finding=wrong.get(question.key),
                messages=talks.get(question.key, ()),
                notes=tuple(notes.get(question.key, ())),
            )
        )
    return Workspace(
        review=review,
        assessment=assessment,
        vendor=reviewing.vendor_of(tx, review),
        questionnaire=questionnaire,
        attested=signed,
        compared_with=before,
        live=reviewing.score_now(tx, review),
        desks=tuple(desks),
        notes=tuple(notes.get("", ())),
    )


def _desk(
    question: Question,
    section: Section,
    signed: SignedAnswer,
    snapshot: Snapshot,
    before: Snapshot | None,
    *,
    knock_out: bool,
    files: tuple[CitedFile, ...],
    verdict: VerdictLine,
    finding: FindingLine | None,
    messages: tuple[MessageLine, ...],
    notes: tuple[NoteLine, ...],
) -> Desk:
    old = before.answers.get(question.key) if before is not None else None
    if old is not None and not old.is_asked:
        old = None
    files_before = before.citations_of(question.key) if before is not None else ()
    worth, worth_before = _credit(question, signed), _credit(question, old) if old is not None else None
    changed = rules.changed_how(
        old=old.content if old is not None else None,
        new=signed.content,
        old_credit=worth_before,
        new_credit=worth,
        same_files=_bytes(files_before) == _bytes(snapshot.citations_of(question.key)),
    )
    return Desk(
        question=question,
        section=section,
        answer=signed.answer,
        state=signed.state,
        before=old.answer if old is not None else None,
        changed=changed,
        credit=worth,
        credit_before=worth_before,
        knock_out=knock_out,
        files=files,
        files_before=files_before,
        verdict=verdict,
        finding=finding,
        messages=messages,
        notes=notes,
    )


def _credit(question: Question, signed: SignedAnswer) -> int | None:
    """Return what an answer is worth; None where nothing is scored, or nothing was answered, or by another version."""
    if not question.is_scored or signed.state is not QuestionState.ANSWERED:
        return None
    return credit(question, signed.answer)


def _bytes(files: Sequence[SignedCitation]) -> set[tuple[str, str]]:
    return {(each.sha256, each.pages) for each in files}


def _files(tx: Tx, snapshot: Snapshot) -> dict[str, tuple[CitedFile, ...]]:
    ids = [each.citation_id for each in snapshot.citations]
    statement = (
        sa.select(Citation.id, Citation.acceptance, Evidence)
        .join(Evidence, Evidence.id == Citation.evidence_id)
        .where(Citation.id.in_(ids))
    )
    known = {row.id: row for row in tx.session.execute(statement)}
    found: dict[str, tuple[CitedFile, ...]] = {}
    for each in snapshot.citations:
        acceptance, file = known[each.citation_id].acceptance, known[each.citation_id].Evidence
        line = CitedFile(
            citation_id=each.citation_id,
            evidence_id=each.evidence_id,
            pages=each.pages,
            sha256=each.sha256,
            kind=file.kind,
            title=file.title,
            file_name=file.file_name,
            size=file.size,
            page_count=file.page_count,
            valid_until=file.valid_until,
            state=file.state,
            scan=file.scan,
            acceptance=acceptance,
        )
        found[each.question_key] = (*found.get(each.question_key, ()), line)
    return found
