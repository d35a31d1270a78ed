"""The reviewer's desk: every answer of a signed revision beside the one before, with its proofs and what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cached_property
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import Attestation, Citation
from portal.attestations.rules import SignedAnswer, Snapshot
from portal.attestations.service import Attested, MessageLine
from portal.audit.keeping import Keeper
from portal.evidence.models import Evidence
from portal.evidence.rules import KINDS
from portal.findings import service as findings
from portal.findings.service import FindingLine
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Answer, Question, Questionnaire, Section, credit
from portal.reviews import reviewing, rules, verdicts
from portal.reviews.models import Review
from portal.reviews.reviewing import Live
from portal.reviews.rules import Changed
from portal.reviews.unchanged import unchanged
from portal.reviews.verdicts import NoteLine, VerdictLine
from portal.scoring.rules import Mark
from portal.scoring.translate import Paper
from portal.terms import Acceptance, EvidenceState, ScanState, Verdict
from portal.vendors.models import Vendor


@dataclass(frozen=True, slots=True)
class CitedFile:
    """A file as it was signed with, and what is known of it now. ``also`` numbers the other questions it backs.

    ``counts`` is what the score makes of this use, None if it counts for nothing.
    """

    citation_id: UUID
    evidence_id: UUID
    pages: str
    sha256: str
    kind: str
    title: str
    file_name: str
    size: int
    page_count: int | None
    state: EvidenceState
    scan: ScanState
    acceptance: Acceptance
    judgement: str
    row_version: int
    is_new: bool
    also: tuple[str, ...]
    quote: str
    newer: UUID | None
    counts: Paper | None

    def holds(self, on: date) -> bool:
        """Whether this use of the file counts on a day."""
        reach = self.counts.reach if self.counts is not None else None
        return reach is not None and (reach.valid_until is None or on <= reach.valid_until)

    @property
    def kind_title(self) -> str:
        """The name of its kind."""
        return KINDS[self.kind].title

    @property
    def checks(self) -> tuple[str, ...]:
        """What a reviewer looks for in a file of this kind."""
        return KINDS[self.kind].checks

    @property
    def first_page(self) -> int:
        """The page that the vendor points at first; without one, the first of the file."""
        digits = "".join(each if each.isdigit() else " " for each in self.pages).split()
        return max(1, int(digits[0])) if digits and len(digits[0]) < 6 else 1


@dataclass(frozen=True, slots=True)
class Desk:
    """One answer to judge. What was before is None if the question was not asked then."""

    question: Question
    section: Section
    signed: SignedAnswer
    question_before: Question | None
    signed_before: SignedAnswer | None
    changed: Changed
    credit: int | None
    credit_before: int | None
    knock_out: bool
    mark: Mark | None
    loss: Fraction
    files: tuple[CitedFile, ...]
    verdict: VerdictLine
    finding: FindingLine | None
    messages: tuple[MessageLine, ...]
    notes: tuple[NoteLine, ...]

    @property
    def key(self) -> str:
        """The question's key."""
        return self.question.key

    @property
    def answer(self) -> Answer:
        """The answer as signed."""
        return self.signed.answer

    @property
    def before(self) -> Answer | None:
        """The answer as signed before."""
        return self.signed_before.answer if self.signed_before is not None else None

    @property
    def is_to_read(self) -> bool:
        """Whether there is something that nobody has read before."""
        return self.changed is not Changed.UNCHANGED


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that are read together: of one kind of change, or of one section where nothing was signed before."""

    changed: tuple[Changed, ...]
    section: Section | None
    desks: tuple[Desk, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A revision that the vendor signed before, to compare with."""

    id: UUID
    title: str
    revision: int
    signed_at: datetime
    same_assessment: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """How many answers of a revision have which verdict."""

    accepted: int
    flagged: int
    asked: int
    open: int

    @property
    def total(self) -> int:
        """All answers of the revision."""
        return self.accepted + self.flagged + self.asked + self.open


