"""tell_ends: vendors hear of what comes to an end, at most once for each stage, and until the matter is settled.

Run twice, by two at once, or after days of silence, it says each thing once, and of several stages the nearest alone.
"""

from __future__ import annotations

from datetime import UTC, date
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import AccessCard
from portal.delivery import rules
from portal.delivery import service as delivery
from portal.evidence import queries as evidence
from portal.evidence.rules.standing import KEPT
from portal.findings.models import Finding
from portal.gate.models import Clearance
from portal.identity.models import Invitation
from portal.jobs import recipients
from portal.jobs.tools import House, Job, Pace
from portal.jobs.wanted import ends_of
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.terms import FindingState, RemedyAct, Role
from portal.vendors.models import Engagement, Vendor

TELL = "tell_ends"
FINDING_DAYS = (14, 3, -1)
"""Two weeks and three days before a finding is due, and the day after (ux.md, e-mail 10)."""
ENDING_DAYS = (60, 30, 7)
"""Before evidence or an approval ends (ux.md, e-mails 12 and 13)."""
INVITATION_DAYS = (2,)
LOOK_AFTER = (Role.VENDOR_ADMIN, Role.RESPONDENT)


def tell_ends(house: House, *, timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its moment
    """Queue what is to be said today, vendor by vendor."""
    actor = system(TELL)
    with house.ledger.begin(actor) as tx:
        vendors = tx.session.execute(
            sa.select(Vendor.id).where(Vendor.disabled_at.is_(None)).order_by(Vendor.id)
        ).scalars()
        found = list(vendors)
    for vendor_id in found:
        with house.ledger.begin(actor) as tx:
            vendor = tx.session.get_one(Vendor, vendor_id)
            today = tx.now.astimezone(UTC).date()
            _findings(tx, vendor, today)
            _evidence(tx, vendor, today)
            _approvals(tx, vendor, today)
    with house.ledger.begin(actor) as tx:
        _invitations(tx)


def _findings(tx: Tx, vendor: Vendor, today: date) -> None:
    statement = (
        sa.select(Finding)
        .where(
            Finding.vendor_id == vendor.id,
            Finding.state == FindingState.OPEN,
            Finding.due_on.is_not(None),
            Finding.shared_at.is_not(None),
            Finding.remedy.is_distinct_from(RemedyAct.SENT),
        )
        .order_by(Finding.due_on, Finding.number)
    )
    for row in tx.session.execute(statement).scalars():
        if row.due_on is None or row.shared_at is None:
            continue
        stage = rules.nearest(since=row.shared_at.date(), ends_on=row.due_on, days=FINDING_DAYS, today=today)
        if stage is None:
            continue
        context = {
            "finding_id": row.id,
            "number": row.number,
            "vendor_name": vendor.name,
            "due_on": row.due_on,
            "days_left": (row.due_on - today).days,
        }
        stem = f"finding_due:{row.id}:{row.due_on.isoformat()}:{stage}"
        recipients.tell(tx, recipients.of_vendor(tx, vendor.id, LOOK_AFTER), "finding_due", context, stem, vendor.id)


def _evidence(tx: Tx, vendor: Vendor, today: date) -> None:
    """Files that end on one day are said in one mail."""
    by_end: dict[tuple[date, int], list[UUID]] = {}
    for line in evidence.library(tx, vendor_id=vendor.id):
        if line.replaced_by is not None or line.state not in KEPT or line.ends_on is None:
            continue
        stage = rules.nearest(since=line.at.date(), ends_on=line.ends_on, days=ENDING_DAYS, today=today)
        if stage is not None:
            by_end.setdefault((line.ends_on, stage), []).append(line.id)
    for (ends_on, stage), files in sorted(by_end.items()):
        context = {
            "evidence_ids": sorted(files),
            "vendor_name": vendor.name,
            "ends_on": ends_on,
            "days_left": (ends_on - today).days,
        }
        stem = f"evidence_ends:{vendor.id}:{ends_on.isoformat()}:{stage}"
        recipients.tell(tx, recipients.of_vendor(tx, vendor.id, LOOK_AFTER), "evidence_ends", context, stem, vendor.id)


def _approvals(tx: Tx, vendor: Vendor, today: date) -> None:
    decided = (
        sa.select(sa.func.max(Clearance.recorded_at))
        .where(Clearance.engagement_id == AccessCard.engagement_id, Clearance.vendor_id == AccessCard.vendor_id)
        .correlate(AccessCard)
        .scalar_subquery()
    )
    statement = (
        sa.select(AccessCard, Engagement.project, decided)
        .join(Engagement, Engagement.id == AccessCard.engagement_id)
        .where(AccessCard.vendor_id == vendor.id)
        .order_by(Engagement.project, Engagement.id)
    )
    for card, project, decided_at in tx.session.execute(statement):
        ends = ends_of(card.body)
        if ends is None or decided_at is None:
            continue
        ends_on, by_evidence = ends
        stage = rules.nearest(since=decided_at.date(), ends_on=ends_on, days=ENDING_DAYS, today=today)
        if stage is None:
            continue
        context = {
            "engagement_id": card.engagement_id,
            "vendor_name": vendor.name,
            "project": project,
            "ends_on": ends_on,
            "days_left": (ends_on - today).days,
            "by_evidence": by_evidence,
        }
        stem = f"approval_ends:{card.engagement_id}:{ends_on.isoformat()}:{stage}"
        recipients.tell(
            tx,
            recipients.of_vendor(tx, vendor.id, (Role.VENDOR_ADMIN, Role.SIGNATORY)),
            "approval_ends",
            context,
            stem,
            vendor.id,
        )


def _invitations(tx: Tx) -> None:
    """Who was invited and did not come hears once more before the link ends (ux.md, e-mail 3)."""
    statement = (
        sa.select(Invitation)
        .where(
            Invitation.purpose == "join",
            Invitation.user_id.is_not(None),
            Invitation.redeemed_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > tx.now,
        )
        .order_by(Invitation.expires_at, Invitation.id)
    )
    today = tx.now.astimezone(UTC).date()
    for row in tx.session.execute(statement).scalars():
        since, ends_on = row.created_at.date(), row.expires_at.date()
        if rules.nearest(since=since, ends_on=ends_on, days=INVITATION_DAYS, today=today) is None:
            continue
        vendor = tx.session.get_one(Vendor, row.vendor_id) if row.vendor_id is not None else None
        delivery.send(
            tx,
            kind="invitation_ending",
            to_address=row.email,
            to_name=row.full_name,
            user_id=row.user_id,
            vendor_id=row.vendor_id,
            context={
                "invitation_id": row.id,
                "expires_at": row.expires_at,
                "invited_by": recipients.name_of(tx, row.invited_by),
                "vendor_name": vendor.name if vendor is not None else None,
            },
            dedupe_key=f"invitation_ending:{row.id}:{row.generation}",
        )


def jobs(pace: Pace) -> tuple[Job, ...]:
    """Return the jobs of this module that run by the clock."""
    return (Job(TELL, tell_ends, cron=pace.ends_cron),)
