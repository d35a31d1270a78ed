"""What the pages of a decision show: deciding, and the document that was or is to be signed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import g
from werkzeug.datastructures import MultiDict

from portal import policy
from portal.assessments import service as assessments
from portal.identity import queries as people
from portal.kernel.ledger import Tx
from portal.policy import Action, may_ever
from portal.reviews import service as reviews
from portal.reviews.rules import (
    SUGGESTION_WORDS,
    Choice,
    Condition,
    Difference,
    condition_of,
    differences,
    expires_at,
    in_brief,
    sentence,
)
from portal.reviews.service import Outlook, Terms, Workspace
from portal.sites.lab.decision.effect import Effect, Heard, effect_of, heard_by, world_of
from portal.sites.lab.decision.forms import (
    CLOSED,
    CONDITION_DAYS,
    ESCALATE,
    OPEN,
    SPARE_ROWS,
    UNTIL,
    Cell,
    DecideForm,
    DeclineForm,
    HandBackForm,
    Row,
    SignForm,
    cells_of,
    conditions_of,
    ids_in,
    rows_of,
    typed,
    with_access,
)
from portal.sites.lab.score_words import shown
from portal.sites.lab.workspace import reading as work
from portal.sites.shared.pages import begin, page
from portal.sites.shared.ui import day
from portal.terms import OUTCOME_WORDS, AssessmentState, DecisionState, Outcome, Role
from portal.vendors import service as vendors

CHOICE_WORDS = {
    Outcome.APPROVE: "Approve",
    Outcome.APPROVE_WITH_CONDITIONS: "Approve with conditions",
    Outcome.REJECT: "Do not approve",
}
CLASSES = {
    Outcome.APPROVE: "approve",
    Outcome.APPROVE_WITH_CONDITIONS: "conditions",
    Outcome.REJECT: "reject",
}
"""The ending of the class ``for-…`` of what belongs to one outcome."""
A_YEAR = timedelta(days=365)
ANSWER_DAYS = timedelta(days=5)


@dataclass(slots=True)
class Typed:
    """What somebody typed on the page to decide: nothing on the first look."""

    form: DecideForm
    rows: list[Row]
    cells: list[Cell]
    to: list[UUID] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome | None:
        """What is chosen; None for nothing, and for an escalation."""
        return outcome_of(self.form.outcome.data)


def outcome_of(text: str | None) -> Outcome | None:
    """Return the outcome that a text names."""
    return Outcome(text) if text in set(Outcome) else None


def deciding_page(
    review_id: UUID,
    given: Typed | None = None,
    *,
    changed: str = "",
    differing: Sequence[Difference] = (),
    add_row: bool = False,
) -> str:
    """Return the page to decide on a review, with what was typed kept and the rest as it stands now."""
    with begin() as tx:
        reading = work.read(tx, review_id)
        review, today = reading.space.review, tx.now.date()
        engagement = vendors.engagement(tx, reading.space.assessment.engagement_id, Action.VENDOR_READ)
        live = reading.space.live
        outlook = reviews.outlook(tx, review=review, outcome=given.outcome if given else None, live=live)
        from_draft = given is None and outlook.draft is not None
        if given is None:
            given = (
                _draft(outlook.draft.body, engagement)
                if outlook.draft
                else _fresh(outlook, reading.space, engagement, today)
            )
            if given.outcome is not None:
                outlook = reviews.outlook(tx, review=review, outcome=given.outcome, live=live)
        findings = work.findings_of(reading.space)
        picked = given.outcome
        choice = next((each for each in outlook.choices if each.outcome is picked), None)
        terms = _effects(tx, given, engagement, findings, outlook, reading.head.tier, today)
        systems = people.askers(tx)
        heard = {
            CLASSES[outcome]: heard_by(systems, effect, engagement.vendor_id, tx.now)
            for outcome, effect in terms.items()
        }
        heard[ESCALATE] = heard_by(
            systems, [replace(each, then=each.now) for each in terms[Outcome.REJECT]], engagement.vendor_id, tx.now
        )
        told = len(people.people_of_vendor(tx, reading.head.vendor_id, active_only=True))
        names = {"reviewer": work.name_of(tx, reading.head.reviewer_id)}
    form = given.form
    form.row_version.data, form.score_seen.data = str(reading.head.row_version), outlook.live.digest
    form.basis_seen.data = json.dumps(outlook.basis, sort_keys=True, separators=(",", ":"))
    form.draft_version.data = str(outlook.draft_version)
    waiting = reading.head.state is AssessmentState.RECOMMENDED and reading.head.closed_at is None
    spare = SPARE_ROWS + 1 if add_row else SPARE_ROWS
    return page(
        "lab/decision/decide.html",
        reading=reading,
        head=reading.head,
        counts=reading.counts,
        reviewer=names["reviewer"],
        note=review.recommendation_note,
        form=form,
        rows=given.rows + [Row()] * max(0, spare - sum(each.is_empty for each in given.rows)),
        options=_options(given.cells, terms, findings, form.valid_until.data),
        unread=given.unread,
        changed=changed,
        differing=differing,
        errors=bool(given.unread) or bool(form.errors),
        score=shown(outlook.live.score, outlook.live.inputs, reading.space.questionnaire, outlook.live.papers),
        choices=outlook.choices,
        choice_words=CHOICE_WORDS,
        picked=picked,
        choice=choice,
        blockers=outlook.blockers,
        signers=outlook.signers,
        seconds=outlook.seconds,
        me=next((each for each in outlook.signers if each.id == g.actor.id), None),
        in_brief=in_brief,
        sentence=sentence,
        proposed=outlook.proposed,
        draft=outlook.draft if from_draft else None,
        since_draft=outlook.since_draft if from_draft else (),
        escalation=outlook.escalation,
        could_be_asked=outlook.could_be_asked,
        to=given.to,
        heard=heard,
        told=told,
        findings=findings,
        engagement=engagement,
        waiting=waiting,
        may_propose=waiting and policy.may(g.actor, Action.DECISION_PROPOSE, review),
        lead=Role.LEAD_APPROVER in g.actor.roles,
        button=_button(outlook, choice, given),
        hand_back_form=HandBackForm(formdata=None),
    )


def typed_in(form: DecideForm, posted: MultiDict[str, str], engagement: Any) -> Typed:
    """Return what was typed, from the form as posted."""
    return Typed(form, rows_of(posted), cells_of(posted, engagement), ids_in(posted.getlist("to")))


def terms_of(
    given: Typed, findings: Sequence[Any], today: date, outcome: Outcome | None
) -> tuple[list[Condition], list[str]]:
    """Return the conditions that rows and table say for an outcome, and what of them could not be read."""
    if outcome is not Outcome.APPROVE_WITH_CONDITIONS:
        return [], []
    conditions, unread = conditions_of(given.rows)
    closing, more = with_access(conditions, given.cells, [each for _, _, each in findings], today)
    return closing, [*unread, *more]


def _draft(body: Mapping[str, str], engagement: Any) -> Typed:
    form = DecideForm(formdata=MultiDict(body), meta={"csrf": False})
    return Typed(form, rows_of(body), cells_of(body, engagement), ids_in(body.get("to", "").split(",")))


def _fresh(outlook: Outlook, space: Workspace, engagement: Any, today: date) -> Typed:
    """Return the page as the policy suggests it."""
    form = DecideForm(formdata=None)
    picked = next((each for each in outlook.choices if each.suggested), None)
    form.outcome.data = picked.outcome.value if picked else None
    ends = [each for each in (picked.latest if picked else None, engagement.ends_on, today + A_YEAR) if each]
    form.valid_until.data = min(ends)
    form.escalation_due.data = today + ANSWER_DAYS
    second = next((each for each in outlook.seconds if each.eligible), None)
    form.asked.data = str(second.id) if second else ""
    return Typed(form, _suggested_rows(space, today), _suggested_cells(space, engagement))


def _suggested_rows(space: Workspace, today: date) -> list[Row]:
    """Return one condition for each finding, else for each question that would lift the score over the threshold."""
    found = work.findings_of(space)
    if found:
        return [
            typed(
                Condition(
                    f"{each.name}: {each.closes_when}"[:500],
                    each.due_on or today + CONDITION_DAYS,
                    finding=each.number,
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


def _suggested_cells(space: Workspace, engagement: Any) -> list[Cell]:
    """Return the table as the findings ask for: closed is what one blocks, or the top class for a silent high one."""
    classes = sorted(engagement.data_classes)
    found = []
    for cell in cells_of({}, engagement):
        choice = OPEN
        for _, _, each in work.findings_of(space):
            blocks = getattr(each, "blocks", ()) or (
                ((classes[-1], None),) if each.severity.value == "high" and len(classes) > 1 else ()
            )
            if any(cell.data_class >= level and mode in {None, cell.access_mode} for level, mode in blocks):
                choice = each.name
                break
        found.append(Cell(cell.data_class, cell.access_mode, choice))
    return found


def _effects(
    tx: Tx, given: Typed, engagement: Any, findings: Sequence[Any], outlook: Outlook, tier: int, today: date
) -> dict[Outcome, list[Effect]]:
    """Return what each outcome would change, so that choosing another one needs no new page to see it."""
    found = {}
    world = world_of(tx, engagement.vendor_id)
    for outcome in Outcome:
        conditions, _ = terms_of(given, findings, today, outcome)
        ends = given.form.valid_until.data
        found[outcome] = effect_of(
            tx, engagement, outcome, conditions, ends, tier=tier, inputs=outlook.live.inputs, world=world
        )
    return found


def _options(
    cells: Sequence[Cell], effects: Mapping[Outcome, Sequence[Effect]], findings: Sequence[Any], ends: date | None
) -> list[dict[str, Any]]:
    choices = [
        (OPEN, f"Open until {day(ends, short=True)}" if ends else "Open until the end"),
        (UNTIL, "Open until a date"),
        *((each.name, f"Closed until {each.name} is closed") for _, _, each in findings),
        (CLOSED, "Closed"),
    ]
    return [
        {
            "cell": cell,
            "choices": choices,
            "approve": effects[Outcome.APPROVE][at],
            "conditions": effects[Outcome.APPROVE_WITH_CONDITIONS][at],
            "reject": effects[Outcome.REJECT][at],
        }
        for at, cell in enumerate(cells)
    ]


def _button(outlook: Outlook, choice: Choice | None, given: Typed) -> str:
    """Return what the button does, with the name of whom it goes to."""
    me = next((each for each in outlook.signers if each.id == g.actor.id), None)
    signs = me is not None and me.eligible
    if signs and (choice.signatures if choice else 1) == 1:
        return "Sign decision"
    return f"Sign and send to {_to(outlook, given)}" if signs else f"Propose and send to {_to(outlook, given)}"


def _to(outlook: Outlook, given: Typed) -> str:
    chosen = next((each for each in outlook.seconds if str(each.id) == given.form.asked.data), None)
    return chosen.name.split()[0] if chosen is not None else "the lead approvers"


def letter_terms(given: Typed, conditions: Sequence[Condition], today: date, by: Sequence[str]) -> Terms:
    """Return what the letter would say, as typed; without an outcome it says that nothing is approved."""
    outcome = given.outcome or Outcome.REJECT
    return Terms(
        outcome=outcome,
        number=0,
        decided_on=today,
        valid_until=None if outcome is Outcome.REJECT else given.form.valid_until.data,
        conditions=tuple(conditions),
        letter=(given.form.letter.data or "").strip(),
        signed_by=tuple(by),
    )


def decision_page(
    decision_id: UUID,
    *,
    sign_form: SignForm | None = None,
    decline_form: DeclineForm | None = None,
    changed: str = "",
    differing: Sequence[Difference] = (),
) -> str:
    """Return the page of a decision: exactly the document that is or was signed, and who signs or signed it."""
    with begin() as tx:
        decision = reviews.get_decision(tx, decision_id, Action.REVIEW_READ)
        document = reviews.document_of(decision)
        assessment = assessments.get(tx, decision.assessment_id, Action.ASSESSMENT_READ)
        vendor = vendors.get(tx, decision.vendor_id, Action.VENDOR_READ)
        engagement = vendors.engagement(tx, decision.engagement_id, Action.VENDOR_READ)
        review = reviews.latest(tx, decision.assessment_id)
        proposed = decision.state is DecisionState.PROPOSED
        ended = proposed and tx.now >= expires_at(decision.proposed_at)
        outlook = reviews.outlook(tx, review=review) if proposed and not ended and review is not None else None
        signed_by = reviews.signers_of(tx, decision.id)
        names = people.people(tx, [decision.proposed_by, decision.asked_id, *signed_by])
        conditions = [condition_of(each) for each in decision.conditions]
        effect: list[Effect] = []
        heard: list[Heard] = []
        if outlook is not None:
            effect = effect_of(
                tx,
                engagement,
                decision.outcome,
                conditions,
                decision.valid_until,
                tier=decision.tier,
                inputs=outlook.live.inputs,
            )
            heard = heard_by(people.askers(tx), effect, engagement.vendor_id, tx.now)
        newer = reviews.proposed_for(tx, decision.assessment_id) if decision.state is DecisionState.VOIDED else None
        newer_document = reviews.document_of(newer) if newer is not None else None
        record = reviews.record_of(tx, decision)
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
        heard=heard,
        outcome_word=OUTCOME_WORDS[decision.outcome],
        suggestion_word=SUGGESTION_WORDS[decision.recommendation.value],
        proposer=_name(names, decision.proposed_by),
        asked=_name(names, decision.asked_id) if decision.asked_id else "",
        signed_by=[names[each].full_name for each in signed_by if each in names],
        signers=outlook.signers if outlook else (),
        in_brief=in_brief,
        ends_at=expires_at(decision.proposed_at),
        ended=ended,
        may_sign=bool(me and me.eligible) and may_ever(g.actor, Action.DECISION_CONFIRM),
        why_not=sentence(me.bars) if me and me.bars else "",
        may_withdraw=proposed and decision.proposed_by == g.actor.id,
        sign_form=sign_form or SignForm(formdata=None),
        decline_form=decline_form or DeclineForm(formdata=None),
        changed=changed,
        differing=differing,
        newer=newer,
        replaced=_replaced(document, newer_document) if newer_document is not None else (),
        record=record,
        errors=bool((sign_form and sign_form.errors) or (decline_form and decline_form.errors)),
    )


def _replaced(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what two proposals decide differently; that they are two, proposed at two times, goes without saying."""
    apart = {"decision_id", "number", "proposed_by", "proposed_at"}
    return differences(
        {key: value for key, value in before.items() if key not in apart},
        {key: value for key, value in after.items() if key not in apart},
    )


def _name(names: Mapping[UUID, Any], person_id: UUID | None) -> str:
    known = names.get(person_id) if person_id is not None else None
    return known.full_name if known is not None else "somebody who left"
