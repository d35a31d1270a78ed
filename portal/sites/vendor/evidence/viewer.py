"""A file of the vendor's own, looked at page by page: what the lab sees of it, without its marks."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.evidence import queries, rules, service
from portal.policy import Action
from portal.sites.shared import does, page
from portal.sites.shared.lane import through_store
from portal.sites.shared.pages import begin
from portal.sites.shared.viewer import Place, drawn, viewer

bp = Blueprint("vendor_viewer", __name__)


@bp.get("/evidence/<uuid:evidence_id>/view")
@does(Action.EVIDENCE_READ)
def show(evidence_id: UUID) -> ResponseReturnValue:
    """Show the pages of a file, or the beginning of a table or a text."""
    with begin() as tx:
        service.get(tx, evidence_id, Action.EVIDENCE_READ)
        line = queries.line(tx, evidence_id)
    return page(
        "vendor/evidence/view.html",
        line=line,
        kind=rules.KINDS[line.kind],
        viewer=viewer(line, Place("vendor_viewer.show", {"evidence_id": line.id}), picture="vendor_viewer.picture"),
    )


@bp.get("/evidence/<uuid:evidence_id>/pages/<int:number>.png")
@does(Action.EVIDENCE_READ)
@through_store()
def picture(evidence_id: UUID, number: int) -> ResponseReturnValue:
    """Give one page as a picture, drawn in a limited process."""
    return drawn(evidence_id, number)
