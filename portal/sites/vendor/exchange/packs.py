"""Taking everything out as a pack, and taking answers in from one: first a dry run, then what was chosen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.evidence import viewing
from portal.exchange import packs, signed, taking
from portal.exchange.rules.pack import Fate
from portal.exchange.taking import Content, PlanLine, Taken
from portal.kernel.errors import Conflict, Refused
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Answer, from_json
from portal.sites.shared import does, house, ledger, page
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import _, ngettext, told
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor import wording
from portal.sites.vendor.exchange.blueprint import bp
from portal.terms import ANSWERABLE_STATES

IN_MEMORY = 8_000_000
PIECE = 1 << 18
TOLD = 5
"""How many reasons are told one by one after taking a pack; the page below shows all."""


@bp.get("/exchange/pack/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def pack(assessment_id: UUID) -> ResponseReturnValue:
    """Show what a pack holds, with the buttons to take it out and the form to take one in."""
    return _pack_page(assessment_id)


@bp.post("/exchange/pack/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def take_out(assessment_id: UUID) -> ResponseReturnValue:
    """Give the vendor everything it entered for an assessment, with its files if it asks for them."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        gathered = packs.gather(tx, assessment=row)
        now = tx.now
    out: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the answer
    try:
        lend = _lend if request.form.get("files") == "yes" else None
        packs.write(gathered, out, signer=house().signer, now=now, lend=lend)
        size = out.tell()
        out.seek(0)
    except BaseException:
        out.close()
        raise
    answer = Response(iter(lambda: out.read(PIECE), b""), content_type="application/zip")
    answer.call_on_close(out.close)
    answer.content_length = size
    answer.headers["Content-Disposition"] = disposition(gathered.name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@contextmanager
def _lend(evidence_id: UUID) -> Iterator[Path]:
    with viewing.opened(ledger(), actor(), store=house().store, evidence_id=evidence_id) as lent:
        yield lent.path


@bp.post("/exchange/pack/<uuid:assessment_id>/read")
@does(Action.ANSWER_WRITE)
def read_pack(assessment_id: UUID) -> ResponseReturnValue:
    """Read an uploaded pack; nothing is taken from it before somebody has seen what it would change."""
    with begin() as tx:
        assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        row = assessments.get(tx, assessment_id, Action.ANSWER_WRITE)
        questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _pack_page(assessment_id, errors=[_("Choose a file")]), 422
    stream = cast("BinaryIO", sent.stream)
    unread: tuple[str, ...] = ()
    try:
        if sent.filename.casefold().endswith(".json"):
            found, seal, sha256, unread = packs.open_vsaq(stream, questionnaire=questionnaire)
        else:
            found, seal, sha256 = packs.open_pack(stream, signer=house().signer)
        with begin() as tx:
            kept_pack = taking.keep(
                tx,
                assessment=assessments.get(tx, assessment_id, Action.ANSWER_WRITE),
                pack=found,
                seal=seal,
                sha256=sha256,
                file_name=sent.filename,
            )
            pack_id = kept_pack.id
    except Refused as refusal:
        return _pack_page(assessment_id, errors=refusal.problems.get("file") or [refusal.message]), 422
    if unread:
        keys = ", ".join(unread[:TOLD])
        flash(
            _("Not read: %(keys)s and more.", keys=keys) if len(unread) > TOLD else _("Not read: %(keys)s.", keys=keys),
            "warning",
        )
    return redirect(url_for(".kept", pack_id=pack_id), 303)


@bp.post("/exchange/vsaq/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def as_vsaq(assessment_id: UUID) -> ResponseReturnValue:
    """Give the answers as VSAQ keeps them: a view, without comments, reasons, tables and files."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        body, slug = packs.vsaq_json(tx, assessment=row), row.questionnaire_slug
    answer = Response(body, content_type="application/json")
    answer.headers["Content-Disposition"] = disposition(f"{slug}-vsaq-answers.json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/exchange/packs/<uuid:pack_id>")
@does(Action.ANSWER_WRITE)
def kept(pack_id: UUID) -> ResponseReturnValue:
    """Show what taking the pack would do, answer by answer."""
    return _plan_page(pack_id)


@bp.post("/exchange/packs/<uuid:pack_id>")
@does(Action.ANSWER_WRITE)
def take_in(pack_id: UUID) -> ResponseReturnValue:
    """Take the answers that are blank here, and those that were chosen in the place of what stands."""
    try:
        with begin() as tx:
            row = taking.get(tx, pack_id)
            assessments.get(tx, row.assessment_id, Action.ASSESSMENT_WHOLE)
            assessment = assessments.get(tx, row.assessment_id, Action.ANSWER_WRITE)
            over = request.form.getlist("over")
            taken = taking.take(tx, assessment=assessment, row=row, over=over, seen=request.form.get("seen", ""))
    except Conflict as late:
        return _plan_page(pack_id, changed=late.message), 409
    _tell(taken)
    return redirect(url_for(".kept", pack_id=pack_id), 303)


def _tell(taken: Taken) -> None:
    if not taken.done and not taken.cited and not taken.stated:
        flash(_("Nothing was left to take."), "info")
    else:
        parts = [ngettext("%(num)s answer", "%(num)s answers", len(taken.done))]
        if taken.stated:
            parts.append(ngettext("%(num)s fact about the work", "%(num)s facts about the work", taken.stated))
        if taken.cited:
            parts.append(ngettext("%(num)s file attached", "%(num)s files attached", taken.cited))
        flash(_("Taken: %(what)s.", what=", ".join(parts)))
    for name, reason in taken.left[:TOLD]:
        flash(f"{told(name)}: {told(reason)}", "warning")


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer of a pack in words, beside the one that stands."""

    key: str
    name: str
    theirs: wording.Said
    mine: wording.Said


def _pack_page(assessment_id: UUID, *, errors: Sequence[str] = ()) -> str:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        revisions = signed.revisions_of(tx, row)
        read = taking.packs_of(tx, row)
    return page(
        "vendor/exchange/pack.html",
        active="assessment",
        row=row,
        revisions=revisions,
        read=read if policy.may(actor(), Action.ANSWER_WRITE, row) else (),
        errors=errors,
        may_take_in=policy.may(actor(), Action.ANSWER_WRITE, row) and row.state in ANSWERABLE_STATES,
    )


def _plan_page(pack_id: UUID, *, changed: str = "") -> str:
    with begin() as tx:
        row = taking.get(tx, pack_id)
        assessment = assessments.get(tx, row.assessment_id, Action.ASSESSMENT_WHOLE)
        plan = taking.plan(tx, assessment=assessment, row=row)
    return page(
        "vendor/exchange/plan.html",
        active="assessment",
        row=row,
        assessment=assessment,
        plan=plan,
        take=[_shown(each) for each in plan.of(Fate.TAKE)],
        differs=[_shown(each) for each in plan.of(Fate.DIFFERS)],
        hidden=[_shown(each) for each in plan.of(Fate.HIDDEN)],
        same=len(plan.of(Fate.SAME)),
        unknown=[each.key for each in plan.of(Fate.UNKNOWN)],
        missing=[each for each, there in plan.files if not there],
        changed=changed,
        is_open=assessment.state in ANSWERABLE_STATES,
    )


def _shown(line: PlanLine) -> Shown:
    question = line.question
    assert question is not None  # noqa: S101 - only the unknown ones have none, and they are named by their key
    return Shown(
        line.key,
        f"{question.number} {question.label}",
        wording.said(question, _answer(line.theirs)),
        wording.said(question, _answer(line.mine)),
    )


def _answer(content: Content) -> Answer | None:
    return from_json(content) if content else None
