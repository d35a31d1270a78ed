"""Deciding on a finished review, and confirming what somebody else decided."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.assessments import queries as assessment_queries
from portal.assessments import service as assessments
from portal.identity import queries as people
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.policy import Action, may_ever
from portal.reviews import service as reviews
from portal.reviews.rules import Choice, Condition, condition_of, sentence
from portal.reviews.service import Outlook, Signer, Workspace
from portal.sites.lab.decision.effect import effect_of
from portal.sites.lab.decision.forms import (
    SPARE_ROWS,
    DecideForm,
    DeclineForm,
    Row,
    SignForm,
    conditions_of,
    rows_of,
    typed,
)
from portal.sites.lab.score_words import shown
from portal.sites.lab.workspace import reading as work
from portal.sites.lab.workspace.forms import add_problems, number
from portal.sites.shared.door import does
from portal.sites.shared.evidence import disposition
from portal.sites.shared.letter import letter_of
from portal.sites.shared.pages import begin, house, page
from portal.sites.shared.step_up import stepped_up
from portal.terms import OUTCOME_WORDS, AssessmentState, DecisionState, Outcome, Role
from portal.vendors import service as vendors

bp = Blueprint("lab_decision", __name__, url_prefix="/lab")

CHOICE_WORDS = {
    Outcome.APPROVE: "Approve",
    Outcome.APPROVE_WITH_CONDITIONS: "Approve with conditions",
    Outcome.REJECT: "Do not approve",
}
A_YEAR = timedelta(days=365)
CONDITION_DAYS = timedelta(days=60)


@bp.get("/reviews/<uuid:review_id>/decide")
@does(Action.REVIEW_READ)
def decide_page(review_id: UUID) -> ResponseReturnValue:
    """Show what the policy suggests and what can be decided."""
    return _decide_page(review_id, None, None)


@bp.post("/reviews/<uuid:review_id>/decide")
@does(Action.DECISION_PROPOSE)
def decide(review_id: UUID) -> ResponseReturnValue:
    """Propose the decision, and sign it where the actor may; or show the effect of what is typed."""
    form = DecideForm()
    rows = rows_of(request.form)
    valid = form.validate()
    if request.form.get("act") == "effect":
        return _decide_page(review_id, form, [*rows, Row()])
    if not valid:
        return _decide_page(review_id, form, rows), 422
    conditions, unread = conditions_of(rows)
    outcome = _outcome(form.outcome.data)
    if outcome is not Outcome.APPROVE_WITH_CONDITIONS:
        conditions, unread = [], []
    if outcome is None:
        add_problems(form, {"outcome": ["Choose what you decide"]})
    if unread:
        return _decide_page(review_id, form, rows, unread=unread), 422
    if not form.errors and (problem := stepped_up(form.code.data)):
        add_problems(form, {"code": [problem]})
    if form.errors or outcome is None:
        return _decide_page(review_id, form, rows), 422
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
                score_seen=form.score_seen.data or None,
                sealer=house().signer,
            )
            decision_id, state, name = decision.id, decision.state, f"D-{decision.number}"
    except Refused as refused:
        problems = dict(refused.problems)
        unread = problems.pop("conditions", [])
        add_problems(form, problems, otherwise="outcome")
        return _decide_page(review_id, form, rows, unread=unread), 422
    except Conflict as conflict:
        return _decide_page(review_id, form, rows, changed=conflict.message), 409
    if state is DecisionState.CONFIRMED:
        flash(f"{name} is decided. The gate answers by it from now on, and the vendor is told.")
    else:
        flash(f"{name} is proposed. Nothing changes until everybody needed has signed.")
    return redirect(url_for(".show", decision_id=decision_id), 303)


@bp.get("/cosign")
@does(Action.REVIEW_READ)
def cosign() -> ResponseReturnValue:
    """List what waits for a signature, the reader's own first."""
    with begin() as tx:
        lines = reviews.proposed(tx)
    may = may_ever(g.actor, Action.DECISION_CONFIRM)
    return page(
        "lab/decision/cosign.html",
        mine=[each for each in lines if may and not each.bars],
        others=[(each, sentence(each.bars) or "your role reads decisions") for each in lines if not may or each.bars],
        outcome_words=OUTCOME_WORDS,
    )


