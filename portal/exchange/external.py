"""Answers that a vendor gave elsewhere: brought in, told which catalogue they answer, suggested, withdrawn."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.exchange.facts import ExternalSetConfirmed, ExternalSetImported, ExternalSetWithdrawn
from portal.exchange.models import ExternalAnswer, ExternalSet
from portal.exchange.rules import external as rules
from portal.exchange.rules.external import Answered, External, Family, Reading
from portal.exchange.rules.suggesting import Suggestion, by_control, controls_of, suggest
from portal.identity.models import UserAccount
from portal.kernel import spreadsheet
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.sniff import display_name, too_large
from portal.kernel.swap import swap
from portal.kernel.words import said as worded
from portal.policy import Action
from portal.questionnaires.rules import Question, Questionnaire

MOST_SETS = 20
READS, CHANGES = Action.HOME_READ, Action.EVIDENCE_UPLOAD
_VERSION = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}", re.ASCII)
_LATE = worded("Somebody changed this set since you opened it. Look again.")


@dataclass(frozen=True, slots=True)
class SetLine:
    """One external set as pages show it. ``version`` is empty until a person confirmed it."""

    id: UUID
    family: Family
    named: str
    recognised: str
    framework: str
    version: str
    file_name: str
    answers: int
    notes: Sequence[str]
    by: str
    uploaded_at: datetime
    confirmed_at: datetime | None
    withdrawn_at: datetime | None
    row_version: int

    @property
    def source(self) -> str:
        """What it is called beside a suggestion, such as "CAIQ 4.0.7"."""
        return f"{_word(self.framework)} {self.version}".strip()

    @property
    def catalogue(self) -> str:
        """The catalogue whose controls it answers."""
        return CATALOGUES[self.framework]


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggestion and where it comes from."""

    set_id: UUID
    source: str
    suggestion: Suggestion


CATALOGUES: Mapping[str, str] = {each.framework: each.catalogue for each in Family}


def _word(framework: str) -> str:
    return next(each.word for each in Family if each.framework == framework)


def read_upload(stream: BinaryIO, file_name: str) -> tuple[Reading, str]:
    """Return what an uploaded workbook answers, and the SHA-256 of its bytes. Outside of transactions.

    :raises Refused: with the problem of file: too large, no workbook, or none of those that are read.
    """
    name = display_name(file_name)
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
        sha256 = copied(stream, copy)
        try:
            if name.casefold().endswith(".csv"):
                sheets = [spreadsheet.read_csv(Path(copy.name).read_bytes())]
            else:
                sheets = spreadsheet.read_workbook(Path(copy.name))
            return rules.read(pages_of(sheets), name), sha256
        except spreadsheet.RefusedSheet as refusal:
            raise Refused(problems={"file": [refusal.message]}) from refusal
        except rules.NotRead as refusal:
            raise Refused(problems={"file": [refusal.args[0] if refusal.args else str(refusal)]}) from refusal


def pages_of(sheets: Sequence[spreadsheet.Sheet]) -> list[rules.Page]:
    """Return sheets as rows of text; of a formula, what the last program computed."""
    return [
        rules.Page(
            each.name,
            [
                [cell.result if cell.kind is spreadsheet.Kind.FORMULA else cell.text for cell in row]
                for row in each.rows
            ],
        )
        for each in sheets
    ]


def copied(stream: BinaryIO, copy: Any) -> str:
    """Copy an upload to a file of ours, no more than a workbook may be; return the SHA-256 of its bytes.

    :raises Refused: with the problem of file, if it is empty or too large.
    """
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(1 << 18):
        size += len(piece)
        if size > spreadsheet.MAX_FILE:
            raise Refused(problems={"file": [too_large(stream.seek(0, 2), spreadsheet.MAX_FILE)]})
        digest.update(piece)
        copy.write(piece)
    if not size:
        raise Refused(problems={"file": [worded("The file is empty")]})
    copy.flush()
    return digest.hexdigest()


