"""Who decides hears of it: what fell, what is put before them and what came back; and daily, what ends unsigned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.identity import queries as identity
from portal.jobs import recipients
from portal.jobs.tools import House, Job, Pace
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.reviews import placing, rules
from portal.reviews import service as reviews
from portal.reviews.models import Decision, Escalation, InternalNote
from portal.terms import DecisionState, Role
from portal.vendors.models import Vendor

TELL = "tell_proposals"
SOON = timedelta(days=3)
"""How long before a proposal ends those are told who could still sign it."""

About = Mapping[str, Any]


def cosign(tx: Tx, assessment: Assessment, about: About) -> None:
    """Tell who was asked to sign a proposal; if nobody was, every lead approver but the one who proposed it."""
    proposed = tx.session.execute(
        sa.select(Decision)
        .where(Decision.assessment_id == assessment.id, Decision.state == DecisionState.PROPOSED)
        .limit(1)
    ).scalar_one_or_none()
    if proposed is None:
        return
    details = {"tier": assessment.tier, "proposed_by": recipients.name_of(tx, proposed.proposed_by)}
    recipients.tell(tx, _who_signs(tx, proposed), "cosign", {**about, **details}, f"cosign:{proposed.id}")


def _who_signs(tx: Tx, proposed: Decision) -> list[recipients.Recipient]:
    asked = recipients.one(tx, proposed.asked_id) if proposed.asked_id is not None else None
    if asked is not None and Role.LEAD_APPROVER in asked.roles:
        return [asked]
    return list(recipients.of_lab(tx, {Role.LEAD_APPROVER}, but={proposed.proposed_by}))


def fell(tx: Tx, assessment: Assessment, about: About, decision_id: UUID) -> None:
    """Tell who proposed a decision that it fell; by whom, if somebody declined it."""
    decision = tx.session.get(Decision, decision_id)
    proposer = recipients.one(tx, decision.proposed_by) if decision is not None else None
    if decision is None or proposer is None:
        return
    declined = tx.session.execute(
        sa.select(InternalNote.author_name)
        .where(
            InternalNote.assessment_id == assessment.id,
            InternalNote.body.startswith(f"Declined D-{decision.number}:", autoescape=True),
        )
        .limit(1)
    ).scalar_one_or_none()
    details = {"number": decision.number, "decision_id": decision.id, "declined_by": declined or ""}
    recipients.tell(tx, [proposer], "proposal_fell", {**about, **details}, f"proposal_fell:{decision.id}")


def escalated(tx: Tx, assessment: Assessment, about: About, escalation_id: UUID) -> None:
    """Tell those whom a review was put before, while it waits."""
    line = reviews.escalation_line(tx, escalation_id)
    if line is None or not line.is_open:
        return
    details = {
        "tier": assessment.tier,
        "raised_by": line.raised_by_name,
        "due_on": line.due_on,
        "review_id": line.review_id,
    }
    people = [each for each in (recipients.one(tx, person_id) for person_id in line.to) if each is not None]
    recipients.tell(tx, people, "review_escalated", {**about, **details}, f"review_escalated:{line.id}")


def handed_back(tx: Tx, about: About, escalation_id: UUID) -> None:
    """Tell who escalated a review that there is an answer."""
    row = tx.session.get(Escalation, escalation_id)
    raiser = recipients.one(tx, row.raised_by) if row is not None else None
    if row is None or raiser is None or row.ended_by is None:
        return
    known = identity.people(tx, [row.ended_by]).get(row.ended_by)
    details = {
        "handed_back_by": known.full_name if known is not None else "A lead approver",
        "review_id": row.review_id,
    }
    recipients.tell(tx, [raiser], "handed_back", {**about, **details}, f"handed_back:{row.id}")


def tell_proposals(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Say of each proposal once that it ends soon, and once that it ended; run twice, it says no more."""
    actor = system(TELL)
    with house.ledger.begin(actor) as tx:
        waiting = sa.select(Decision.id).where(Decision.state == DecisionState.PROPOSED).order_by(Decision.id)
        ids = list(tx.session.execute(waiting).scalars())
    for decision_id in ids:
        with house.ledger.begin(actor) as tx:
            _ending(tx, decision_id)


def _ending(tx: Tx, decision_id: UUID) -> None:
    decision = tx.session.get_one(Decision, decision_id)
    ends_at = rules.expires_at(decision.proposed_at)
    if decision.state is not DecisionState.PROPOSED or tx.now < ends_at - SOON:
        return
    ended = tx.now >= ends_at
    if ended:
        placing.refresh(tx, decision.assessment_id)
    proposer = recipients.one(tx, decision.proposed_by)
    people = ([proposer] if proposer is not None else []) if ended else _who_signs(tx, decision)
    context = {
        "vendor_name": tx.session.get_one(Vendor, decision.vendor_id).name,
        "title": tx.session.get_one(Assessment, decision.assessment_id).title,
        "number": decision.number,
        "decision_id": decision.id,
        "ends_on": ends_at.date(),
        "ended": ended,
    }
    stage = "ended" if ended else "ending"
    recipients.tell(tx, people, "proposal_ending", context, f"proposal_{stage}:{decision.id}")


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the job of this module, at the pace of the others that look at dates."""
    return (Job(TELL, tell_proposals, cron=pace.ends_cron),)
