"""Whose review it is, and how it leaves: claimed, given, let go; questions sent back, finished, returned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, TextAreaField

from portal.identity import queries as people
from portal.kernel.errors import Conflict, Refused
from portal.policy import Action
from portal.reviews import service as reviews
from portal.sites.lab.score_words import shown
from portal.sites.lab.workspace import reading as work
from portal.sites.lab.workspace.blueprint import bp
from portal.sites.lab.workspace.forms import AssignForm, FinishForm, ReturnForm, add_problems, number
from portal.sites.lab.workspace.outgoing import outgoing
from portal.sites.shared.door import does
from portal.sites.shared.errors import refusal_page
from portal.sites.shared.forms import Form
from portal.sites.shared.pages import begin, house, page
from portal.terms import Role, Verdict
from portal.vendors import service as vendors


class BackForm(Form):
    """Why a finished review goes back to its reviewer."""

    reason = TextAreaField("Why it goes back", description="The reviewer reads this. The vendor does not")
    row_version = HiddenField()


@dataclass(frozen=True, slots=True)
class Ask:
    """One question that goes back to the vendor."""

    key: str
    number: str
    label: str
    note: str


@bp.post("/claim")
@does(Action.REVIEW_CLAIM)
def claim(review_id: UUID) -> ResponseReturnValue:
    """Take a review that nobody has; of two at once one gets it, and the other is told who."""
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_CLAIM)
            reviews.claim(tx, review=review)
    except Conflict as conflict:
        return refusal_page(409, f"{conflict.message} Open the queue to see what waits.", title="Somebody was faster")
    flash("This review is yours.")
    return redirect(url_for("lab_workspace.show", review_id=review_id), 303)


@bp.post("/release")
@does(Action.REVIEW_CLAIM)
def release(review_id: UUID) -> ResponseReturnValue:
    """Let a review go, so that it waits for somebody again."""
    form = ReturnForm()
    with begin() as tx:
        review = reviews.get(tx, review_id, Action.REVIEW_READ)
        reviews.release(tx, review=review, row_version=number(form.row_version.data) if form.row_version.data else None)
    flash("The review waits for somebody again. Your verdicts stay with it.")
    return redirect(url_for("lab_queue.queue"), 303)


@bp.get("/assign")
@does(Action.REVIEW_ASSIGN)
def assign_page(review_id: UUID) -> ResponseReturnValue:
    """Show to whom the review can be given."""
    return _assign_page(review_id, AssignForm(formdata=None))


@bp.post("/assign")
@does(Action.REVIEW_ASSIGN)
def assign(review_id: UUID) -> ResponseReturnValue:
    """Give the review to a person."""
    form = AssignForm()
    form.reviewer_id.choices = []
    form.validate()
    try:
        chosen = UUID(form.reviewer_id.data or "")
    except ValueError:
        form.reviewer_id.errors = ["Choose who reviews this"]
        return _assign_page(review_id, form), 422
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_ASSIGN)
            reviews.assign(tx, review=review, reviewer_id=chosen, row_version=number(form.row_version.data))
    except Refused as refused:
        form.reviewer_id.errors = refused.problems.get("reviewer_id", [refused.message])
        return _assign_page(review_id, form), 422
    except Conflict as conflict:
        return _assign_page(review_id, form, changed=conflict.message), 409
    flash("The review is given.")
    return redirect(url_for("lab_queue.queue"), 303)


def _assign_page(review_id: UUID, form: AssignForm, *, changed: str = "") -> str:
    with begin() as tx:
        review = reviews.get(tx, review_id, Action.REVIEW_ASSIGN)
        vendor = vendors.get(tx, review.vendor_id, Action.VENDOR_READ).name
        staff = [
            each
            for each in people.lab_people(tx, active_only=True)
            if {Role.REVIEWER, Role.LEAD_APPROVER} & each.roles and each.id != review.reviewer_id
        ]
        holder = people.people(tx, [review.reviewer_id]).get(review.reviewer_id) if review.reviewer_id else None
        form.row_version.data = str(review.row_version)
    return page(
        "lab/workspace/assign.html",
        review_id=review_id,
        vendor=vendor,
        staff=staff,
        holder=holder.full_name if holder else "",
        form=form,
        changed=changed,
    )


@bp.get("/return")
@does(Action.QUESTIONS_RETURN)
def return_page(review_id: UUID) -> ResponseReturnValue:
    """Show what the vendor would get, before anything is sent."""
    return _return_page(review_id)


@bp.post("/return")
@does(Action.QUESTIONS_RETURN)
def return_questions(review_id: UUID) -> ResponseReturnValue:
    """Send the questions back, and nothing else."""
    form = ReturnForm()
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.QUESTIONS_RETURN)
            keys = reviews.return_questions(tx, review=review, row_version=number(form.row_version.data))
    except Refused as refused:
        return _return_page(review_id, refused=refused.message), 422
    except Conflict as conflict:
        return _return_page(review_id, changed=conflict.message), 409
    flash(f"{'1 question' if len(keys) == 1 else f'{len(keys)} questions'} sent. The vendor gets one e-mail.")
    return redirect(url_for("lab_queue.queue", tab="vendor"), 303)


def _return_page(review_id: UUID, *, refused: str = "", changed: str = "") -> str:
    with begin() as tx:
        reading = work.read(tx, review_id, Action.QUESTIONS_RETURN)
    asks = [
        Ask(desk.key, desk.question.number, desk.question.label, desk.verdict.note)
        for group in reading.space.groups
        for desk in group.desks
        if desk.verdict.verdict is Verdict.ASK
    ]
    return page(
        "lab/workspace/return.html",
        head=reading.head,
        counts=reading.counts,
        asks=asks,
        refused=refused,
        changed=changed,
        errors=bool(refused),
    )


@bp.get("/finish")
@does(Action.RECOMMEND)
def finish_page(review_id: UUID) -> ResponseReturnValue:
    """Show what the review comes to, before it goes to those who decide."""
    return _finish_page(review_id, FinishForm(formdata=None))


@bp.post("/finish")
@does(Action.RECOMMEND)
def finish(review_id: UUID) -> ResponseReturnValue:
    """Finish the review: the score is computed anew, and it waits for a decision."""
    form = FinishForm()
    form.validate()
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.RECOMMEND)
            reviews.recommend(tx, review=review, note=form.note.data or "", row_version=number(form.row_version.data))
    except Refused as refused:
        if "note" in refused.problems:
            add_problems(form, {"note": refused.problems["note"]})
        return _finish_page(review_id, form, missing=refused.problems.get("review", [])), 422
    except Conflict as conflict:
        return _finish_page(review_id, form, changed=conflict.message), 409
    flash("The review is finished and waits for a decision.")
    return redirect(url_for("lab_decision.decide_page", review_id=review_id), 303)


def _finish_page(review_id: UUID, form: FinishForm, *, missing: list[str] | None = None, changed: str = "") -> str:
    with begin() as tx:
        reading = work.read(tx, review_id, Action.RECOMMEND)
        going = outgoing(tx, reading.space, lab_name=house().settings.lab_name)
    space = reading.space
    form.row_version.data = str(reading.head.row_version)
    return page(
        "lab/workspace/finish.html",
        head=reading.head,
        counts=reading.counts,
        going=going,
        score=shown(space.live.score, space.live.inputs, space.questionnaire, space.live.papers),
        undecided=[line for group in reading.groups for line in group.lines if line.verdict is None],
        form=form,
        missing=missing or [],
        changed=changed,
        errors=bool(missing) or bool(form.errors),
    )


@bp.post("/back")
@does(Action.QUESTIONS_RETURN)
def give_back(review_id: UUID) -> ResponseReturnValue:
    """Send a finished review back to its reviewer, as a lead approver."""
    form = BackForm()
    form.validate()
    words = (form.reason.data or "").strip()
    if not words:
        form.reason.errors = ["Enter why it goes back, for example: the penetration test covers another product"]
        return _back_page(review_id, form), 422
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.QUESTIONS_RETURN)
            reviews.return_to_review(tx, review=review, reason=words, row_version=number(form.row_version.data))
    except Refused as refused:
        add_problems(form, refused.problems, otherwise="reason")
        return _back_page(review_id, form), 422
    except Conflict as conflict:
        return _back_page(review_id, form, changed=conflict.message), 409
    flash("The review is back with its reviewer.")
    return redirect(url_for("lab_queue.queue"), 303)


@bp.get("/back")
@does(Action.QUESTIONS_RETURN)
def back_page(review_id: UUID) -> ResponseReturnValue:
    """Ask why a finished review goes back."""
    return _back_page(review_id, BackForm(formdata=None))


def _back_page(review_id: UUID, form: BackForm, *, changed: str = "") -> str:
    with begin() as tx:
        reading = work.read(tx, review_id, Action.QUESTIONS_RETURN)
        reviewer = work.name_of(tx, reading.head.reviewer_id)
    form.row_version.data = str(reading.head.row_version)
    context: dict[str, Any] = {"head": reading.head, "reviewer": reviewer, "form": form, "changed": changed}
    return page("lab/workspace/back.html", **context, lead=Role.LEAD_APPROVER in g.actor.roles)
