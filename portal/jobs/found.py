"""notify_found: whose review it is hears how many contradictions a machine points at in it (ux.md, e-mail 23)."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.delivery.follow import NOTIFY_FOUND
from portal.jobs import recipients
from portal.jobs.tools import House, Job
from portal.kernel.actor import system
from portal.reviews.models import Review
from portal.terms import Role
from portal.vendors.models import Vendor


def notify_found(house: House, *, vendor_id: str) -> None:
    """Tell of each open review of a vendor with contradictions, once for each number of them."""
    with house.ledger.begin(system(NOTIFY_FOUND)) as tx:
        rows = tx.session.execute(
            sa.select(Review, Assessment.title, Vendor.name)
            .join(Assessment, Assessment.id == Review.assessment_id)
            .join(Vendor, Vendor.id == Review.vendor_id)
            .where(Review.vendor_id == UUID(vendor_id), Review.closed_at.is_(None), Review.checks_found > 0)
            .order_by(Review.opened_at, Review.id)
        ).all()
        for review, title, vendor_name in rows:
            theirs = recipients.one(tx, review.reviewer_id) if review.reviewer_id else None
            people = [theirs] if theirs is not None else recipients.of_lab(tx, {Role.REVIEWER})
            about = {"vendor_name": vendor_name, "title": title, "review_id": review.id, "found": review.checks_found}
            recipients.tell(tx, people, "contradiction_found", about, f"found:{review.id}:{review.checks_found}")


JOBS = (Job(NOTIFY_FOUND, notify_found),)
