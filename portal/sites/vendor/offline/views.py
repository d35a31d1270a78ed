"""Taking the answers along as a file, and bringing them back: read what would change, choose, then take it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.exchange import export, offline, reading, workbook
from portal.exchange.comparing import Compared
from portal.exchange.reading import Upload
from portal.exchange.rules.merge import Choice, Outcome
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.sniff import CONTENT_TYPES, display_name, too_large
from portal.kernel.spreadsheet import MAX_FILE
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, from_json
from portal.sites.shared import does, house, page
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import _
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor import wording
from portal.sites.vendor.work import slug
from portal.terms import ANSWERABLE_STATES, N_

bp = Blueprint("vendor_offline", __name__)
ROOT = "/assessments/<uuid:assessment_id>/offline"
SAVED, CONFIRMED, KEPT = N_("Saved"), N_("Confirmed"), N_("Stayed as online")
_BYTES = {"xlsx": workbook.xlsx_bytes, "csv": workbook.csv_bytes}


@dataclass(frozen=True, slots=True)
class Row:
    """One question of a file beside what stands online."""

    compared: Compared
    question: Question
    slug: str
    mine: wording.Said
    seen: wording.Said
    by: str
    at: Any
    chosen: str
    problems: Sequence[str]
    link: str
    done: str

    @property
    def look(self) -> tuple[str, str, str]:
        """What happens to it, or has happened: the word, its tone and its icon."""
        if self.done:
            return (
                self.done,
                "t-ok" if self.done in (SAVED, CONFIRMED) else "",
                "check" if self.done != KEPT else "circle-dot",
            )
        if self.compared.confirms and self.compared.outcome == Outcome.TAKE:
            return N_("Will be confirmed"), "t-info", "check"
        return {
            Outcome.TAKE: (N_("Will change"), "t-info", "file-text"),
            Outcome.KEEP: (N_("Stays as online"), "", "circle-dot"),
            Outcome.CONFLICT: (N_("Both changed"), "t-warn", "git-compare"),
            Outcome.REFUSED: (N_("Not taken"), "t-bad", "ban"),
            Outcome.UNCHANGED: (N_("No change"), "", "circle-dot"),
        }[Outcome(self.compared.outcome)]


@bp.get(ROOT)
@does(Action.ASSESSMENT_READ)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Offer the answers as a file, and take one back."""
    return _offer(assessment_id)


@bp.get(f"{ROOT}/answers.<what>")
@does(Action.ASSESSMENT_READ)
def download(assessment_id: UUID, what: str) -> ResponseReturnValue:
    """Give the answers as they stand as a workbook or CSV file; that they left is written down."""
    if what not in _BYTES:
        raise NotFound
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        book = export.gather(tx, row, keyring=house().keyring, lab=house().settings.lab_name)
    data = _BYTES[what](book)
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        export.exported(tx, row, what=what, digest=hashlib.sha256(data).hexdigest())
    answer = make_response(data)
    answer.content_type = CONTENT_TYPES[what] + ("; charset=utf-8" if what == "csv" else "")
    day = book.stamp.exported_at.date().isoformat()
    answer.headers["Content-Disposition"] = disposition(display_name(f"{book.title} {_('answers')} {day}.{what}"))
    return answer


@bp.post(ROOT)
@does(Action.ANSWER_WRITE)
def bring(assessment_id: UUID) -> ResponseReturnValue:
    """Take a file back and lead to the comparison; nothing is answered by it yet."""
    with begin() as tx:
        assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
    try:
        name, what, digest, upload = _read(request.files.get("file"))
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
            staged = offline.stage(
                tx,
                assessment=row,
                upload=upload,
                what=what,
                file_name=name,
                sha256=digest,
                keyring=house().keyring,
            )
            import_id = staged.id
    except Refused as refusal:
        return _offer(assessment_id, errors=refusal.problems["file"], status=422)
    except Conflict as late:
        return _offer(assessment_id, errors=[late.message], status=409)
    return redirect(url_for(".compare", assessment_id=assessment_id, import_id=import_id), 303)


@bp.get(f"{ROOT}/<uuid:import_id>")
@does(Action.ASSESSMENT_READ)
def compare(assessment_id: UUID, import_id: UUID) -> ResponseReturnValue:
    """Show what a file would change, or what it changed."""
    return _comparison(assessment_id, import_id)


