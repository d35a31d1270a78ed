"""Working offline: a workbook or CSV file out, and back in again by way of a comparison that a person reads first.

Source: interchange.md, "XLSX round trip". What comes back is written by the very command of the form, so sections,
versions and what is asked count as they do there; no online edit is ever written over unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from portal.assessments import rules as assessment_rules
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import AnswerEdit
from portal.evidence import service as evidence
from portal.exchange.comparing import (
    EXPORT,
    Compared,
    Report,
    Versions,
    compare,
    versions_in,
)
from portal.exchange.facts import AnswersImported
from portal.exchange.ground import ground_of
from portal.exchange.models import AnswerImport
from portal.exchange.reading import Upload
from portal.exchange.rules.merge import Choice, Content, Outcome, Settled, settled
from portal.exchange.workbook import FORMAT, Stamp
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused, TooMany
from portal.kernel.ledger import Tx, get_one
from portal.kernel.secrets import Keyring
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import to_json
from portal.terms import N_

MOST_A_DAY: Final = 100
"""Comparisons of one assessment within a day: each keeps a report."""

_DAY: Final = timedelta(days=1)

FORGED: Final = said(
    "The file does not prove that it was downloaded here: its hidden part was changed. "
    "Download a new copy, and copy your answers into it"
)
OTHER_ASSESSMENT: Final = said("This file belongs to another assessment. Bring it in where you downloaded it")
OTHER_QUESTIONS: Final = said(
    "The questions have changed since this file was downloaded. Download a new copy, and copy your answers into it"
)
OTHER_FORMAT: Final = said("This file was made by another version of this page. Download a new copy")
TOO_OFTEN: Final = N_("Files were brought in %(most)s times today. Try again tomorrow, or answer on the page")
CHANGED: Final = N_(
    "%(name)s: the answer changed after you read this comparison. Bring the file in again to compare anew"
)
MOVED: Final = said(
    "We moved this assessment to another version of the questions after this comparison. "
    "Download your answers again, and bring that file in"
)
CHOOSE: Final = N_("Choose which answer to keep for %(name)s")


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A file that was brought in: what it would change, and what came of it."""

    id: UUID
    format: str
    file_name: str
    exported_at: datetime
    staged_by: str
    staged_at: datetime
    applied_by: str
    applied_at: datetime | None
    report: Report
    result: Applied | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a file: the questions written, those confirmed, those kept as they are, and those left, with why."""

    taken: Sequence[str]
    confirmed: Sequence[str]
    kept: Sequence[str]
    left: Sequence[Sequence[str]]
    files: int


def stage(
    tx: Tx, *, assessment: Assessment, upload: Upload, what: str, file_name: str, sha256: str, keyring: Keyring
) -> AnswerImport:
    """Compare a file with what stands and keep the comparison; nothing is answered by it.

    :raises Refused: at the field ``file``, if it is not from here, of another assessment, or of other questions.
    :raises Conflict: if the assessment cannot be answered now.
    :raises TooMany: after very many files in one day.
    """
    stamp = _stamp(upload, keyring)
    if stamp.assessment_id != assessment.id:
        raise _refused(OTHER_ASSESSMENT)
    ground = ground_of(tx, assessment, since=stamp.exported_at)
    if stamp.questionnaire_digest != ground.questionnaire.digest:
        raise _refused(OTHER_QUESTIONS)
    _check_open(tx, assessment)
    _check_rate(tx, assessment)
    marked = versions_in(ground, upload, keyring, stamp)
    report = compare(ground, upload, marked, _bases(tx, assessment, marked))
    assert tx.actor.id is not None  # noqa: S101 - people only, says the policy
    row = AnswerImport(
        id=tx.new_id(),
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        format=what,
        file_name=file_name,
        sha256=sha256,
        exported_at=stamp.exported_at,
        report=report.plain(),
        staged_by=tx.actor.id,
        staged_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def get(tx: Tx, assessment: Assessment, import_id: UUID) -> AnswerImport:
    """Return a file that was brought in for an assessment.

    :raises NotFound: if there is none, or it is another assessment's.
    """
    row = get_one(tx, _imports(assessment).where(AnswerImport.id == import_id))
    if row is None:
        raise NotFound
    return row


def line_of(tx: Tx, row: AnswerImport) -> ImportLine:
    """Return a file that was brought in as pages show it."""
    return _line(row, people.people(tx, [row.staged_by, row.applied_by]))


def imports_of(tx: Tx, assessment: Assessment, *, limit: int = 5) -> Sequence[ImportLine]:
    """Return the files that were brought in last, the newest first."""
    newest = _imports(assessment).order_by(AnswerImport.staged_at.desc(), AnswerImport.id.desc()).limit(limit)
    rows = tx.session.execute(newest).scalars().all()
    names = people.people(tx, [each for row in rows for each in (row.staged_by, row.applied_by)])
    return [_line(row, names) for row in rows]


def _line(row: AnswerImport, names: Mapping[UUID, people.Person]) -> ImportLine:
    def name(person: UUID | None) -> str:
        return names[person].full_name if person is not None and person in names else ""

    return ImportLine(
        id=row.id,
        format=row.format,
        file_name=row.file_name,
        exported_at=row.exported_at,
        staged_by=name(row.staged_by),
        staged_at=row.staged_at,
        applied_by=name(row.applied_by),
        applied_at=row.applied_at,
        report=Report.of(row.report),
        result=Applied(**row.result) if row.result is not None else None,
    )


def apply_import(tx: Tx, *, assessment: Assessment, staged: AnswerImport, choices: Mapping[str, Choice]) -> Applied:
    """Write what a file changes, all in this transaction, each answer by the command of the form.

    An answer that changed since the comparison is left and named. A file is applied once: again gives the same result.

    :param choices: by question, which answer to keep where both changed.
    :raises Refused: at ``choice.<question>``, if a conflict has no choice yet; then nothing is written.
    :raises Conflict: if the assessment cannot be answered now, or asks another version since the comparison.
    """
    tx.session.refresh(staged, with_for_update=True)
    if staged.result is not None:
        return Applied(**staged.result)
    _check_open(tx, assessment)
    if any(each.moved_at >= staged.staged_at for each in attestations.migrations_of(tx, assessment)):
        raise Conflict(MOVED, current={"state": assessment.state.value})
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    there = attestations.answers_of(tx, assessment)
    report = Report.of(staged.report)
    verdicts = [(each, _settled(each, there.get(each.key), choices)) for each in report.lines]
    names = {question.key: f"{question.number} {question.label}" for question in asked.questions}
    if undecided := [each.key for each, verdict in verdicts if verdict is Settled.OPEN]:
        raise Refused(problems={f"choice.{key}": [said(CHOOSE, name=names[key])] for key in undecided})
    work = _Work(tx, assessment, names)
    for each, verdict in verdicts:
        if verdict is Settled.MOVED:
            work.left.append((each.key, said(CHANGED, name=names[each.key])))
        elif verdict is Settled.WRITE:
            work.write(each, there.get(each.key))
        elif each.outcome in (Outcome.KEEP, Outcome.CONFLICT):
            work.kept.append(each.key)
    work.confirm()
    for each in report.lines:
        work.cite(each)
    result = Applied(tuple(work.taken), tuple(work.confirmed), tuple(work.kept), tuple(work.left), work.files)
    staged.result = asdict(result)
    staged.applied_by = tx.actor.id
    staged.applied_at = tx.now
    tx.session.flush()
    tx.record(
        AnswersImported(
            import_id=staged.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            what=staged.format,
            digest=staged.sha256,
            taken=len(result.taken) + len(result.confirmed),
            kept=len(result.kept),
            left=len(result.left),
            files=result.files,
        )
    )
    return result


def _settled(each: Compared, line: attestations.AnswerLine | None, choices: Mapping[str, Choice]) -> Settled:
    now = to_json(line.answer) if line else {}
    choice = choices.get(each.key)
    return settled(Outcome(each.outcome), mine=each.mine, seen=each.seen, now=now, choice=choice)


class _Work:
    """Writes the answers of one file, and remembers what became of each."""

    def __init__(self, tx: Tx, assessment: Assessment, names: Mapping[str, str]) -> None:
        self._tx, self._assessment, self._names = tx, assessment, names
        self._confirming: dict[str, str] = {}
        self.taken: list[str] = []
        self.confirmed: list[str] = []
        self.kept: list[str] = []
        self.left: list[tuple[str, str]] = []
        self.files = 0

    def write(self, each: Compared, line: attestations.AnswerLine | None) -> None:
        if each.confirms:
            self._confirming[each.key] = each.confirms
            return
        try:
            attestations.save_answer(
                self._tx,
                assessment=self._assessment,
                question_key=each.key,
                raw=each.fields,
                version=line.version if line else 0,
            )
        except (Conflict, Forbidden, Refused) as refusal:
            self._leave(each.key, refusal.message)
        else:
            self.taken.append(each.key)

    def confirm(self) -> None:
        """Confirm earlier answers as one list, with their files, as the page does."""
        if self._confirming:
            done = attestations.confirm(
                self._tx, assessment=self._assessment, keys=list(self._confirming), seen=self._confirming
            )
            self.confirmed += done.done
            for key, why in done.left:
                self._leave(key, why)

    def cite(self, each: Compared) -> None:
        """Attach the files of the library that a line names."""
        for identifier in each.files:
            try:
                file = evidence.get(self._tx, UUID(identifier), Action.EVIDENCE_READ)
                attestations.cite(self._tx, assessment=self._assessment, question_key=each.key, evidence=file)
            except NotFound:
                self._leave(each.key, "a file is no longer in your library")
            except (Conflict, Forbidden, Refused) as refusal:
                self._leave(each.key, refusal.message)
            else:
                self.files += 1

    def _leave(self, key: str, why: str) -> None:
        self.left.append((key, said("%(label)s: %(problem)s", label=self._names[key], problem=why)))


def _stamp(upload: Upload, keyring: Keyring) -> Stamp:
    meta = upload.meta
    if meta["format"] != FORMAT:
        raise _refused(OTHER_FORMAT)
    try:
        stamp = Stamp(
            UUID(meta["assessment"]),
            meta["questionnaire"],
            int(meta["base_revision"]),
            datetime.fromisoformat(meta["exported_at"]),
        )
    except ValueError:
        raise _refused(FORGED) from None
    if stamp.exported_at.tzinfo is None or not keyring.is_ours(meta["signature"], EXPORT, FORMAT, *stamp.parts):
        raise _refused(FORGED)
    return stamp


def _refused(words: str) -> Refused:
    return Refused(problems={"file": [words]})


def _check_open(tx: Tx, assessment: Assessment) -> None:
    reopened = assessments.reopened(tx, assessment)
    if reopened is not None and not reopened:
        raise Conflict(assessment_rules.not_now(assessment.state), current={"state": assessment.state.value})


def _check_rate(tx: Tx, assessment: Assessment) -> None:
    recent = sa.select(sa.func.count()).where(
        AnswerImport.assessment_id == assessment.id, AnswerImport.staged_at > tx.now - _DAY
    )
    if tx.session.execute(recent).scalar_one() >= MOST_A_DAY:
        raise TooMany(said(TOO_OFTEN, most=MOST_A_DAY), retry_after=3_600)


def _imports(assessment: Assessment) -> sa.Select[AnswerImport]:
    return sa.select(AnswerImport).where(AnswerImport.assessment_id == assessment.id)


def _bases(tx: Tx, assessment: Assessment, marked: Versions) -> dict[tuple[str, int], Content]:
    """Return the answers that stood in the export: every write of an answer is kept under its version."""
    wanted = [(key, version) for key, version in marked.by_key.items() if version]
    statement = sa.select(AnswerEdit.question_key, AnswerEdit.version, AnswerEdit.content).where(
        AnswerEdit.assessment_id == assessment.id, sa.tuple_(AnswerEdit.question_key, AnswerEdit.version).in_(wanted)
    )
    return {(key, version): content for key, version, content in tx.session.execute(statement)} if wanted else {}
