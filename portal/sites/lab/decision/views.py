"""Deciding on a finished review, putting it before others, and confirming what somebody else decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, flash, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.assessments import queries as assessment_queries
from portal.assessments.queries import OutcomeLine
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action, may_ever
from portal.reviews import service as reviews
from portal.reviews.rules import Difference, sentence
from portal.sites.lab.decision.forms import (
    ESCALATE,
    DecideForm,
    DeclineForm,
    HandBackForm,
    SignForm,
    basis_in,
    ids_in,
    kept_of,
)
from portal.sites.lab.decision.pages import Typed, deciding_page, decision_page, letter_terms, terms_of, typed_in
from portal.sites.lab.workspace import reading as work
from portal.sites.lab.workspace.forms import add_problems, number
from portal.sites.shared.door import does
from portal.sites.shared.evidence import disposition
from portal.sites.shared.letter import letter_of
from portal.sites.shared.pages import begin, house, page
from portal.sites.shared.step_up import factor_shown, stepped_up
from portal.terms import OUTCOME_WORDS, DecisionState
from portal.vendors import service as vendors

bp = Blueprint("lab_decision", __name__, url_prefix="/lab")

UNSEEN = "The page did not say what it showed. Look at it again, then sign."


@bp.get("/reviews/<uuid:review_id>/decide")
@does(Action.REVIEW_READ)
def decide_page(review_id: UUID) -> ResponseReturnValue:
    """Show what the policy suggests and what can be decided."""
    return deciding_page(review_id)


@bp.post("/reviews/<uuid:review_id>/decide")
@does(Action.DECISION_PROPOSE)
def decide(review_id: UUID) -> ResponseReturnValue:
    """Propose the decision, and sign it where the actor may; or show the effect, keep a draft, print the letter."""
    form = DecideForm()
    with begin() as tx:
        space = work.read(tx, review_id).space
        engagement = vendors.engagement(tx, space.assessment.engagement_id, Action.VENDOR_READ)
        findings, today = work.findings_of(space), tx.now.date()
    given = typed_in(form, request.form, engagement)
    valid = form.validate()
    act = request.form.get("act")
    if act == "effect":
        return deciding_page(review_id, given, add_row=True)
    if act == "draft":
        return _keep(review_id, given)
    if act == "drop":
        return _drop(review_id)
    if act == "letter":
        conditions, _ = terms_of(given, findings, today, given.outcome)
        return _preview(review_id, given, conditions)
    if form.outcome.data == ESCALATE:
        return _escalate(review_id, given)
    if not valid:
        return deciding_page(review_id, given), 422
    outcome = given.outcome
    conditions, given.unread = terms_of(given, findings, today, outcome)
    if outcome is None:
        add_problems(form, {"outcome": ["Choose what you decide"]})
    if given.unread:
        return deciding_page(review_id, given), 422
    if not form.errors and (problem := stepped_up(form.code.data)):
        add_problems(form, {"code": [problem]})
    if form.errors or outcome is None:
        return deciding_page(review_id, given), 422
    seen = basis_in(form.basis_seen.data)
    if seen is None:
        return deciding_page(review_id, given, changed=UNSEEN), 409
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.DECISION_PROPOSE)
            decision = reviews.propose_decision(
                tx,
                review=review,
                outcome=outcome,
                conditions=conditions,
                valid_until=form.valid_until.data,
                reason=form.reason.data or "",
                letter=form.letter.data or "",
                row_version=number(form.row_version.data),
                sealer=house().signer,
                score_seen=form.score_seen.data or None,
                basis_seen=seen,
                asked_id=next(iter(ids_in([form.asked.data or ""])), None),
                factor=factor_shown(tx),
            )
            decision_id, state, name = decision.id, decision.state, f"D-{decision.number}"
    except Refused as refused:
        problems = dict(refused.problems)
        given.unread = list(problems.pop("conditions", []))
        add_problems(form, problems, otherwise="outcome")
        return deciding_page(review_id, given), 422
    except Conflict as conflict:
        return deciding_page(review_id, given, changed=conflict.message, differing=_differing(conflict)), 409
    if state is DecisionState.CONFIRMED:
        flash(f"{name} is decided. The gate answers by it from now on, and the vendor is told.")
    else:
        flash(f"{name} is proposed. Nothing changes until everybody needed has signed.")
    return redirect(url_for(".show", decision_id=decision_id), 303)


def _differing(conflict: Conflict) -> Sequence[Difference]:
    return cast("Sequence[Difference]", conflict.current.get("differences", ()))


def _keep(review_id: UUID, given: Typed) -> ResponseReturnValue:
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.DECISION_PREPARE)
            reviews.save_draft(
                tx,
                review=review,
                body=kept_of(request.form, request.form.getlist("to")),
                basis=basis_in(given.form.basis_seen.data) or {},
                row_version=number(given.form.draft_version.data),
            )
    except Refused as refused:
        add_problems(given.form, {"outcome": [refused.message]})
        return deciding_page(review_id, given), 422
    except Conflict as conflict:
        return deciding_page(review_id, given, changed=conflict.message), 409
    flash("Saved as your draft. Nobody else sees it.")
    return redirect(url_for(".decide_page", review_id=review_id), 303)


def _drop(review_id: UUID) -> ResponseReturnValue:
    with begin() as tx:
        reviews.drop_draft(tx, reviews.get(tx, review_id, Action.DECISION_PREPARE))
    flash("Your draft is gone. This is what the policy suggests now.")
    return redirect(url_for(".decide_page", review_id=review_id), 303)


def _preview(review_id: UUID, given: Typed, conditions: Sequence[Any]) -> Response:
    """Print the letter as it would be sent: the same bytes follow from the same decision."""
    with begin() as tx:
        review = reviews.get(tx, review_id, Action.DECISION_PREPARE)
        outlook = reviews.outlook(tx, review=review, outcome=given.outcome)
        by = [each.name for each in outlook.signers if each.id == g.actor.id and each.eligible]
        by += [each.name for each in outlook.seconds if str(each.id) == given.form.asked.data and each.eligible]
        terms = letter_terms(given, conditions, tx.now.date(), by)
        body = reviews.preview_body(tx, review=review, terms=terms, live=outlook.live)
        vendor = vendors.get(tx, review.vendor_id, Action.VENDOR_READ)
        title = work.read(tx, review_id).head.title
        outcome = OutcomeLine(
            id=review.id,
            vendor_id=review.vendor_id,
            assessment_id=review.assessment_id,
            revision=review.revision,
            number=0,
            body=body,
            published_at=tx.now,
            title=title,
        )
        vendor_name = vendor.name
    answer = make_response(letter_of(outcome, lab_name=house().settings.lab_name, vendor_name=vendor_name))
    answer.content_type = "application/pdf"
    answer.headers["Content-Disposition"] = disposition("decision-preview.pdf")
    return answer


def _escalate(review_id: UUID, given: Typed) -> ResponseReturnValue:
    form = given.form
    if form.escalation_due.errors:
        return deciding_page(review_id, given), 422
    try:
        with begin() as tx:
            review = reviews.get(tx, review_id, Action.DECISION_PREPARE)
            reviews.escalate(
                tx,
                review=review,
                to=given.to,
                reason=form.escalation_reason.data or "",
                due_on=form.escalation_due.data,
            )
    except Refused as refused:
        names = {"reason": "escalation_reason", "due_on": "escalation_due"}
        problems = {names.get(name, name): words for name, words in refused.problems.items()}
        add_problems(form, problems, otherwise="outcome")
        return deciding_page(review_id, given), 422
    except Conflict as conflict:
        return deciding_page(review_id, given, changed=conflict.message), 409
    flash("Escalated. Whom you named hears of it. Nothing is decided, and the gate answers as before.")
    return redirect(url_for(".decide_page", review_id=review_id), 303)


@bp.post("/escalations/<uuid:escalation_id>/hand-back")
@does(Action.REVIEW_READ)
def hand_back(escalation_id: UUID) -> ResponseReturnValue:
    """Give an escalated review back with an answer, as one who was asked."""
    form = HandBackForm()
    form.validate()
    try:
        with begin() as tx:
            row = reviews.get_escalation(tx, escalation_id, Action.REVIEW_READ)
            review_id = row.review_id
            reviews.hand_back(tx, escalation=row, answer=form.answer.data or "")
    except Refused as refused:
        flash(refused.message, "error")
        return deciding_page(review_id), 422
    except Conflict as conflict:
        return deciding_page(review_id, changed=conflict.message), 409
    flash("Handed back. Whoever escalated it hears of your answer.")
    return redirect(url_for(".decide_page", review_id=review_id), 303)


@bp.post("/escalations/<uuid:escalation_id>/take-back")
@does(Action.REVIEW_READ)
def take_back(escalation_id: UUID) -> ResponseReturnValue:
    """Take one's own escalation back."""
    try:
        with begin() as tx:
            row = reviews.get_escalation(tx, escalation_id, Action.REVIEW_READ)
            review_id = row.review_id
            reviews.take_back(tx, escalation=row)
    except Conflict as conflict:
        return deciding_page(review_id, changed=conflict.message), 409
    flash("Taken back. The review waits for a decision as before.")
    return redirect(url_for(".decide_page", review_id=review_id), 303)


