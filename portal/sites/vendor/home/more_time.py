"""Asking for a later due date: one page with a day and a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import more_time
from portal.assessments import service as assessments
from portal.kernel.errors import Conflict, Refused
from portal.policy import Action
from portal.sites.shared import does, house, page
from portal.sites.shared.language import _
from portal.sites.shared.pages import begin
from portal.sites.vendor.access import access_of
from portal.terms import ANSWERABLE_STATES

bp = Blueprint("vendor_more_time", __name__)
ROOT = "/assessments/<uuid:assessment_id>/more-time"
OFFERED = timedelta(days=14)
"""How much later the day is that the form suggests."""


@bp.get(ROOT)
@does(Action.MORE_TIME_ASK)
def show(assessment_id: UUID) -> ResponseReturnValue:
    """Show the form, or what became of the request that was made."""
    return _page(assessment_id)


@bp.post(ROOT)
@does(Action.MORE_TIME_ASK)
def ask(assessment_id: UUID) -> ResponseReturnValue:
    """Send the request to the lab."""
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.MORE_TIME_ASK)
            wished_on = _day(request.form.get("wished_on", ""))
            more_time.ask_more_time(tx, assessment=row, wished_on=wished_on, reason=request.form.get("reason", ""))
    except Refused as refusal:
        return _page(assessment_id, problems=refusal.problems, status=422)
    except Conflict as late:
        return _page(assessment_id, refusal=late.message, status=409)
    flash(_("%(lab)s is asked for more time. The day stays as it is until they answer.", lab=house().settings.lab_name))
    return redirect(url_for("vendor_home.show", assessment_id=assessment_id), 303)


def _page(
    assessment_id: UUID,
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
    refusal: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.MORE_TIME_ASK)
        asked = more_time.more_time_of(tx, row)
        cards = assessments.cards_of(tx, row.vendor_id)
        now = tx.now
    wrong = problems or {}
    suggested = max(row.due_on, now.date()) + OFFERED
    answer = page(
        "vendor/home/more_time.html",
        active="assessment",
        row=row,
        asked=asked,
        access=[access_of(each, now) for each in cards if each.engagement_id == row.engagement_id],
        is_open=row.state in ANSWERABLE_STATES,
        typed={
            "wished_on": request.form.get("wished_on", suggested.isoformat()),
            "reason": request.form.get("reason", ""),
        },
        problems=wrong,
        errors=[
            *((f"#{name}", words) for name, sentences in wrong.items() for words in sentences),
            *([("", refusal)] if refusal else []),
        ],
    )
    return answer, status


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
