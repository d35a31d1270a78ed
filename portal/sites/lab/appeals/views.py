"""Second looks at decisions: the list, one of them, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import service as assessments
from portal.findings.second_look import line_of
from portal.kernel.errors import Conflict, Refused
from portal.policy import Action, may_ever
from portal.reviews import rules, second_look
from portal.sites.lab.workspace.forms import number
from portal.sites.shared.door import does
from portal.sites.shared.outcome import result_of
from portal.sites.shared.pages import begin, page
from portal.terms import SecondAnswer

bp = Blueprint("lab_appeals", __name__, url_prefix="/lab/appeals")


@bp.get("")
@does(Action.REVIEW_READ)
def index() -> ResponseReturnValue:
    """List what was asked for, the unanswered first; which of them is in the address."""
    with begin() as tx:
        lines = second_look.appeals(tx)
        today = tx.now.date()
    may = may_ever(g.actor, Action.SECOND_LOOK_ANSWER)
    kept = {
        "waiting": [each for each in lines if each.look.answer is None],
        "mine": [each for each in lines if each.look.answer is None and not each.bars and may],
        "answered": [each for each in lines if each.look.answer is not None],
    }
    show = request.args.get("show", "waiting")
    show = show if show in kept else "waiting"
    return page(
        "lab/appeals/index.html",
        active="appeals",
        lines=kept[show],
        counts={key: len(rows) for key, rows in kept.items()},
        show=show,
        may_answer=may,
        today=today,
    )


@bp.get("/<uuid:second_look_id>")
@does(Action.REVIEW_READ)
def show(second_look_id: UUID) -> ResponseReturnValue:
    """Show what the vendor says was wrong, beside what was decided."""
    return _page(second_look_id)


@bp.post("/<uuid:second_look_id>/answer")
@does(Action.SECOND_LOOK_ANSWER)
def answer(second_look_id: UUID) -> ResponseReturnValue:
    """Answer it: the decision holds, or it is decided anew."""
    typed = request.form
    chosen = next((each for each in SecondAnswer if each.value == typed.get("answer")), None)
    if chosen is None:
        return _page(second_look_id, typed=typed, problems={"answer": ["Choose what you find"]}), 422
    try:
        with begin() as tx:
            look = second_look.get(tx, second_look_id, Action.SECOND_LOOK_ANSWER)
            second_look.answer(
                tx,
                look=look,
                said=chosen,
                words=typed.get("words", ""),
                row_version=number(typed.get("row_version", "")),
            )
    except Refused as refused:
        problems = dict(refused.problems)
        others = [words for field, each in problems.items() if field not in {"answer", "words"} for words in each]
        if others:
            problems["answer"] = [*problems.get("answer", []), *others]
        return _page(second_look_id, typed=typed, problems=problems), 422
    except Conflict as conflict:
        return _page(second_look_id, typed=typed, changed=conflict.message), 409
    if chosen is SecondAnswer.UPHELD:
        flash("The decision holds. The vendor reads why.")
    else:
        flash("It is decided anew: the vendor is asked to sign again, and the gate stays as it is until then.")
    return redirect(url_for(".show", second_look_id=second_look_id), 303)


def _page(
    second_look_id: UUID,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, Sequence[str]] | None = None,
    changed: str = "",
) -> str:
    with begin() as tx:
        row = second_look.get(tx, second_look_id)
        look = line_of(row)
        bars = rules.sentence(second_look.bars_of(tx, row))
        found = next((each for each in second_look.appeals(tx) if each.look.id == second_look_id), None)
        outcome = assessments.outcome(tx, look.outcome_id, Action.REVIEW_READ)
        standing = assessments.standing_of(tx, outcome)
        answerers = second_look.answerers(tx, row) if look.answer is None else ()
        today = tx.now.date()
    may = may_ever(g.actor, Action.SECOND_LOOK_ANSWER)
    return page(
        "lab/appeals/appeal.html",
        active="appeals",
        look=look,
        found=found,
        answerers=answerers,
        outcome=outcome,
        result=result_of(outcome.body, standing, today=today),
        may_answer=look.answer is None and not bars and may,
        why_not=f"{g.actor.name} {bars}." if bars else "" if may else "Your role reads second looks.",
        today=today,
        typed=typed or {},
        problems=problems or {},
        changed=changed,
        errors=bool(problems) or None,
    )