@dataclass(frozen=True)
class Workspace:
    """Everything a reviewer sees of one signed revision; desks in the order of the questionnaire."""

    review: Review
    assessment: Assessment
    vendor: Vendor
    questionnaire: Questionnaire
    attested: Attested
    compared_with: Attested | None
    live: Live
    desks: tuple[Desk, ...]
    findings: tuple[FindingLine, ...]
    notes: tuple[NoteLine, ...]
    earlier: tuple[Earlier, ...] = ()
    newer_review: UUID | None = None

    @cached_property
    def to_read(self) -> tuple[Desk, ...]:
        """The answers that say or prove something else than before, in the order of reading."""
        return tuple(desk for group in self.groups for desk in group.desks if desk.is_to_read)

    @property
    def replaced(self) -> tuple[Desk, ...]:
        """The answers of which the vendor replaced a file since it signed, so that it is to be checked again."""
        return tuple(desk for desk in self.desks if any(each.newer for each in desk.files))

    @property
    def tally(self) -> Tally:
        """How far the review is."""
        count = Counter(desk.verdict.verdict for desk in self.desks)
        return Tally(count[Verdict.ACCEPT], count[Verdict.FLAG], count[Verdict.ASK], count[None])

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The answers by what became of them; by section where there is nothing to compare with."""
        if self.compared_with is None:
            groups = [
                Group((Changed.FIRST,), each, tuple(desk for desk in self.desks if desk.section.key == each.key))
                for each in self.questionnaire.sections
            ]
        else:
            groups = [
                Group(kinds, None, tuple(desk for desk in self.desks if desk.changed in kinds))
                for kinds in rules.READ_TOGETHER
            ]
        return tuple(each for each in groups if each.desks)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The keys of the questions in the order of reading."""
        return tuple(desk.key for group in self.groups for desk in group.desks)

    def desk(self, key: str) -> Desk | None:
        """Return the desk of one question, if the revision asks it."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> Mapping[str, Desk]:
        return {each.key: each for each in self.desks}

    def first(self) -> str:
        """Return the key to begin with: the first without a verdict, else the first; "" if nothing is asked."""
        return self._undecided(self.order) or next(iter(self.order), "")

    def after(self, key: str) -> str:
        """Return where to go on after a verdict: the next without one, else the next, else the same."""
        return self.undecided_after(key) or next(iter(self.order[self.order.index(key) + 1 :]), key)

    def undecided_after(self, key: str) -> str:
        """Return the next answer without a verdict, beginning again at the top; "" if there is no other.

        What is unchanged comes when everything else is judged, also what was passed over.
        """
        at = self.order.index(key)
        around = (*self.order[at + 1 :], *self.order[:at])
        to_read = {desk.key for desk in self.to_read}
        return self._undecided([each for each in around if each in to_read]) or self._undecided(around)

    def _undecided(self, keys: Sequence[str]) -> str:
        undecided = {desk.key for desk in self.desks if desk.verdict.verdict is None}
        return next((key for key in keys if key in undecided), "")


@dataclass(frozen=True, slots=True)
class _Compared:
    """The revision signed before, with the version of the questionnaire that it answered."""

    attested: Attested
    questionnaire: Questionnaire

    def answer(self, key: str) -> tuple[Question | None, SignedAnswer | None]:
        """Return a question as it was put then and its answer; nothing if it was not asked."""
        signed = self.attested.snapshot.answers.get(key)
        if signed is None or not signed.is_asked or key not in self.questionnaire:
            return None, None
        return self.questionnaire.question(key), signed


def workspace(tx: Tx, review: Review, *, compare_with: UUID | None = None) -> Workspace:
    """Return everything that a reviewer, a lead approver or an auditor sees of a signed revision.

    :param compare_with: an earlier revision that the vendor signed; without it the one before, as for the vendor.
    :raises NotFound: if there is no such earlier revision of this vendor.
    :raises Forbidden: if the actor may not read reviews.
    """
    policy.check(tx.actor, Action.REVIEW_READ, review)
    assessment = tx.session.get_one(Assessment, review.assessment_id)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    signed = reviewing.attested_of(tx, review)
    today = tx.now.date()
    kept = unchanged(tx, review.vendor_id)
    others = kept.of(("earlier", review.id), lambda: _earlier(tx, review))
    before = _compared(tx, review, questionnaire, others, compare_with, kept)
    ruled = verdicts.rows_of(tx, review)
    said = {key: verdicts.line_of(key, row) for key, row in ruled.items()}
    wrong = tuple(findings.of_assessment(tx, assessment.id))
    # The first by number stands beside an answer.
    wrong_by_key = {each.question_key: each for each in reversed(wrong)}
    talks = attestations.messages_of(tx, assessment)
    notes = verdicts.notes_of(tx, review)
    live = reviewing.score_now(tx, review, said=ruled, kept=kept)
    worth, losses = live.marks, live.losses
    counted = {each.citation_id: each for each in live.papers}
    earlier = before.attested.snapshot if before is not None else None
    files = kept.of(
        ("files", signed.id, before.attested.id if before is not None else None),
        lambda: _files(tx, signed.snapshot, earlier, questionnaire, counted),
    )
    desks = []
    for question in questionnaire.questions:
        key = question.key
        answered = signed.snapshot.answers.get(key)
        if answered is None or not answered.is_asked:
            continue
        question_before, answered_before = before.answer(key) if before is not None else (None, None)
        points = credit(question, answered.answer)
        points_before = (
            credit(question_before, answered_before.answer) if question_before and answered_before is not None else None
        )
        desks.append(
            Desk(
                question=question,
                section=questionnaire.section(question.section),
                signed=answered,
                question_before=question_before,
                signed_before=answered_before,
                changed=Changed.FIRST
                if before is None
                else rules.changed_how(
                    old=answered_before.content if answered_before is not None else None,
                    new=answered.content,
                    old_credit=points_before,
                    new_credit=points,
                    same_files=_bytes(before.attested.snapshot, key) == _bytes(signed.snapshot, key),
                    files_hold=all(each.holds(today) for each in files.get(key, ())),
                ),
                credit=points,
                credit_before=points_before,
                knock_out=question.is_knock_out_in(assessment.tier),
                mark=worth.get(key),
                loss=losses.get(key, Fraction(0)),
                files=files.get(key, ()),
                verdict=said.get(key, verdicts.line_of(key, None)),
                finding=wrong_by_key.get(key),
                messages=talks.get(key, ()),
                notes=tuple(notes.get(key, ())),
            )
        )
    return Workspace(
        review=review,
        assessment=assessment,
        vendor=reviewing.vendor_of(tx, review),
        questionnaire=questionnaire,
        attested=signed,
        compared_with=before.attested if before is not None else None,
        live=live,
        desks=tuple(desks),
        findings=wrong,
        notes=tuple(notes.get("", ())),
        earlier=others,
        newer_review=_newer(tx, review),
    )


MOST_EARLIER = 30
"""Earlier revisions on offer to compare with."""


def _earlier(tx: Tx, review: Review) -> tuple[Earlier, ...]:
    """Return what the vendor signed before this revision, the newest first."""
    this = tx.session.get_one(Attestation, review.attestation_id)
    statement = (
        sa.select(Attestation.id, Assessment.title, Attestation.revision, Attestation.signed_at, Assessment.id)
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .where(
            Attestation.vendor_id == review.vendor_id,
            Attestation.id != this.id,
            Attestation.signed_at <= this.signed_at,
        )
        .order_by(Attestation.signed_at.desc(), Attestation.revision.desc(), Attestation.id)
        .limit(MOST_EARLIER)
    )
    return tuple(
        Earlier(row_id, title, revision, signed_at, same_assessment=assessment_id == review.assessment_id)
        for row_id, title, revision, signed_at, assessment_id in tx.session.execute(statement)
    )


def _newer(tx: Tx, review: Review) -> UUID | None:
    """Return the review of a later revision, if the vendor signed one."""
    if review.closed_at is None:
        return None
    last = reviewing.latest(tx, review.assessment_id)
    return last.id if last is not None and last.revision > review.revision else None


def _compared(
    tx: Tx, review: Review, questionnaire: Questionnaire, others: Sequence[Earlier], chosen: UUID | None, kept: Keeper
) -> _Compared | None:
    if chosen is not None:
        if chosen not in {each.id for each in others}:
            raise NotFound
        earlier = attestations.attested(tx, chosen)
    else:
        previous = _previous(tx, review, kept)
        if previous is None:
            return None
        earlier = attestations.attested(tx, previous)
    if earlier.snapshot.questionnaire_digest == questionnaire.digest:
        return _Compared(earlier, questionnaire)
    older = tx.session.get_one(Assessment, earlier.snapshot.assessment_id)
    return _Compared(earlier, questionnaires.compiled(tx, older.questionnaire_id))


def _previous(tx: Tx, review: Review, kept: Keeper) -> UUID | None:
    """Return what the vendor signed before the revision that a review is about."""

    def found() -> UUID | None:
        row = attestations.previous(tx, tx.session.get_one(Attestation, review.attestation_id))
        return row.id if row is not None else None

    return kept.of(("previous", review.attestation_id), found)


def _bytes(snapshot: Snapshot, key: str) -> set[tuple[str, str]]:
    return {(each.sha256, each.pages) for each in snapshot.citations_of(key)}


def _files(
    tx: Tx,
    snapshot: Snapshot,
    before: Snapshot | None,
    questionnaire: Questionnaire,
    counted: Mapping[UUID, Paper],
) -> Mapping[str, tuple[CitedFile, ...]]:
    ids = [each.citation_id for each in snapshot.citations]
    statement = (
        sa.select(Citation.id, Citation.acceptance, Evidence)
        .join(Evidence, Evidence.id == Citation.evidence_id)
        .where(Citation.id.in_(ids))
    )
    known = {row.id: row for row in tx.session.execute(statement)}
    again = attestations.check_again_of(tx, ids)
    uses: dict[UUID, set[str]] = {}
    for each in snapshot.citations:
        uses.setdefault(each.evidence_id, set()).add(each.question_key)
    found: dict[str, tuple[CitedFile, ...]] = {}
    for each in snapshot.citations:
        acceptance, file = known[each.citation_id].acceptance, known[each.citation_id].Evidence
        was = {other.sha256 for other in before.citations_of(each.question_key)} if before is not None else set()
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
            state=file.state,
            scan=file.scan,
            acceptance=acceptance,
            judgement=file.judgement,
            row_version=file.row_version,
            is_new=bool(was) and each.sha256 not in was,
            also=tuple(sorted(map(questionnaire.number_of, uses[each.evidence_id] - {each.question_key}))),
            quote=each.quote,
            newer=again.get(each.citation_id),
            counts=counted.get(each.citation_id),
        )
        found[each.question_key] = (*found.get(each.question_key, ()), line)
    return found
