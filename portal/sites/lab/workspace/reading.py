"""What the workspace shows of a review: the list by kind of change, one answer beside the one before, its proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.rules import SignedAnswer, SignedCitation, Snapshot
from portal.attestations.service import Attested
from portal.evidence import queries as files
from portal.evidence import service as evidence
from portal.evidence.rules import KINDS, Standing, state_on
from portal.findings import service as findings
from portal.identity import queries as people
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Questionnaire, credit
from portal.reviews import service as reviews
from portal.reviews.proofs import acceptances
from portal.reviews.service import Live, VerdictLine
from portal.scoring.rules import Mark
from portal.sites.lab.score_words import marks_by_key
from portal.sites.lab.workspace.wording import AnswerShown, Piece, answer_shown, difference
from portal.terms import ASSESSMENT_STATE_WORDS, Acceptance, EvidenceState, ScanState, Verdict
from portal.vendors import service as vendors


class Change(StrEnum):
    """What became of an answer since it was signed before."""

    DOWN = "down"
    CHANGED = "changed"
    NEW = "new"
    EVIDENCE = "evidence"
    SAME = "same"
    FIRST = "first"


GROUPS = (
    ("Went down", (Change.DOWN,)),
    ("Changed or new", (Change.CHANGED, Change.NEW)),
    ("Same answer, evidence changed", (Change.EVIDENCE,)),
    ("Unchanged", (Change.SAME,)),
)
CHIPS = {Change.DOWN: "down", Change.CHANGED: "diff", Change.NEW: "new"}
TAGS = {
    Change.DOWN: ("Went down", "t-bad", "trending-down"),
    Change.CHANGED: ("Changed", "t-info", "git-compare"),
    Change.NEW: ("New", "t-info", "plus"),
    Change.EVIDENCE: ("Evidence changed", "t-info", "file-clock"),
    Change.SAME: ("Unchanged", "t-plain", "check"),
    Change.FIRST: ("", "", ""),
}
VERDICT_ICONS = {
    Verdict.ACCEPT: ("check", "c-ok", "accepted"),
    Verdict.FLAG: ("flag", "c-bad", "flagged"),
    Verdict.ASK: ("message-circle-question-mark", "c-ask", "asked"),
    None: ("circle-dashed", "c-mute", "no verdict yet"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One answer in the list."""

    key: str
    number: str
    label: str
    change: Change
    verdict: Verdict | None
    carried: bool

    @property
    def chip(self) -> str:
        """The word at the end of the line."""
        return CHIPS.get(self.change, "")

    @property
    def icon(self) -> tuple[str, str, str]:
        """The icon of the verdict, its colour and its word."""
        return VERDICT_ICONS[self.verdict]


@dataclass(frozen=True, slots=True)
class Group:
    """Answers of one kind of change, or of one section on a first review."""

    title: str
    lines: tuple[Line, ...]
    folded: bool


@dataclass(frozen=True, slots=True)
class FileShown:
    """One file of the answer, as signed, with what is known of it now."""

    citation_id: UUID
    evidence_id: UUID
    kind: str
    title: str
    file_name: str
    pages: str
    first_page: int
    page_count: int | None
    size: int
    sha256: str
    state: EvidenceState
    scan: ScanState
    standing: Standing
    valid_until: date | None
    acceptance: Acceptance
    judgement: str
    row_version: int
    checks: tuple[str, ...]
    changed: bool
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """The selected answer with everything beside it."""

    question: Question
    section: str
    tag: tuple[str, str, str]
    maps: tuple[str, ...]
    now: AnswerShown | None
    before: AnswerShown | None
    before_label: str
    now_label: str
    said_changed: bool
    comment: tuple[Piece, ...]
    prepared_by: UUID | None
    mark: Mark | None
    mark_before: int | None
    loss: Fraction
    verdict: VerdictLine
    finding: Any | None
    files: tuple[FileShown, ...]
    messages: Sequence[Any]
    notes: Sequence[Any]
    position: int
    count: int
    previous: str
    next: str


