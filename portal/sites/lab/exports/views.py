"""OSCAL for other tools of the lab: a questionnaire version, and the review behind a decision."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from portal.exchange import packs, signed
from portal.exchange.rules import oscal, oscal_review
from portal.exchange.rules.oscal import Document
from portal.exchange.rules.oscal_review import Judged, Reviewed, Shortfall
from portal.kernel.canonical import canonical_bytes
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Questionnaire
from portal.reviews import service as reviews
from portal.reviews.rules import condition_of
from portal.reviews.service import Desk, Workspace
from portal.scoring import service as scoring
from portal.scoring.rules import Mark, display, marks
from portal.sites.shared import does
from portal.sites.shared.evidence import disposition
from portal.sites.shared.pages import begin
from portal.terms import Acceptance, DecisionState, FindingState

bp = Blueprint("lab_exports", __name__, url_prefix="/lab/exports")

TIERS = (1, 2, 3)


@bp.get("/questionnaires/<slug>/v<int:version>/<name>.json")
@does(Action.QUESTIONNAIRE_READ)
def questionnaire(slug: str, version: int, name: str) -> ResponseReturnValue:
    """Give a published version as OSCAL: catalog, crosswalk, or the profile of a tier."""
    if not slug.isascii() or not slug.isprintable() or not 0 < version < 10_000:
        raise NotFound
    with begin() as tx:
        found = queries.version_named(tx, slug, version)
        if found is None:
            raise NotFound
        compiled = questionnaires.compiled(tx, found.id)
    document = _document(compiled, name, found.published_at)
    if document is None:
        raise NotFound
    return _attached(canonical_bytes(document), f"{slug}-v{version}-{name}.json", "application/json")


def _document(compiled: Questionnaire, name: str, at: datetime) -> Document | None:
    if name == "catalog":
        return oscal.catalog(compiled, at=at)
    if name == "crosswalk":
        return oscal.mapping_collection(compiled, at=at)
    tier = {f"profile-tier-{each}": each for each in TIERS}.get(name)
    if tier is None or not any(tier in each.tiers for each in compiled.questions):
        return None
    return oscal.profile(compiled, tier, at=at)


@bp.post("/decisions/<uuid:decision_id>")
@does(Action.REVIEW_READ)
def decision(decision_id: UUID) -> ResponseReturnValue:
    """Give the review behind a decision as OSCAL: the stub of a plan, the results, and what is left to do."""
    with begin() as tx:
        row = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
        if row.state is DecisionState.VOIDED:
            raise Conflict("This proposal was taken back, so there is nothing to export. Open the newest decision.")
        space = reviews.workspace(tx, reviews.review_of(tx, row))
        compiled, revision = signed.signed_revision(tx, space.attested.id)
        snapshot = scoring.get(tx, row.snapshot_id)
        counted = {each.question.key: each for each in marks(scoring.inputs_of(snapshot))}
        reviewed = Reviewed(
            signed=revision,
            judged=tuple(_judged(each, counted.get(each.key)) for each in space.desks),
            findings=_findings(space),
            conditions=tuple(
                Shortfall(f"Condition {number}", each.text, due_on=each.due_on)
                for number, each in enumerate(map(condition_of, row.conditions), start=1)
            ),
            begun_at=space.review.claimed_at or space.review.opened_at,
            ended_at=space.review.recommended_at,
            at=row.decided_at or row.proposed_at,
            outcome=row.outcome.value if row.state is DecisionState.CONFIRMED else "",
            decision=f"D-{row.number}",
            score=display(scoring.result_of(snapshot).measures.score),
        )
        body = packs.zipped(_files(compiled, reviewed, tx))
        signed.record(
            tx,
            assessment_id=row.assessment_id,
            vendor_id=row.vendor_id,
            what="OSCAL assessment results",
            sha256=hashlib.sha256(body).hexdigest(),
        )
        name = f"{revision.vendor_slug}-D-{row.number}-oscal.zip"
    return _attached(body, name, "application/zip")


def _files(compiled: Questionnaire, reviewed: Reviewed, tx: Tx) -> Mapping[str, bytes]:
    """Return the documents; those that they point at by a relative path are beside them."""
    published = next(each for each in questionnaires.list_versions(tx) if each.digest == compiled.digest)
    documents = {
        oscal_review.PLAN: oscal_review.assessment_plan(compiled, reviewed),
        oscal_review.RESULTS: oscal_review.assessment_results(compiled, reviewed),
        f"{compiled.slug}-v{compiled.version}-catalog.json": oscal.catalog(compiled, at=published.published_at),
    }
    if (left := oscal_review.plan_of_action(reviewed)) is not None:
        documents[oscal_review.ACTIONS] = left
    return {name: canonical_bytes(each) for name, each in documents.items()}


def _judged(desk: Desk, mark: Mark | None) -> Judged:
    scored = mark is not None and desk.question.is_scored and not desk.answer.na
    return Judged(
        question_key=desk.key,
        credit=mark.credit if mark is not None and scored else None,
        evidence=mark.evidence.name.lower() if mark is not None else ("attached" if desk.files else "none"),
        verdict=desk.verdict.verdict.value if desk.verdict.verdict is not None else "",
        accepted=tuple(each.sha256 for each in desk.files if each.acceptance is Acceptance.ACCEPTED),
    )


def _findings(space: Workspace) -> tuple[Shortfall, ...]:
    """Return the findings that were shared with the vendor; a draft is the reviewer's own."""
    return tuple(
        Shortfall(each.name, each.what, each.question_key, each.severity.value, each.due_on, each.closes_when)
        for each in space.findings
        if each.state is FindingState.OPEN and each.revision <= space.review.revision
    )


def _attached(body: bytes, name: str, kind: str) -> Response:
    answer = Response(body, content_type=kind)
    answer.headers["Content-Disposition"] = disposition(name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
