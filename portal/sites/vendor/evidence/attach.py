"""Attaching one file to many answers in one act, from the file's own page."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.attestations import service as attestations
from portal.attestations.service import Tried, Wanted
from portal.evidence import service as evidence
from portal.kernel.errors import NotFound
from portal.policy import Action
from portal.sites.shared import does, page
from portal.sites.shared.language import ngettext
from portal.sites.shared.pages import begin

bp = Blueprint("vendor_attach", __name__)


@bp.post("/evidence/<uuid:evidence_id>/attach")
@does(Action.ANSWER_WRITE)
def attach(evidence_id: UUID) -> ResponseReturnValue:
    """Attach a file to the answers that were ticked; what was left is said with its reason.

    A conflict only if nothing was attached: what is refused has changed nothing.
    """
    wanted = [_wanted(each) for each in request.form.getlist("attach")]
    with begin() as tx:
        file = evidence.get(tx, evidence_id, Action.EVIDENCE_READ)
        name = file.file_name
        tried = attestations.attach_to_many(tx, evidence=file, wanted=wanted)
    left = [each for each in tried if not each.done]
    said = _said(tried)
    if not left:
        flash(said)
        return redirect(f"{url_for('vendor_evidence.show', evidence_id=evidence_id)}#uses", 303)
    status = 409 if len(left) == len(tried) else 200
    return page("vendor/evidence/attached.html", evidence_id=evidence_id, name=name, said=said, left=left), status


def _wanted(named: str) -> Wanted:
    """Return one ticked answer: its assessment and key in the value of the box, its pages in a field of their own."""
    first, _, key = named.partition(":")
    try:
        return Wanted(UUID(first), key, request.form.get(f"pages:{named}", ""))
    except ValueError:
        raise NotFound from None


def _said(tried: tuple[Tried, ...]) -> str:
    done = sum(each.done for each in tried)
    return ngettext("Attached to %(num)s answer.", "Attached to %(num)s answers.", done)