def import_set(tx: Tx, *, reading: Reading, file_name: str, sha256: str) -> ExternalSet:
    """Keep what a workbook answers as an external set of the actor's vendor. The same bytes twice are one set.

    Nothing is answered by it: no answer, no progress and no blocker changes.

    :raises Forbidden: if the actor may not bring in answers.
    :raises Conflict: if there are as many sets as are kept.
    """
    policy.check_ever(tx.actor, CHANGES)
    vendor_id, by = tx.actor.vendor_id, tx.actor.id
    if vendor_id is None or by is None:
        raise Forbidden(worded("Only the vendor’s own people bring in answers."))
    if there := _live(tx, vendor_id, sha256):
        return there
    if len([each for each in sets_of(tx) if each.withdrawn_at is None]) >= MOST_SETS:
        raise Conflict(worded("You have %(most)s workbooks here. Withdraw one before you add another.", most=MOST_SETS))
    row = ExternalSet(
        id=tx.new_id(),
        vendor_id=vendor_id,
        family=reading.family.value,
        named=reading.named,
        recognised=reading.version,
        framework=reading.family.framework,
        file_name=display_name(file_name),
        sha256=sha256,
        answers=len(reading.answers),
        notes=list(reading.notes),
        uploaded_by=by,
        uploaded_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError:
        # A colleague brought in the same file in the same moment.
        if there := _live(tx, vendor_id, sha256):
            return there
        raise
    tx.session.add_all(
        ExternalAnswer(
            set_id=row.id,
            position=position,
            vendor_id=vendor_id,
            question_id=each.question_id,
            control_id=each.control_id,
            answer=each.answer.value,
            written=each.written,
            text=each.text,
            ownership=each.ownership,
            responsibilities=each.responsibilities,
            sheet=each.sheet,
            row=each.row,
        )
        for position, each in enumerate(reading.answers)
    )
    tx.session.flush()
    tx.record(
        ExternalSetImported(
            set_id=row.id, vendor_id=vendor_id, family=row.family, sha256=sha256, answers=len(reading.answers)
        )
    )
    return row


def get(tx: Tx, set_id: UUID, action: Action = READS) -> ExternalSet:
    """Return an external set that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    """
    row = tx.session.get(ExternalSet, set_id)
    # Nobody of the lab reads what a vendor said elsewhere: to them it does not exist.
    if row is None or tx.actor.is_lab:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def confirm(tx: Tx, *, row: ExternalSet, framework: str, version: str, row_version: int) -> None:
    """Say which version of which catalogue a set answers; from then on it suggests. Saying it again corrects it.

    :raises Forbidden: if the actor may not.
    :raises Refused: with the problem of framework or version.
    :raises Conflict: if it was withdrawn or changed meanwhile.
    """
    policy.check(tx.actor, CHANGES, row)
    said = version.strip().removeprefix("v")
    problems: dict[str, list[str]] = {}
    if framework not in CATALOGUES or (framework == "hecvat") != (row.family == Family.HECVAT):
        problems["framework"] = [worded("Choose the catalogue that the identifiers belong to")]
    if not _VERSION.fullmatch(said):
        problems["version"] = [worded("Enter the version as the file names it, for example 4.0.7")]
    if problems:
        raise Refused(problems=problems)
    if (row.framework, row.version) == (framework, said) and row.withdrawn_at is None:
        return
    change = {
        "framework": framework,
        "version": said,
        "confirmed_by": tx.actor.id,
        "confirmed_at": tx.now,
        "row_version": row_version + 1,
    }
    if not swap(tx, row, expect={"row_version": row_version, "withdrawn_at": None}, change=change):
        raise Conflict(_LATE)
    tx.record(ExternalSetConfirmed(set_id=row.id, vendor_id=row.vendor_id, framework=framework, version=said))


def withdraw(tx: Tx, *, row: ExternalSet, row_version: int) -> None:
    """Let a set suggest nothing any more; its rows are kept. Withdrawing twice is withdrawing once.

    :raises Forbidden: if the actor may not.
    :raises Conflict: if it was changed meanwhile.
    """
    policy.check(tx.actor, CHANGES, row)
    if row.withdrawn_at is not None:
        return
    change = {"withdrawn_by": tx.actor.id, "withdrawn_at": tx.now, "row_version": row_version + 1}
    if not swap(tx, row, expect={"row_version": row_version, "withdrawn_at": None}, change=change):
        raise Conflict(_LATE)
    tx.record(ExternalSetWithdrawn(set_id=row.id, vendor_id=row.vendor_id))


def sets_of(tx: Tx) -> Sequence[SetLine]:
    """Return the external sets of the actor's vendor, those in use first, then the newest first (at most 100)."""
    if tx.actor.vendor_id is None:
        return []
    statement = (
        sa.select(ExternalSet, UserAccount.full_name)
        .outerjoin(UserAccount, UserAccount.id == ExternalSet.uploaded_by)
        .where(ExternalSet.vendor_id == tx.actor.vendor_id)
        .order_by(ExternalSet.withdrawn_at.is_not(None), ExternalSet.uploaded_at.desc(), ExternalSet.id.desc())
        .limit(100)
    )
    return [line_of(row, name or "") for row, name in tx.session.execute(statement)]


def line_of(row: ExternalSet, by: str = "") -> SetLine:
    """Return a stored set as pages show it."""
    return SetLine(
        id=row.id,
        family=Family(row.family),
        named=row.named,
        recognised=row.recognised,
        framework=row.framework,
        version=row.version,
        file_name=row.file_name,
        answers=row.answers,
        notes=[str(each) for each in row.notes],
        by=by,
        uploaded_at=row.uploaded_at,
        confirmed_at=row.confirmed_at,
        withdrawn_at=row.withdrawn_at,
        row_version=row.row_version,
    )


def answers_of(tx: Tx, set_id: UUID, *, controls: Collection[str] | None = None) -> list[External]:
    """Return the answers of a set in the order of its file. Whoever asks has fetched the set before.

    :param controls: only those to these controls.
    """
    statement = sa.select(ExternalAnswer).where(ExternalAnswer.set_id == set_id).order_by(ExternalAnswer.position)
    if controls is not None:
        statement = statement.where(ExternalAnswer.control_id.in_(sorted(controls)))
    return [_external(row) for row in tx.session.execute(statement).scalars()]


def suggestions(
    tx: Tx, questionnaire: Questionnaire, questions: Sequence[Question] | None = None, *, only: UUID | None = None
) -> dict[str, Suggested]:
    """Return what the confirmed sets of the actor's vendor suggest, by question.

    Where several sets speak, the newest one does. A set of another version of a catalogue than the questionnaire
    names suggests nothing.

    :param questions: those to look at; without them, all of the questionnaire.
    :param only: look at this one set alone.
    """
    asked = questionnaire.questions if questions is None else questions
    named = {(each.key, each.version) for each in questionnaire.frameworks.values()}
    found: dict[str, Suggested] = {}
    for line in sets_of(tx):
        if line.withdrawn_at or (line.framework, line.version) not in named or only not in (None, line.id):
            continue
        mapped = {each.key: controls_of(questionnaire, each, line.framework, line.version) for each in asked}
        said = by_control(answers_of(tx, line.id, controls={each for some in mapped.values() for each in some}))
        for question in asked:
            made = (suggest(question, each, said[each]) for each in mapped[question.key] if each in said)
            if question.key not in found and (first := next(filter(None, made), None)):
                found[question.key] = Suggested(line.id, line.source, first)
    return found


def _live(tx: Tx, vendor_id: UUID, sha256: str) -> ExternalSet | None:
    return get_one(
        tx,
        sa.select(ExternalSet).where(
            ExternalSet.vendor_id == vendor_id, ExternalSet.sha256 == sha256, ExternalSet.withdrawn_at.is_(None)
        ),
    )


def _external(row: ExternalAnswer) -> External:
    return External(
        question_id=row.question_id,
        control_id=row.control_id,
        answer=Answered(row.answer),
        written=row.written,
        text=row.text,
        ownership=row.ownership,
        responsibilities=row.responsibilities,
        sheet=row.sheet,
        row=row.row,
    )
