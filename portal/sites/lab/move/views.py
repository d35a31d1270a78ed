"""What a move to a newer version would ask of the vendor again, and the move itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.assessments.rules import MOVABLE
from portal.attestations import service as attestations
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import queries as versions
from portal.questionnaires import service as questionnaires
from portal.questionnaires.queries import VersionLine
from portal.questionnaires.rules import Question, Questionnaire
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page
from portal.sites.shared.question_changes import Said, said_of
from portal.vendors import service as vendors

bp = Blueprint("lab_move", __name__, url_prefix="/lab/assessments")


@dataclass(frozen=True, slots=True)
class Again:
    """A question that the vendor answered and is asked again, with what changed in it."""

    question: Question
    changes: Sequence[Said]


@bp.get("/<uuid:assessment_id>/move")
@does(Action.ASSESSMENT_MIGRATE)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show what becomes of each answer, before anything moves."""
    return _page(assessment_id)


@bp.post("/<uuid:assessment_id>/move")
@does(Action.ASSESSMENT_MIGRATE)
def move(assessment_id: UUID) -> ResponseReturnValue:
    """Move the assessment as the page showed it."""
    chosen = request.form.get("version_id", "")
    seen = request.form.get("row_version", "")
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_MIGRATE)
            newer = next((each for each in _newer(tx, row) if str(each.id) == chosen), None)
            if newer is None:
                raise Conflict("That version is not on offer any more. Nothing was moved. Read this page again.")
            vendor = vendors.get(tx, row.vendor_id, Action.VENDOR_READ)
            attestations.migrate(
                tx,
                assessment=row,
                version_id=newer.id,
                row_version=int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= 9 else 0,
                seen_digest=request.form.get("seen_digest", ""),
            )
            title, name, slug = row.title, vendor.name, vendor.slug
    except Refused as refusal:
        return _page(assessment_id, [words for texts in refusal.problems.values() for words in texts], 422)
    except Conflict as late:
        return _page(assessment_id, [late.message], 409)
    flash(f"{title} is on v{newer.version} now. {name} is told on its home.")
    return redirect(url_for("lab_vendors.show", slug=slug, _anchor="assessments"), 303)


def _page(assessment_id: UUID, refusals: Sequence[str] = (), status: int = 200) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_MIGRATE)
        vendor = vendors.get(tx, row.vendor_id, Action.VENDOR_READ)
        now = versions.version_of(tx, row.questionnaire_id)
        is_movable = row.state in MOVABLE and attestations.latest(tx, row.id) is None
        newer = next(iter(_newer(tx, row)), None) if is_movable else None
        preview = attestations.migration_preview(tx, row, newer.id) if newer else None
        old = questionnaires.compiled(tx, row.questionnaire_id)
        new = questionnaires.compiled(tx, newer.id) if newer else old
    answer = page(
        "lab/move/move.html",
        row=row,
        vendor=vendor,
        now=now,
        newer=newer,
        preview=preview,
        kept=_questions(new, preview.kept) if preview else (),
        again=_again(old, new, preview.re_attest) if preview else (),
        new=_questions(new, preview.new) if preview else (),
        archived=_questions(old, preview.archived) if preview else (),
        facts_again=[new.fact(key) for key in preview.facts] if preview else (),
        is_movable=is_movable,
        refusals=refusals,
    )
    return answer, status


def _newer(tx: Tx, row: Any) -> list[VersionLine]:
    """Return the published versions of the same questionnaire that came later, the newest first."""
    now = versions.version_of(tx, row.questionnaire_id)
    if now is None:
        return []
    return [each for each in versions.versions(tx) if each.slug == now.slug and each.version > now.version]


def _questions(asked: Questionnaire, keys: Sequence[str]) -> list[Question]:
    return [asked.question(key) for key in keys if key in asked]


def _again(old: Questionnaire, new: Questionnaire, keys: Sequence[str]) -> list[Again]:
    return [Again(each, said_of(old.question(each.key), each)) for each in _questions(new, keys) if each.key in old]
