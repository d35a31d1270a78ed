"""Who hears of what is agreed on a finding beside its proof: plans, other days, risks that the lab lives with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.delivery.follow import NOTIFY_FINDING
from portal.findings.models import Finding, FindingStep, RiskAcceptance
from portal.jobs import recipients
from portal.jobs.recipients import Recipient
from portal.jobs.tools import House, Job
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.reviews import acceptances
from portal.reviews import service as reviews
from portal.terms import AcceptanceState, FindingAct, FindingState, PlanState, Role
from portal.vendors.models import Vendor


def notify_finding(house: House, *, what: str, finding_id: str, subject_id: str) -> None:
    """Tell people about a finding.

    ``what``: plan_received (who follows it at the lab, else whose review it is, else all reviewers), plan_agreed and
    plan_returned (its owner at the vendor, else the vendor's admins, and who sent the plan), finding_due_moved (its
    owner, else the admins), risk_proposed (who may confirm it), risk_accepted and risk_revoked (the vendor's admins).
    ``subject_id``: the step, or the acceptance.
    """
    with house.ledger.begin(system(NOTIFY_FINDING)) as tx:
        finding = tx.session.get(Finding, UUID(finding_id))
        if finding is None:
            return
        # What was closed meanwhile has a mail of its own; other plans of the assessment may wait still.
        if finding.state is not FindingState.OPEN and what != "plan_received":
            return
        vendor = tx.session.get_one(Vendor, finding.vendor_id)
        about: dict[str, Any] = {"finding_id": finding.id, "number": finding.number, "vendor_name": vendor.name}
        subject = UUID(subject_id)
        match what:
            case "plan_received":
                _plan_received(tx, finding, vendor, subject)
                return
            case "plan_agreed" | "plan_returned":
                people, details = _vendors(tx, finding, senders=True), {"due_on": finding.due_on}
            case "finding_due_moved":
                step = tx.session.get_one(FindingStep, subject)
                if step.day != finding.due_on:
                    return
                people, details = _vendors(tx, finding), {"due_on": finding.due_on, "was_due_on": step.was_day}
            case "risk_proposed":
                _risk_proposed(tx, finding, about, subject)
                return
            case "risk_accepted":
                row = tx.session.get_one(RiskAcceptance, subject)
                people, details = _admins(tx, finding), {"until": row.until}
            case "risk_revoked":
                people, details = _admins(tx, finding), {"due_on": finding.due_on}
            case _:
                raise ValueError(f"notify_finding cannot say {what!r}")
        recipients.tell(tx, people, what, about | details, f"{what}:{subject}", vendor.id)


def _plan_received(tx: Tx, finding: Finding, vendor: Vendor, step_id: UUID) -> None:
    """Count what waits for one person into one mail."""
    waiting = tx.session.execute(
        sa.select(Finding.follower_id, sa.func.count())
        .where(
            Finding.assessment_id == finding.assessment_id,
            Finding.state == FindingState.OPEN,
            Finding.plan == PlanState.SENT,
        )
        .group_by(Finding.follower_id)
        .order_by(Finding.follower_id)
    ).all()
    people: dict[UUID, Recipient] = {}
    counts: dict[UUID, int] = {}
    for follower_id, number in waiting:
        for each in _followers(tx, finding, follower_id):
            people[each.id] = each
            counts[each.id] = counts.get(each.id, 0) + number
    title = tx.session.get_one(Assessment, finding.assessment_id).title
    for person_id, person in people.items():
        details = {"vendor_name": vendor.name, "title": title, "waiting": counts[person_id]}
        recipients.tell(tx, [person], "plan_received", details, f"plan_received:{step_id}")


def _followers(tx: Tx, finding: Finding, follower_id: UUID | None) -> Iterable[Recipient]:
    review = reviews.latest(tx, finding.assessment_id)
    for person_id in (follower_id, review.reviewer_id if review is not None else None):
        person = recipients.one(tx, person_id) if person_id is not None else None
        if person is not None:
            return [person]
    return recipients.of_lab(tx, {Role.REVIEWER})


def _vendors(tx: Tx, finding: Finding, *, senders: bool = False) -> list[Recipient]:
    team = recipients.of_vendor(tx, finding.vendor_id)
    sent: set[UUID] = set()
    if senders:
        plans = sa.select(FindingStep.by).where(
            FindingStep.finding_id == finding.id, FindingStep.act == FindingAct.PLAN_SENT
        )
        sent = set(tx.session.execute(plans).scalars())
    owned = any(each.id == finding.owner_id for each in team)
    return [
        each
        for each in team
        if each.id in sent or (each.id == finding.owner_id if owned else Role.VENDOR_ADMIN in each.roles)
    ]


def _admins(tx: Tx, finding: Finding) -> list[Recipient]:
    return list(recipients.of_vendor(tx, finding.vendor_id, {Role.VENDOR_ADMIN}))


def _risk_proposed(tx: Tx, finding: Finding, about: dict[str, Any], acceptance_id: UUID) -> None:
    row = tx.session.get(RiskAcceptance, acceptance_id)
    if row is None or row.state is not AcceptanceState.PROPOSED:
        return
    free = set(acceptances.who_confirm(tx, finding, row))
    people = [each for each in recipients.of_lab(tx, {Role.LEAD_APPROVER}) if each.id in free]
    details = {
        "until": row.until,
        "proposed_by": recipients.name_of(tx, row.proposed_by),
        "acceptance_id": row.id,
    }
    recipients.tell(tx, people, "risk_proposed", about | details, f"risk_proposed:{row.id}")


JOBS = (Job(NOTIFY_FINDING, notify_finding),)