@bp.get("/decisions/<uuid:decision_id>")
@does(Action.REVIEW_READ)
def show(decision_id: UUID) -> ResponseReturnValue:
    """Show exactly the document that is or was signed, with its fingerprint."""
    return _decision_page(decision_id)


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


@bp.post("/decisions/<uuid:decision_id>/sign")
@does(Action.DECISION_CONFIRM)
def sign(decision_id: UUID) -> ResponseReturnValue:
    """Sign the document that the page showed."""
    form = SignForm()
    form.validate()
    if problem := stepped_up(form.code.data):
        add_problems(form, {"code": [problem]})
        return _decision_page(decision_id, sign_form=form), 422
    try:
        with begin() as tx:
            decision = reviews.get_decision(tx, decision_id, Action.DECISION_CONFIRM)
            reviews.sign_decision(tx, decision=decision, digest_seen=form.digest_seen.data or "", sealer=house().signer)
            confirmed, name = decision.state is DecisionState.CONFIRMED, f"D-{decision.number}"
    except Conflict as conflict:
        return _decision_page(decision_id, changed=conflict.message), 409
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
        return _decision_page(decision_id, decline_form=form), 422
    except Conflict as conflict:
        return _decision_page(decision_id, changed=conflict.message), 409
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
        return _decision_page(decision_id, changed=conflict.message), 409
    flash(f"{name} is taken back. Nothing had changed at the gate.")
    if review is None:
        raise NotFound
    return redirect(url_for(".decide_page", review_id=review.id), 303)


def _decide_page(
    review_id: UUID,
    form: DecideForm | None,
    rows: list[Row] | None,
    *,
    unread: list[str] | None = None,
    changed: str = "",
) -> str:
    with begin() as tx:
        reading = work.read(tx, review_id)
        engagement = vendors.engagement(tx, reading.space.assessment.engagement_id, Action.VENDOR_READ)
        picked = _outcome(form.outcome.data) if form else None
        outlook = reviews.outlook(tx, review=reading.space.review, outcome=picked)
        if picked is None:
            picked = next((each.outcome for each in outlook.choices if each.suggested), None)
        if form is None:
            form = DecideForm(formdata=None)
            _prefill(form, outlook, engagement, tx.now.date(), picked)
        if rows is None:
            rows = _suggested_rows(reading.space, engagement, tx.now.date())
        conditions, _ = conditions_of(rows)
        shown_outcome = picked or Outcome.REJECT
        effect = effect_of(
            tx,
            engagement,
            shown_outcome,
            conditions if shown_outcome is Outcome.APPROVE_WITH_CONDITIONS else [],
            form.valid_until.data,
        )
        reviewer = work.name_of(tx, reading.head.reviewer_id)
    if not changed:
        # After a refusal for being late, the page keeps the old versions: read it again before you send it again.
        form.row_version.data, form.score_seen.data = str(reading.head.row_version), outlook.live.digest
    choice = next((each for each in outlook.choices if each.outcome is picked), None)
    waiting = reading.head.state is AssessmentState.RECOMMENDED and reading.head.closed_at is None
    return page(
        "lab/decision/decide.html",
        reading=reading,
        head=reading.head,
        counts=reading.counts,
        reviewer=reviewer,
        note=reading.space.review.recommendation_note,
        form=form,
        rows=rows + [Row()] * max(0, SPARE_ROWS - sum(each.is_empty for each in rows)),
        unread=unread or [],
        changed=changed,
        errors=bool(unread) or bool(form.errors),
        score=shown(outlook.live.score, outlook.live.inputs, reading.space.questionnaire, outlook.live.papers),
        choices=outlook.choices,
        choice_words=CHOICE_WORDS,
        picked=picked,
        choice=choice,
        blockers=outlook.blockers,
        signers=outlook.signers,
        sentence=sentence,
        proposed=outlook.proposed,
        effect=effect,
        findings=work.findings_of(reading.space),
        engagement=engagement,
        waiting=waiting,
        may_propose=waiting and policy.may(g.actor, Action.DECISION_PROPOSE, reading.space.review),
        lead=Role.LEAD_APPROVER in g.actor.roles,
        button=_button(outlook.signers, choice),
    )


