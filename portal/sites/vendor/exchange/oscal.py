"""What the vendor signed, as an OSCAL component definition."""

from __future__ import annotations

import hashlib
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.exchange import signed
from portal.exchange.rules import oscal
from portal.kernel.canonical import canonical_bytes
from portal.policy import Action
from portal.sites.shared import does
from portal.sites.shared.evidence import disposition
from portal.sites.shared.pages import begin
from portal.sites.vendor.exchange.blueprint import bp
from portal.sites.vendor.work import version_in


@bp.post("/exchange/oscal/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def as_oscal(assessment_id: UUID) -> ResponseReturnValue:
    """Give one signed revision as OSCAL JSON; nothing in it is more than the vendor signed."""
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        attestation_id = signed.revision_of(tx, assessment=row, revision=version_in(request.form, "revision"))
        questionnaire, revision = signed.signed_revision(tx, attestation_id)
        body = canonical_bytes(oscal.component_definition(questionnaire, revision))
        signed.record(
            tx,
            assessment_id=row.id,
            vendor_id=row.vendor_id,
            what="OSCAL component definition",
            sha256=hashlib.sha256(body).hexdigest(),
        )
    answer = Response(body, content_type="application/json")
    name = f"{revision.vendor_slug}-{questionnaire.slug}-revision-{revision.revision}-component-definition.json"
    answer.headers["Content-Disposition"] = disposition(name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
