"""The PDF of what was signed."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.policy import Action
from portal.sites.shared import does
from portal.sites.shared.signed import signed_pdf

bp = Blueprint("vendor_signed", __name__)


@bp.get("/attestations/<uuid:attestation_id>/signed.pdf")
@does(Action.ASSESSMENT_WHOLE)
def download(attestation_id: UUID) -> ResponseReturnValue:
    """Give what was signed as a document: to everybody the same bytes."""
    return signed_pdf(attestation_id)