@dataclass(frozen=True, slots=True)
class Head:
    """Who and what the review is about, and where it stands."""

    id: UUID
    vendor: str
    slug: str
    vendor_id: UUID
    assessment_id: UUID
    title: str
    questionnaire: str
    tier: int
    revision: int
    state: Any
    word: str
    signed_name: str
    signer_title: str
    signed_at: datetime
    digest: str
    reviewer_id: UUID | None
    row_version: int
    due_at: datetime
    closed_at: datetime | None
    recommended: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How far the draft is."""

    accepted: int
    flagged: int
    asked: int
    open: int

    @property
    def total(self) -> int:
        """All answers of the revision."""
        return self.accepted + self.flagged + self.asked + self.open


@dataclass(slots=True)
class Reading:
    """Everything read once for a page of the workspace."""

    review: Any
    assessment: Any
    head: Head
    questionnaire: Questionnaire
    signed: Attested
    before: Attested | None
    before_questionnaire: Questionnaire | None
    verdicts: Mapping[str, VerdictLine]
    live: Live
    marks: Mapping[str, Mark]
    groups: tuple[Group, ...]
    order: tuple[str, ...]
    counts: Counts


def read(tx: Tx, review_id: UUID, action: Action = Action.REVIEW_READ) -> Reading:
    """Return a review ready to be shown.

    :raises NotFound: if there is none.
    :raises Forbidden: if the actor may not read it.
    """
    review = reviews.get(tx, review_id, action)
    assessment = assessments.get(tx, review.assessment_id, Action.ASSESSMENT_READ)
    vendor = vendors.get(tx, review.vendor_id, Action.VENDOR_READ)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    signed = reviews.attested_of(tx, review)
    before, before_questionnaire = _before(tx, review, questionnaire)
    verdicts = reviews.verdict_lines(tx, review)
    live = reviews.score_now(tx, review)
    old = before.snapshot if before else None
    lines = tuple(
        Line(
            key=question.key,
            number=question.number,
            label=question.label,
            change=change_of(question, signed.snapshot, old, before_questionnaire),
            verdict=verdicts[question.key].verdict if question.key in verdicts else None,
            carried=question.key in verdicts and verdicts[question.key].carried,
        )
        for question in questionnaire.questions
        if question.key in signed.snapshot.answers and signed.snapshot.answers[question.key].is_asked
    )
    groups = grouped(lines, questionnaire)
    return Reading(
        review=review,
        assessment=assessment,
        head=_head(review, assessment, vendor, questionnaire, signed),
        questionnaire=questionnaire,
        signed=signed,
        before=before,
        before_questionnaire=before_questionnaire,
        verdicts=verdicts,
        live=live,
        marks=marks_by_key(live.inputs),
        groups=groups,
        order=tuple(line.key for group in groups for line in group.lines),
        counts=counted(lines),
    )


def counted(lines: Sequence[Line]) -> Counts:
    """Return how many answers have which verdict."""
    said = [line.verdict for line in lines]
    return Counts(
        accepted=said.count(Verdict.ACCEPT),
        flagged=said.count(Verdict.FLAG),
        asked=said.count(Verdict.ASK),
        open=said.count(None),
    )


def change_of(question: Question, now: Snapshot, before: Snapshot | None, earlier: Questionnaire | None) -> Change:
    """Return what became of an answer since it was signed before.

    It went down if it earns less than before: fewer points, or said not to apply where it earned some.
    """
    if before is None or earlier is None:
        return Change.FIRST
    old, new = before.answers.get(question.key), now.answers[question.key]
    if old is None or not old.is_asked or question.key not in earlier:
        return Change.NEW
    if earned(question, new) < earned(earlier.question(question.key), old):
        return Change.DOWN
    if dict(old.content) != dict(new.content):
        return Change.CHANGED
    if _bytes(before.citations_of(question.key)) != _bytes(now.citations_of(question.key)):
        return Change.EVIDENCE
    return Change.SAME


def earned(question: Question, signed: SignedAnswer) -> int:
    """Return the points of an answer before evidence and findings; nothing for blank and not applicable."""
    return credit(question, signed.answer) or 0


def grouped(lines: Sequence[Line], questionnaire: Questionnaire) -> tuple[Group, ...]:
    """Return the list by kind of change, or by section where there is nothing to compare with."""
    if all(line.change is Change.FIRST for line in lines):
        by_key = {line.key: line for line in lines}
        sections = (
            Group(
                f"{section.number} {section.title}",
                tuple(by_key[each.key] for each in section.questions if each.key in by_key),
                folded=False,
            )
            for section in questionnaire.sections
        )
        return tuple(each for each in sections if each.lines)
    groups = (
        Group(title, tuple(line for line in lines if line.change in kinds), folded=Change.SAME in kinds)
        for title, kinds in GROUPS
    )
    return tuple(each for each in groups if each.lines)


def first_key(reading: Reading) -> str:
    """Return the answer to begin with: the first without a verdict, else the first."""
    undecided = (key for key in reading.order if key not in reading.verdicts or not reading.verdicts[key].verdict)
    return next(undecided, reading.order[0] if reading.order else "")


def after(reading: Reading, key: str) -> str:
    """Return where to go on after a verdict: the next without one, else the next, else the same."""
    at = reading.order.index(key)
    rest = (*reading.order[at + 1 :], *reading.order[:at])
    undecided = (each for each in rest if each not in reading.verdicts or reading.verdicts[each].verdict is None)
    return next(undecided, reading.order[min(at + 1, len(reading.order) - 1)])


def answer_page(tx: Tx, reading: Reading, key: str) -> AnswerPage:
    """Return one answer with its proof, conversation and notes.

    :raises NotFound: if the revision does not ask this question.
    """
    if key not in reading.order:
        raise NotFound
    question = reading.questionnaire.question(key)
    new = reading.signed.snapshot.answers[key]
    change = change_of(
        question,
        reading.signed.snapshot,
        reading.before.snapshot if reading.before else None,
        reading.before_questionnaire,
    )
    old, old_question = _old(reading, key)
    now, before = (
        answer_shown(question, new.answer),
        answer_shown(old_question or question, old.answer if old else None),
    )
    at = reading.order.index(key)
    loss = next((each.value for each in reading.live.score.measures.losses if each.key == key), Fraction(0))
    found = [each for each in findings.of_assessment(tx, reading.assessment.id) if each.question_key == key]
    return AnswerPage(
        question=question,
        section=reading.questionnaire.section(question.section).title,
        tag=TAGS[change],
        maps=tuple(f"{reading.questionnaire.frameworks[name].name} {ids}" for name, ids in question.maps.items()),
        now=now,
        before=before,
        before_label=_label(reading.before, reading.signed),
        now_label=_label(reading.signed, reading.before),
        said_changed=before is not None and now is not None and before.said != now.said,
        comment=difference(before.comment, now.comment) if before and now else (),
        prepared_by=new.prepared_by,
        mark=reading.marks.get(key),
        mark_before=earned(old_question, old) if old and old_question and old_question.is_scored else None,
        loss=loss,
        verdict=reading.verdicts.get(key) or VerdictLine(key, None, "", None, None, None, carried=False, version=0),
        finding=next(iter(found), None),
        files=_files(tx, reading, key),
        messages=attestations.messages_of(tx, reading.assessment, key).get(key, ()),
        notes=reviews.notes_of(tx, reading.review).get(key, ()),
        position=at + 1,
        count=len(reading.order),
        previous=reading.order[at - 1] if at else "",
        next=reading.order[at + 1] if at + 1 < len(reading.order) else "",
    )


def findings_of(tx: Tx, reading: Reading) -> list[tuple[str, str, findings.FindingLine]]:
    """Return the findings of the assessment, each with the number and the label of its question."""
    return [
        (
            reading.questionnaire.number_of(each.question_key),
            reading.questionnaire.question(each.question_key).label,
            each,
        )
        for each in findings.of_assessment(tx, reading.assessment.id)
        if each.question_key in reading.questionnaire
    ]


def name_of(tx: Tx, person_id: UUID | None) -> str:
    """Return a person's name, nothing for nobody."""
    found = people.people(tx, [person_id]).get(person_id) if person_id else None
    return found.full_name if found else ""