def _prefill(form: DecideForm, outlook: Outlook, engagement: Any, today: date, picked: Outcome | None) -> None:
    form.outcome.data = picked.value if picked else None
    latest = next((each.latest for each in outlook.choices if each.outcome is picked and each.latest), None)
    ends = [each for each in (latest, engagement.ends_on, today + A_YEAR) if each is not None]
    form.valid_until.data = min(ends)


def _suggested_rows(space: Workspace, engagement: Any, today: date) -> list[Row]:
    """Return one condition for each finding, else for each question that would lift the score over the threshold."""
    found = work.findings_of(space)
    if found:
        highest = max(engagement.data_classes)
        return [
            typed(
                Condition(
                    f"{each.name}: {each.closes_when}"[:500],
                    each.due_on or today + CONDITION_DAYS,
                    highest if each.severity.value == "high" and len(engagement.data_classes) > 1 else None,
                    None,
                    each.number,
                )
            )
            for _, _, each in found
        ]
    return [
        typed(
            Condition(
                f"{space.questionnaire.number_of(key)} {space.questionnaire.question(key).label}: answered in full,"
                " with verified evidence",
                today + CONDITION_DAYS,
            )
        )
        for key in space.live.score.conditions[:10]
    ]


def _button(signers: tuple[Signer, ...], choice: Choice | None) -> str:
    """Return what the button does, with the names of those it goes to."""
    me = next((each for each in signers if each.id == g.actor.id), None)
    signs = me is not None and me.eligible
    needed = choice.signatures if choice else 1
    if signs and needed == 1:
        return "Sign decision"
    others = [each.name.split()[0] for each in signers if each.eligible and each.id != g.actor.id]
    to = " or ".join(others) if 0 < len(others) <= 2 else "the lead approvers"
    return f"Sign and send to {to}" if signs else f"Propose and send to {to}"


def _decision_page(
    decision_id: UUID,
    *,
    sign_form: SignForm | None = None,
    decline_form: DeclineForm | None = None,
    changed: str = "",
) -> str:
    with begin() as tx:
        decision = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
        document = reviews.document_of(decision)
        assessment = assessments.get(tx, decision.assessment_id, Action.ASSESSMENT_READ)
        vendor = vendors.get(tx, decision.vendor_id, Action.VENDOR_READ)
        engagement = vendors.engagement(tx, decision.engagement_id, Action.VENDOR_READ)
        review = reviews.latest(tx, decision.assessment_id)
        proposed = decision.state is DecisionState.PROPOSED
        outlook = reviews.outlook(tx, review=review) if proposed and review is not None else None
        signed_by = reviews.signers_of(tx, decision.id)
        names = people.people(tx, [decision.proposed_by, *signed_by])
        conditions = [condition_of(each) for each in decision.conditions]
        effect = effect_of(tx, engagement, decision.outcome, conditions, decision.valid_until) if proposed else []
    me = next((each for each in outlook.signers if each.id == g.actor.id), None) if outlook else None
    return page(
        "lab/decision/decision.html",
        decision=decision,
        document=document,
        text=decision.document,
        vendor=vendor,
        assessment=assessment,
        engagement=engagement,
        review_id=review.id if review else None,
        conditions=conditions,
        effect=effect,
        outcome_word=OUTCOME_WORDS[decision.outcome],
        proposer=names[decision.proposed_by].full_name if decision.proposed_by in names else "somebody who left",
        signed_by=[names[each].full_name for each in signed_by if each in names],
        signers=outlook.signers if outlook else (),
        sentence=sentence,
        may_sign=bool(me and me.eligible) and may_ever(g.actor, Action.DECISION_CONFIRM),
        why_not=sentence(me.bars) if me and me.bars else "",
        may_withdraw=proposed and decision.proposed_by == g.actor.id,
        sign_form=sign_form or SignForm(formdata=None),
        decline_form=decline_form or DeclineForm(formdata=None),
        changed=changed,
        errors=bool((sign_form and sign_form.errors) or (decline_form and decline_form.errors)),
    )


def _outcome(text: str | None) -> Outcome | None:
    return Outcome(text) if text in set(Outcome) else None
