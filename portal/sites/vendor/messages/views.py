"""One list of everything that waits for the reader, and the conversations to go on with."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.kernel.errors import Conflict, Refused
from portal.policy import Action
from portal.sites.shared import does, house, page
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import begin
from portal.sites.vendor.messages.waiting import waiting
from portal.sites.vendor.work import slug

bp = Blueprint("vendor_messages", __name__)


@bp.app_context_processor
def waits() -> dict[str, Callable[[], int]]:
    """Give templates the number of things that wait for the reader; it is counted where a page says it."""
    return {"messages_waiting": _count}


def _count() -> int:
    with begin() as tx:
        return waiting(tx).count


@bp.get("/messages")
@does(Action.HOME_READ)
def show() -> ResponseReturnValue:
    """Show what waits."""
    return _page()


@bp.post("/messages/<uuid:assessment_id>/<key>")
@does(Action.MESSAGE_SHARED)
def say(assessment_id: UUID, key: str) -> ResponseReturnValue:
    """Write in one of the conversations."""
    body = request.form.get("body", "")
    place = slug(f"{assessment_id}-{key}")
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
            attestations.post_message(tx, assessment=row, question_key=key, body=body)
    except Refused as refusal:
        return _page(place, body, told(refusal.problems["body"][0])), 422
    except Conflict as over:
        return _page(place, body, told(over.message)), 409
    flash(_("Sent. %(lab)s reads it, and we write to you when there is an answer.", lab=house().settings.lab_name))
    return redirect(url_for(".show"), 303)


def _page(place: str = "", typed: str = "", problem: str = "") -> str:
    with begin() as tx:
        found = waiting(tx)
        today = tx.now.date()
    return page(
        "vendor/messages/messages.html",
        active="messages",
        waiting=found,
        today=today,
        place=place,
        typed=typed,
        problem=problem,
        errors=bool(problem),
    )
