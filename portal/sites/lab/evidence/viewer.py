"""The pages of a file as pictures, for the lab: each is drawn for who looks, and logged."""

from __future__ import annotations

from uuid import UUID

from flask.typing import ResponseReturnValue

from portal.evidence.queries import LibraryLine
from portal.policy import Action
from portal.sites.lab.evidence.blueprint import bp
from portal.sites.shared import does
from portal.sites.shared.lane import through_store
from portal.sites.shared.viewer import Place, Viewer, drawn, viewer


def of(line: LibraryLine, back: str) -> Viewer:
    """Return the viewer on the file's page."""
    return viewer(
        line, Place("lab_evidence.show", {"evidence_id": line.id}, {"next": back}), picture="lab_evidence.picture"
    )


@bp.get("/lab/evidence/<uuid:evidence_id>/pages/<int:number>.png")
@does(Action.EVIDENCE_READ)
@through_store()
def picture(evidence_id: UUID, number: int) -> ResponseReturnValue:
    """Give one page as a picture, drawn in a limited process, marked with who looks and when."""
    return drawn(evidence_id, number)