@bp.post(f"{ROOT}/<uuid:import_id>")
@does(Action.ANSWER_WRITE)
def take(assessment_id: UUID, import_id: UUID) -> ResponseReturnValue:
    """Write what a file changes, with the choices made where both changed."""
    said = {
        name.removeprefix("choice."): Choice(value)
        for name, value in request.form.items()
        if name.startswith("choice.") and value in set(Choice)
    }
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
            staged = offline.get(tx, row, import_id)
            offline.apply_import(tx, assessment=row, staged=staged, choices=said)
    except Refused as refusal:
        return _comparison(assessment_id, import_id, chosen=said, problems=refusal.problems, status=422)
    except Conflict as late:
        return _comparison(assessment_id, import_id, chosen=said, refusal=late.message, status=409)
    return redirect(f"{url_for('.compare', assessment_id=assessment_id, import_id=import_id)}#result", 303)


def _read(file: FileStorage | None) -> tuple[str, str, str, Upload]:
    """Return the name, kind and digest of an uploaded file, and what it says.

    :raises Refused: at the field ``file``.
    """
    if file is None or not file.filename:
        raise Refused(problems={"file": [_("Choose a file")]})
    name = display_name(file.filename)
    what = reading.kind_of(name)
    size = file.stream.seek(0, 2)
    if size > MAX_FILE:
        raise Refused(problems={"file": [too_large(size, MAX_FILE)]})
    file.stream.seek(0)
    data = file.stream.read()
    with tempfile.TemporaryDirectory(prefix="offline-") as folder:
        path = Path(folder) / f"upload.{what}"
        path.write_bytes(data)
        upload = reading.read(path, what)
    return name, what, hashlib.sha256(data).hexdigest(), upload


def _offer(assessment_id: UUID, *, errors: Sequence[str] = (), status: int = 200) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        past = offline.imports_of(tx, row)
        now = tx.now
    answer = page(
        "vendor/offline/offline.html",
        active="assessment",
        row=row,
        past=past,
        now=now,
        errors=[("#file", words) for words in errors],
        problems=list(errors),
        may_bring=row.state in ANSWERABLE_STATES and policy.may(actor(), Action.ANSWER_WRITE, row),
        is_open=row.state in ANSWERABLE_STATES,
    )
    return answer, status


def _comparison(
    assessment_id: UUID,
    import_id: UUID,
    *,
    chosen: dict[str, Choice] | None = None,
    problems: dict[str, list[str]] | None = None,
    refusal: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        line = offline.line_of(tx, offline.get(tx, row, import_id))
        asked = questionnaires.compiled(tx, row.questionnaire_id)
        there = attestations.answers_of(tx, row)
        unseen = assessments.unseen_sections(tx, row)
    rows = [
        _row(row.id, each, asked.question(each.key), there.get(each.key), chosen or {}, problems or {}, line.result)
        for each in line.report.lines
        if each.key in asked and asked.question(each.key).section not in unseen
    ]
    names = {each.compared.key: each for each in rows}
    errors = [(f"#choice-{slug(each.compared.key)}-0", words) for each in rows for words in each.problems]
    answer = page(
        "vendor/offline/compare.html",
        active="assessment",
        row=row,
        line=line,
        rows=rows,
        names=names,
        conflicts=[each for each in rows if each.compared.outcome == Outcome.CONFLICT],
        changes=[each for each in rows if each.compared.outcome == Outcome.TAKE],
        kept=[each for each in rows if each.compared.outcome == Outcome.KEEP],
        refused=[each for each in rows if each.compared.outcome == Outcome.REFUSED],
        todo=[each for each in rows if each.compared.todo],
        notes=[each for each in rows if each.compared.notes],
        files=sum(len(each.compared.files) for each in rows),
        errors=[*errors, *([("", refusal)] if refusal else [])],
        may_take=row.state in ANSWERABLE_STATES and policy.may(actor(), Action.ANSWER_WRITE, row),
    )
    return answer, status


def _row(
    assessment_id: UUID,
    each: Compared,
    question: Question,
    line: attestations.AnswerLine | None,
    chosen: dict[str, Choice],
    problems: dict[str, list[str]],
    result: offline.Applied | None,
) -> Row:
    section = url_for("vendor_section.show", assessment_id=assessment_id, section=question.section)
    return Row(
        compared=each,
        question=question,
        slug=slug(each.key),
        mine=wording.said(question, from_json(each.mine)),
        seen=wording.said(question, from_json(each.seen)),
        by=line.by if line else "",
        at=line.at if line else None,
        chosen=str(chosen.get(each.key, "")),
        problems=problems.get(f"choice.{each.key}", ()),
        link=f"{section}#q-{slug(each.key)}",
        done=_done(each, result),
    )


def _done(each: Compared, result: offline.Applied | None) -> str:
    """Return what became of a question when the file was taken, nothing before that and for what was refused."""
    if result is None or each.outcome == Outcome.REFUSED:
        return ""
    if each.key in result.taken:
        return SAVED
    return CONFIRMED if each.key in result.confirmed else KEPT
