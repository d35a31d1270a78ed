"""Answers given elsewhere: bring a workbook in, say which version it answers, look at it, withdraw it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO, cast
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.exchange import external
from portal.exchange.external import SetLine
from portal.exchange.rules.suggesting import versions_of
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.sites.shared import does, page
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import _
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor import wording
from portal.sites.vendor.exchange.blueprint import bp
from portal.sites.vendor.section.views import with_filled_form
from portal.sites.vendor.work import version_in
from portal.terms import ANSWERABLE_STATES, N_

WORDS = {"yes": N_("Yes"), "no": N_("No"), "na": N_("Does not apply"), "partial": N_("Partly"), "blank": "–"}


@bp.get("/exchange")
@does(Action.HOME_READ)
def index() -> ResponseReturnValue:
    """Show what was brought in, and what can be taken out."""
    return _index()


@bp.post("/exchange/sets")
@does(Action.EVIDENCE_UPLOAD)
def bring() -> ResponseReturnValue:
    """Read a completed workbook and keep its answers as a set."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _index(errors=[_("Choose a file")]), 422
    try:
        reading, sha256 = external.read_upload(cast("BinaryIO", sent.stream), sent.filename)
        with begin() as tx:
            row = external.import_set(tx, reading=reading, file_name=sent.filename, sha256=sha256)
            set_id = row.id
    except Refused as refusal:
        return _index(errors=refusal.problems.get("file") or [refusal.message]), 422
    except Conflict as full:
        return _index(errors=[full.message]), 409
    return redirect(url_for(".show", set_id=set_id), 303)


@bp.get("/exchange/sets/<uuid:set_id>")
@does(Action.HOME_READ)
def show(set_id: UUID) -> ResponseReturnValue:
    """Show one set: what it answers, and which of our questions it speaks to."""
    return _set_page(set_id)


@bp.post("/exchange/sets/<uuid:set_id>/confirm")
@does(Action.EVIDENCE_UPLOAD)
def confirm(set_id: UUID) -> ResponseReturnValue:
    """Say which version of which catalogue the set answers."""
    try:
        with begin() as tx:
            row = external.get(tx, set_id, Action.EVIDENCE_UPLOAD)
            external.confirm(
                tx,
                row=row,
                framework=request.form.get("framework", row.framework),
                version=request.form.get("version", "")[:40],
                row_version=version_in(request.form, "row_version"),
            )
            source = external.line_of(row).source
    except Refused as refusal:
        return _set_page(set_id, typed=request.form, problems=refusal.problems), 422
    except Conflict as late:
        return _set_page(set_id, problems={"version": [late.message]}), 409
    flash(
        _(
            "%(source)s is confirmed. Where it speaks to one of our questions, its answer stands beside the question.",
            source=source,
        )
    )
    return redirect(url_for(".show", set_id=set_id), 303)


@bp.route("/exchange/sets/<uuid:set_id>/withdraw", methods=["GET", "POST"])
@does(Action.EVIDENCE_UPLOAD)
def withdraw(set_id: UUID) -> ResponseReturnValue:
    """Ask once more, then let the set suggest nothing any more."""
    with begin() as tx:
        row = external.get(tx, set_id, Action.EVIDENCE_UPLOAD)
        if request.method == "POST":
            external.withdraw(tx, row=row, row_version=version_in(request.form, "row_version"))
        line = external.line_of(row)
    if request.method == "POST":
        flash(_("%(file)s is withdrawn. It suggests nothing any more.", file=line.file_name))
        return redirect(url_for(".index"), 303)
    return page("vendor/exchange/withdraw.html", active="assessment", line=line)