@bp.get("/cosign")
@does(Action.REVIEW_READ)
def cosign() -> ResponseReturnValue:
    """List what waits for a signature or an answer, the reader's own first."""
    with begin() as tx:
        lines = reviews.proposed(tx)
        escalated = reviews.escalated(tx)
        today = tx.now.date()
    may = may_ever(g.actor, Action.DECISION_CONFIRM)
    return page(
        "lab/decision/cosign.html",
        mine=[each for each in lines if may and not each.bars],
        others=[(each, sentence(each.bars) or "your role reads decisions") for each in lines if not may or each.bars],
        escalated=sorted(escalated, key=lambda each: g.actor.id not in each.to),
        today=today,
        outcome_words=OUTCOME_WORDS,
    )


@bp.get("/decisions/<uuid:decision_id>")
@does(Action.REVIEW_READ)
def show(decision_id: UUID) -> ResponseReturnValue:
    """Show exactly the document that is or was signed, with its fingerprint."""
    return decision_page(decision_id)


@bp.get("/decisions/<uuid:decision_id>/letter.pdf")
@does(Action.REVIEW_READ)
def letter(decision_id: UUID) -> ResponseReturnValue:
    """Give the letter that the vendor reads, from what was published to it."""
    with begin() as tx:
        decision = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
        outcome = assessment_queries.outcome_of_revision(tx, decision.assessment_id, decision.revision)
        vendor = vendors.get(tx, decision.vendor_id, Action.VENDOR_READ)
        vendor_name = vendor.name
        confirmed = decision.state is DecisionState.CONFIRMED
    if outcome is None or not confirmed:
        raise NotFound
    answer = make_response(letter_of(outcome, lab_name=house().settings.lab_name, vendor_name=vendor_name))
    answer.content_type = "application/pdf"
    answer.headers["Content-Disposition"] = disposition(f"decision-D-{outcome.number}.pdf")
    return answer


