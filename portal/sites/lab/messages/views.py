"""Conversations in which a vendor wrote last: in a review, and before anybody reviews."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import queries as conversations
from portal.attestations import service as attestations
from portal.attestations.messages import OVER, Thread
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Questionnaire
from portal.reviews import queries as reviews
from portal.reviews.queries import NewestReview
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page
from portal.vendors import service as vendors

bp = Blueprint("lab_messages", __name__, url_prefix="/lab/messages")


@bp.get("")
@does(Action.REVIEW_READ)
def index() -> ResponseReturnValue:
    """List what waits for an answer, the oldest first."""
    with begin() as tx:
        talks = conversations.open_talks(tx)
        newest = reviews.newest_of(tx, sorted({each.assessment_id for each in talks}))
        asked = {each.questionnaire_id: questionnaires.compiled(tx, each.questionnaire_id) for each in talks}
    lines = [
        (each, _about(asked[each.questionnaire_id], each.question_key), _answers(newest.get(each.assessment_id)))
        for each in talks
    ]
    return page("lab/messages/index.html", active="messages", lines=lines)


@bp.get("/<uuid:assessment_id>/<key>")
@does(Action.REVIEW_READ)
def show(assessment_id: UUID, key: str) -> ResponseReturnValue:
    """Show one conversation."""
    return _page(assessment_id, key)


@bp.post("/<uuid:assessment_id>/<key>")
@does(Action.MESSAGE_SHARED)
def say(assessment_id: UUID, key: str) -> ResponseReturnValue:
    """Answer the vendor."""
    body, asks = request.form.get("body", ""), bool(request.form.get("asks"))
    try:
        with begin() as tx:
            row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
            attestations.post_message(
                tx, assessment=row, question_key=key, body=body, reviewer_id=_reviewer(tx, row.id), asks=asks
            )
    except Refused as refused:
        return _page(assessment_id, key, body, refused.problems["body"][0], asks=asks), 422
    except Conflict as over:
        return _page(assessment_id, key, body, over.message, asks=asks), 409
    flash("Sent. The vendor is told within ten minutes.")
    return redirect(url_for(".index"), 303)


def _reviewer(tx: Tx, assessment_id: UUID) -> UUID | None:
    """Return whose conversation it is: the reviewer's; before anybody has the review, every reviewer's."""
    newest = reviews.newest_of(tx, [assessment_id]).get(assessment_id)
    return newest.reviewer_id if newest is not None and newest.reviewer_id is not None else tx.actor.id


def _page(assessment_id: UUID, key: str, typed: str = "", problem: str = "", *, asks: bool = False) -> str:
    with begin() as tx:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
        thread = attestations.thread(tx, row, key)
        asked = questionnaires.compiled(tx, row.questionnaire_id)
        if not thread:
            raise NotFound
        newest = reviews.newest_of(tx, [row.id]).get(row.id)
        whose = Thread(row.vendor_id, _reviewer(tx, row.id))
        vendor = vendors.get(tx, row.vendor_id, Action.VENDOR_READ)
    return page(
        "lab/messages/show.html",
        active="messages",
        row=row,
        key=key,
        vendor=vendor,
        about=_about(asked, key),
        text=asked.question(key).text if key in asked else "",
        thread=thread,
        review=newest,
        who=_answers(newest),
        may_answer=row.state not in OVER and policy.may(g.actor, Action.MESSAGE_SHARED, whose),
        typed=typed,
        problem=problem,
        asks=asks,
        errors=bool(problem),
    )


def _about(asked: Questionnaire, key: str) -> str:
    """Return what a conversation is about: the number and label of its question, or the fact about the work."""
    if key in asked:
        question = asked.question(key)
        return f"{question.number} {question.label}"
    return next((fact.label for fact in asked.scoping if fact.key == key), key)


def _answers(newest: NewestReview | None) -> str:
    """Return who is to answer, in words."""
    if newest is None:
        return "No review yet"
    if newest.reviewer_id is None:
        return "Nobody has the review yet"
    return newest.reviewer