@bp.get("/exchange/sets/<uuid:set_id>/answers.csv")
@does(Action.HOME_READ)
def as_csv(set_id: UUID) -> ResponseReturnValue:
    """Give the answers of a set as a list: identifier, answer, words."""
    with begin() as tx:
        line = external.line_of(external.get(tx, set_id, Action.ASSESSMENT_WHOLE))
        rows = external.answers_of(tx, set_id)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("id", "answer", "words", "ownership", "responsibilities", "sheet", "row"))
    for each in rows:
        texts = (each.question_id, each.written, each.text, each.ownership, each.responsibilities, each.sheet)
        writer.writerow([*map(inert, texts), each.row])
    answer = Response(out.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = disposition(f"{line.source} answers.csv")
    return answer


@bp.get("/assessments/<uuid:assessment_id>/s/<section>/<key>/suggestion/<uuid:set_id>")
@does(Action.ANSWER_WRITE)
def prefill(assessment_id: UUID, section: str, key: str, set_id: UUID) -> ResponseReturnValue:
    """Show the section with the form of one question filled in from a set; it is saved by its own button only."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
        external.get(tx, set_id)
        questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
        if key not in questionnaire or questionnaire.question(key).section != section:
            raise NotFound
        found = external.suggestions(tx, questionnaire, [questionnaire.question(key)], only=set_id).get(key)
        said = attestations.answers_of(tx, row).get(key)
    if found is None:
        return redirect(url_for("vendor_section.show", assessment_id=assessment_id, section=section), 303)
    stored = wording.fields(said.answer if said else None)
    return with_filled_form(assessment_id, section, key, {**stored, **found.suggestion.fields})


def inert(text: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _index(*, errors: Sequence[str] = ()) -> str:
    with begin() as tx:
        sets = external.sets_of(tx)
        own = assessments.of_vendor(tx, tx.actor.vendor_id) if tx.actor.vendor_id is not None else ()
    return page(
        "vendor/exchange/index.html",
        active="assessment",
        sets=[each for each in sets if each.withdrawn_at is None],
        withdrawn=[each for each in sets if each.withdrawn_at is not None],
        assessments=own,
        errors=errors,
        may_bring=policy.may_ever(actor(), Action.EVIDENCE_UPLOAD),
    )


def _set_page(
    set_id: UUID, *, typed: Mapping[str, str] | None = None, problems: Mapping[str, Sequence[str]] | None = None
) -> str:
    with begin() as tx:
        row = external.get(tx, set_id, Action.ASSESSMENT_WHOLE)
        line = external.line_of(row)
        answers = external.answers_of(tx, set_id)
        uses, mapped = _uses(tx, line)
        may_change = policy.may(actor(), Action.EVIDENCE_UPLOAD, row)
    return page(
        "vendor/exchange/set.html",
        active="assessment",
        line=line,
        answers=answers,
        words=WORDS,
        uses=uses,
        mapped=mapped,
        matches=line.version in mapped,
        typed=typed or {"framework": line.framework, "version": line.version or line.recognised},
        problems=problems or {},
        catalogues=[
            (each, name)
            for each, name in external.CATALOGUES.items()
            if (each == "hecvat") == (line.framework == "hecvat")
        ],
        may_change=may_change and line.withdrawn_at is None,
    )


def _uses(tx: Tx, line: SetLine) -> tuple[dict[str, list[tuple[str, str]]], list[str]]:
    """Return the questions that each control speaks to, with where they are; and the versions we are mapped to."""
    uses: dict[str, list[tuple[str, str]]] = {}
    mapped: list[str] = []
    own = assessments.of_vendor(tx, tx.actor.vendor_id) if tx.actor.vendor_id is not None else ()
    for each in [one for one in own if one.state in ANSWERABLE_STATES][:10]:
        questionnaire = questionnaires.compiled(tx, each.questionnaire_id)
        mapped += versions_of(questionnaire, line.framework)
        for key, found in external.suggestions(tx, questionnaire, only=line.id).items():
            question = questionnaire.question(key)
            to = url_for("vendor_section.show", assessment_id=each.id, section=question.section)
            link = (f"{question.number} {question.label}", f"{to}#q-{key.replace('.', '-')}")
            uses.setdefault(found.suggestion.control_id, []).append(link)
    return uses, list(dict.fromkeys(mapped))
