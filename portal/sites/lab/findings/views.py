"""Findings of every vendor: one list with its views, and the whole life of one with every act of the lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.findings import queries
from portal.identity import queries as people
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import acceptances, following, remedies
from portal.sites.lab.findings import forms, showing
from portal.sites.lab.findings.forms import day_of, id_of, person_of
from portal.sites.lab.workspace.forms import number
from portal.sites.shared.door import does
from portal.sites.shared.pages import begin, page
from portal.sites.shared.step_up import stepped_up
from portal.terms import Severity
from portal.vendors import queries as vendors

bp = Blueprint("lab_findings", __name__, url_prefix="/lab/findings")


@bp.get("")
@does(Action.REVIEW_READ)
def index() -> ResponseReturnValue:
    """List the findings of every vendor, or of one, in one of the views."""
    view = forms.view_of(request.args.get("show", ""))
    severity = forms.severity_of(request.args.get("severity", ""))
    vendor_id = person_of(request.args.get("vendor", ""))
    after = forms.place_of(request.args.get("after", ""))
    with begin() as tx:
        found = queries.page(tx, view=view, vendor_id=vendor_id, severity=severity, after=after)
        counts = queries.counts(tx, vendor_id=vendor_id, severity=severity)
        names = vendors.names_of(tx, queries.vendors_with(tx))
        followers = people.people(tx, [each.follower_id or each.opened_by for each in found.lines])
        today = tx.now.date()
    kept: dict[str, Any] = {
        "vendor": str(vendor_id) if vendor_id else None,
        "severity": severity.value if severity is not None else None,
    }
    return page(
        "lab/findings/index.html",
        active="findings",
        view=view,
        tabs=[
            (words, url_for(".index", show=each.value, **kept), counts[each], each is view)
            for each, words in forms.VIEW_WORDS.items()
        ],
        rows=[
            (each, names.get(each.vendor_id, ""), followers.get(each.follower_id or each.opened_by))
            for each in found.lines
        ],
        next=url_for(".index", show=view.value, after=forms.place_words(found.after), **kept) if found.after else "",
        first=url_for(".index", show=view.value, **kept) if after else "",
        vendors=[("", "All vendors"), *sorted(((str(key), name) for key, name in names.items()), key=lambda v: v[1])],
        vendor=str(vendor_id or ""),
        severities=[("", "Any severity"), *((each.value, each.value.capitalize()) for each in Severity)],
        severity=severity.value if severity is not None else "",
        empty=forms.EMPTY_WORDS[view],
        today=today,
    )


@bp.get("/<uuid:finding_id>")
@does(Action.REVIEW_READ)
def show(finding_id: UUID) -> ResponseReturnValue:
    """Show a finding with its whole history, its proof beside it, and what it does at the gate."""
    return showing.finding_page(finding_id)


@bp.post("/<uuid:finding_id>/verify")
@does(Action.REMEDY_VERIFY)
def verify(finding_id: UUID) -> ResponseReturnValue:
    """Find the proof good: the finding is closed."""
    typed = request.form

    def judge(tx: Tx, finding: Any) -> str:
        remedies.verify(
            tx,
            finding=finding,
            remedy_id=id_of(typed.get("remedy", "")),
            credit=number(typed.get("credit", "")) if typed.get("credit") else remedies.FULL,
            note=typed.get("note", ""),
            row_version=number(typed.get("row_version", "")),
        )
        return f"F-{finding.number} is closed. The score counts it, the gate follows, and the vendor is told."

    return _act(finding_id, Action.REMEDY_VERIFY, judge, code="code")


@bp.post("/<uuid:finding_id>/return")
@does(Action.REMEDY_RETURN)
def give_back(finding_id: UUID) -> ResponseReturnValue:
    """Ask for more than the proof shows."""
    typed = request.form

    def judge(tx: Tx, finding: Any) -> str:
        remedies.give_back(
            tx,
            finding=finding,
            remedy_id=id_of(typed.get("remedy", "")),
            note=typed.get("back", ""),
            row_version=number(typed.get("row_version", "")),
        )
        return f"The proof for F-{finding.number} went back. The vendor reads why."

    return _act(finding_id, Action.REMEDY_RETURN, judge, fields={"note": "back"})


@bp.post("/<uuid:finding_id>/plan")
@does(Action.FINDING_FOLLOW)
def answer_plan(finding_id: UUID) -> ResponseReturnValue:
    """Agree to the vendor's plan, or return it with words."""
    typed = request.form

    def answer(tx: Tx, finding: Any) -> str:
        step, version = id_of(typed.get("step", "")), number(typed.get("row_version", ""))
        note = typed.get("plan_note", "")
        if typed.get("answer") == "agree":
            following.agree_plan(tx, finding=finding, step_id=step, note=note, row_version=version)
            return f"You agreed to the plan for F-{finding.number}. The due date stays what it is."
        following.return_plan(tx, finding=finding, step_id=step, note=note, row_version=version)
        return f"The plan for F-{finding.number} went back. The vendor reads why."

    return _act(finding_id, Action.FINDING_FOLLOW, answer, fields={"note": "plan_note"})


@bp.post("/<uuid:finding_id>/due")
@does(Action.FINDING_FOLLOW)
def move_due(finding_id: UUID) -> ResponseReturnValue:
    """Give the finding another due date, with a reason."""
    typed = request.form

    def move(tx: Tx, finding: Any) -> str:
        following.move_due(
            tx,
            finding=finding,
            due_on=day_of(typed.get("due_on", "")),
            reason=typed.get("due_why", ""),
            row_version=number(typed.get("row_version", "")),
        )
        return f"F-{finding.number} has another due date. The vendor reads why. The gate keeps what was decided."

    return _act(finding_id, Action.FINDING_FOLLOW, move, fields={"note": "due_why"})


