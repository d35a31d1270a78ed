"""The outcomes as they were published: a list, and one of them in full."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.policy import Action
from portal.sites.shared import does, page
from portal.sites.shared.pages import begin
from portal.sites.vendor.access import access_of
from portal.sites.vendor.results.outcome import result_of
from portal.terms import OUTCOME_WORDS, Outcome

bp = Blueprint("vendor_results", __name__)


@bp.get("/results")
@does(Action.OUTCOME_READ)
def index() -> ResponseReturnValue:
    """Show every outcome, the newest first."""
    with begin() as tx:
        vendor_id = tx.actor.vendor_id
        outcomes = assessments.outcomes_of(tx, vendor_id) if vendor_id is not None else ()
        access = [access_of(each, tx.now) for each in assessments.cards_of(tx, vendor_id)] if vendor_id else []
    rows = [(each, OUTCOME_WORDS[Outcome(each.body["decision"])]) for each in outcomes]
    return page("vendor/results/index.html", active="results", rows=rows, access=access)


@bp.get("/results/<uuid:outcome_id>")
@does(Action.OUTCOME_READ)
def show(outcome_id: UUID) -> ResponseReturnValue:
    """Show what was decided, why, and what to fix first."""
    with begin() as tx:
        outcome = assessments.outcome(tx, outcome_id)
    return page("vendor/results/result.html", active="results", outcome=outcome, result=result_of(outcome.body))