def _head(review: Any, assessment: Any, vendor: Any, questionnaire: Questionnaire, signed: Attested) -> Head:
    return Head(
        id=review.id,
        vendor=vendor.name,
        slug=vendor.slug,
        vendor_id=vendor.id,
        assessment_id=assessment.id,
        title=assessment.title,
        questionnaire=f"{questionnaire.title} v{questionnaire.version}",
        tier=assessment.tier,
        revision=review.revision,
        state=assessment.state,
        word=ASSESSMENT_STATE_WORDS[assessment.state],
        signed_name=signed.signed_name,
        signer_title=signed.signer_title,
        signed_at=signed.signed_at,
        digest=signed.digest,
        reviewer_id=review.reviewer_id,
        row_version=review.row_version,
        due_at=review.due_at,
        closed_at=review.closed_at,
        recommended=review.recommended_at is not None,
    )


def _before(tx: Tx, review: Any, questionnaire: Questionnaire) -> tuple[Attested | None, Questionnaire | None]:
    row = attestations.previous(tx, attestations.get(tx, review.attestation_id, Action.REVIEW_READ))
    if row is None:
        return None, None
    earlier = attestations.attested(tx, row.id)
    if earlier.snapshot.questionnaire_digest == questionnaire.digest:
        return earlier, questionnaire
    older = assessments.get(tx, earlier.snapshot.assessment_id, Action.ASSESSMENT_READ)
    return earlier, questionnaires.compiled(tx, older.questionnaire_id)


