"""A customer's own CAIQ, given back with the vendor's answers in it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, BinaryIO, cast
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.exchange import filling
from portal.exchange.external import CATALOGUES
from portal.exchange.rules.suggesting import versions_of
from portal.kernel.errors import Refused
from portal.kernel.sniff import display_name
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.sites.shared import does, page
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import _
from portal.sites.shared.pages import begin
from portal.sites.vendor.exchange.blueprint import bp

PIECE = 1 << 18
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/exchange/fill/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def fill(assessment_id: UUID) -> ResponseReturnValue:
    """Ask for the customer's workbook."""
    return _fill_page(assessment_id)


@bp.post("/exchange/fill/<uuid:assessment_id>")
@does(Action.ASSESSMENT_READ)
def fill_in(assessment_id: UUID) -> ResponseReturnValue:
    """Give the workbook back, its empty answers filled from ours where Yes, No or NA says them."""
    with begin() as tx:
        assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
    sent, version = request.files.get("file"), request.form.get("version", "")[:40]
    if sent is None or not sent.filename:
        return _fill_page(assessment_id, problems={"file": [_("Choose a file")]}, version=version), 422
    out: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=8_000_000)  # noqa: SIM115 - closed with the answer
    try:
        with filling.opened(cast("BinaryIO", sent.stream), sent.filename) as book:
            with begin() as tx:
                row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
                told = filling.told_by(tx, assessment=row, sent=book, version=version)
            filling.write(book, told, out)
        digest, size = _measured(out)
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
            filling.record(tx, assessment=row, sha256=digest)
    except Refused as refusal:
        out.close()
        return _fill_page(assessment_id, problems=refusal.problems, version=version), 422
    except BaseException:
        out.close()
        raise
    answer = Response(iter(lambda: out.read(PIECE), b""), content_type=XLSX)
    answer.call_on_close(out.close)
    answer.content_length = size
    stem = display_name(sent.filename).rpartition(".")[0] or "caiq"
    answer.headers["Content-Disposition"] = disposition(f"{stem}-filled.xlsx")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _measured(out: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    out.seek(0)
    while piece := out.read(PIECE):
        digest.update(piece)
        size += len(piece)
    out.seek(0)
    return digest.hexdigest(), size


def _fill_page(assessment_id: UUID, *, problems: Mapping[str, Sequence[str]] | None = None, version: str = "") -> str:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)
        questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
    return page(
        "vendor/exchange/fill.html",
        active="assessment",
        row=row,
        versions=[
            (each, f"{CATALOGUES[framework]} {each}")
            for framework in ("ccm", "aicm")
            for each in versions_of(questionnaire, framework)
        ],
        version=version,
        problems=problems or {},
    )