@bp.get("/decisions/<uuid:decision_id>/record.json")
@does(Action.REVIEW_READ)
def record(decision_id: UUID) -> ResponseReturnValue:
    """Give the sealed record, the very bytes that were stored."""
    with begin() as tx:
        decision = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
        found, name = reviews.record_of(tx, decision), f"decision-D-{decision.number}.json"
    if found is None:
        raise NotFound
    answer = make_response(found.text)
    answer.content_type = "application/json"
    answer.headers["Content-Disposition"] = disposition(name)
    return answer


@bp.post("/decisions/<uuid:decision_id>/sign")
@does(Action.DECISION_CONFIRM)
def sign(decision_id: UUID) -> ResponseReturnValue:
    """Sign the document that the page showed."""
    form = SignForm()
    form.validate()
    if problem := stepped_up(form.code.data):
        add_problems(form, {"code": [problem]})
        return decision_page(decision_id, sign_form=form), 422
    try:
        with begin() as tx:
            decision = reviews.get_decision(tx, decision_id, Action.DECISION_CONFIRM)
            reviews.sign_decision(
                tx,
                decision=decision,
                digest_seen=form.digest_seen.data or "",
                sealer=house().signer,
                factor=factor_shown(tx),
            )
            confirmed, name = decision.state is DecisionState.CONFIRMED, f"D-{decision.number}"
    except Conflict as conflict:
        return decision_page(decision_id, changed=conflict.message, differing=_differing(conflict)), 409
    if confirmed:
        flash(f"{name} is decided. The gate answers by it from now on, and the vendor is told.")
    else:
        flash(f"You signed {name}. It waits for another signature.")
    return redirect(url_for(".show", decision_id=decision_id), 303)


@bp.post("/decisions/<uuid:decision_id>/decline")
@does(Action.DECISION_CONFIRM)
def decline(decision_id: UUID) -> ResponseReturnValue:
    """Refuse to confirm it, with a reason."""
    form = DeclineForm()
    form.validate()
    try:
        with begin() as tx:
            decision = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
            reviews.decline_decision(tx, decision=decision, reason=form.reason.data or "")
            name = f"D-{decision.number}"
    except Refused as refused:
        add_problems(form, refused.problems, otherwise="reason")
        return decision_page(decision_id, decline_form=form), 422
    except Conflict as conflict:
        return decision_page(decision_id, changed=conflict.message), 409
    flash(f"You declined {name}. The reason is an internal note on the review.")
    return redirect(url_for(".cosign"), 303)


@bp.post("/decisions/<uuid:decision_id>/withdraw")
@does(Action.REVIEW_READ)
def withdraw(decision_id: UUID) -> ResponseReturnValue:
    """Take one's own proposal back."""
    try:
        with begin() as tx:
            decision = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
            reviews.withdraw_decision(tx, decision=decision)
            review = reviews.latest(tx, decision.assessment_id)
            name = f"D-{decision.number}"
    except Conflict as conflict:
        return decision_page(decision_id, changed=conflict.message), 409
    flash(f"{name} is taken back. Nothing had changed at the gate.")
    if review is None:
        raise NotFound
    return redirect(url_for(".decide_page", review_id=review.id), 303)
