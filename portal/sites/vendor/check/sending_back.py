"""Before the signature: sending answers back with a note, settling a note, and asking somebody to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ids import uuid7
from portal.policy import Action
from portal.sites.shared import does, house, page
from portal.sites.shared.language import _, ngettext
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.check.views import check_page
from portal.sites.vendor.work import Work, load, slug

bp = Blueprint("vendor_send_back", __name__)
ROOT = "/assessments/<uuid:assessment_id>/send-back"


@bp.get(ROOT)
@does(Action.SEND_BACK)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Ask what is to be looked at again, and by whom."""
    return _page(assessment_id)


@bp.post(ROOT)
@does(Action.SEND_BACK)
def send(assessment_id: UUID) -> ResponseReturnValue:
    """Send it back."""
    notes = {name[6:]: text for name, text in request.form.items() if name.startswith("notes.")}
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.SEND_BACK)
            names = attestations.send_back(
                tx,
                assessment=row,
                act_id=_id(request.form.get("act_id", "")) or uuid7(),
                note=request.form.get("note", ""),
                people=[each for text in request.form.getlist("people") if (each := _id(text)) is not None],
                sections=request.form.getlist("sections"),
                notes=notes,
            )
    except Refused as refusal:
        return _page(assessment_id, refusal.problems, 422)
    except Conflict as late:
        return _page(assessment_id, {"": [late.message]}, 409)
    if names:
        listed = _(" and ").join(names)
        flash(
            ngettext(
                "Sent back. %(names)s is told by mail.",
                "Sent back. %(names)s are told by mail.",
                len(names),
                names=listed,
            )
        )
    else:
        flash(_("Sent back. The note stands on the assessment."))
    return redirect(url_for("vendor_check.show", assessment_id=assessment_id), 303)


@bp.post(f"{ROOT}/<uuid:note_id>/settle")
@does(Action.SENT_BACK_SETTLE)
def settle(assessment_id: UUID, note_id: UUID) -> ResponseReturnValue:
    """Say that a note is dealt with."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.SENT_BACK_SETTLE)
        line = attestations.settle(tx, assessment=row, note_id=note_id)
    flash(_("Settled. The note is gone from the pages and stays in the trail."))
    if line.section and request.form.get("from") == "section":
        place = f"#q-{slug(line.question_key)}" if line.question_key else ""
        return redirect(url_for("vendor_section.show", assessment_id=assessment_id, section=line.section) + place, 303)
    return redirect(url_for("vendor_home.show", assessment_id=assessment_id), 303)


@bp.post("/assessments/<uuid:assessment_id>/check/ask")
@does(Action.SIGNATURE_ASK)
def ask(assessment_id: UUID) -> ResponseReturnValue:
    """Ask the signatories to read and sign."""
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.SIGNATURE_ASK)
            names = attestations.ask_signature(tx, assessment=row)
    except attestations.NotReady as refusal:
        return check_page(assessment_id, {"ask": [refusal.message]}, 422, missing=refusal.blockers)
    except (Conflict, Refused) as refusal:
        return check_page(assessment_id, {"ask": [refusal.message]}, 409)
    listed = _(" and ").join(names)
    flash(
        ngettext(
            "%(names)s is asked by mail to sign.", "%(names)s are asked by mail to sign.", len(names), names=listed
        )
    )
    return redirect(url_for("vendor_check.show", assessment_id=assessment_id), 303)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _page(
    assessment_id: UUID, problems: Mapping[str, Sequence[str]] | None = None, status: int = 200
) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.SEND_BACK)
        work = load(tx, row, lab=house().settings.lab_name)
    if not work.is_open and not problems:
        raise NotFound
    found = problems or {}
    typed = request.form if request.method == "POST" else None
    picked = request.args.get("q", "")
    answer = page(
        "vendor/check/send_back.html",
        active="assessment",
        work=work,
        act_id=(typed.get("act_id") if typed else None) or uuid7(),
        people=_people(work),
        parts=_parts(work),
        questions=_questions(work),
        picked=picked,
        typed=typed,
        problems=found,
        errors=[
            (f"#{'people' if name == 'to' else name.replace('notes.', 'n-').replace('.', '-')}" if name else "", words)
            for name, texts in found.items()
            for words in texts
        ],
    )
    return answer, status


def _people(work: Work) -> list[tuple[str, str, str]]:
    """Return who it can go back to: id, name, and how many answers they prepared."""
    prepared: dict[UUID | None, int] = {}
    for line in work.lines.values():
        prepared[line.updated_by] = prepared.get(line.updated_by, 0) + 1
    return [
        (
            str(each.id),
            each.full_name,
            ngettext("prepared %(num)s answer", "prepared %(num)s answers", prepared.get(each.id, 0))
            if prepared.get(each.id)
            else "",
        )
        for each in sorted(work.people.values(), key=lambda each: -prepared.get(each.id, 0))
        if each.is_active and each.id != actor().id
    ]


def _parts(work: Work) -> list[tuple[str, str, str]]:
    """Return the sections: key, name, and who has it."""
    return [
        (
            each.key,
            f"{each.number}. {each.title}",
            _(" and ").join(person.full_name for person in work.given_to(each.key)),
        )
        for each in work.sections
    ]


def _questions(work: Work) -> list[tuple[Any, list[tuple[str, str, str]]]]:
    """Return each section with its questions: key, slug, and name."""
    return [
        (
            section,
            [
                (each.key, slug(each.key), f"{each.number} {each.label}")
                for each in work.questionnaire.section(section.key).questions
                if each in work.visible
            ],
        )
        for section in work.sections
    ]
