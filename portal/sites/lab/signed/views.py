"""The PDF of what a vendor signed, for who reviews it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.policy import Action
from portal.sites.shared import does
from portal.sites.shared.signed import signed_pdf

bp = Blueprint("lab_signed", __name__, url_prefix="/lab")


@bp.get("/attestations/<uuid:attestation_id>/signed.pdf")
@does(Action.ASSESSMENT_WHOLE)
def download(attestation_id: UUID) -> ResponseReturnValue:
    """Give what was signed as a document: the bytes that the vendor has."""
    return signed_pdf(attestation_id)