@bp.post("/<uuid:finding_id>/people")
@does(Action.FINDING_FOLLOW)
def name_people(finding_id: UUID) -> ResponseReturnValue:
    """Say who follows the finding at the lab, and who sees to it at the vendor."""
    typed = request.form

    def name(tx: Tx, finding: Any) -> str:
        follower, owner = person_of(typed.get("follower", "")), person_of(typed.get("owner", ""))
        if follower is None:
            raise Refused(problems={"follower": ["Choose who follows it"]})
        following.name_follower(
            tx, finding=finding, person_id=follower, row_version=number(typed.get("row_version", ""))
        )
        # The first of the two may have moved it, under this very lock.
        following.name_owner(tx, finding=finding, person_id=owner, row_version=finding.row_version)
        return f"The people of F-{finding.number} are named."

    return _act(finding_id, Action.FINDING_FOLLOW, name)


@bp.post("/<uuid:finding_id>/risk")
@does(Action.RISK_PROPOSE)
def propose_risk(finding_id: UUID) -> ResponseReturnValue:
    """Propose that the lab lives with the finding until a day: the first of two signatures."""
    typed = request.form

    def propose(tx: Tx, finding: Any) -> str:
        acceptances.propose(
            tx,
            finding=finding,
            reason=typed.get("risk_reason", ""),
            owner_id=person_of(typed.get("risk_owner", "")),
            until=day_of(typed.get("risk_until", "")),
            row_version=number(typed.get("row_version", "")),
        )
        return f"It is proposed to accept the risk of F-{finding.number}. Nothing opens until a second person confirms."

    named = {"reason": "risk_reason", "owner": "risk_owner", "until": "risk_until"}
    return _act(finding_id, Action.RISK_PROPOSE, propose, fields=named, code="risk_code")


@bp.post("/<uuid:finding_id>/risk/<uuid:acceptance_id>/confirm")
@does(Action.RISK_CONFIRM)
def confirm_risk(finding_id: UUID, acceptance_id: UUID) -> ResponseReturnValue:
    """Confirm that the lab lives with the finding, as the second person."""

    def confirm(tx: Tx, finding: Any) -> str:
        row = acceptances.get(tx, finding, acceptance_id, Action.RISK_CONFIRM)
        acceptances.confirm(tx, acceptance=row, digest_seen=request.form.get("digest", ""))
        return f"The risk of F-{finding.number} is accepted. What it kept closed is open until that day is over."

    return _act(finding_id, Action.RISK_CONFIRM, confirm, code="confirm_code")


@bp.post("/<uuid:finding_id>/risk/<uuid:acceptance_id>/take-back")
@does(Action.FINDING_FOLLOW)
def take_back_risk(finding_id: UUID, acceptance_id: UUID) -> ResponseReturnValue:
    """Take one's own proposal back, or decline somebody else's."""

    def take_back(tx: Tx, finding: Any) -> str:
        row = acceptances.get(tx, finding, acceptance_id, Action.FINDING_FOLLOW)
        acceptances.take_back(tx, acceptance=row, why=request.form.get("decline_why", ""))
        return f"Nobody proposes to accept the risk of F-{finding.number} any more."

    return _act(finding_id, Action.FINDING_FOLLOW, take_back, fields={"why": "decline_why"})


@bp.post("/<uuid:finding_id>/risk/<uuid:acceptance_id>/revoke")
@does(Action.RISK_REVOKE)
def revoke_risk(finding_id: UUID, acceptance_id: UUID) -> ResponseReturnValue:
    """Live with the finding no more."""

    def revoke(tx: Tx, finding: Any) -> str:
        row = acceptances.get(tx, finding, acceptance_id, Action.RISK_REVOKE)
        acceptances.revoke(
            tx,
            acceptance=row,
            why=request.form.get("revoke_why", ""),
            row_version=number(request.form.get("row_version", "")),
        )
        return f"The risk of F-{finding.number} is accepted no more. What it keeps closed is closed again."

    return _act(finding_id, Action.RISK_REVOKE, revoke, fields={"why": "revoke_why"}, code="revoke_code")


def _act(
    finding_id: UUID,
    action: Action,
    run: Callable[[Tx, Any], str],
    *,
    fields: Mapping[str, str] | None = None,
    code: str = "",
) -> ResponseReturnValue:
    """Do one thing to a finding and answer with its page: what was done, or what stands in the way with all typed.

    :param fields: the names of the room's problems → the fields of this page.
    :param code: the field of the fresh factor, where the act needs one.
    """
    typed = request.form
    if code and (problem := stepped_up(typed.get(code))):
        return showing.finding_page(finding_id, typed=typed, problems={code: [problem]}), 422
    try:
        with begin() as tx:
            done = run(tx, remedies.get(tx, finding_id, action))
    except Refused as refused:
        return showing.finding_page(finding_id, typed=typed, problems=_at(refused, fields or {})), 422
    except Conflict as conflict:
        return showing.finding_page(finding_id, typed=typed, changed=conflict.message), 409
    flash(done)
    return redirect(url_for(".show", finding_id=finding_id), 303)


def _at(refused: Refused, fields: Mapping[str, str]) -> dict[str, Sequence[str]]:
    return {fields.get(name, name): words for name, words in refused.problems.items()}
