"""Telling people of a vendor's access: that it is paused, restored or revoked, and that a second of two is wanted."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.delivery.follow import NOTIFY_ACCESS, NOTIFY_REVOKED, NOTIFY_SECOND
from portal.gate.models import Revocation
from portal.jobs import recipients
from portal.jobs.tools import House, Job
from portal.jobs.wanted import second_wanted_by
from portal.kernel.actor import system
from portal.terms import Role
from portal.vendors.models import Engagement, Vendor


def notify_access(house: House, *, what: str, pause_id: str, since: str, vendor_id: str | None = None) -> None:
    """Tell everybody of a vendor, or of all vendors, that access is paused or restored."""
    with house.ledger.begin(system(NOTIFY_ACCESS)) as tx:
        vendors = sa.select(Vendor).where(Vendor.disabled_at.is_(None)).order_by(Vendor.id)
        if vendor_id is not None:
            vendors = sa.select(Vendor).where(Vendor.id == UUID(vendor_id))
        for vendor in tx.session.execute(vendors).scalars().all():
            people = recipients.of_vendor(tx, vendor.id)
            about = {"vendor_name": vendor.name, "at": since, "pause_id": pause_id}
            recipients.tell(tx, people, what, about, f"{what}:{pause_id}", vendor.id)


def notify_revoked(house: House, *, revocation_id: str, since: str) -> None:
    """Tell everybody of a vendor that an approval of theirs was taken back."""
    with house.ledger.begin(system(NOTIFY_REVOKED)) as tx:
        row = tx.session.get_one(Revocation, UUID(revocation_id))
        vendor = tx.session.get_one(Vendor, row.vendor_id)
        engagement = tx.session.get_one(Engagement, row.engagement_id)
        about = {"vendor_name": vendor.name, "engagement": engagement.project, "at": since, "revocation_id": row.id}
        people = recipients.of_vendor(tx, vendor.id)
        recipients.tell(tx, people, "approval_revoked", about, f"approval_revoked:{row.id}", vendor.id)


def notify_second(house: House, *, vendor_id: str, about_id: str, revokes: bool, since: str) -> None:
    """Tell the other lead approvers that one of them asked for what takes two."""
    with house.ledger.begin(system(NOTIFY_SECOND)) as tx:
        vendor = tx.session.get_one(Vendor, UUID(vendor_id))
        asker = second_wanted_by(tx, UUID(about_id), revokes=revokes)
        if asker is None:
            return
        about = {
            "vendor_name": vendor.name,
            "asked_by": recipients.name_of(tx, asker),
            "revokes": revokes,
            "vendor_slug": vendor.slug,
            "about_id": about_id,
        }
        people = recipients.of_lab(tx, {Role.LEAD_APPROVER}, but={asker})
        recipients.tell(tx, people, "second_wanted", about, f"second_wanted:{about_id}:{since}")


JOBS = (
    Job(NOTIFY_ACCESS, notify_access),
    Job(NOTIFY_REVOKED, notify_revoked),
    Job(NOTIFY_SECOND, notify_second),
)
