"""The outcomes as they were published: a list, and one of them in full, as it stands today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import queries as assessment_queries
from portal.assessments import service as assessments
from portal.assessments.queries import OutcomeLine
from portal.assessments.sections import unseen_sections
from portal.findings import second_look
from portal.findings.second_look import SecondLookLine
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.questionnaires import service as questionnaires
from portal.sites.shared import does, house, page
from portal.sites.shared.evidence import disposition
from portal.sites.shared.language import _
from portal.sites.shared.letter import letter_of
from portal.sites.shared.outcome import WORTH_WORDS, AnswerWorth, Result, answers_of, result_of
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.access import access_of
from portal.terms import OUTCOME_WORDS, Outcome
from portal.vendors import queries as vendors

bp = Blueprint("vendor_results", __name__)


@dataclass(frozen=True, slots=True)
class Told:
    """One outcome with all that its page says: how it stands, what came after it, and the second look at it.

    ``newer`` is the outcome that overtook it; ``state`` is what the gate says of the engagement, where this outcome is
    the one that holds.
    """

    outcome: OutcomeLine
    result: Result
    answers: tuple[AnswerWorth, ...]
    newer: UUID | None
    state: str
    until: date | None
    look: SecondLookLine | None
    ask_until: date
    today: date
    left_out: int
    """Findings about sections that the reader does not see: they were given to colleagues."""

    @property
    def can_ask(self) -> bool:
        """Whether there is still time to ask for a second look, and nobody did."""
        return self.look is None and self.today <= self.ask_until


@bp.get("/results")
@does(Action.OUTCOME_READ)
def index() -> ResponseReturnValue:
    """Show every outcome, the newest first."""
    with begin() as tx:
        vendor_id = tx.actor.vendor_id
        outcomes = assessments.outcomes_of(tx, vendor_id) if vendor_id is not None else ()
        access = [access_of(each, tx.now) for each in assessments.cards_of(tx, vendor_id)] if vendor_id else []
        today = tx.now.date()
        told = [(each, result_of(each.body, assessments.standing_of(tx, each), today=today)) for each in outcomes]
    rows = [(each, OUTCOME_WORDS[Outcome(each.body["decision"])], result) for each, result in told]
    return page("vendor/results/index.html", active="results", rows=rows, access=access)


@bp.get("/results/<uuid:outcome_id>")
@does(Action.OUTCOME_READ)
def show(outcome_id: UUID) -> ResponseReturnValue:
    """Show what was decided, why, what to fix first, and how it stands today."""
    with begin() as tx:
        told = told_of(tx, assessments.outcome(tx, outcome_id))
    return page(
        "vendor/results/result.html",
        active="results",
        told=told,
        outcome=told.outcome,
        result=told.result,
        worth_words=WORTH_WORDS,
        may_answer=may_ever(actor(), Action.FINDING_ANSWER),
        may_ask=may_ever(actor(), Action.SECOND_LOOK_ASK),
    )


@bp.get("/results/<uuid:outcome_id>/answers")
@does(Action.OUTCOME_READ)
def answers(outcome_id: UUID) -> ResponseReturnValue:
    """Show what each answer earned, and what its proof is worth today."""
    with begin() as tx:
        told = told_of(tx, assessments.outcome(tx, outcome_id))
    return page("vendor/results/answers.html", active="results", told=told, outcome=told.outcome, result=told.result)


@bp.get("/results/<uuid:outcome_id>/letter.pdf")
@does(Action.OUTCOME_READ)
def letter(outcome_id: UUID) -> ResponseReturnValue:
    """Give the decision as a letter."""
    with begin() as tx:
        outcome = assessments.outcome(tx, outcome_id)
        assessments.get(tx, outcome.assessment_id, Action.ASSESSMENT_WHOLE)
        vendor_name = vendors.names_of(tx, [outcome.vendor_id]).get(outcome.vendor_id, "")
    pdf = letter_of(outcome, lab_name=house().settings.lab_name, vendor_name=vendor_name)
    answer = make_response(pdf)
    answer.content_type = "application/pdf"
    answer.headers["Content-Disposition"] = disposition(f"decision-D-{outcome.number}.pdf")
    return answer


@bp.get("/results/<uuid:outcome_id>/second-look")
@does(Action.SECOND_LOOK_ASK)
def second_look_page(outcome_id: UUID) -> ResponseReturnValue:
    """Show the form that asks for a second look."""
    return _second_look_page(outcome_id)


@bp.post("/results/<uuid:outcome_id>/second-look")
@does(Action.SECOND_LOOK_ASK)
def ask(outcome_id: UUID) -> ResponseReturnValue:
    """Ask for a second look."""
    reason, about = request.form.get("reason", ""), request.form.getlist("about")
    try:
        with begin() as tx:
            outcome = assessments.outcome(tx, outcome_id, Action.SECOND_LOOK_ASK)
            second_look.ask(tx, outcome=outcome, reason=reason, about=about)
    except Refused as refused:
        return _second_look_page(outcome_id, reason, about, problems=refused.problems), 422
    except Conflict as conflict:
        return _second_look_page(outcome_id, reason, about, changed=conflict.message), 409
    flash(_("We have your request. Someone who did not take part in this decision answers it."))
    return redirect(url_for(".show", outcome_id=outcome_id), 303)


def _second_look_page(
    outcome_id: UUID,
    reason: str = "",
    about: list[str] | None = None,
    *,
    problems: Any = None,
    changed: str = "",
) -> str:
    with begin() as tx:
        told = told_of(tx, assessments.outcome(tx, outcome_id, Action.SECOND_LOOK_ASK))
    return page(
        "vendor/results/second_look.html",
        active="results",
        told=told,
        outcome=told.outcome,
        result=told.result,
        reason=reason,
        about=about or [],
        problems=problems or {},
        changed=changed,
        errors=problems or None,
    )


def told_of(tx: Tx, outcome: OutcomeLine) -> Told:
    """Return an outcome with all that its page says of it today."""
    today = tx.now.date()
    standing = assessments.standing_of(tx, outcome)
    newer = assessment_queries.newer_outcome(tx, outcome)
    card = None
    engagement_id = assessment_queries.engagement_of(tx, outcome.assessment_id)
    if newer is None:
        cards = assessments.cards_of(tx, outcome.vendor_id)
        card = next((each for each in cards if each.engagement_id == engagement_id), None)
    access = access_of(card, tx.now) if card is not None else None
    unseen = _unseen(tx, outcome)
    result = result_of(outcome.body, standing, card=card.body if card else None, today=today)
    return Told(
        outcome=outcome,
        result=replace(result, findings=tuple(each for each in result.findings if each.name not in unseen.findings)),
        answers=tuple(each for each in answers_of(standing, today) if each.section not in unseen.sections),
        left_out=len(unseen.findings),
        newer=newer,
        state=access.state if access else "",
        until=access.until if access else None,
        look=second_look.of_outcome(tx, outcome.id),
        ask_until=second_look.last_day(outcome.published_at),
        today=today,
    )


@dataclass(frozen=True, slots=True)
class _Unseen:
    """What somebody who keeps to the sections given to them does not see: sections, and findings by name."""

    sections: frozenset[str]
    findings: frozenset[str]


def _unseen(tx: Tx, outcome: OutcomeLine) -> _Unseen:
    assessment = assessments.get(tx, outcome.assessment_id, Action.ASSESSMENT_READ)
    sections = unseen_sections(tx, assessment)
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    names = {
        str(each.get("name"))
        for each in outcome.body.get("findings") or ()
        if each.get("question_key") in asked and asked.question(str(each["question_key"])).section in sections
    }
    return _Unseen(sections, frozenset(names))