def _old(reading: Reading, key: str) -> tuple[SignedAnswer | None, Question | None]:
    if reading.before is None or reading.before_questionnaire is None or key not in reading.before_questionnaire:
        return None, None
    signed = reading.before.snapshot.answers.get(key)
    return (signed, reading.before_questionnaire.question(key)) if signed and signed.is_asked else (None, None)


def _label(this: Attested | None, other: Attested | None) -> str:
    if this is None:
        return ""
    if other is not None and other.snapshot.assessment_id == this.snapshot.assessment_id:
        return f"Revision {this.snapshot.revision}"
    if other is not None and other.signed_at.year != this.signed_at.year:
        return str(this.signed_at.year)
    return f"{this.signed_at.day} {this.signed_at:%b %Y}"


def _bytes(cited: Sequence[SignedCitation]) -> set[tuple[str, str]]:
    return {(each.sha256, each.pages) for each in cited}


def _files(tx: Tx, reading: Reading, key: str) -> tuple[FileShown, ...]:
    was = {each.sha256 for each in reading.before.snapshot.citations_of(key)} if reading.before else set()
    acceptance = acceptances(tx, reading.review)
    return tuple(
        _file(tx, reading, each, changed=bool(was) and each.sha256 not in was, acceptance=acceptance)
        for each in reading.signed.snapshot.citations_of(key)
    )


def _file(
    tx: Tx, reading: Reading, cited: SignedCitation, *, changed: bool, acceptance: Mapping[UUID, Acceptance]
) -> FileShown:
    evidence.get(tx, cited.evidence_id, Action.EVIDENCE_READ)
    line = files.line(tx, cited.evidence_id)
    also = [
        reading.questionnaire.number_of(each.question_key)
        for each in reading.signed.snapshot.citations
        if each.evidence_id == cited.evidence_id and each.question_key != cited.question_key
    ]
    return FileShown(
        citation_id=cited.citation_id,
        evidence_id=cited.evidence_id,
        kind=line.kind_title,
        title=line.title,
        file_name=line.file_name,
        pages=cited.pages,
        first_page=_first_page(cited.pages),
        page_count=line.page_count,
        size=line.size,
        sha256=cited.sha256,
        state=line.state,
        scan=line.scan,
        standing=state_on(line, tx.now.date()),
        valid_until=line.valid_until,
        acceptance=acceptance.get(cited.citation_id, Acceptance.UNJUDGED),
        judgement=line.judgement,
        row_version=line.row_version,
        checks=KINDS[line.kind].checks,
        changed=changed,
        also=tuple(sorted(set(also))),
    )


def _first_page(pages: str) -> int:
    digits = "".join(each if each.isdigit() else " " for each in pages).split()
    return max(1, int(digits[0])) if digits and len(digits[0]) < 6 else 1
